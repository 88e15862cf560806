// Reads and writes bottleneck adapters in AdapterHub's folders (`adapters` 1.3): adapter_config.json + adapter.safetensors, and
// model_head.safetensors for the head of a classifier. PEFT has no such type. Read: double_seq_bn, seq_bn, par_bn and what
// differs from them in size, activation and scale; every other option must be at its default.
#pragma once
#include <string>

#include "peft/adapter_file.h"

namespace graft::peft {

bool is_adapterhub(const std::string& folder);  ///< does it hold an adapter.safetensors?
/// Errors: as load_adapter().
Attached load_adapterhub(const BaseModel& base, const std::string& folder, const std::string& name = "default",
                         const AdapterOptions& options = {});
/// Errors: ValueError for another method; for one with trained LayerNorms, which these files cannot hold.
void save_adapterhub(const BaseModel& base, const Attached& attached, const std::string& folder, const std::string& base_name = "");

}  // namespace graft::peft
