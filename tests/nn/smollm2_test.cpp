// A real model: SmolLM2-135M-Instruct in Q4_1 against transformers with the dequantized weights (fixtures/make_smollm2.py).
// Runs where GRAFT_SMOLLM2 is the path of the file, as `./run interop` sets it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "nn/evaluate.h"
#include "nn/generate.h"
#include "nn/load.h"
#include "tests/here.h"
#include "tests/nn/fixture.h"

namespace graft {
namespace {

using namespace fixture;

TEST(SmolLM2, KnownAnswers) {
  const char* file = std::getenv("GRAFT_SMOLLM2");
  if (!file) GTEST_SKIP() << "GRAFT_SMOLLM2 is not set to the path of SmolLM2-135M-Instruct.Q4_1.gguf (./run interop does it)";
  const json known = json_of(here::fixtures() + "/smollm2.json");
  const Loaded l = load_model(file);
  const Tokenizer t = load_tokenizer_of(file);
  for (const json& c : known["texts"])
    EXPECT_EQ(t.encode(c["text"].get<std::string>(), Specials::parse), c["ids"].get<std::vector<TokenId>>()) << c["text"];
  for (const json& p : known["prompts"]) {
    SCOPED_TRACE(p["text"].get<std::string>());
    const auto ids = p["ids"].get<std::vector<Id>>();
    EXPECT_EQ(t.encode(p["text"].get<std::string>(), Specials::parse), ids);
    EXPECT_NEAR(evaluate(*l.model, ids).mean(), p["nll"].get<double>(), 1e-4);
    {
      const NoGrad no_grad;
      const Tensor logits = (*l.model)(row_of(ids)).value();
      const real* last = logits.data() + (logits.rows() - 1) * logits.cols();
      for (std::size_t i = 0; i < 5; ++i)
        EXPECT_NEAR(last[p["top"][i].get<Index>()], p["logits"][i].get<double>(), 1e-2) << "top " << i;
    }
    GenerateOptions options;
    options.max_tokens = 20;
    Rng rng(1);
    EXPECT_EQ(generate(*l.model, {ids}, options, rng)[0], p["greedy"].get<std::vector<Id>>());
  }
}

}  // namespace
}  // namespace graft
