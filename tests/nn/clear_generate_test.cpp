// The first page on generation and generate() write the same.
#include "nn/clear/generate.h"

#include <gtest/gtest.h>

#include "nn/generate.h"
#include "nn/gpt2.h"

namespace graft {
namespace {

TEST(ClearGenerate, WritesWhatGenerateWritesAfter100Prompts) {
  Gpt2Config c;
  c.vocabulary = 23, c.context = 32, c.dim = 16, c.layers = 2, c.heads = 2;
  Gpt2 model(c);
  Rng rng(5);
  model.initialize(rng);
  for (const auto& [path, parameter] : model.parameters())  // far from uniform, so that rounding decides nothing
    if (parameter->shape().rank() == 2) parameter->set(normal(parameter->shape(), 0, real(0.5), rng));
  for (int i = 0; i < 100; ++i) {
    std::vector<Id> prompt;
    for (Index n = 1 + rng.below(8); n > 0; --n) prompt.push_back(static_cast<Id>(rng.below(23)));
    GenerateOptions options;
    options.max_tokens = 8;
    if (i % 2) options.sampling.temperature = 0.8;
    Rng draws(static_cast<std::uint64_t>(i)), same = draws;
    Rng row = same.split();  // generate() gives each row a stream of its own
    const std::vector<Id> all = clear::generate(model, prompt, 8, options.sampling.temperature, row);
    EXPECT_EQ(std::vector<Id>(all.begin() + static_cast<std::ptrdiff_t>(prompt.size()), all.end()),
              generate_one(model, prompt, options, draws));
  }
}

}  // namespace
}  // namespace graft
