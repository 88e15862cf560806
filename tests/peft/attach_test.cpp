// What attach(), the methods and the files refuse, always leaving the model as it was; switching in mid-generation.
#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "autograd/sizes.h"
#include "nn/generate.h"
#include "peft/adapter_file.h"
#include "peft/ensemble.h"
#include "tests/formats/scratch_folder.h"
#include "tests/here.h"
#include "tests/nn/fixture.h"
#include "tests/peft/methods.h"
#include "train/optimizer.h"

namespace graft {
namespace {

struct Attach : testing::Test {
  std::unique_ptr<Model> gpt2 = table::tiny_gpt2(), llama = table::tiny_llama();
  Rng rng{3};
  Attach() {
    table::randomize(*gpt2);
    table::randomize(*llama);
  }
  /// Throws E with these words, and the model is as before.
  template <class E, class M>
  void refuses(const peft::BaseModel& base, const M& method, const std::vector<std::string>& words,
               const std::string& name = "mine") {
    const std::string tree = base.root.tree();
    const auto drawn = rng.state().drawn;
    const Selection before = base.model.selection();
    try {
      peft::attach(base, method, rng, name);
      FAIL() << "attached";
    } catch (const E& e) {
      for (const std::string& word : words)
        EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << word << ": " << e.what();
    }
    EXPECT_EQ(base.root.tree(), tree);
    EXPECT_EQ(rng.state().drawn, drawn);
    EXPECT_EQ(base.model.selection(), before);
  }
};

TEST_F(Attach, RefusesWhatCannotBe) {
  peft::Lora lora;
  lora.r = 2;
  auto changed = [&](auto change) {
    peft::Lora l = lora;
    change(l);
    return l;
  };
  refuses<ValueError>(*gpt2, changed([](auto& l) { l.targets = {"query"}; }), {"query", "attn.q", "mlp.up", "head", "embed"});
  refuses<ValueError>(*gpt2, changed([](auto& l) { l.targets = {"q", "norm"}; }), {"norm", "also = {\"norm\"}"});
  refuses<ValueError>(*gpt2, changed([](auto& l) { l.targets = {"q", "gate"}; }), {"gate"});
  refuses<ValueError>(*gpt2, changed([](auto& l) { l.r = 0; }), {"0", "at least 1"});
  refuses<ValueError>(*gpt2, changed([](auto& l) { l.dropout = 1; }), {"[0, 1)"});
  for (const real alpha : {real(0), real(-2)})
    refuses<ValueError>(*gpt2, changed([=](auto& l) { l.alpha = alpha, l.init = peft::Lora::Init::pissa; }), {"PiSSA", "above 0"});
  for (const char* target : {"q", "embed"})
    refuses<ValueError>(*gpt2, changed([=](auto& l) {
                          l.targets = {target}, l.alpha = std::numeric_limits<real>::infinity();
                        }),
                        {"scale of inf"});
  refuses<ValueError>(*gpt2, changed([](auto& l) {
                        l.targets = {"q", "v"}, l.fused = true, l.rank_pattern = {{"v", 3}};
                      }),
                      {"layers.0.attn.v", "rank 3", "rank 2", "fused"});
  refuses<ValueError>(*gpt2, changed([](auto& l) { l.also = {"nrom"}; }), {"nrom"});
  refuses<ValueError>(*gpt2, changed([](auto& l) { l.targets = {"embed"}, l.r = 0; }), {"0", "at least 1"});
  refuses<ValueError>(*gpt2, lora, {"word of letters"}, "a b");
  refuses<ValueError>(*gpt2, lora, {"word of letters"}, "");

  peft::PrefixTuning prefix;
  prefix.length = 16;
  refuses<ValueError>(*gpt2, prefix, {"16", "context"});
  prefix.length = 0;
  refuses<ValueError>(*gpt2, prefix, {"at least 1"});
  prefix.length = 3, prefix.init = peft::PrefixTuning::Init::words, prefix.words = {1, 2};
  refuses<ValueError>(*gpt2, prefix, {"2 words", "3"});
  prefix.words = {1, 2, 13};
  refuses<ValueError>(*gpt2, prefix, {"13"});
  prefix.hidden = 4;
  refuses<ValueError>(*gpt2, prefix, {"flat"});

  peft::PromptTuning prompt;
  prompt.length = 16;
  refuses<ValueError>(*llama, prompt, {"16", "context"});
  prompt.length = 2, prompt.init = peft::PromptTuning::Init::text;
  refuses<ValueError>(*llama, prompt, {"ids"});
  prompt.text = {14};
  refuses<IndexError>(*llama, prompt, {"14", "13"});

  using Kind = peft::Piece::Kind;
  peft::PTuning p;
  p.prompt_template = {{Kind::virtual_tokens, 2}, {Kind::sentence}};
  refuses<ValueError>(*gpt2, p, {"[answer]", "0 places"});
  p.prompt_template = {{Kind::virtual_tokens, 2}, {Kind::answer}, {Kind::sentence}};
  refuses<ValueError>(*gpt2, p, {"put it last"});
  p.prompt_template = {{Kind::sentence}, {Kind::answer}};
  refuses<ValueError>(*gpt2, p, {"no virtual token"});
  p.prompt_template = {{Kind::virtual_tokens, 2}, {Kind::sentence}, {Kind::words, 0, {99}}, {Kind::answer}};
  refuses<IndexError>(*gpt2, p, {"99"});
  p.prompt_template = peft::front_template(2), p.words = {1};
  refuses<ValueError>(*gpt2, p, {"1 words", "2"});

  peft::BottleneckAdapter b;
  refuses<ValueError>(*gpt2, b, {"reduction"});  // 8/16
  b.size = 2, b.activation = "swoosh";
  refuses<ValueError>(*gpt2, b, {"swoosh"});
  peft::Ia3 ia3;
  ia3.inputs = {"k"};
  refuses<ValueError>(*gpt2, ia3, {"among the outputs and the inputs"});
  refuses<ValueError>(*gpt2, peft::LinearProbe{}, {"no classification head"});
  refuses<ValueError>(*gpt2, peft::PTuningV2{}, {"prefix tuning to generate"});
  LlamaConfig c;
  c.vocabulary = 13, c.context = 16, c.dim = 8, c.hidden = 10, c.layers = 1, c.heads = 2, c.kv_heads = 1;
  Llama plain(c);
  table::randomize(plain);
  refuses<ValueError>(plain, peft::BitFit{}, {"no biases"});
}

TEST_F(Attach, NamesAndDetaching) {
  peft::Lora lora;
  lora.r = 2;
  peft::attach(*gpt2, lora, rng, "one");
  refuses<ValueError>(*gpt2, lora, {"taken", "one"}, "one");
  refuses<ValueError>(*gpt2, peft::Ia3{}, {"taken"}, "one");
  EXPECT_THROW(peft::detach(*gpt2, "two"), ValueError);
  EXPECT_THROW(peft::merge(*gpt2, "two"), ValueError);
  peft::merge(*gpt2, "one");
  EXPECT_THROW(peft::merge(*gpt2, "one"), ValueError);
  gpt2->select("");
  EXPECT_THROW((*gpt2)(Ids({1, 2}, {1, 2})), ValueError) << "the base is not there while something is merged";
}

TEST_F(Attach, AFullOneIsAttachedLikeAnyOther) {
  const std::string tree = gpt2->tree();
  peft::Lora lora;
  lora.r = 2;
  peft::attach(*gpt2, peft::FullFineTuning{}, rng, "whole");
  refuses<ValueError>(*gpt2, lora, {"taken", "whole"}, "whole");
  peft::attach(*gpt2, lora, rng, "low");
  peft::detach(*gpt2, "whole");
  EXPECT_EQ(peft::learning(*gpt2).size(), peft::parameters(*gpt2, "low").size()) << "the base stays frozen";
  peft::attach(*gpt2, peft::FullFineTuning{}, rng, "whole");
  peft::detach(*gpt2, "whole");
  EXPECT_EQ(peft::learning(*gpt2).size(), peft::parameters(*gpt2, "low").size());
  EXPECT_EQ(gpt2->selection().one(), "") << "what was selected went";
  peft::detach(*gpt2, "low");
  EXPECT_EQ(gpt2->tree(), tree);
  EXPECT_THROW(peft::detach(*gpt2, "low"), ValueError);
}

TEST_F(Attach, TheFirstIsFrozenAndTheReportSaysSo) {
  peft::attach(*gpt2, peft::Ia3{}, rng, "one");
  EXPECT_EQ(peft::report(*gpt2).find("frozen"), std::string::npos);
  peft::attach(*gpt2, peft::Ia3{}, rng, "two");
  EXPECT_NE(peft::report(*gpt2).find("frozen: one"), std::string::npos) << peft::report(*gpt2);
  peft::learn(*gpt2, {"one", "two"});
  EXPECT_EQ(peft::report(*gpt2).find("frozen"), std::string::npos);
  EXPECT_THROW(peft::learn(*gpt2, {"three"}), ValueError);
  peft::attach(*gpt2, peft::FullFineTuning{}, rng, "whole");
  const std::size_t all = peft::learning(*gpt2).size();
  EXPECT_THROW(peft::learn(*gpt2, {"one", "whole"}), ValueError) << "its parameters have no name, so they would all be frozen";
  EXPECT_EQ(peft::learning(*gpt2).size(), all);
}

/// A prefix is another parameter once it is flat; whose it is stays the same.
TEST_F(Attach, WhatWasFlattenedMeanwhileLearnsAgain) {
  peft::PrefixTuning prefix;
  prefix.length = 2, prefix.hidden = 3;
  peft::attach(*gpt2, prefix, rng, "first");
  peft::attach(*gpt2, peft::Ia3{}, rng, "second");
  peft::flatten(*gpt2, "first");
  peft::detach(*gpt2, "second");
  ASSERT_EQ(peft::learning(*gpt2).size(), 1u);
  EXPECT_EQ(peft::learning(*gpt2)[0].first, "memory.prefix.first");
}

/// A wrapper of an author's own that cannot be made after some were, and a parameter that does not say whose it is.
struct Breaking : peft::ProjectionWrapper<Param> {
  explicit Breaking(const Selection& s) : ProjectionWrapper(s) { throw ValueError("this wrapper cannot be made"); }
  std::string method() const override { return "breaking"; }
  Variable operator()(const Variable& x) override { return base(x); }
};
struct Unsafe : peft::Method {
  std::string kind() const override { return "unsafe"; }
  void graft(const peft::BaseModel& base, const std::string& name, Rng& rng) const override {
    peft::Ia3{}.graft(base, name, rng);
    for (const auto& slot : peft::targeted<Projection>(base, {"q", "out"}, kind()))
      peft::wrapper_in<Breaking>(*slot.second, base.model.selection());
  }
};
struct Scaled : peft::ProjectionWrapper<Param> {
  using ProjectionWrapper::ProjectionWrapper;
  std::string method() const override { return "scaled"; }
  Variable operator()(const Variable& x) override {
    return by_entry({}, base(x), [](const Param& l, const peft::Rows&, const Variable& y) { return y * l; });
  }
};
struct Nameless : peft::Method {
  std::string kind() const override { return "nameless"; }
  void graft(const peft::BaseModel& base, const std::string& name, Rng&) const override {
    for (const auto& slot : peft::targeted<Projection>(base, {"q"}, kind())) {
      auto& wrapper = peft::wrapper_in<Scaled>(*slot.second, base.model.selection());
      wrapper.entries.put(name, std::make_unique<Param>(wrapper, "lambda", Shape{wrapper.out()})).set(Tensor(Shape{wrapper.out()}, 1));
    }
  }
};
TEST_F(Attach, AMistakeInAMethodLeavesTheModelAsItWas) {
  const Ids ids({1, 4}, {1, 2, 3, 4});
  const NoGrad no_grad;
  const auto before = (*gpt2)(ids).value().values();
  refuses<ValueError>(*gpt2, Unsafe{}, {"cannot be made"});
  EXPECT_EQ((*gpt2)(ids).value().values(), before) << "no layer is lost";
  refuses<ValueError>(*gpt2, Nameless{}, {"nameless", "layers.0.attn.q.lambda", "{\"lambda\", name}"});
  EXPECT_EQ((*gpt2)(ids).value().values(), before);
}

// --- the optimizer's parameters come and go ----------------------------------------------------------------------------------

/// step() throws, naming these words, and has changed nothing.
void refuses_step(train::Optimizer& optimizer, const std::vector<std::string>& words) {
  const Index steps = optimizer.steps();
  try {
    optimizer.step(real(0.1));
    ADD_FAILURE() << "stepped although " << words[0];
  } catch (const ValueError& e) {
    for (const std::string& word : words)
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << word << ": " << e.what();
  }
  EXPECT_EQ(optimizer.steps(), steps);
}

TEST_F(Attach, AnOptimizerKnowsWhatIsGone) {
  const Ids ids({1, 4}, {1, 2, 3, 4});
  for (const auto& row : table::methods()) {
    if (row.only_classifier) continue;
    row.attach(*gpt2, rng, "mine");
    train::AdamW adam(peft::learning(*gpt2));
    language_loss(*gpt2, ids, ids).backward();
    const auto state = adam.state();
    peft::detach(*gpt2, "mine");
    refuses_step(adam, {"gone", "detached", "learning()"});
    EXPECT_THROW(adam.clear_gradients(), ValueError) << row.name;
    EXPECT_THROW(adam.load(state), ValueError) << row.name;
  }
  peft::PrefixTuning prefix;
  prefix.length = 2, prefix.hidden = 3;
  peft::attach(*gpt2, prefix, rng);
  train::AdamW adam(peft::learning(*gpt2));
  peft::flatten(*gpt2, "default");
  refuses_step(adam, {"gone", "flattened"});
}

TEST_F(Attach, AStepWithoutAnyGradientIsRefused) {
  const Ids ids({1, 4}, {1, 2, 3, 4});
  peft::Lora lora;
  lora.r = 2;
  train::AdamW early(peft::learning(*gpt2));
  refuses_step(early, {"backward()", "attach()"});
  language_loss(*gpt2, ids, ids).backward();
  early.step(real(1e-3));
  peft::attach(*gpt2, lora, rng);
  language_loss(*gpt2, ids, ids).backward();
  refuses_step(early, {"backward()", "before attach()"});

  train::AdamW adam(peft::learning(*gpt2));
  adam.step(real(1e-3));  // B gets a gradient, A has none but zeros: it stands beside
  adam.clear_gradients();
  refuses_step(adam, {"backward()"});
  Variable(peft::learning(*gpt2)[0].second->own()).set_grad(Tensor(peft::learning(*gpt2)[0].second->shape(), 1));
  EXPECT_NO_THROW(adam.step(real(1e-3))) << "one with a gradient is enough";
  peft::merge(*gpt2, "default");
  try {
    language_loss(*gpt2, ids, ids).backward();
    ADD_FAILURE() << "trained what is merged";
  } catch (const GraphError& e) { EXPECT_NE(std::string(e.what()).find("unmerge()"), std::string::npos) << e.what(); }
}

// --- work ------------------------------------------------------------------------------------------------------------------

/// A GPT-2 that counts how often its tree is walked.
struct Walked : Gpt2 {
  struct Counter : Part {
    using Part::Part;
    mutable Index walks = 0;
    std::vector<std::pair<std::string, Module*>> children() const override { return ++walks, Part::children(); }
  } counter{*this, "counter"};
  using Gpt2::Gpt2;
};

TEST_F(Attach, WalksOfTheTreeGrowWithTheNumberOfPromptsNotWithItsSquare) {
  const auto walks = [&](Index K) {
    Gpt2Config c;
    c.vocabulary = 13, c.context = 16, c.dim = 8, c.layers = 1, c.heads = 2;
    Walked model(c);
    table::randomize(model);
    peft::PromptTuning prompt;
    prompt.length = 2;
    model.counter.walks = 0;
    peft::attach_ensemble(model, prompt, K, rng, "p");
    return model.counter.walks;
  };
  const Index few = walks(4), many = walks(16);
  EXPECT_LE(many, 4 * few + 8) << few;
}

TEST_F(Attach, DetachingWalksTheTreeAFewTimesHoweverManyWrappers) {
  const auto walks = [&](Index layers) {
    Gpt2Config c;
    c.vocabulary = 13, c.context = 16, c.dim = 8, c.layers = layers, c.heads = 2;
    Walked model(c);
    table::randomize(model);
    peft::Lora lora;
    lora.r = 1, lora.targets = {"q", "k", "v", "out"};
    peft::attach(model, lora, rng);
    model.counter.walks = 0;
    peft::detach(model, "default");
    return model.counter.walks;
  };
  EXPECT_EQ(walks(1), walks(6));
}

TEST_F(Attach, SafeMergeRefusesWhatIsNotFinite) {
  peft::Lora lora;
  lora.r = 2;
  peft::attach(*gpt2, lora, rng, "mine");
  Tensor B = peft::parameters(*gpt2, "mine")[1].second->value();
  B.write()[0] = std::numeric_limits<real>::infinity();
  const std::string tree = gpt2->tree();
  EXPECT_THROW(peft::merge(*gpt2, "mine"), ValueError);
  EXPECT_EQ(gpt2->tree(), tree);
}

/// The base is kept aside while something is merged, with all that others have put there.
struct Merged : Attach {
  const Ids ids{{1, 4}, {1, 2, 3, 4}};
  const std::string tree = gpt2->tree();
  const std::vector<real> base = said("");
  std::vector<real> said(const std::string& name) {
    const NoGrad no_grad;
    peft::select(*gpt2, name);
    return (*gpt2)(ids).value().values();
  }
  template <class M>
  void attach(const M& method, const std::string& name) {
    peft::attach(*gpt2, method, rng, name);
    table::move(*gpt2, name);
  }
  void refuses_merged(const std::function<void()>& f, const std::vector<std::string>& words) {
    try {
      f();
      ADD_FAILURE() << "not refused";
    } catch (const ValueError& e) {
      for (const std::string& word : words)
        EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << word << ": " << e.what();
    }
  }
  Merged() {
    peft::Ia3 ia3;
    ia3.outputs = {"q", "k", "v"};
    attach(ia3, "inner");
    peft::Lora lora;
    lora.r = 2, lora.init = peft::Lora::Init::pissa;
    attach(lora, "varies");
    lora.init = peft::Lora::Init::kaiming;
    attach(lora, "outer");
  }
};

TEST_F(Merged, NothingElseIsAttachedOrMerged) {
  peft::merge(*gpt2, "outer");
  refuses<ValueError>(*gpt2, peft::LayerNormTuning{}, {"outer", "merged already", "before \"mine\""});
  for (const char* other : {"inner", "varies", "outer"})
    refuses_merged([&] { peft::merge(*gpt2, other); }, {"\"outer\" is merged already", other});
  peft::unmerge(*gpt2, "outer");
  EXPECT_EQ(said(""), base);
}

TEST_F(Merged, OthersComeOffWithAllTheirParts) {
  const std::vector<real> outer = said("outer");
  peft::merge(*gpt2, "outer");
  const std::vector<real> merged = said("outer");
  peft::detach(*gpt2, "inner");
  peft::detach(*gpt2, "varies");
  EXPECT_EQ(said("outer"), merged);
  peft::unmerge(*gpt2, "outer");
  EXPECT_EQ(peft::names(*gpt2), std::vector<std::string>{"outer"});
  EXPECT_EQ(said("outer"), outer);
  peft::detach(*gpt2, "outer");
  EXPECT_EQ(said(""), base);
  EXPECT_EQ(gpt2->tree(), tree);
}

TEST_F(Merged, FoldingLosesNoOther) {
  const std::vector<real> inner = said("inner"), varies = said("varies");
  for (const bool merged : {false, true}) {
    if (merged) peft::merge(*gpt2, "outer");
    refuses_merged([&] { peft::merge_and_unload(*gpt2, "outer"); }, {"merge_and_unload", "would be lost", "detach it first"});
    if (merged) peft::unmerge(*gpt2, "outer");
    EXPECT_EQ(said("inner"), inner);
    EXPECT_EQ(said("varies"), varies);
  }
  peft::detach(*gpt2, "inner");
  refuses_merged([&] { peft::merge_and_unload(*gpt2, "outer"); }, {"\"varies\""});
  peft::detach(*gpt2, "varies");
  peft::merge(*gpt2, "outer");
  const std::vector<real> merged = said("outer");
  peft::merge_and_unload(*gpt2, "outer");
  EXPECT_EQ(said(""), merged);
}

TEST_F(Attach, FullFineTuningLearnsInPlace) {
  const peft::Attached a = peft::attach(*gpt2, peft::FullFineTuning{}, rng);
  EXPECT_EQ(gpt2->count(true), gpt2->count(false));
  EXPECT_EQ(peft::names(*gpt2), std::vector<std::string>{"default"});
  peft::detach(*gpt2, a);
  EXPECT_EQ(gpt2->count(true), gpt2->count(false)) << "as it was before";
}

TEST_F(Attach, DropoutOnlyWhileTraining) {
  peft::Lora lora;
  lora.r = 2, lora.dropout = real(0.5), lora.targets = {"q", "k", "v"}, lora.fused = true;
  peft::attach(*gpt2, lora, rng);
  table::move(*gpt2, "default");
  const Ids ids({1, 4}, {1, 2, 3, 4});
  const NoGrad no_grad;
  const auto calm = (*gpt2)(ids).value().values();
  EXPECT_EQ((*gpt2)(ids).value().values(), calm);
  Rng draws(1);
  gpt2->training(&draws);
  EXPECT_NE((*gpt2)(ids).value().values(), calm);
  gpt2->training(nullptr);
  EXPECT_EQ((*gpt2)(ids).value().values(), calm);
}

// --- switching in the middle of a generation -------------------------------------------------------------------------------

/// The most likely token after these, by a full forward; what follows `prompt` is the answer.
Id next_of(Model& m, const std::vector<Id>& prompt, const std::vector<Id>& answer) {
  const NoGrad no_grad;
  std::vector<Id> ids = prompt;
  ids.insert(ids.end(), answer.begin(), answer.end());
  const Batch user{Ids({1, size_of(ids)}, ids), {}, {}, {size_of(prompt)}};
  const Tensor y = m(m.prompt_template(user)).value();
  const real* at = y.data() + (y.dim(1) - 1) * y.dim(2);
  return static_cast<Id>(std::max_element(at, at + m.vocabulary()) - at);
}

TEST_F(Attach, SwitchingWhileGenerating) {
  for (const auto& row : table::methods()) {
    if (row.only_classifier) continue;
    std::unique_ptr<Model> model = table::tiny_gpt2();
    table::randomize(*model, 21);
    row.attach(*model, rng, "one"), row.attach(*model, rng, "two");
    table::move(*model, "one", 4), table::move(*model, "two", 5);
    const std::vector<std::vector<Id>> prompts{{1, 4, 2}, {5, 6}};
    GenerateOptions options;
    options.max_tokens = 6;
    model->select("one");
    std::vector<std::vector<Id>> so_far(2);
    Rng draws(1);
    int tokens = 0;
    generate(*model, prompts, options, draws, [&](Index b, Id token) {
      auto& mine = nth(so_far, b);
      const Selection now = model->selection();
      // Under which the token was drawn: it changes after the second row's third and fourth token.
      model->select(mine.size() < 2 ? "one" : mine.size() < 4 ? "two" : "");
      EXPECT_EQ(token, next_of(*model, nth(prompts, b), mine))
          << row.name << " row " << b << " token " << mine.size();
      model->select(now);
      mine.push_back(token);
      ++tokens;
      if (b == 1) model->select(mine.size() < 2 ? "one" : mine.size() < 4 ? "two" : "");
      return true;
    });
    EXPECT_EQ(tokens, 12) << row.name;
  }
}

TEST_F(Attach, RowsThatEndKeepTheOthersVariants) {
  for (const auto& row : table::methods()) {
    if (row.only_classifier || !row.rows) continue;
    std::unique_ptr<Model> model = table::tiny_llama();
    table::randomize(*model, 22);
    row.attach(*model, rng, "one"), row.attach(*model, rng, "two");
    table::move(*model, "one", 4), table::move(*model, "two", 5);
    const std::vector<std::vector<Id>> prompts{{1, 4, 2}, {5, 6}, {7}};
    const std::vector<std::string> names{"two", "one", "two"};
    GenerateOptions options;
    options.max_tokens = 4;
    std::vector<std::vector<Id>> alone;
    for (std::size_t b = 0; b < 3; ++b) {
      model->select(names[b]);
      Rng draws(1);
      alone.push_back(generate(*model, {prompts[b]}, options, draws)[0]);
    }
    model->select(Selection(names));
    Rng draws(1);
    const auto together =
        generate(*model, prompts, options, draws, [&](Index b, Id) { return b != 0; });  // the first ends at once
    EXPECT_EQ(model->selection().rows(), names);
    EXPECT_EQ(together[0].size(), 1u) << row.name;
    EXPECT_EQ(together[1], alone[1]) << row.name;
    EXPECT_EQ(together[2], alone[2]) << row.name;
  }
}

// --- files -----------------------------------------------------------------------------------------------------------------

struct Files : testing::Test {
  fixture::Built gpt2 = fixture::build("gpt2"), llama = fixture::build("llama"), classifier = fixture::build("gpt2_classifier");
  formats::ScratchFolder scratch;
  std::string copy(const std::string& name) {
    const std::string to = scratch.path(name);
    std::filesystem::remove_all(to);
    std::filesystem::copy(here::fixtures() + "/peft/" + name, to);
    return to;
  }
  void refuses(const peft::BaseModel& base, const std::string& folder, const std::vector<std::string>& words) {
    const std::string tree = base.root.tree();
    try {
      peft::load_adapter(base, folder);
      FAIL() << "loaded " << folder << " although " << words[0];
    } catch (const Error& e) {
      for (const std::string& word : words)
        EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << word << ": " << e.what();
    }
    EXPECT_EQ(base.root.tree(), tree);
  }
  using Change = std::function<void(fixture::json&)>;
  std::string config(const std::string& name, const Change& change) {
    const std::string to = copy(name);
    fixture::json json = fixture::json_of(to + "/adapter_config.json");
    change(json);
    std::ofstream(to + "/adapter_config.json") << json;
    return to;
  }
  std::string tensors(const std::string& name, const std::function<void(fixture::RawFile&)>& change) {
    const std::string to = copy(name);
    fixture::RawFile file = fixture::read_raw(to + "/adapter_model.safetensors");
    change(file);
    fixture::write_raw(to + "/adapter_model.safetensors", file);
    return to;
  }
};

TEST_F(Files, OfAnotherModelOrDamaged) {
  peft::BaseModel g(*gpt2.model), l(*llama.model), c(*classifier.classifier);
  const std::string key = "base_model.model.transformer.h.1.attn.c_attn.lora_B.weight";
  refuses(l, copy("lora_gpt2"), {"target_modules", "c_attn", "llama"});
  refuses(c, copy("lora_gpt2"), {"CAUSAL_LM", "classifier"});
  refuses(g, copy("lora_gpt2_classifier"), {"SEQ_CLS", "language model"});
  refuses(g, copy("prompt_llama"), {"token_dim", "12", "8"});
  refuses(g, tensors("lora_gpt2", [&](auto& f) { f.erase(key); }), {"no tensor", key});
  refuses(g, tensors("lora_gpt2", [&](auto& f) { f["more"] = f[key]; }), {"\"more\"", "no module of this gpt2 model"});
  refuses(g, tensors("lora_gpt2", [&](auto& f) { f[key].shape = {3, 24}; }), {key, "[3, 24]", "[24, 3]"});
  refuses(g, tensors("lora_gpt2", [&](auto& f) { std::swap(f[key + "x"], f[key]), f.erase(key); }), {key});
  refuses(g,
          tensors("prompt_gpt2",
                  [&](auto& f) {
                    f["prompt_embeddings"].shape = {8, 5};
                  }),
          {"prompt_embeddings", "8", "5 rows"});
  refuses(c, tensors("prompt_gpt2_classifier", [&](auto& f) { f.erase("base_model.score.weight"); }), {"score.weight", "head"});
  const auto with = [&](const char* name, const char* field, const fixture::json& value) {
    return config(name, [&](auto& j) { j[field] = value; });
  };
  refuses(g, with("lora_gpt2", "r", 2), {"lora_A", "[3, 8]", "[2, 8]"});
  refuses(g, with("lora_gpt2", "r", 0), {"the field r is 0"});
  refuses(g, with("prefix_gpt2", "num_layers", 3), {"num_layers", "3", "2"});
  refuses(g, with("prefix_gpt2", "num_attention_heads", 4), {"num_attention_heads", "4", "2"});
  refuses(g, with("prompt_gpt2", "token_dim", 12), {"token_dim", "12", "8"});
  refuses(g, with("lora_gpt2", "r", 1000000000), {"1000000000"});
  refuses(g, with("lora_gpt2", "target_modules", {"c_attn", "c_fc"}), {"no tensor", "c_fc"});
  refuses(g, with("lora_gpt2", "target_modules", "(("), {"target_modules"});
  refuses(g, with("lora_gpt2", "use_dora", true), {"lora_magnitude_vector"});
  refuses(g, with("lora_gpt2", "use_qalora", true), {"use_qalora"});
  refuses(g, with("lora_gpt2", "layer_replication", {{0, 1}}), {"layer_replication"});
  refuses(g, with("lora_gpt2", "bias", "some"), {"bias", "some"});
  refuses(g, with("lora_gpt2", "peft_type", "NO_SUCH_TYPE"), {"NO_SUCH_TYPE", "LORA"});
  refuses(g, with("lora_gpt2", "lora_alpha", "much"), {"lora_alpha"});
  refuses(g, with("prompt_gpt2", "num_virtual_tokens", 4), {"prompt_embeddings", "5", "4 rows"});
  refuses(g, with("prompt_gpt2", "num_virtual_tokens", 24), {"24 rows", "5"});
  refuses(g, with("prefix_gpt2", "num_virtual_tokens", 2000000000), {"num_virtual_tokens"});
  refuses(g, scratch.path("nothing"), {"no such folder"});
  std::filesystem::create_directory(scratch.path("empty"));
  refuses(g, scratch.path("empty"), {"adapter_config.json"});
  const std::string pickled = copy("lora_gpt2");
  std::filesystem::rename(pickled + "/adapter_model.safetensors", pickled + "/adapter_model.bin");
  refuses(g, pickled, {"pickle"});
  std::ofstream(copy("ia3_gpt2") + "/adapter_config.json") << "[1]";
  refuses(g, scratch.path("ia3_gpt2"), {"object"});
  std::ofstream(copy("ia3_gpt2") + "/adapter_config.json") << "{\"peft_type\": ";
  refuses(g, scratch.path("ia3_gpt2"), {"adapter_config.json"});
}

TEST_F(Files, ATemplateIsNothingThatPeftWouldMisread) {
  peft::PTuning p;
  using Kind = peft::Piece::Kind;
  p.prompt_template = {
      {Kind::virtual_tokens, 2}, {Kind::sentence}, {Kind::words, 0, {2, 3}}, {Kind::virtual_tokens, 1}, {Kind::answer}};
  Rng rng(1);
  const peft::Attached a = peft::attach(*gpt2.model, p, rng);
  table::move(*gpt2.model, "default");
  peft::save_adapter(*gpt2.model, a, scratch.path("out"));
  EXPECT_EQ(fixture::json_of(scratch.path("out") + "/adapter_config.json").at("peft_type"), "GRAFT_P_TUNING");
  fixture::Built again = fixture::build("gpt2");
  peft::load_adapter(*again.model, scratch.path("out"));
  const NoGrad no_grad;
  const Ids ids({1, 4}, {1, 2, 3, 4});
  const auto logits = [&](Model& m) { return m(m.prompt_template(Batch{ids})).value().values(); };
  const auto x = logits(*gpt2.model), y = logits(*again.model);
  ASSERT_EQ(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], y[i], 1e-5);
}

/// q and v go into one pair of the file with one scale, from which the other one's is told by its ratio.
TEST_F(Files, AScaleOfZeroIsSavedAsSuch) {
  const NoGrad no_grad;
  const peft::BaseModel whole(*gpt2.model);
  const Ids ids({1, 4}, {1, 2, 3, 4});
  for (const bool all : {false, true}) {
    peft::Lora lora;
    lora.r = 2;
    if (all) lora.alpha = real(0);
    else lora.alpha_pattern = {{"layers.0.attn.q", 0}, {"layers.1.attn.v", 0}};
    Rng rng(1);
    const peft::Attached a = peft::attach(whole, lora, rng);
    table::move(whole, "default");
    const auto before = table::numbers((*gpt2.model)(ids).value());
    peft::save_adapter(whole, a, scratch.path("zero"));
    peft::detach(whole, a);
    const auto plain = table::numbers((*gpt2.model)(ids).value());
    const peft::Attached again = peft::load_adapter(whole, scratch.path("zero"));
    EXPECT_LE(fixture::apart(table::numbers((*gpt2.model)(ids).value()), before), 1e-5);
    if (all) { EXPECT_EQ(before, plain); }
    else EXPECT_GT(fixture::apart(before, plain), 1e-2);
    peft::detach(whole, again);
  }
}

/// A method of a student's own, without a file format.
struct OnlyScales : peft::Method {
  std::string kind() const override { return "scale tuning"; }
  void graft(const peft::BaseModel& base, const std::string& name, Rng&) const override {
    peft::vary(base, name, [](const std::string& path) { return peft::matches(path, "norm.weight"); });
  }
};

/// What cannot be saved says so before it is trained, in the words in which saving would say it.
TEST_F(Files, WhetherItCanBeSavedIsKnownBeforeTraining) {
  Rng rng(1);
  const peft::BaseModel whole(*gpt2.model);
  const auto refused = [&](const peft::Attached& a, const std::vector<std::string>& words) {
    std::string asked = "nothing", saved = "nothing";
    try {
      peft::expect_saveable(whole, a);
    } catch (const ValueError& e) { asked = e.what(); }
    try {
      peft::save_adapter(whole, a, scratch.path("out"));
    } catch (const ValueError& e) { saved = e.what(); }
    EXPECT_EQ(asked, saved);
    for (const std::string& word : words) EXPECT_NE(asked.find(word), std::string::npos) << word << ": " << asked;
    EXPECT_FALSE(std::filesystem::exists(scratch.path("out")));
  };
  const auto once = [&](const auto& method, const std::vector<std::string>& words) {
    const peft::Attached a = peft::attach(whole, method, rng);
    refused(a, words);
    peft::detach(whole, a);
  };
  once(OnlyScales{}, {"scale tuning", "checkpoint.h", "file format"});
  once(peft::FullFineTuning{}, {"save_model()"});
  peft::BottleneckAdapter norms;
  norms.size = 2, norms.layer_norms = true;
  once(norms, {"without layer_norms"});
  peft::Ia3 fused;
  fused.outputs = {}, fused.inputs = {"q"};
  once(fused, {"c_attn"});
  peft::Lora lora;
  lora.r = 2;
  norms.layer_norms = false;
  for (const peft::Attached& a : {peft::attach(whole, lora, rng, "one"), peft::attach(whole, norms, rng, "two")}) {
    EXPECT_NO_THROW(peft::expect_saveable(whole, a));
    peft::detach(whole, a);
    refused(a, {"not attached", "before detach()"});
  }
}

TEST_F(Files, TunedParametersOfTheBaseComeBack) {
  Rng rng(1);
  const NoGrad no_grad;
  const Ids ids({1, 4}, {1, 2, 3, 4});
  for (const bool biases : {true, false}) {
    fixture::Built one = fixture::build("gpt2"), two = fixture::build("gpt2");
    const peft::Attached a =
        biases ? peft::attach(*one.model, peft::BitFit{}, rng) : peft::attach(*one.model, peft::LayerNormTuning{}, rng);
    table::move(*one.model, "default");
    peft::save_adapter(*one.model, a, scratch.path("tuned"));
    peft::load_adapter(*two.model, scratch.path("tuned"), "other");
    const auto x = (*one.model)(ids).value().values(), y = (*two.model)(ids).value().values();
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], y[i], 1e-5);
  }
}

}  // namespace
}  // namespace graft
