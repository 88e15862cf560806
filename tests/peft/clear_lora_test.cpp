// The first page on LoRA and the method compute the same, forward and backward.
#include "peft/clear/lora.h"

#include <gtest/gtest.h>

#include "nn/gpt2.h"
#include "peft/lora.h"

namespace graft {
namespace {

TEST(ClearLora, OutputsAndGradientsAreThoseOfTheMethodOn100Draws) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    Gpt2Config c;
    c.vocabulary = 7, c.context = 8, c.dim = 4 * (1 + rng.below(4)), c.layers = 1, c.heads = 2;
    Gpt2 model(c);
    model.initialize(rng);
    peft::Lora method;
    method.r = 1 + rng.below(4), method.alpha = static_cast<real>(1 + rng.below(9)), method.targets = {"up"};
    peft::attach(model, method, rng);
    Projection* up = nullptr;
    for (const auto& [path, slot] : model.slots<Projection>())
      if (path == "layers.0.mlp.up") up = &**slot;
    ASSERT_NE(up, nullptr);
    auto& lora = dynamic_cast<peft::LoraLinear&>(*up);
    clear::LoraLinear clear(lora.base->dense(), method.r, *method.alpha, rng);
    std::map<std::string, Variable> own;  // of the method, moved away from its start
    for (const auto& [path, parameter] : peft::learning(model)) {
      const bool A = path.find("lora_A") != std::string::npos;
      parameter->set(normal(parameter->shape(), 0, 1, rng));
      own[A ? "A" : "B"] = parameter->own();
      (A ? clear.A : clear.B) = graft::parameter(parameter->value());
    }
    ASSERT_EQ(own.size(), 2u);
    const Tensor x = normal({3, c.dim}, 0, 1, rng), weights = normal({3, 4 * c.dim}, 0, 1, rng);
    const Variable theirs = (*up)(x), ours = clear(x) + lora.base->bias();
    const auto near = [](const Tensor& a, const Tensor& b) {
      ASSERT_EQ(a.shape(), b.shape());
      for (Index i = 0; i < a.numel(); ++i) ASSERT_NEAR(a[i], b[i], 2e-5 * (1 + std::fabs(b[i])));
    };
    near(theirs.value(), ours.value());
    sum(theirs * Variable(weights)).backward();
    sum(ours * Variable(weights)).backward();
    near(own["A"].grad(), clear.A.grad());
    near(own["B"].grad(), clear.B.grad());
  }
}

}  // namespace
}  // namespace graft
