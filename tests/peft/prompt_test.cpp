// Prompt tuning: X' = [P; E(x)] against a plain model whose vocabulary has P more words; its starts; padded rows of classifiers.
// Logits, training and files beside PEFT are in adapter_file_test.cpp.
#include "autograd/sizes.h"
#include "peft/prompt.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "autograd/nf4.h"
#include "autograd/ops.h"
#include "nn/layers.h"
#include "peft/adapter_file.h"
#include "tests/here.h"
#include "tests/nn/fixture.h"
#include "tests/peft/methods.h"

namespace graft {
namespace {

using Init = peft::PromptTuning::Init;
const double close = sizeof(real) == 8 ? 1e-11 : 1e-5;

peft::PromptTuning of(Index length, Init init) {
  peft::PromptTuning p;
  p.length = length, p.init = init;
  return p;
}
/// The prompt that these options start with.
Tensor start(Model& m, const peft::PromptTuning& options, std::uint64_t seed = 3) {
  Rng rng(seed);
  const peft::Attached a = peft::attach(m, options, rng, "mine");
  const Tensor rows = m.parameter("embed.prompt.mine").value().clone();
  peft::detach(m, a);
  return rows;
}
fixture::Numbers row(const Tensor& x, Index i) { return fixture::rows_of(x, i, i + 1); }

TEST(Prompt, IsAModelWithMoreWords) {
  for (const bool llama : {false, true}) {
    std::unique_ptr<Model> model = llama ? table::tiny_llama() : table::tiny_gpt2(), more;
    table::randomize(*model);
    if (const auto* g = dynamic_cast<const Gpt2*>(model.get())) {
      Gpt2Config c = g->config;
      c.vocabulary += 4;
      more = std::make_unique<Gpt2>(c);
    } else {
      LlamaConfig c = dynamic_cast<const Llama&>(*model).config;
      c.vocabulary += 4;
      more = std::make_unique<Llama>(c);
    }
    Rng rng(5);
    peft::attach(*model, of(4, Init::random), rng, "mine");
    for (const auto& p : more->parameters()) {
      std::vector<real> v = model->parameter(p.first).value().values();
      if (p.first == "embed.weight") {
        const auto rows = model->parameter("embed.prompt.mine").value().values();
        v.insert(v.end(), rows.begin(), rows.end());
      }
      v.resize(static_cast<std::size_t>(p.second->numel()));  // of a head of its own: words that nobody asks for
      p.second->set(Tensor(p.second->shape(), v));
    }
    const NoGrad no_grad;
    const Tensor ours = (*model)(model->prompt_template(Batch{Ids({2, 3}, {1, 4, 2, 7, 3, 5})})).value();
    const Tensor theirs = (*more)(Ids({2, 7}, {13, 14, 15, 16, 1, 4, 2, 13, 14, 15, 16, 7, 3, 5})).value();
    ASSERT_EQ(ours.shape(), (Shape{2, 7, 13})) << "the head keeps V rows";
    for (Index i = 0; i < 14; ++i)
      for (Index v = 0; v < 13; ++v) EXPECT_NEAR(ours[13 * i + v], theirs[17 * i + v], close);
  }
}

TEST(Prompt, Starts) {
  Gpt2Config c;
  c.vocabulary = 60, c.context = 500, c.dim = 64, c.layers = 1, c.heads = 2;
  Gpt2 model(c);
  table::randomize(model);
  const Tensor E = model.parameter("embed.weight").value();

  const Tensor random = start(model, of(400, Init::random)), even = start(model, of(400, Init::uniform));
  const double n = static_cast<double>(random.numel());
  double mean = 0, square = 0, low = 1, high = -1, average = 0;
  for (Index i = 0; i < random.numel(); ++i) {
    mean += random[i] / n, square += random[i] * random[i] / n, average += even[i] / n;
    low = std::min<double>(low, even[i]), high = std::max<double>(high, even[i]);
  }
  EXPECT_NEAR(mean, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square, 1, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(average, 0, 5 * std::sqrt(1 / 12.0 / n));
  EXPECT_TRUE(-0.5 <= low && low < -0.499 && 0.499 < high && high < 0.5) << low << " " << high;

  const auto word = [&](const fixture::Numbers& numbers) {  // whose row it is; -1: nobody's
    for (Index w = 0; w < 60; ++w) {
      const fixture::Numbers mine = row(E, w);
      if (std::equal(mine.begin(), mine.end(), numbers.begin(), numbers.end())) return w;
    }
    return Index(-1);
  };
  peft::PromptTuning words = of(20, Init::vocabulary);
  words.most_common = 30;
  const Tensor drawn = start(model, words);
  std::set<Index> found;
  for (Index i = 0; i < 20; ++i) found.insert(word(row(drawn, i)));
  EXPECT_EQ(found.size(), 20u) << "none twice";
  EXPECT_TRUE(*found.begin() >= 0 && *found.rbegin() < 30);
  EXPECT_NE(start(model, words, 4).values(), drawn.values());
  EXPECT_EQ(start(model, words).values(), drawn.values());

  peft::PromptTuning text = of(5, Init::text);
  text.text = {7, 50, 7};
  const Tensor repeated = start(model, text);
  for (Index i = 0; i < 5; ++i) EXPECT_EQ(row(repeated, i), row(E, text.text[static_cast<std::size_t>(i) % 3]));
  text.text = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(row(start(model, text), 4), row(E, 5)) << "cut";

  peft::PromptTuning classes = of(4, Init::labels);
  classes.labels = {{3, 4, 8}, {9}};
  const Tensor labels = start(model, classes);
  for (Index d = 0; d < 64; ++d) EXPECT_NEAR(labels[d], (E[3 * 64 + d] + E[4 * 64 + d] + E[8 * 64 + d]) / 3, 1e-6);
  EXPECT_EQ(row(labels, 1), row(E, 9));
  EXPECT_TRUE(word(row(labels, 2)) >= 0 && word(row(labels, 3)) >= 0) << "the rest is drawn";
}

TEST(Prompt, StartsFromAPackedTableAndFromTheBase) {
  std::unique_ptr<Model> model = table::tiny_llama();
  table::randomize(*model);
  const Packed packed = four_bits(model->table()->dense());
  const Tensor E = dense(*packed);
  model->table().put(std::make_unique<PackedEmbedding>(packed));
  peft::PromptTuning text = of(3, Init::text);
  text.text = {2, 12, 5};
  const Tensor rows = start(*model, text);
  for (Index i = 0; i < 3; ++i) EXPECT_EQ(row(rows, i), row(E, nth(text.text, i)));

  // What another adapter makes of the table is none of a new prompt's business.
  Rng rng(1);
  peft::Lora lora;
  lora.r = 2, lora.targets = {"embed"};
  peft::attach(*model, lora, rng, "other");
  table::move(*model, "other");
  EXPECT_EQ(start(*model, text).values(), rows.values());
  model->select(Selection(std::vector<std::string>{"other", ""}));
  EXPECT_EQ(start(*model, text).values(), rows.values()) << "nor are the rows of a batch";
  EXPECT_EQ(model->selection(), Selection{}) << "attaching selects for all rows, and what was selected is gone";
}

TEST(Prompt, Refuses) {
  std::unique_ptr<Model> model = table::tiny_gpt2();
  table::randomize(*model);
  Rng rng(1);
  const auto refuses = [&](const peft::PromptTuning& options, const std::vector<std::string>& words) {
    const std::string tree = model->tree();
    try {
      peft::attach(*model, options, rng);
      FAIL() << words[0];
    } catch (const Error& e) {
      for (const std::string& w : words) EXPECT_NE(std::string(e.what()).find(w), std::string::npos) << w << ": " << e.what();
    }
    EXPECT_EQ(model->tree(), tree);
  };
  refuses(of(0, Init::random), {"0 tokens", "at least 1"});
  refuses(of(16, Init::random), {"16", "context of 16", "shorter"});
  refuses(of(4, Init::text), {"give its ids"});
  peft::PromptTuning p = of(2, Init::labels);
  refuses(p, {"each label's words"});
  p.labels = {{1}, {}};
  refuses(p, {"label 1", "no words"});
  p.labels = {{1}, {2}, {3}};
  refuses(p, {"3 labels", "2"});
  p.labels = {{1}, {13}};
  refuses(p, {"13"});
}

/// Classifiers of PEFT: a row padded on the right says what it says to PEFT without the padding.
TEST(Prompt, PaddedRowsOfClassifiers) {
  for (const char* name : {"prompt_gpt2_classifier", "ptuning_lstm_gpt2_classifier"}) {
    const std::string folder = here::fixtures() + "/peft/" + name;
    const fixture::RawFile reference = fixture::read_raw(folder + "/reference.safetensors");
    const fixture::Built base = fixture::build("gpt2_classifier");
    peft::load_adapter(*base.classifier, folder);
    std::vector<Id> ids;
    for (const double x : reference.at("padded_ids").numbers()) ids.push_back(static_cast<Id>(x));
    fixture::Numbers expected = reference.at("padded_logits").numbers(), second = reference.at("cut_logits").numbers();
    std::copy(second.begin(), second.end(), expected.begin() + static_cast<std::ptrdiff_t>(second.size()));
    const NoGrad no_grad;
    for (const bool told : {true, false}) {  // the lengths, or only that padding is the pad id
      const Batch user{Ids({2, 7}, ids), {}, told ? std::vector<Index>{7, 4} : std::vector<Index>{}};
      EXPECT_LE(fixture::apart(table::numbers((*base.classifier)(user).value()), expected), 1e-4) << name;
    }
  }
}

}  // namespace
}  // namespace graft
