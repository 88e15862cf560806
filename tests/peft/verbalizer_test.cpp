// Label words: scores are the words' logits at the answer's place, they teach, and what is refused.
#include "autograd/sizes.h"
#include "peft/verbalizer.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "peft/ensemble.h"
#include "tests/peft/methods.h"
#include "tests/tokenizer/fixture.h"
#include "train/optimizer.h"

namespace graft {
namespace {

TEST(Verbalizer, ScoresAreTheWordsLogits) {
  std::unique_ptr<Model> m = table::tiny_gpt2();
  table::randomize(*m);
  Rng rng(5);
  peft::PTuning p;
  using Kind = peft::Piece::Kind;
  p.prompt_template = {
      {Kind::virtual_tokens, 2}, {Kind::sentence}, {Kind::words, 0, {2, 3}}, {Kind::virtual_tokens, 1}, {Kind::answer}};
  peft::attach(*m, p, rng);
  const peft::Verbalizer words({{4}, {5, 6}, {7}}, 13);
  const Batch user{Ids({2, 4}, {1, 2, 3, 4, 5, 6, 0, 0}), {}, {4, 2}};
  const Variable scores = words(*m, user);
  ASSERT_EQ(scores.shape(), Shape({2, 3}));
  for (Index b = 0; b < 2; ++b) {  // each row alone, by the plain forward
    const Index n = b == 0 ? 4 : 2;
    std::vector<Id> row;
    for (Index t = 0; t < n; ++t) row.push_back(user.ids[b * 4 + t]);
    const NoGrad no_grad;
    const Tensor y = (*m)(m->prompt_template(Batch{Ids({1, n}, row)})).value();
    const real* last = y.data() + (y.dim(1) - 1) * 13;
    EXPECT_NEAR(scores.value()[b * 3], last[4], 1e-5);
    EXPECT_NEAR(scores.value()[b * 3 + 1], (last[5] + last[6]) / 2, 1e-5);
    EXPECT_NEAR(scores.value()[b * 3 + 2], last[7], 1e-5);
  }
  train::AdamW adam(peft::learning(*m));  // and they teach
  double first = 0, loss = 0;
  for (int i = 0; i < 100; ++i) {
    const Variable y = cross_entropy(words(*m, user), Ids({2}, {2, 0}));
    loss = y.item();
    if (i == 0) first = loss;
    adam.clear_gradients();
    y.backward();
    adam.step(real(0.1));
  }
  EXPECT_LT(loss, 0.75 * first);
  using Words = std::vector<std::vector<Id>>;
  EXPECT_THROW(peft::Verbalizer(Words{{1}}, 13), ValueError);
  EXPECT_THROW(peft::Verbalizer(Words{{1}, {}}, 13), ValueError);
  EXPECT_THROW(peft::Verbalizer(Words{{1}, {2, 1}}, 13), ValueError);
  EXPECT_THROW(peft::Verbalizer(Words{{1}, {13}}, 13), IndexError);
}

TEST(Verbalizer, FromTexts) {
  const Tokenizer tokenizer = ::fixture::tokenizer("gpt2");
  using Texts = std::vector<std::vector<std::string>>;
  const auto first = [&](const std::string& word) { return static_cast<Id>(tokenizer.encode(word).at(0)); };
  constexpr Index V = 400;
  const auto all = [&](const peft::Verbalizer& words) {  // which logit counts how much for which label
    Tensor eye(Shape{V, V}, 0);
    real* to = eye.write();
    for (Index i = 0; i < V; ++i) to[i * V + i] = 1;
    return words(Variable(eye)).value();
  };
  const std::string good = " good", more = " goodxyz", bad = " tree";
  ASSERT_EQ(first(good), first(more)) << "two words, one first token";
  const Tensor weights = all(peft::Verbalizer(Texts{{good, more, " the"}, {bad}}, tokenizer, V));
  ASSERT_EQ(weights.shape(), (Shape{V, 2}));
  for (Id id = 0; id < V; ++id) {
    const double mine = id == first(good) || id == first(" the") ? 0.5 : 0;
    EXPECT_EQ(weights[2 * id], mine) << "a token counts once";
    EXPECT_EQ(weights[2 * id + 1], id == first(bad) ? 1 : 0);
  }
  const std::string said = ::fixture::message<ValueError>([&] { peft::Verbalizer(Texts{{good}, {bad, more}}, tokenizer, V); });
  for (const char* word : {"\" good\" and \" goodxyz\"", "different labels", "same token", "first tokens differ"}) ::fixture::expect_has(said, word);
  EXPECT_THROW(peft::Verbalizer(Texts({{""}, {bad}}), tokenizer, V), ValueError);
}

/// K prompts read label words in one batch and vote.
TEST(Verbalizer, PromptsVote) {
  std::unique_ptr<Model> m = table::tiny_llama();
  table::randomize(*m);
  Rng rng(5);
  peft::PromptTuning prompt;
  prompt.length = 3;
  const auto names = peft::names_of(peft::attach_ensemble(*m, prompt, 3, rng, "task"));
  const peft::Verbalizer words({{4}, {5, 6}, {7}}, 13);
  const Batch user{Ids({2, 4}, {1, 2, 3, 4, 5, 6, 0, 0}), {}, {4, 2}};
  const NoGrad no_grad;
  std::vector<real> alone;
  for (const std::string& name : names) {
    m->select(name);
    const auto scores = words(*m, user).value().values();
    alone.insert(alone.end(), scores.begin(), scores.end());
  }
  m->select(Selection(peft::rows_for(names, 2)));
  const Tensor together = words(*m, peft::repeated(user, 3)).value();
  ASSERT_EQ(together.shape(), (Shape{6, 3}));
  for (Index i = 0; i < 18; ++i) EXPECT_NEAR(together[i], nth(alone, i), 1e-5);
  const peft::Votes v = peft::vote(together, 3);
  for (Index b = 0; b < 2; ++b) EXPECT_EQ(v.votes[3 * b] + v.votes[3 * b + 1] + v.votes[3 * b + 2], 3);
}

}  // namespace
}  // namespace graft
