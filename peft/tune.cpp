#include "peft/tune.h"

namespace graft::peft {

void BitFit::graft(const Host& host, const std::string& name, Rng&) const {
  const Index count = vary(host, name, [](const std::string& path) { return matches(path, "bias"); });
  expect<ValueError>(count > 0, "BitFit: ", host.model.kind(), " has no biases to train; LayerNorm tuning or IA3 train as few");
}

void LayerNormTuning::graft(const Host& host, const std::string& name, Rng&) const {
  const Index count = vary(host, name, is_norm);
  expect<ValueError>(count > 0, "LayerNorm tuning: ", host.model.kind(), " has no norms");
}

void LinearProbe::graft(const Host& host, const std::string&, Rng&) const {
  expect<ValueError>(host.score != nullptr, "linear probe: ", host.model.kind(),
                     " has no classification head; put a Classifier around it, or take another method");
}

void FullFineTuning::graft(const Host& host, const std::string&, Rng&) const {
  host.root.each([](const std::string& path, Part& part) {
    auto* packed = dynamic_cast<PackedPart*>(&part);
    expect<ValueError>(packed == nullptr, "full fine-tuning: ", path,
                       " is packed and cannot learn; convert the model to F32, or ", "take LoRA");
  });
  host.root.learn(true);
}

}  // namespace graft::peft
