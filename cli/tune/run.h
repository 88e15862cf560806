// A run of graft tune is a folder with
//     run.json                  the options, the version, the number of threads
//     adapter_config.json, adapter_model.safetensors      the result (for an ensemble in prompt-0, prompt-1, …; for full fine-tuning a model)
//     checkpoint.safetensors    what --resume needs; best-N.safetensors: the best parameters so far, after step N
//     metrics.jsonl             one line per step and per evaluation; events.out.tfevents.*: the same for TensorBoard
//     result.json               what was measured: a run of report.h
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "cli/commands.h"
#include "cli/tune/settings.h"

namespace graft::cli {

/// Trains, or continues. Ctrl-C, SIGTERM and SIGHUP end it after the current step, with a checkpoint.
/// Errors: those of the parts; FileError, ValueError: --out holds another run; Interrupted.
void run_tune(const Settings& settings, const nlohmann::json& options, const Globals& globals);

/// Prints what would be trained, measured on one step, and trains nothing.
void dry_run(const Settings& settings);

}  // namespace graft::cli
