// P-tuning: templates in words, encoders beside PEFT's and the paper's sizes, starts, flattening.
#include "autograd/sizes.h"
#include "peft/p_tuning.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "tests/here.h"
#include "tests/nn/fixture.h"
#include "tests/peft/methods.h"
#include "tests/tokenizer/fixture.h"

namespace graft {
namespace {

using Kind = peft::Piece::Kind;
using Encoder = peft::PTuning::Encoder;
using Flavour = peft::PTuning::Flavour;

// --- templates -------------------------------------------------------------------------------------------------------------

TEST(PromptTemplate, FromText) {
  const Tokenizer tokenizer = ::fixture::tokenizer("gpt2");
  const auto words = [&](const std::string& text) {
    std::string all = "words";
    for (const TokenId id : tokenizer.encode(text)) all += "," + std::to_string(id);
    return all;
  };
  const auto parsed = [&](const std::string& text) {
    std::vector<std::string> pieces;
    for (const peft::Piece& p : peft::parse_template(text, tokenizer)) switch (p.kind) {
        case Kind::virtual_tokens: pieces.push_back("v" + std::to_string(p.count)); break;
        case Kind::sentence: pieces.emplace_back("sentence"); break;
        case Kind::answer: pieces.emplace_back("answer"); break;
        case Kind::words:
          pieces.emplace_back("words");
          for (const Id id : p.ids) pieces.back() += "," + std::to_string(id);
      }
    return pieces;
  };
  using All = std::vector<std::string>;
  EXPECT_EQ(parsed("[v][v] {sentence} [v] it was [answer]"), (All{"v2", "sentence", "v1", words(" it was"), "answer"}));
  EXPECT_EQ(parsed("[v]*3 {sentence} [v] [v]*2 [answer]"), (All{"v3", "sentence", "v3", "answer"}));
  EXPECT_EQ(parsed("Review: {sentence}[v]*12[answer]"), (All{words("Review:"), "sentence", "v12", "answer"}));
  EXPECT_EQ(parsed("{sentence} It was [v] great? [answer]"),
            (All{"sentence", words(" It was"), "v1", words(" great?"), "answer"}));
  EXPECT_EQ(parsed("[v]* {sentence}[answer]"), (All{"v1", words("*"), "sentence", "answer"})) << "a star of its own";
}

TEST(PromptTemplate, Refuses) {
  const Tokenizer tokenizer = ::fixture::tokenizer("gpt2");
  const auto refuses = [&](const std::string& text, const std::vector<std::string>& words) {
    const std::string said = ::fixture::message<ValueError>([&] { peft::parse_template(text, tokenizer); });
    for (const std::string& w : words) ::fixture::expect_has(said, w);
  };
  const std::string example = "for example";
  refuses("[v] {sentence}", {"0 places for the [answer]", example});
  refuses("[v] [answer]", {"0 places for the {sentence}", example});
  refuses("", {"0 places", example});
  refuses("{sentence} it was [answer]", {"no virtual token [v]", example});
  refuses("{sentence} [v]*0 [answer]", {"no virtual token [v]", example});
  refuses("[v] {sentence} [answer] [answer]", {"2 places for the [answer]"});
  refuses("[v] {sentence} {sentence} [answer]", {"2 places for the {sentence}"});
  refuses("[v] {sentence} [answer] end.", {"goes on after the [answer]", "put it last"});
  refuses("[v] [answer] {sentence}", {"goes on after the [answer]"});
  refuses("[v] {sentense} [answer]", {"byte 4", "{sentence}"});
  refuses("[v] {sentence} [mask]", {"byte 15", "[answer]"});
  refuses("[v]*99999999999999999999 {sentence} [answer]", {"[v]*", "at most"});
}

// --- encoders --------------------------------------------------------------------------------------------------------------

/// Sizes that counts_test.cpp does not have, and what is left without the encoder.
TEST(PTuning, CountsOnGpt2) {
  const auto counts = fixture::json_of(here::fixtures() + "/peft/counts.json");
  Gpt2 gpt2{Gpt2Config{}};  // 124M, its numbers not given
  const auto count = [&](Encoder encoder, Flavour flavour, Index hidden) {
    peft::PTuning p;
    p.encoder = encoder, p.flavour = flavour, p.hidden = hidden;
    Rng rng(1);
    const peft::Attached a = peft::attach(gpt2, p, rng);
    const Index learning = gpt2.count(true);
    peft::flatten(gpt2, a.name);
    EXPECT_EQ(gpt2.count(true), 9 * 768) << "what is stored";
    peft::detach(gpt2, a);
    return learning;
  };
  EXPECT_EQ(count(Encoder::lstm, Flavour::peft, 384), counts.at("ptuning_lstm_9_half"));
  EXPECT_EQ(count(Encoder::mlp, Flavour::paper, 0), 9 * 768 + 2 * (768 * 768 + 768)) << "two layers, D -> D -> D";
}

/// PEFT's encoders, with its numbers: the same logits with the encoder on, and, without it, the very same.
TEST(PTuning, EncodersBesidePeft) {
  for (const char* name : {"ptuning_lstm_gpt2", "ptuning_mlp_gpt2", "ptuning_mlp_llama"}) {
    const std::string kind(name);
    const bool lstm = kind.find("lstm") != std::string::npos;
    fixture::Built base = fixture::build(kind.substr(kind.rfind('_') + 1));
    Model& model = *base.model;
    const fixture::RawFile reference =
        fixture::read_raw(here::fixtures() + "/peft/" + name + "/reference.safetensors");
    peft::PTuning p;
    p.prompt_template = peft::front_template(5), p.flavour = Flavour::peft, p.hidden = 6;
    p.encoder = lstm ? Encoder::lstm : Encoder::mlp;
    Rng rng(1);
    peft::attach(model, p, rng, "mine");
    std::size_t given = 0;
    for (const auto& named :
         peft::parameters(model, "mine")) {  // embed.lstm_head.mine.weight_ih_l0, embed.mlp_head.0.bias.mine
      std::string key =
          fixture::replaced(fixture::replaced(named.first, {{"embed.", "start.prompt_encoder."}}), {{".mine", ""}});
      if (key == "start.prompt_encoder.embedding") key += ".weight";
      ASSERT_TRUE(reference.count(key)) << key;
      const fixture::Numbers v = reference.at(key).numbers();
      named.second->set(Tensor(named.second->shape(), std::vector<real>(v.begin(), v.end())));
      ++given;
    }
    EXPECT_EQ(given, lstm ? 1u + 16 + 4 : 1u + 6);
    std::vector<Id> ids;
    for (const double x : reference.at("ids").numbers()) ids.push_back(static_cast<Id>(x));
    const auto logits = [&] {
      const NoGrad no_grad;
      return model(model.prompt_template(Batch{Ids({2, 7}, ids)})).value();
    };
    const Tensor encoded = logits();
    EXPECT_LE(fixture::apart(table::numbers(encoded), reference.at("logits").numbers()), 1e-4) << name;
    peft::learn(model, {});
    peft::flatten(model, "mine");
    EXPECT_EQ(logits().values(), encoded.values()) << name;
    const auto left = peft::parameters(model, "mine");
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0].first, "embed.prompt.mine");
    EXPECT_FALSE(left[0].second->learns()) << "as its encoder";
    peft::flatten(model, "mine");
    EXPECT_EQ(logits().values(), encoded.values()) << "twice is once";
  }
}

TEST(PTuning, Starts) {
  Gpt2Config c;
  c.vocabulary = 20, c.context = 300, c.dim = 32, c.layers = 1, c.heads = 2;
  Gpt2 model(c);
  table::randomize(model);
  const Tensor E = model.parameter("embed.weight").value();
  Rng rng(2);
  peft::PTuning p;
  p.prompt_template = {{Kind::virtual_tokens, 2}, {Kind::sentence}, {Kind::virtual_tokens, 1}, {Kind::answer}};
  p.words = {7, 3, 7};
  for (const Encoder encoder : {Encoder::none, Encoder::lstm, Encoder::mlp}) {
    p.encoder = encoder;
    const peft::Attached a = peft::attach(model, p, rng, "mine");
    const Tensor start = model.parameter(encoder == Encoder::none ? "embed.prompt.mine" : "embed.embedding.mine").value();
    for (Index i = 0; i < 3; ++i)
      EXPECT_EQ(fixture::rows_of(start, i, i + 1),
                fixture::rows_of(E, nth(p.words, i), nth(p.words, i) + 1));
    if (encoder == Encoder::none) {  // as the template that was written by hand
      const NoGrad no_grad;
      const Ids user({1, 2}, {4, 5});
      EXPECT_EQ(model(model.prompt_template(Batch{user})).value().values(),
                model(Ids({1, 5}, {7, 3, 4, 5, 7})).value().values());
    }
    peft::detach(model, a);
  }
  // torch's defaults: N(0, 1), U(±1/√in), U(±1/√h).
  p.prompt_template = peft::front_template(200), p.words.clear(), p.encoder = Encoder::lstm, p.flavour = Flavour::peft,
  p.hidden = 9;
  peft::attach(model, p, rng, "mine");
  for (const auto& named : peft::parameters(model, "mine")) {
    const fixture::Numbers v = table::numbers(named.second->value());
    double square = 0, largest = 0;
    for (const double x : v) square += x * x / static_cast<double>(v.size()), largest = std::max(largest, std::abs(x));
    if (named.first.find("embedding") != std::string::npos) {
      EXPECT_NEAR(square, 1, 5 * std::sqrt(2.0 / static_cast<double>(v.size())));
      continue;
    }
    const double bound = 1 / std::sqrt(named.first.find("lstm") != std::string::npos ? 9.0 : 18.0);
    EXPECT_LE(largest, bound * (1 + 1e-6)) << named.first;
    EXPECT_GT(largest, 0.7 * bound) << named.first;
    if (v.size() > 100) { EXPECT_NEAR(square, bound * bound / 3, 0.2 * bound * bound) << named.first; }
  }
}

TEST(PTuning, Refuses) {
  std::unique_ptr<Model> model = table::tiny_gpt2();
  table::randomize(*model);
  Rng rng(1);
  const auto refuses = [&](const std::function<void(peft::PTuning&)>& change, const std::vector<std::string>& words) {
    peft::PTuning p;
    change(p);
    const std::string tree = model->tree();
    const std::string said = ::fixture::message<ValueError>([&] { peft::attach(*model, p, rng); });
    for (const std::string& w : words) ::fixture::expect_has(said, w);
    EXPECT_EQ(model->tree(), tree);
  };
  refuses([](auto& p) { p.layers = 0; }, {"0 layers"});
  refuses([](auto& p) { p.hidden = -1; }, {"-1 wide"});
  refuses([](auto& p) { p.prompt_template = peft::front_template(16); }, {"16 tokens", "context of 16"});
  refuses([](auto& p) { p.prompt_template[0].count = -1; }, {"-1"});
  Gpt2Config c;
  c.vocabulary = 13, c.context = 16, c.dim = 9, c.layers = 1, c.heads = 3;
  model = std::make_unique<Gpt2>(c);
  table::randomize(*model);
  refuses([](auto&) {}, {"9 features", "halved", "Flavour::peft"});
}

}  // namespace
}  // namespace graft
