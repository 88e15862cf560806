// GRAFT_BITFIT, GRAFT_LAYER_NORM, GRAFT_LINEAR_PROBE: parameters of the base under base_model.model.<name>. PEFT has no such types.
#include "nn/names.h"
#include "peft/inside/adapter_parts.h"
#include "peft/tune.h"

namespace graft::peft {
namespace {
const std::string prefix = "base_model.model.";
std::string key(const std::string&, const std::string& hf) { return prefix + hf; }
}  // namespace

static Attached read_tuned(const BaseModel& base, const AdapterConfig& config, Keys& keys, const std::string& name) {
  const std::string type = config.word("peft_type");
  config.expect_all_known({});
  Rng rng(0);
  Attached attached = type == "GRAFT_BITFIT"       ? attach(base, BitFit{}, rng, name)
                      : type == "GRAFT_LAYER_NORM" ? attach(base, LayerNormTuning{}, rng, name)
                                                   : attach(base, LinearProbe{}, rng, name);
  read_variants(base, name, keys, key);
  read_head(base, name, keys, prefix);
  return attached;
}

static void write_tuned(const BaseModel& base, const Attached& attached, nlohmann::json& config, NamedTensors& tensors) {
  config["peft_type"] = dynamic_cast<const BitFit*>(attached.method.get())            ? "GRAFT_BITFIT"
                        : dynamic_cast<const LayerNormTuning*>(attached.method.get()) ? "GRAFT_LAYER_NORM"
                                                                                      : "GRAFT_LINEAR_PROBE";
  write_variants(base, attached.name, tensors, key);
  write_head(base, attached.name, tensors, prefix);
}

const FileFormat tuned_file{{"GRAFT_BITFIT", "GRAFT_LAYER_NORM", "GRAFT_LINEAR_PROBE"},
                            any_of<BitFit, LayerNormTuning, LinearProbe>,
                            read_tuned,
                            write_tuned};

}  // namespace graft::peft
