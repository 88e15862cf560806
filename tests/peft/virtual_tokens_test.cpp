// Virtual tokens: which rows the table gives and when, where the template puts the ids, padded and mixed batches against
// single rows, what scores, generates and classifies through the template.
#include "autograd/sizes.h"
#include "peft/prompt_template.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "nn/evaluate.h"
#include "nn/generate.h"
#include "nn/layers.h"
#include "peft/verbalizer.h"
#include "tests/nn/fixture.h"
#include "tests/peft/methods.h"

namespace graft {
namespace {

using fixture::row_of;
using Kind = peft::Piece::Kind;
using Row = std::vector<Id>;
const double close = sizeof(real) == 8 ? 1e-11 : 1e-5;

/// [v][v] {sentence} 2 3 [v] [answer]
peft::PromptTemplate middle() {
  return {{Kind::virtual_tokens, 2}, {Kind::sentence}, {Kind::words, 0, {2, 3}}, {Kind::virtual_tokens, 1}, {Kind::answer}};
}
peft::PTuning rows_in(peft::PromptTemplate pieces) {
  peft::PTuning p;
  p.prompt_template = std::move(pieces), p.encoder = peft::PTuning::Encoder::none;
  return p;
}
Row row(const Ids& ids, Index b) { return {ids.begin() + b * ids.shape()[1], ids.begin() + (b + 1) * ids.shape()[1]}; }

struct VirtualTokens : testing::Test {
  std::unique_ptr<Model> own = table::tiny_gpt2();
  Model& model = *own;
  Rng rng{3};
  VirtualTokens() { table::randomize(model); }

  peft::VirtualTable& virtual_table() { return dynamic_cast<peft::VirtualTable&>(*model.table()); }
  /// Logits (n, V) of one user's row, whose answer begins there.
  Tensor logits(const Row& ids, std::size_t answer) {
    const NoGrad no_grad;
    const Tensor y = model(model.prompt_template(Batch{row_of(ids), {}, {}, {static_cast<Index>(answer)}})).value();
    return y.reshape(Shape{y.dim(1), y.dim(2)});
  }
  Tensor logits(const Row& ids) { return logits(ids, ids.size()); }
};

// --- the table -------------------------------------------------------------------------------------------------------------

struct Counted : peft::VirtualRows {
  Variable rows;
  int* calls;
  Counted(Variable r, int* c) : rows(std::move(r)), calls(c) {}
  Variable operator()() const override { return ++*calls, rows; }
};

TEST_F(VirtualTokens, RowsComeFromWhoOwnsTheId) {
  const Tensor E = model.table()->dense();  // (13, 8)
  const Selection none;
  peft::VirtualTable own_table(none);
  own_table.base.put(std::make_unique<Embedding>(13, 8));
  dynamic_cast<Embedding&>(*own_table.base).weight.set(E);
  own_table.base->learn(false);
  const Variable a = parameter(normal({2, 8}, 0, 1, rng)), b = parameter(normal({3, 8}, 0, 1, rng));
  int of_a = 0, of_b = 0;
  EXPECT_EQ(own_table.add("a", 2, std::make_unique<Counted>(a, &of_a)).first, 13);
  EXPECT_EQ(own_table.add("b", 3, std::make_unique<Counted>(b, &of_b)).first, 15);
  EXPECT_EQ(own_table.rows(), 18);
  EXPECT_EQ(own_table.dim(), 8);
  EXPECT_EQ(own_table.dense().shape(), (Shape{13, 8})) << "what a tied head sees";

  own_table(Ids({2, 2}, {0, 12, 3, 4}));
  EXPECT_EQ(of_a + of_b, 0) << "none occurs";
  own_table(Ids({2, 2}, {0, 14, 3, 13}));
  EXPECT_EQ(of_a, 1);
  EXPECT_EQ(of_b, 0) << "only who occurs";

  const Ids ids({2, 3}, {17, 4, 13, 15, 17, 12});
  const Variable y = own_table(ids);
  ASSERT_EQ(y.shape(), (Shape{2, 3, 8}));
  const auto expected = [&](Id id, Index d) {
    return id < 13 ? E[8 * id + d] : id < 15 ? a.value()[8 * (id - 13) + d] : b.value()[8 * (id - 15) + d];
  };
  for (Index i = 0; i < 6; ++i)
    for (Index d = 0; d < 8; ++d) EXPECT_EQ(y.value()[8 * i + d], expected(ids[i], d)) << i;
  sum(y).backward();  // a row's gradient is how often it occurs
  const double uses[] = {1, 0, 1, 0, 2};
  for (Index i = 0; i < 5; ++i)
    for (Index d = 0; d < 8; ++d) EXPECT_EQ(i < 2 ? a.grad()[8 * i + d] : b.grad()[8 * (i - 2) + d], uses[i]) << i;

  EXPECT_THROW(own_table(Ids({1, 1}, {18})), IndexError);
  EXPECT_THROW(own_table(Ids({1, 1}, {-1})), IndexError);
  own_table.drop("a");
  EXPECT_THROW(own_table(Ids({1, 1}, {13})), IndexError) << "it left";
  EXPECT_EQ(own_table(Ids({1, 1}, {15})).value()[0], b.value()[0]) << "the others' ids stay";
}

/// LoRA on the table under prompts that came before and after it: the three may share a batch, and LoRA is V rows high.
TEST_F(VirtualTokens, LoraOnTheTableStaysBelow) {
  peft::Lora lora;
  lora.r = 2, lora.targets = {"embed"};
  peft::attach(model, rows_in(middle()), rng, "before");
  peft::attach(model, lora, rng, "low");
  peft::attach(model, rows_in(peft::front_template(4)), rng, "after");
  for (const char* name : {"before", "low", "after"}) table::move(model, name);
  EXPECT_EQ(model.parameter("embed.lora_A.low").shape(), (Shape{13, 2}));
  const Row user{4, 5, 6};
  std::vector<Tensor> alone;
  const std::vector<std::string> names{"after", "low", "before", ""};
  for (const auto& name : names) model.select(name), alone.push_back(logits(user));
  model.select(Selection(names));
  const NoGrad no_grad;
  const Tensor mixed = model(model.prompt_template(Batch{Ids({4, 3}, {4, 5, 6, 4, 5, 6, 4, 5, 6, 4, 5, 6})})).value();
  for (Index b = 0; b < 4; ++b)
    for (Index i = 0; i < nth(alone, b).numel(); ++i)
      EXPECT_NEAR(mixed[b * mixed.dim(1) * 13 + i], nth(alone, b)[i], close)
          << nth(names, b);
  model.select("low");
  peft::merge(model, "low");
  EXPECT_LE(fixture::apart(table::numbers(logits(user)), table::numbers(alone[1])), close);
  peft::unmerge(model, "low");
  peft::detach(model, "before"), peft::detach(model, "after"), peft::detach(model, "low");
  EXPECT_NE(dynamic_cast<Embedding*>(&*model.table()), nullptr);
}

// --- the template ----------------------------------------------------------------------------------------------------------

TEST_F(VirtualTokens, IdsGoWhereTheTemplateSays) {
  peft::attach(model, rows_in(middle()), rng);  // 13 14 {sentence} 2 3 15 [answer]
  constexpr Id no = ignored;
  const auto around = [&](const Row& ids, const Row& labels, Index answer) {
    return model.prompt_template(Batch{row_of(ids), labels.empty() ? Ids() : row_of(labels), {}, {answer}});
  };
  {
    const Templated b = model.prompt_template(Batch{row_of({7, 8, 9})});
    EXPECT_EQ(row(b.ids, 0), (Row{13, 14, 7, 8, 9, 2, 3, 15})) << "no answer: ends where it would begin";
    EXPECT_EQ(b.labels.numel(), 0);
    EXPECT_TRUE(b.lengths.empty());
    EXPECT_EQ(b.answer(0), 8);
  }
  // Wherever is scored, the ids are the same, and a label stays with its token.
  const Row ids{7, 8, 9, 10}, placed{13, 14, 7, 8, 2, 3, 15, 9, 10};
  for (const Row& labels : {Row{no, no, 9, 10}, Row{7, 8, 9, 10}, Row{7, no, 9, 10}, Row{no, no, 9, no}, Row{no, 8, no, no},
                            Row{no, no, no, no}, Row{}}) {
    const Templated b = around(ids, labels, 2);
    EXPECT_EQ(row(b.ids, 0), placed);
    EXPECT_EQ(b.answer(0), 7);
    if (labels.empty()) EXPECT_EQ(b.labels.numel(), 0);
    else EXPECT_EQ(row(b.labels, 0), (Row{no, no, labels[0], labels[1], no, no, no, labels[2], labels[3]}));
  }
  EXPECT_EQ(row(around(ids, ids, 4).ids, 0), (Row{13, 14, 7, 8, 9, 10, 2, 3, 15})) << "all is sentence";
  EXPECT_EQ(row(around(ids, ids, 0).ids, 0), (Row{13, 14, 2, 3, 15, 7, 8, 9, 10})) << "all is answer";

  // Padding is what lengths say, and nothing else.
  const Batch filled{row_of({7, 8, 9, 10, 11}), row_of({no, 8, 9, no, no}), {}, {1}};
  EXPECT_EQ(row(model.prompt_template(filled).ids, 0), (Row{13, 14, 7, 2, 3, 15, 8, 9, 10, 11})) << "real, if not scored";
  const Templated cut = model.prompt_template(Batch{filled.ids, filled.labels, {3}, {1}});
  EXPECT_EQ(row(cut.ids, 0), (Row{13, 14, 7, 2, 3, 15, 8, 9}));
  EXPECT_EQ(row(cut.labels, 0), (Row{no, no, no, no, no, no, 8, 9}));

  const Templated two = model.prompt_template(Batch{Ids({2, 3}, {7, 8, 9, 10, 0, 0}), {}, {3, 1}});
  EXPECT_EQ(two.lengths, (std::vector<Index>{8, 6}));
  EXPECT_EQ(row(two.ids, 0), (Row{13, 14, 7, 8, 9, 2, 3, 15}));
  const Row second = row(two.ids, 1);
  EXPECT_EQ(Row(second.begin(), second.begin() + 6), (Row{13, 14, 10, 2, 3, 15}));
  for (std::size_t t = 6; t < 8; ++t) EXPECT_TRUE(0 <= second[t] && second[t] < 13) << "padding is any word";
  model.select("");
  EXPECT_EQ(row(around({7, 8}, {}, 1).ids, 0), (Row{7, 8}));
}

TEST_F(VirtualTokens, RefusesASelectionOfOtherRows) {
  peft::attach(model, rows_in(middle()), rng);
  const Ids ids({2, 3}, {1, 2, 3, 4, 5, 6});
  model.select(Selection(std::vector<std::string>{"default"}));
  EXPECT_THROW(model.prompt_template(Batch{ids}), ShapeError);
}

// --- batches are their rows ------------------------------------------------------------------------------------------------

/// Four users' rows padded on the right, each under a name of its own, and each alone.
TEST_F(VirtualTokens, RaggedAndMixedRowsAreTheSingleOnes) {
  peft::Lora lora;
  lora.r = 2;
  peft::attach(model, rows_in(middle()), rng, "template");
  peft::attach(model, rows_in(peft::front_template(4)), rng, "front");
  peft::attach(model, lora, rng, "lora");
  for (const char* name : {"template", "front", "lora"}) table::move(model, name);
  peft::learn(model, {"template", "front", "lora"});
  const std::vector<std::string> names{"front", "template", "", "lora"};
  const std::vector<Row> users{{1, 4, 2, 7}, {5, 6}, {8, 9, 1, 1}, {3, 3, 7}};
  const std::vector<Row> labels{{ignored, ignored, 2, 7}, {ignored, 6}, {8, 9, 1, 1}, {ignored, 3, 7}};
  Batch batch = padded(users);
  batch.answers = {2, 1, 4, 1};
  {
    const NoGrad no_grad;
    model.select(Selection(names));
    const Templated f = model.prompt_template(batch);
    const Tensor y = model(f).value();
    for (std::size_t b = 0; b < 4; ++b) {
      model.select(names[b]);
      const Tensor alone = logits(users[b], static_cast<std::size_t>(batch.answers[b]));
      ASSERT_EQ(alone.dim(0), f.length(static_cast<Index>(b)));
      for (Index i = 0; i < alone.numel(); ++i)
        EXPECT_NEAR(y[static_cast<Index>(b) * y.dim(1) * 13 + i], alone[i], close) << names[b];
    }
  }
  // The loss and its gradients: a row's share of the mean is that of its scored places.
  const auto gradients = [&] {
    fixture::Numbers all;
    for (const auto& p : peft::learning(model)) {
      const Tensor& g = p.second->own().grad();
      for (Index i = 0; i < p.second->numel(); ++i) all.push_back(g.defined() ? static_cast<double>(g[i]) : 0);
      p.second->own().node()->grad = Tensor();
    }
    return all;
  };
  model.select(Selection(names));
  batch.labels = padded(labels, ignored).ids;
  const Variable together = language_loss(model, batch);
  together.backward();
  const fixture::Numbers mixed = gradients();
  const double scored[] = {2, 1, 3, 2};  // a sentence's first word without anything before it is given
  double loss = 0;
  fixture::Numbers sums(mixed.size());
  for (std::size_t b = 0; b < 4; ++b) {
    model.select(names[b]);
    const Variable y = language_loss(model, {row_of(users[b]), row_of(labels[b]), {}, {batch.answers[b]}});
    loss += scored[b] / 8 * y.item();
    if (!names[b].empty()) y.backward();  // the bare base learns nothing
    const fixture::Numbers alone = gradients();
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += scored[b] / 8 * alone[i];
  }
  EXPECT_NEAR(together.item(), loss, close);
  EXPECT_LE(fixture::apart(mixed, sums), close);
}

TEST_F(VirtualTokens, ATokensLabelIsFoundInTheTemplate) {
  own->output().take();
  TokenClassifier tokens(std::move(own), {"a", "b", "c"});
  table::randomize(tokens);
  peft::attach(tokens, rows_in(middle()), rng);
  // Users' tokens 7 8 9 stand at 2 3 4, whatever is labelled.
  for (const Row& tags : {Row{ignored, 1, 2}, Row{0, ignored, 2}, Row{1, ignored, ignored}}) {
    double loss = 0, scored = 0;
    {
      const NoGrad no_grad;
      const Tensor p = softmax(tokens(Templated::raw(row_of({13, 14, 7, 8, 9, 2, 3, 15})))).value();
      for (Index t = 0; t < 3; ++t)
        if (nth(tags, t) != ignored)
          loss -= std::log(p[(2 + t) * 3 + nth(tags, t)]), ++scored;
    }
    EXPECT_NEAR(token_loss(tokens, {row_of({7, 8, 9}), row_of(tags)}).item(), loss / scored, close);
  }
}

/// A head and label words read where the sentence ends, also in rows that bring an answer or padding.
TEST_F(VirtualTokens, ClassesAreReadBeforeTheAnswer) {
  peft::attach(model, rows_in(middle()), rng);
  const peft::Verbalizer words({{4}, {5, 6}, {7}}, 13);
  const NoGrad no_grad;
  const Ids sentence = row_of({7, 8, 9});
  const Tensor bare = words(model, Batch{sentence}).value();
  const Tensor answered = words(model, Batch{row_of({7, 8, 9, 5, 0}), {}, {4}, {3}}).value();
  const Tensor scored = words(model, Batch{sentence, sentence, {}, {}}).value();
  EXPECT_LE(fixture::apart(table::numbers(answered), table::numbers(bare)), close);
  EXPECT_EQ(scored.values(), bare.values()) << "labels do not matter";
  EXPECT_THROW(words(model, Batch{Ids({1, 0}, {})}), ShapeError);
  own->output().take();
  Classifier classifier(std::move(own), {"a", "b"}, 0);
  table::randomize(*classifier.score);
  const Tensor alone = classifier(sentence).value();
  EXPECT_LE(fixture::apart(table::numbers(classifier(row_of({7, 8, 9, 0, 0})).value()), table::numbers(alone)), close)
      << "the pad id is padding: the template stands before it";
}

/// A prompt that is scored, too, is learned behind the same template: the loss is that of the parts.
TEST_F(VirtualTokens, ScoringThePromptChangesNoTemplate) {
  peft::attach(model, rows_in(middle()), rng);
  const Row ids{7, 8, 9, 10};
  const auto loss = [&](const Row& labels) {
    const NoGrad no_grad;
    return static_cast<double>(language_loss(model, {row_of(ids), row_of(labels), {}, {2}}).item());
  };
  const double prompt = loss({7, 8, ignored, ignored}), answer = loss({ignored, ignored, 9, 10});
  EXPECT_NEAR(loss(ids), (2 * prompt + 2 * answer) / 4, close);
}

// --- scoring and generating ------------------------------------------------------------------------------------------------

TEST_F(VirtualTokens, EvaluationScoresTheUsersTokensOnly) {
  for (const peft::PromptTemplate& pieces : {peft::front_template(4), middle()}) {
    const peft::Attached a = peft::attach(model, rows_in(pieces), rng);
    const Row text{1, 4, 2, 7, 3, 5, 5, 0, 6, 1, 9, 9, 12, 11, 2, 8, 10};
    const Index window = model.free_positions();
    EXPECT_EQ(window, 16 - (pieces.size() == 3 ? 4 : 5));
    double expected = 0;
    for (Index begin = 0; begin < 17; begin += window) {
      const Row part(text.begin() + begin, text.begin() + std::min<Index>(begin + window, 17));
      const Tensor p = softmax(Variable(logits(part))).value();
      const Index before = pieces.size() == 3 ? 4 : 2;  // virtual tokens in front
      for (std::size_t t = 1; t < part.size(); ++t)
        expected -= std::log(p[(before + static_cast<Index>(t) - 1) * 13 + part[t]]);
    }
    const Evaluation e = evaluate(model, text);
    EXPECT_EQ(e.tokens, 15) << "the first of each of two windows is given";
    EXPECT_NEAR(e.sum, expected, 20 * close);
    // Of one window it is the loss of all but the first token, which is all sentence.
    const Row few(text.begin(), text.begin() + 9);
    Row wanted = few;
    wanted[0] = ignored;
    const NoGrad no_grad;
    EXPECT_NEAR(evaluate(model, few).mean(), language_loss(model, row_of(few), row_of(wanted)).item(), close);
    peft::detach(model, a);
  }
}

/// Prompts of unequal lengths, one with a template in the middle: as alone, and virtual rows are computed once.
TEST_F(VirtualTokens, GenerationComputesThemOnce) {
  peft::attach(model, rows_in(middle()), rng, "template");
  peft::attach(model, rows_in(peft::front_template(4)), rng, "front");
  std::map<std::string, int> calls;
  for (const char* name : {"template", "front"}) {
    auto& entry = virtual_table().entry(name);
    const Tensor rows = (*entry.rows)().value();
    entry.rows = std::make_unique<Counted>(Variable(rows), &calls[name]);
  }
  const std::vector<Row> prompts{{1, 4, 2}, {5}, {8, 9}};
  const std::vector<std::string> names{"template", "front", "template"};
  GenerateOptions options;
  options.max_tokens = 6;
  model.select(Selection(names));
  const auto together = generate(model, prompts, options, rng);
  EXPECT_EQ(calls["template"], 1);
  EXPECT_EQ(calls["front"], 1);
  for (std::size_t b = 0; b < 3; ++b) {
    model.select(names[b]);
    EXPECT_EQ(together[b], generate(model, {prompts[b]}, options, rng)[0]) << b;
    Row all = prompts[b];  // and as full forwards say
    for (const Id token : together[b]) {
      const Tensor y = logits(all, prompts[b].size());
      const real* last = y.data() + (y.dim(0) - 1) * 13;
      EXPECT_GE(last[token] + close, *std::max_element(last, last + 13));
      EXPECT_LT(token, 13) << "a virtual token is never said";
      all.push_back(token);
    }
  }
}

}  // namespace
}  // namespace graft
