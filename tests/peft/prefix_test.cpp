// Prefix tuning and P-tuning v2 beyond the property table: the layout of the memory, starts from words, flattening, rows of
// one batch with prefixes of their own, padded rows, dropout, sizes.
#include "autograd/sizes.h"
#include "peft/prefix.h"

#include <gtest/gtest.h>

#include <set>

#include "autograd/ops.h"
#include "nn/generate.h"
#include "peft/adapter_file.h"
#include "peft/p_tuning_v2.h"
#include "tests/here.h"
#include "tests/nn/fixture.h"
#include "tests/peft/methods.h"

namespace graft {
namespace {

const double close = sizeof(real) == 8 ? 1e-11 : 1e-5;
const std::string one = "one", two = "two";

struct PrefixTest : testing::TestWithParam<bool> {
  std::unique_ptr<Model> own = make();
  Model& model = *own;
  Rng rng{5};

  static std::unique_ptr<Model> make() {
    auto m = GetParam() ? table::tiny_llama() : table::tiny_gpt2();
    if (const auto* gpt2 = dynamic_cast<const Gpt2*>(m.get())) {
      Gpt2Config c = gpt2->config;
      c.dropout = c.embed_dropout = real(0.3);
      m = std::make_unique<Gpt2>(c);
    }
    table::randomize(*m);
    return m;
  }
  static peft::PrefixTuning of(Index length, Index hidden = 0) {
    peft::PrefixTuning p;
    p.length = length, p.hidden = hidden;
    return p;
  }
  Tensor logits(const std::vector<Id>& ids) {
    const NoGrad no_grad;
    return model(fixture::row_of(ids)).value();
  }
  const Param& flat(const std::string& name) { return model.parameter("memory.prefix." + name); }
};
/// Those numbers of x that belong to its rows [first, last).
fixture::Numbers rows(const Tensor& x, Index first, Index last) {
  return fixture::rows_of(x.reshape(Shape{x.numel() / x.dim(-1), x.dim(-1)}), first, last);
}

TEST_P(PrefixTest, StartsAsTheKeysAndValuesOfWords) {
  const std::vector<Id> words{7, 2, 11}, ids{1, 4, 4, 9};
  Past past;
  past.expect_fits(1, model.layer_count());
  {
    const NoGrad no_grad;
    model.hidden(Templated::raw(fixture::row_of(words)), past);
  }
  std::vector<Id> all = words;
  all.insert(all.end(), ids.begin(), ids.end());
  const Tensor after_words = logits(all);

  peft::Lora lora;  // what is attached already has no say: the words meet the base
  lora.r = 2;
  peft::attach(model, lora, rng, "other");
  table::move(model, "other");
  peft::PrefixTuning prefix = of(3);
  prefix.init = peft::PrefixTuning::Init::words, prefix.words = words;
  model.training(&rng);
  peft::attach(model, prefix, rng, "mine");
  EXPECT_EQ(model.randomness(), &rng) << "still training";
  model.training(nullptr);

  // PEFT: view(P, 2L, G, d), index 2i is the key, 2i + 1 the value of layer i.
  const Tensor numbers = flat("mine").value();
  const Shape shape = past.layers[0].k().shape();
  const Index L = model.layer_count(), G = shape[1], d = shape[3];
  ASSERT_EQ(numbers.shape(), (Shape{3, 2 * L * G * d}));
  for (Index p = 0; p < 3; ++p)
    for (Index i = 0; i < 2 * L; ++i)
      for (Index g = 0; g < G; ++g)
        for (Index j = 0; j < d; ++j) {
          const KeyValue& kv = nth(past.layers, i / 2);
          const Tensor x = (i % 2 ? kv.v() : kv.k()).value();
          ASSERT_EQ(numbers[((p * 2 * L + i) * G + g) * d + j], x[(g * x.dim(2) + p) * d + j]);
        }
  EXPECT_LE(fixture::apart(rows(logits(ids), 0, 4), rows(after_words, 3, 7)), close) << "as if the words stood before";
}

TEST_P(PrefixTest, FlatGivesWhatTheMlpGave) {
  peft::PrefixTuning prefix = of(3, 4);
  prefix.embedding = 5;
  peft::attach(model, prefix, rng, one);
  EXPECT_EQ(model.parameter("memory.embedding.one").shape(), (Shape{3, 5}));
  EXPECT_EQ(model.parameter("memory.transform.0.weight.one").shape(), (Shape{4, 5}));
  table::move(model, one);
  peft::attach(model, of(2, 3), rng, two);
  model.select(one);
  const Tensor before = logits({1, 4, 2});
  const auto learning = model.parameter("memory.embedding.one").learns();
  peft::flatten(model, one);
  EXPECT_EQ(logits({1, 4, 2}).values(), before.values());
  const auto left = peft::parameters(model, one);
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].first, "memory.prefix.one");
  EXPECT_EQ(left[0].second->learns(), learning);
  EXPECT_EQ(peft::parameters(model, two).size(), 5u) << "the other keeps its MLP";
  peft::flatten(model, one);
  EXPECT_EQ(logits({1, 4, 2}).values(), before.values()) << "twice is once";
}

/// The gradients of one's and two's numbers after this loss.
std::vector<fixture::Numbers> gradients(Model& m, const Variable& loss) {
  loss.backward();
  std::vector<fixture::Numbers> all;
  for (const auto& p : peft::learning(m)) {
    all.push_back(p.second->own().grad().defined() ? table::numbers(p.second->own().grad())
                                                   : fixture::Numbers(static_cast<std::size_t>(p.second->numel())));
    p.second->own().node()->grad = Tensor();
  }
  return all;
}

TEST_P(PrefixTest, RowsTrainPrefixesOfTheirOwn) {
  peft::attach(model, of(3), rng, one), peft::attach(model, of(3, 4), rng, two);
  peft::learn(model, {one, two});
  const Ids batch({3, 4}, {1, 4, 2, 7, 3, 5, 5, 0, 2, 2, 9, 1});
  model.select(Selection(std::vector<std::string>{two, one, two}));
  const Variable mixed = language_loss(model, batch, batch);
  const double loss = mixed.item();
  const auto together = gradients(model, mixed);

  double sum = 0;
  std::vector<fixture::Numbers> apart(together.size());
  for (std::size_t i = 0; i < apart.size(); ++i) apart[i].resize(together[i].size());
  for (Index b = 0; b < 3; ++b) {
    model.select(b == 1 ? one : two);
    const Ids row({1, 4}, {batch[4 * b], batch[4 * b + 1], batch[4 * b + 2], batch[4 * b + 3]});
    const Variable y = language_loss(model, row, row);
    sum += y.item() / 3;
    const auto mine = gradients(model, y);
    for (std::size_t i = 0; i < mine.size(); ++i)
      for (std::size_t k = 0; k < mine[i].size(); ++k) apart[i][k] += mine[i][k] / 3;
  }
  EXPECT_NEAR(loss, sum, close);
  for (std::size_t i = 0; i < apart.size(); ++i) EXPECT_LE(fixture::apart(together[i], apart[i]), 10 * close) << i;
}

TEST_P(PrefixTest, RowsOfOtherLengthsOnlyWithoutRecording) {
  peft::attach(model, of(3), rng, one), peft::attach(model, of(5), rng, two);
  const std::vector<std::string> names{two, "", one};
  const std::vector<std::vector<Id>> ids{{1, 4, 2}, {3, 5, 0}, {9, 9, 1}};
  const Ids batch({3, 3}, {1, 4, 2, 3, 5, 0, 9, 9, 1});
  model.select(Selection(names));
  EXPECT_EQ(model.memory->length(), 5);
  EXPECT_EQ(model.free_positions(), model.context() - 5);
  Tensor mixed;
  {
    const NoGrad no_grad;
    mixed = model(batch).value();
  }
  try {
    model(batch);
    FAIL() << "recorded";
  } catch (const ValueError& e) {
    EXPECT_NE(std::string(e.what()).find("prefixes of 0 and of 5"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("NoGrad"), std::string::npos) << e.what();
  }
  model.select(Selection(std::vector<std::string>{one, two}));
  EXPECT_THROW(model(batch), ShapeError) << "chosen for two rows";
  for (std::size_t b = 0; b < 3; ++b) {
    model.select(names[b]);
    const Index at = static_cast<Index>(b);
    EXPECT_LE(fixture::apart(rows(mixed, 3 * at, 3 * at + 3), rows(logits(ids[b]), 0, 3)), close) << b;
  }
  model.select("");
  EXPECT_EQ(model.memory->length(), 0);
}

/// Prompts of unequal lengths, rows that end early, prefixes of unequal lengths: each row says what it says alone.
TEST_P(PrefixTest, GeneratesInBatchesAsAlone) {
  peft::attach(model, of(3), rng, one), peft::attach(model, of(5), rng, two);
  const std::vector<std::vector<Id>> prompts{{1, 4, 2, 8}, {5}, {3, 3}};
  const std::vector<std::string> names{two, one, ""};
  GenerateOptions options;
  options.max_tokens = 6;
  std::vector<std::vector<Id>> alone;
  for (std::size_t b = 0; b < 3; ++b) {
    model.select(names[b]);
    alone.push_back(generate(model, {prompts[b]}, options, rng)[0]);
    for (std::size_t t = 0; t < alone[b].size(); ++t) {  // the likeliest token of the full forward
      std::vector<Id> so_far = prompts[b];
      so_far.insert(so_far.end(), alone[b].begin(), alone[b].begin() + static_cast<std::ptrdiff_t>(t));
      const fixture::Numbers last =
          rows(logits(so_far), size_of(so_far) - 1, size_of(so_far));
      EXPECT_GE(nth(last, alone[b][t]) + close, *std::max_element(last.begin(), last.end()));
    }
  }
  model.select(Selection(names));
  EXPECT_EQ(generate(model, prompts, options, rng), alone);
  options.ends = {alone[1][1]};
  std::vector<std::vector<Id>> shorter;
  for (std::size_t b = 0; b < 3; ++b) {
    model.select(names[b]);
    shorter.push_back(generate(model, {prompts[b]}, options, rng)[0]);
  }
  EXPECT_LT(shorter[1].size(), 6u) << "a row ends early";
  model.select(Selection(names));
  EXPECT_EQ(generate(model, prompts, options, rng), shorter);
}

TEST_P(PrefixTest, PaddingOnTheRightChangesNoAnswer) {
  own->output().take();
  const Id pad = 12;
  const Ids padded({3, 5}, {1, 4, 2, 7, 3, 5, 6, pad, pad, pad, 8, 2, 2, pad, pad});
  const std::vector<Index> lengths{5, 2, 3};
  const NoGrad no_grad;
  const auto row = [&](Index b) {
    std::vector<Id> ids;
    for (Index t = 0; t < nth(lengths, b); ++t) ids.push_back(padded[5 * b + t]);
    return fixture::row_of(ids);
  };
  peft::PTuningV2 v2;
  v2.length = 4;
  Classifier sequences(std::move(own), {"a", "b"}, pad);
  table::randomize(sequences);
  const peft::Attached attached = peft::attach(sequences, v2, rng);
  const Tensor together = sequences(padded).value();
  for (Index b = 0; b < 3; ++b)
    EXPECT_LE(fixture::apart(rows(together, b, b + 1), rows(sequences(row(b)).value(), 0, 1)), close) << b;
  peft::detach(sequences, attached);

  TokenClassifier tokens(sequences.model.take(), {"a", "b", "c"});
  table::randomize(tokens);
  peft::attach(tokens, v2, rng);
  const Tensor all = tokens(padded).value();
  ASSERT_EQ(all.shape(), (Shape{3, 5, 3}));
  for (Index b = 0; b < 3; ++b) {
    const Index n = nth(lengths, b);
    EXPECT_LE(fixture::apart(rows(all, 5 * b, 5 * b + n), rows(tokens(row(b)).value(), 0, n)), close) << b;
  }
}

TEST_P(PrefixTest, DropoutWhileTraining) {
  peft::PrefixTuning prefix = of(6);
  prefix.dropout = real(0.25);
  Rng draws(1);
  model.training(&draws);  // before it is attached
  peft::attach(model, prefix, rng, one);
  const Tensor numbers = flat(one).value();
  const Index batch = 40, L = model.layer_count(), P = 6;
  std::set<std::vector<real>> masks;
  Index kept = 0, all = 0;
  const Past past = model.begin(batch);
  for (Index i = 0; i < 2 * L; ++i) {
    const KeyValue& kv = nth(past.layers, i / 2);
    const Tensor x = (i % 2 ? kv.v() : kv.k()).value();
    const Index G = x.dim(1), d = x.dim(3);
    for (Index b = 0; b < batch; ++b) {
      std::vector<real> mask;
      for (Index g = 0; g < G; ++g)
        for (Index p = 0; p < P; ++p)
          for (Index j = 0; j < d; ++j) {
            const real y = x[((b * G + g) * P + p) * d + j], full = numbers[((p * 2 * L + i) * G + g) * d + j];
            if (y != 0) { EXPECT_NEAR(y, full / 0.75, 1e-5); }
            mask.push_back(y != 0), kept += y != 0, ++all;
          }
      masks.insert(mask);
    }
  }
  EXPECT_EQ(masks.size(), static_cast<std::size_t>(2 * L * batch)) << "a mask for each row, as in the paper's code";
  EXPECT_NEAR(static_cast<double>(kept) / static_cast<double>(all), 0.75, 0.02);
  const Evaluating no_dropout(model);
  peft::detach(model, one);
  Rng same(5);
  prefix.dropout = 0;
  peft::attach(model, prefix, same, two);
  EXPECT_EQ(flat(two).value().values(), numbers.values());
  const Past plain = model.begin(2);
  EXPECT_EQ(plain.layers[0].k().value()[0], numbers[0]);
}

TEST_P(PrefixTest, RefusesWhatCannotBe) {
  const std::string tree = model.tree();
  const auto refuses = [&](const peft::Method& method, const char* words) {
    try {
      if (const auto* v2 = dynamic_cast<const peft::PTuningV2*>(&method)) peft::attach(model, *v2, rng);
      else peft::attach(model, dynamic_cast<const peft::PrefixTuning&>(method), rng);
      ADD_FAILURE() << words;
    } catch (const Error& e) { EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what(); }
    EXPECT_EQ(model.tree(), tree);
    EXPECT_TRUE(peft::names(model).empty());
  };
  peft::PrefixTuning p = of(3, 4);
  p.init = peft::PrefixTuning::Init::zero;
  refuses(p, "start a flat prefix");
  p = of(3), p.embedding = 4;
  refuses(p, "need an MLP");
  p = of(1), p.init = peft::PrefixTuning::Init::words, p.words = {-1};
  refuses(p, "word -1");
  peft::PTuningV2 v2;
  v2.length = 3;
  refuses(v2, "no classification head");

  peft::attach(model, of(2), rng, "prefix");
  peft::attach(model, of(2), rng, two);
  for (const std::string& name : {std::string("prefix"), std::string(two)}) {  // memory.prefix.two is not of "prefix"
    const auto mine = peft::parameters(model, name);
    ASSERT_EQ(mine.size(), 1u);
    EXPECT_EQ(mine[0].first, "memory.prefix." + name);
  }
}

INSTANTIATE_TEST_SUITE_P(All, PrefixTest, testing::Bool(), [](const auto& c) { return c.param ? "llama" : "gpt2"; });

// --- against PEFT --------------------------------------------------------------------------------------------------------

/// Where a row is padded PEFT's mask hides it; here nobody looks at what comes later.
TEST(PrefixOfPeft, PaddedRows) {
  for (const std::string name : {"prefix_gpt2_classifier", "prefix_gpt2_token_classifier", "prefix_llama_token_classifier"}) {
    const std::string folder = here::fixtures() + "/peft/" + name;
    const fixture::RawFile reference = fixture::read_raw(folder + "/reference.safetensors");
    const fixture::Built base = fixture::build(name.substr(name.find('_') + 1));
    const peft::BaseModel model = base.classifier ? peft::BaseModel(*base.classifier) : peft::BaseModel(*base.token_classifier);
    peft::load_adapter(model, folder);
    std::vector<Id> ids;
    for (const double x : reference.at("padded_ids").numbers()) ids.push_back(static_cast<Id>(x));
    const Ids padded({2, 7}, ids);  // the second row: 4 tokens
    const NoGrad no_grad;
    const fixture::Numbers theirs = reference.at("padded_logits").numbers();
    if (base.classifier) {
      EXPECT_LE(fixture::apart(table::numbers((*base.classifier)(padded).value()), theirs), 1e-4) << name;
    } else {
      const Tensor ours = (*base.token_classifier)(padded).value();
      const std::size_t real_ones = static_cast<std::size_t>((7 + 4) * ours.dim(2));
      EXPECT_LE(fixture::apart(rows(ours, 0, 11), {theirs.begin(), theirs.begin() + static_cast<std::ptrdiff_t>(real_ones)}),
                1e-4)
          << name;
    }
  }
}

TEST(PrefixOfPeft, AsManyNumbersAsPeftCounts) {
  const auto counts = fixture::json_of(here::fixtures() + "/peft/counts.json");
  Gpt2 gpt2{Gpt2Config{}};  // 124M, its numbers not given
  Rng rng(1);
  peft::PrefixTuning prefix;
  auto attached = peft::attach(gpt2, prefix, rng);
  EXPECT_EQ(gpt2.count(true), counts.at("prefix_10"));
  peft::detach(gpt2, attached);
  prefix.hidden = 512;
  peft::attach(gpt2, prefix, rng);
  EXPECT_EQ(gpt2.count(true), counts.at("prefix_10_mlp_512"));
}

}  // namespace
}  // namespace graft
