#include "peft/tune.h"

#include "peft/inside/file_format.h"
#include "peft/registry.h"

namespace graft::peft {

void BitFit::graft(const BaseModel& base, const std::string& name, Rng&) const {
  const Index count = vary(base, name, [](const std::string& path) { return matches(path, "bias"); });
  expect<ValueError>(count > 0, "BitFit: ", base.model.kind(), " has no biases to train; LayerNorm tuning or IA3 train as few");
}

void LayerNormTuning::graft(const BaseModel& base, const std::string& name, Rng&) const {
  const Index count = vary(base, name, is_norm);
  expect<ValueError>(count > 0, "LayerNorm tuning: ", base.model.kind(), " has no norms");
}

void LinearProbe::graft(const BaseModel& base, const std::string&, Rng&) const {
  expect<ValueError>(base.score != nullptr, "linear probe: ", base.model.kind(),
                     " has no classification head; put a Classifier around it, or take another method");
}

void FullFineTuning::graft(const BaseModel& base, const std::string&, Rng&) const {
  base.root.each([](const std::string& path, Part& part) {
    auto* packed = dynamic_cast<PackedPart*>(&part);
    expect<ValueError>(packed == nullptr, "full fine-tuning: ", path,
                       " is packed and cannot be trained; convert the model to F32, or ", "take LoRA");
  });
  base.root.learn(true);
}

std::vector<MethodRow> tuning_rows() {
  const std::string page = "docs/methods/others.md";
  return {{"full", "full fine-tuning", page, 5e-5, plain<FullFineTuning>, nullptr},
          {"probe", "linear probe", page, 1e-2, plain<LinearProbe>, &tuned_file, false},
          {"bitfit", "BitFit", page, 1e-3, plain<BitFit>, &tuned_file},
          {"layernorm", "LayerNorm tuning", page, 1e-3, plain<LayerNormTuning>, &tuned_file}};
}

}  // namespace graft::peft
