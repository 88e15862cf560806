// Sampling against probabilities worked out by hand; generate(): reproducible, each row by itself, stopping, errors.
#include "autograd/sizes.h"
#include "nn/generate.h"

#include <gtest/gtest.h>

#include "tests/nn/fixture.h"

namespace graft {
namespace {

using namespace fixture;
using Rows = std::vector<std::vector<Id>>;

// --- sample() ----------------------------------------------------------------------------------------------------------

struct Case {
  const char* name;
  Sampling sampling;            // temperature, top_k, top_p, penalty
  std::vector<double> weights;  // e^logit
  std::vector<Id> seen;
  std::vector<double> p;  // of each token
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

// Weights 1, 2, 3, 4 have the probabilities .1, .2, .3, .4; temperature ½ squares them.
const std::vector<Case> cases = {
    {"greedy", {0, 0, 1, 1}, {1, 2, 4, 3}, {}, {0, 0, 1, 0}},
    {"greedy_takes_the_first_of_equals", {0, 0, 1, 1}, {1, 4, 4, 3}, {}, {0, 1, 0, 0}},
    {"plain", {1, 0, 1, 1}, {1, 2, 3, 4}, {}, {.1, .2, .3, .4}},
    {"cold", {0.5, 0, 1, 1}, {1, 2, 3, 4}, {}, {1 / 30., 4 / 30., 9 / 30., 16 / 30.}},
    {"hot", {2, 0, 1, 1}, {1, 4, 9, 16}, {}, {.1, .2, .3, .4}},
    {"top_2", {1, 2, 1, 1}, {1, 2, 3, 4}, {}, {0, 0, 3 / 7., 4 / 7.}},
    {"top_1", {1, 1, 1, 1}, {1, 2, 3, 4}, {}, {0, 0, 0, 1}},
    {"top_9_of_4", {1, 9, 1, 1}, {1, 2, 3, 4}, {}, {.1, .2, .3, .4}},
    {"half", {1, 0, 0.5, 1}, {1, 2, 3, 4}, {}, {0, 0, 3 / 7., 4 / 7.}},
    {"three_quarters", {1, 0, 0.75, 1}, {1, 2, 3, 4}, {}, {0, 2 / 9., 3 / 9., 4 / 9.}},
    {"tiny_keeps_one", {1, 0, 0.01, 1}, {1, 2, 3, 4}, {}, {0, 0, 0, 1}},
    {"top_p_of_what_top_k_left", {1, 2, 0.5, 1}, {1, 2, 3, 4}, {}, {0, 0, 0, 1}},
    {"top_p_after_temperature", {0.5, 0, 0.5, 1}, {1, 2, 3, 4}, {}, {0, 0, 0, 1}},
    {"penalty_shrinks_positive", {1, 0, 1, 2}, {1, 1, 1, 16}, {3, 3, 3}, {1 / 7., 1 / 7., 1 / 7., 4 / 7.}},
    {"penalty_lowers_negative", {1, 0, 1, 2}, {1, 1, 1, 0.5}, {3}, {4 / 13., 4 / 13., 4 / 13., 1 / 13.}},
    {"penalty_before_temperature", {0.5, 0, 1, 2}, {1, 1, 1, 16}, {3}, {1 / 19., 1 / 19., 1 / 19., 16 / 19.}},
    {"penalty_ignores_what_is_no_word", {1, 0, 1, 2}, {1, 2, 3, 4}, {7, -1}, {.1, .2, .3, .4}},
    {"impossible_ones", {1, 0, 1, 1}, {0, 2, 0, 2}, {}, {0, .5, 0, .5}},
};

class Sampled : public testing::TestWithParam<Case> {};

TEST_P(Sampled, HasTheDistribution) {
  const Case& c = GetParam();
  std::vector<real> logits;
  for (const double w : c.weights) logits.push_back(static_cast<real>(std::log(w)));
  constexpr int n = 20000;
  std::vector<int> counts(4);
  Rng rng(17);
  for (int i = 0; i < n; ++i) ++nth(counts, sample(logits.data(), 4, c.seen, c.sampling, rng));
  for (std::size_t i = 0; i < 4; ++i) {
    const double p = c.p[i];
    EXPECT_LE(std::abs(counts[i] - n * p), 5 * std::sqrt(n * p * (1 - p))) << "token " << i << ": " << counts[i];
  }
}
INSTANTIATE_TEST_SUITE_P(Cases, Sampled, testing::ValuesIn(cases), [](const auto& i) { return std::string(i.param.name); });

TEST(Sample, Errors) {
  const std::vector<real> l = {1, 2}, nothing = {-INFINITY, static_cast<real>(NAN)};
  Rng rng(1);
  const Sampling wrong[] = {{-1, 0, 1, 1}, {1, -1, 1, 1}, {1, 0, 0, 1}, {1, 0, 1.5, 1}, {1, 0, 1, 0}, {NAN, 0, 1, 1}};
  for (const Sampling& s : wrong) EXPECT_THROW(sample(l.data(), 2, {}, s, rng), ValueError);
  EXPECT_THROW(sample(nothing.data(), 2, {}, {}, rng), ValueError);
}

// --- generate() --------------------------------------------------------------------------------------------------------

class Generate : public testing::TestWithParam<std::string> {
 protected:
  Built b = build(GetParam());
  Model& m = *b.model;
  const Rows prompts = {{5, 6, 7}, {8}, {9, 10, 11, 12, 13}};
  Rows run(const Rows& p, GenerateOptions o, std::uint64_t seed, const OnToken& on_token = {}) {
    Rng rng(seed);
    return generate(m, p, o, rng, on_token);
  }
  static GenerateOptions options(double temperature) {
    GenerateOptions o;
    o.max_tokens = 8, o.sampling.temperature = temperature;
    return o;
  }
};

TEST_P(Generate, SeedsAreReproducible) {
  const Rows once = run(prompts, options(1), 4);
  EXPECT_EQ(once, run(prompts, options(1), 4));
  Rng draws(4);
  std::vector<Id> first;
  for (const Id id : generate_one(m, prompts[0], options(1), draws)) first.push_back(id);
  EXPECT_EQ(first, once[0]);
  EXPECT_NE(once, run(prompts, options(1), 5));
  for (const auto& row : once) EXPECT_EQ(row.size(), 8u);
}

TEST_P(Generate, ARowDoesNotDependOnTheOthers) {
  const Rows all = run(prompts, options(1), 4);
  EXPECT_EQ(run({prompts[0]}, options(1), 4)[0], all[0]);
  EXPECT_EQ(run({prompts[0], {20, 21}}, options(1), 4)[0], all[0]);
  EXPECT_EQ(run({{20, 21, 22, 23}, prompts[1], prompts[2]}, options(1), 4)[2], all[2]);
}

TEST_P(Generate, FalseEndsARowAndNoOther) {
  const Rows all = run(prompts, options(1), 4);
  Rows heard(3);
  const Rows cut = run(prompts, options(1), 4, [&](Index row, Id token) {
    nth(heard, row).push_back(token);
    return row != 1 || heard[1].size() < 3;
  });
  EXPECT_EQ(heard, cut);
  EXPECT_EQ(cut[0], all[0]);
  EXPECT_EQ(cut[2], all[2]);
  EXPECT_EQ(cut[1], std::vector<Id>(all[1].begin(), all[1].begin() + 3));
}

TEST_P(Generate, EndsAreIncludedAndEnd) {
  const Rows all = run(prompts, options(0), 4);
  GenerateOptions o = options(0);
  o.ends = {all[2][2]};
  const Rows cut = run(prompts, o, 4);
  for (std::size_t r = 0; r < all.size(); ++r) {
    auto end = std::find(all[r].begin(), all[r].end(), all[2][2]);
    if (end != all[r].end()) ++end;
    EXPECT_EQ(cut[r], std::vector<Id>(all[r].begin(), end)) << r;
  }
}

/// Every token drawn is the one sample() gives on the logits of a full forward.
TEST_P(Generate, TokensAreSampledFromTheFullForward) {
  GenerateOptions o = options(0.9);
  o.sampling.top_k = 9, o.sampling.repetition_penalty = 1.3;
  const Rows all = run(prompts, o, 6);
  Rng rng(6);
  for (std::size_t r = 0; r < prompts.size(); ++r) {
    Rng draws = rng.split();
    std::vector<Id> x = prompts[r];
    for (const Id token : all[r]) {
      const NoGrad no_grad;
      const Tensor logits = m(row_of(x)).value();
      const Index V = logits.cols();
      EXPECT_EQ(sample(logits.data() + (logits.rows() - 1) * V, V, x, o.sampling, draws), token);
      x.push_back(token);
    }
  }
}

TEST_P(Generate, Errors) {
  GenerateOptions o = options(0);
  EXPECT_THROW(run({}, o, 1), ValueError);
  EXPECT_THROW(run({{1}, {}}, o, 1), ValueError);
  EXPECT_THROW(run({{1, static_cast<Id>(m.vocabulary())}}, o, 1), IndexError);
  EXPECT_THROW(run({{-1}}, o, 1), IndexError);
  o.max_tokens = m.context();
  EXPECT_THROW(run({{1, 2}}, o, 1), IndexError);
  o.max_tokens = -1;
  EXPECT_THROW(run({{1, 2}}, o, 1), ValueError);
  o.max_tokens = 0;
  EXPECT_EQ(run({{1, 2}}, o, 1), Rows(1));
}

INSTANTIATE_TEST_SUITE_P(All, Generate, testing::Values("gpt2", "llama", "llama_tied"),
                         [](const auto& info) { return info.param; });

TEST(Padded, OnTheRight) {
  const Batch f = padded({{1, 2, 3}, {4}}, 9);
  EXPECT_EQ(f.ids.shape(), Shape({2, 3}));
  EXPECT_EQ(std::vector<Id>(f.ids.begin(), f.ids.end()), (std::vector<Id>{1, 2, 3, 4, 9, 9}));
  EXPECT_EQ(f.lengths, (std::vector<Index>{3, 1}));
}

}  // namespace
}  // namespace graft
