// What can be seen of a method after training, for the report: how far LoRA moved each projection and in how many directions, how
// much attention a prefix gets, which words virtual tokens resemble, how an ensemble voted.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "cli/tune/job.h"

namespace graft::cli {

/// The fields "delta", "prefix_attention", "virtual_tokens" of a run in report.h, those that the method has.
nlohmann::json insight(Job& job);

/// ‖ΔW‖/‖W‖ (Frobenius) and the singular values of ΔW = s·B·A, which has at most r: those of the r × r matrix between the
/// decompositions of B and A.
nlohmann::json lora_delta(Job& job);
/// By layer and head the share of attention that goes to the prefix, the mean over the tokens of one batch.
nlohmann::json prefix_attention(Job& job);
/// The words whose rows point most nearly the same way as each virtual token's.
nlohmann::json nearest_words(Job& job, Index count = 3);

}  // namespace graft::cli
