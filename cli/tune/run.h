// A run of graft tune: a folder with
//     run.json                  the options, the version, the number of threads
//     adapter_config.json, adapter_model.safetensors      the result (of an ensemble in prompt-0, prompt-1, …; of full fine-tuning a model)
//     checkpoint.safetensors    what --resume needs; best-N.safetensors: the best parameters so far, after step N
//     metrics.jsonl             one line per step and per look at the held-out data; events.out.tfevents.*: the same for TensorBoard
//     result.json               what was measured: a run of report.h
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "cli/commands.h"
#include "cli/tune/settings.h"

namespace graft::cli {

/// Trains, or goes on. Ctrl-C, SIGTERM and SIGHUP end it after the step that is being made, with a checkpoint.
/// Errors: those of the parts; FileError, ValueError: --out holds another run; Interrupted.
void run_tune(const Settings& settings, const nlohmann::json& options, const Globals& globals);

/// Says what would be trained, measured on one step, and trains nothing.
void dry_run(const Settings& settings);

}  // namespace graft::cli
