// What holds for every method: rows of methods.h × these properties, on a GPT-2 and a Llama (and their classifiers
// of sequences and of tokens).
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "autograd/sizes.h"
#include "nn/generate.h"
#include "peft/adapter_file.h"
#include "peft/lora_table.h"
#include "tests/autograd/compare.h"
#include "tests/autograd/gradient_check.h"
#include "tests/formats/scratch_folder.h"
#include "tests/peft/methods.h"

namespace graft {
namespace {

using table::MethodRow;

const Ids ids({2, 5}, {1, 4, 2, 7, 3, 5, 5, 0, 6, 1});
const Ids labels({2, 5}, {1, 4, ignored, 7, 3, 5, 5, 0, 6, ignored});
const Ids tags({2, 5}, {ignored, 1, 2, 0, 1, ignored, 2, 2, 0, 1});
const real close = sizeof(real) == 8 ? real(1e-10) : real(1e-4);

/// Raw bytes of all parameters of the base.
std::map<std::string, std::vector<real>> base_bytes(const Module& m) {
  std::map<std::string, std::vector<real>> all;
  for (const auto& p : m.parameters()) all[p.first] = p.second->own().value().values();
  return all;
}

/// Logits of the user's ids, through template and memory.
Tensor logits(Model& m) {
  const NoGrad no_grad;
  return m(m.prompt_template(Batch{ids})).value();
}
double apart(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (Index i = 0; i < a.numel(); ++i) {
    const double d = std::abs(double(a[i]) - double(b[i]));
    if (std::isnan(d)) return d;  // no bound holds it, and no later number hides it
    worst = std::max(worst, d);
  }
  return worst;
}
/// The logits at the user's places: virtual tokens put before them give rows of their own.
Tensor of_user(const Tensor& all, Index T) {
  if (all.dim(1) == T) return all;
  return slice(Variable(all), 1, all.dim(1) - T, all.dim(1)).value();
}

enum class Head { language, sequence, token };
struct Case {
  std::string name;
  MethodRow row;
  bool llama;
  Head head;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const MethodRow& row : table::methods())
    for (const bool llama : {false, true})
      for (const Head head : {Head::language, Head::sequence, Head::token})
        if (head == Head::language ? !row.only_classifier : !row.only_language) {
          const char* suffix = head == Head::language ? "" : head == Head::sequence ? "_classifier" : "_token_classifier";
          all.push_back({row.name + (llama ? "_llama" : "_gpt2") + suffix, row, llama, head});
        }
  return all;
}

class Methods : public testing::TestWithParam<Case> {
 protected:
  std::unique_ptr<Model> own = GetParam().llama ? table::tiny_llama() : table::tiny_gpt2();
  std::unique_ptr<Classifier> classifier;
  std::unique_ptr<TokenClassifier> tokens;
  Model& model = *own;
  Rng rng{3};

  void SetUp() override {
    const std::vector<std::string> names{"a", "b", "c"};
    if (GetParam().head != Head::language) own->output().take();
    if (GetParam().head == Head::sequence) classifier = std::make_unique<Classifier>(std::move(own), names, -1);
    if (GetParam().head == Head::token) tokens = std::make_unique<TokenClassifier>(std::move(own), names);
    table::randomize(root());
  }
  Module& root() {
    if (tokens) return *tokens;
    return classifier ? static_cast<Module&>(*classifier) : static_cast<Module&>(model);
  }
  peft::BaseModel host() { return tokens ? peft::BaseModel(*tokens) : classifier ? peft::BaseModel(*classifier) : peft::BaseModel(model); }
  peft::Attached attach(const std::string& name = "mine") { return GetParam().row.attach(host(), rng, name); }
  Variable loss() {
    if (tokens) return token_loss(*tokens, {ids, tags});
    if (!classifier) return language_loss(model, ids, labels);
    return cross_entropy((*classifier)(ids), Ids({2}, {1, 2}));
  }
  Tensor answers() {
    if (tokens) {
      const NoGrad no_grad;
      return (*tokens)(ids).value();
    }
    if (!classifier) return logits(model);
    const NoGrad no_grad;
    return (*classifier)(ids).value();
  }
  std::vector<std::pair<Tensor, std::vector<double>>> dora_norms();
  /// The loss with the norms of DoRA held as they were (they are constants to its backward): m·now/then cancels the change.
  double held_loss(const std::vector<std::pair<Tensor, std::vector<double>>>& then) {
    auto now = dora_norms();
    std::vector<std::vector<real>> kept;
    for (std::size_t k = 0; k < now.size(); ++k) {
      kept.push_back(now[k].first.values());
      for (std::size_t o = 0; o < then[k].second.size(); ++o)
        now[k].first.write()[o] *= static_cast<real>(now[k].second[o] / then[k].second[o]);
    }
    const double y = loss().item();
    for (std::size_t k = 0; k < now.size(); ++k) std::copy(kept[k].begin(), kept[k].end(), now[k].first.write());
    return y;
  }
  /// Plain gradient descent.
  void train(int steps) {
    for (int i = 0; i < steps; ++i) {
      loss().backward();
      for (const auto& p : root().parameters()) {
        if (!p.second->learns() || !p.second->own().grad().defined()) continue;
        Tensor w = p.second->own().value();
        const Tensor g = p.second->own().grad();
        real* to = w.write();
        for (Index k = 0; k < w.numel(); ++k) to[k] -= real(0.05) * g[k];
        p.second->own().node()->grad = Tensor();
      }
    }
  }
};

/// ‖W₀ + s·B·A‖ of every DoRA pair, with the tensor of its magnitudes.
std::vector<std::pair<Tensor, std::vector<double>>> dora_norms_of(const Module& root) {
  std::vector<std::pair<Tensor, std::vector<double>>> all;
  for (const auto& slot : root.slots<Projection>()) {
    if (slot.second->empty()) continue;
    const auto* lora = dynamic_cast<const peft::LoraLinear*>(&**slot.second);
    if (!lora || !lora->holds("mine") || !lora->entry("mine").magnitude) continue;
    const peft::LoraPair& p = lora->entry("mine");
    const Tensor W = lora->base->dense(), A = p.A.value(), B = p.B.value();
    std::vector<double> norms;
    for (Index o = 0; o < W.rows(); ++o) {
      double sum = 0;
      for (Index i = 0; i < W.cols(); ++i) {
        double w = W[o * W.cols() + i];
        for (Index k = 0; k < A.rows(); ++k) w += p.scale * B[o * A.rows() + k] * A[k * W.cols() + i];
        sum += w * w;
      }
      norms.push_back(std::sqrt(sum));
    }
    all.emplace_back(p.magnitude->value(), norms);
  }
  for (const auto& slot : root.slots<Table>()) {  // of a table one norm per feature
    if (slot.second->empty()) continue;
    const auto* lora = dynamic_cast<const peft::LoraTable*>(&**slot.second);
    if (!lora || !lora->holds("mine") || !lora->entry("mine").magnitude) continue;
    const peft::LoraTablePair& p = lora->entry("mine");
    const Tensor E = lora->base->dense(), A = p.A.value(), B = p.B.value();
    std::vector<double> norms;
    for (Index d = 0; d < E.cols(); ++d) {
      double sum = 0;
      for (Index v = 0; v < E.rows(); ++v) {
        double e = E[v * E.cols() + d];
        for (Index k = 0; k < A.cols(); ++k) e += p.scale * A[v * A.cols() + k] * B[d * A.cols() + k];
        sum += e * e;
      }
      norms.push_back(std::sqrt(sum));
    }
    all.emplace_back(p.magnitude->value(), norms);
  }
  return all;
}

std::vector<std::pair<Tensor, std::vector<double>>> Methods::dora_norms() { return dora_norms_of(root()); }

TEST_P(Methods, TheBaseStaysAsItIsWhileTraining) {
  const auto before = base_bytes(root());
  attach();
  const double first = loss().item();
  train(8);
  EXPECT_LT(loss().item(), first) << "it learns";
  for (const auto& p : root().parameters()) {
    const auto was = before.find(p.first);
    if (was == before.end()) continue;
    EXPECT_EQ(p.second->own().value().values(), was->second) << p.first;
    EXPECT_FALSE(p.second->learns()) << p.first;
    EXPECT_FALSE(p.second->own().grad().defined()) << p.first;
  }
}

TEST_P(Methods, EveryTrainedParameterGetsAGradient) {
  attach();
  table::move(host(), "mine");
  loss().backward();
  Index count = 0;
  for (const auto& p : peft::parameters(host(), "mine")) {
    ASSERT_TRUE(p.second->learns()) << p.first;
    ASSERT_TRUE(p.second->own().grad().defined()) << p.first;
    count += p.second->numel();
  }
  EXPECT_EQ(count, root().count(true)) << "nothing else learns";
  EXPECT_GT(count, 0);
}

TEST_P(Methods, SilentAtFirstWhereThePaperSaysSo) {
  const Tensor before = answers();
  attach();
  const Tensor after = classifier ? answers() : of_user(answers(), ids.shape()[1]);
  if (GetParam().row.silent) EXPECT_LE(apart(before, after), close);
  else EXPECT_GT(apart(before, after), 1e-3);
  table::move(host(), "mine");
  const Tensor moved = classifier ? answers() : of_user(answers(), ids.shape()[1]);
  EXPECT_GT(apart(before, moved), 1e-3) << "and not for ever";
}

TEST_P(Methods, DetachGivesTheBaseBack) {
  const auto before = base_bytes(root());
  const Tensor answered = answers();
  const std::string tree = root().tree();
  const peft::Attached a = attach();
  table::move(host(), "mine");
  train(2);
  peft::detach(host(), a);
  EXPECT_EQ(base_bytes(root()), before);
  EXPECT_EQ(answers().values(), answered.values());
  EXPECT_EQ(root().tree(), tree) << "who learns, too";
  EXPECT_TRUE(peft::names(host()).empty());
}

/// An adapter may be called as parts of models and of methods are: whose a parameter is, no path says.
TEST_P(Methods, NamesOfPartsAreNamesAsAnyOther) {
  const std::string tree = root().tree();
  const Tensor before = answers();
  std::vector<std::size_t> counts;
  const std::vector<std::string> names{"mine", "weight", "bias", "q", "mlp", "norm", "lora_A", "prefix", "0"};
  for (const std::string& name : names) {
    attach(name);
    for (const auto& p : peft::learning(host())) EXPECT_EQ(p.second->variant().empty() ? name : p.second->variant(), name);
    counts.push_back(peft::parameters(host(), name).size());
    EXPECT_EQ(peft::learning(host()).size(), counts.back()) << name;
    EXPECT_EQ(counts.back(), counts.front()) << name;
  }
  for (const std::string& name : names) peft::detach(host(), name);
  EXPECT_EQ(root().tree(), tree);
  EXPECT_EQ(answers().values(), before.values());
}

TEST_P(Methods, AnotherNameBesideIt) {
  attach("one");
  table::move(host(), "one", 1);
  const Tensor one = answers();
  attach("two");
  table::move(host(), "two", 2);
  const Tensor two = answers();
  EXPECT_GT(apart(of_user(Variable(one).value(), 0 + one.dim(1)), two), 1e-4);
  model.select("one");
  EXPECT_EQ(answers().values(), one.values());
  model.select("");
  const Tensor none = answers();
  peft::detach(host(), "one");
  EXPECT_EQ(answers().values(), none.values());
  model.select("two");
  EXPECT_EQ(answers().values(), two.values());
  EXPECT_THROW(attach("two"), ValueError);
  EXPECT_EQ(answers().values(), two.values()) << "left as it was";
}

/// Whatever is selected while the second is attached, it starts as it does on the bare base, to the bit.
TEST_P(Methods, ASecondNameStartsFromTheBaseToo) {
  const Tensor base = answers();
  attach("one");
  table::move(host(), "one", 1);
  const Rng draws = rng;
  attach("two");
  const Tensor beside = answers();
  if (GetParam().row.silent) { EXPECT_LE(apart(of_user(beside, base.dim(1)), base), close); }
  peft::detach(host(), "one"), peft::detach(host(), "two");
  rng = draws;
  attach("two");
  EXPECT_EQ(answers().values(), beside.values());
}

/// The last of those that are attached learns; the base only when none is left. Also after a second life of a name.
TEST_P(Methods, DetachInAnyOrderLeavesTheRightOnesLearning) {
  const std::string tree = root().tree();
  std::vector<std::string> order{"a1", "b1", "c1"};
  do {
    std::vector<std::string> there{"a1", "b1", "c1"};
    for (const std::string& name : there) attach(name);
    for (const std::string& gone : order) {
      peft::detach(host(), gone);
      there.erase(std::find(there.begin(), there.end(), gone));
      if (there.empty()) break;
      for (const auto& p : peft::learning(host()))
        EXPECT_NE(("." + p.first + ".").find("." + there.back() + "."), std::string::npos)
            << p.first << " learns, after " << gone << " went, as the last of " << there.size();
      EXPECT_EQ(peft::learning(host()).size(), peft::parameters(host(), there.back()).size()) << gone;
    }
    EXPECT_EQ(root().tree(), tree) << "who learns, too";
  } while (std::next_permutation(order.begin(), order.end()));
}

/// A name that nobody has is refused at once, and rows for another batch when they meet it.
TEST_P(Methods, ASelectionMustFit) {
  attach("one");
  EXPECT_THROW(model.select("oen"), ValueError);
  EXPECT_THROW(model.select(std::vector<std::string>{"one", "oen"}), ValueError);
  EXPECT_EQ(model.selection(), Selection("one")) << "left as it was";
  for (const auto& rows : {std::vector<std::string>{"one"}, std::vector<std::string>{"one", "one", "one"}}) {
    model.select(Selection(rows));
    EXPECT_THROW(answers(), ShapeError) << rows.size();
  }
  peft::select_rows(host(), {"one", "one"});
  attach("two");
  table::move(host(), "two");
  EXPECT_EQ(model.selection(), Selection("two"));
  loss().backward();
  for (const auto& p : peft::parameters(host(), "two")) EXPECT_TRUE(p.second->own().grad().defined()) << p.first;
  peft::select_rows(host(), {"one", "two"});
  peft::detach(host(), "two");
  EXPECT_EQ(model.selection(), Selection{}) << "a row's name went";
  EXPECT_THROW(peft::select(host(), "two"), ValueError);
  EXPECT_THROW(peft::select_rows(host(), {"one", "two"}), ValueError);
  EXPECT_THROW(peft::select_rows(host(), {}), ValueError);
  peft::select(host(), "one");
  EXPECT_NO_THROW(answers());
  peft::select(host(), "");
  EXPECT_NO_THROW(answers());
}

TEST_P(Methods, RowsOfABatchMayUseDifferentOnes) {
  attach("one"), attach("two");
  table::move(host(), "one", 1), table::move(host(), "two", 2);
  std::vector<Tensor> alone;
  for (const char* name : {"one", "two"}) {
    model.select(name);
    alone.push_back(answers());
  }
  model.select(Selection(std::vector<std::string>{"two", "one"}));
  if (!GetParam().row.rows) {
    EXPECT_THROW(answers(), ValueError) << "weights that are changed themselves are the same for all rows";
    return;
  }
  const Tensor mixed = answers();
  const Index n = mixed.numel() / 2;
  for (Index i = 0; i < n; ++i) {
    EXPECT_NEAR(mixed[i], alone[1][i], close);
    EXPECT_NEAR(mixed[n + i], alone[0][n + i], close);
  }
}

TEST_P(Methods, MergedEqualsUnmerged) {
  attach();
  table::move(host(), "mine");
  const auto before = base_bytes(root());
  const Tensor apart_from_it = answers();
  if (!GetParam().row.merges) {
    EXPECT_THROW(peft::merge(host(), "mine"), ValueError);
    EXPECT_EQ(answers().values(), apart_from_it.values());
    return;
  }
  peft::merge(host(), "mine");
  EXPECT_LE(apart(answers(), apart_from_it), sizeof(real) == 8 ? 1e-10 : 1e-5);
  peft::unmerge(host(), "mine");
  EXPECT_EQ(base_bytes(root()), before);
  EXPECT_EQ(answers().values(), apart_from_it.values());
  peft::merge_and_unload(host(), "mine");
  EXPECT_LE(apart(answers(), apart_from_it), sizeof(real) == 8 ? 1e-10 : 1e-5);
  EXPECT_TRUE(peft::names(host()).empty());
  EXPECT_EQ(peft::parameters(host(), "mine").size(), 0u);
}

TEST_P(Methods, CachedGenerationEqualsTheFullForward) {
  if (GetParam().head != Head::language) return;  // does not generate
  attach();
  table::move(host(), "mine");
  GenerateOptions options;
  options.max_tokens = 4;
  Rng draws(1);
  const std::vector<std::vector<Id>> prompts{{1, 4, 2}, {5}};
  const auto written = generate(model, prompts, options, draws);
  const NoGrad no_grad;
  for (std::size_t b = 0; b < prompts.size(); ++b) {
    std::vector<Id> row = prompts[b];
    const Index asked = size_of(row);
    for (const Id token : written[b]) {  // greedy: the most likely of the full forward, what was written being the answer
      const Index T = size_of(row);
      const Templated batch = model.prompt_template(Batch{Ids({1, T}, row), {}, {}, {asked}});
      const Tensor all = model(batch).value();
      const real* at = all.data() + batch.last()[0] * all.dim(2);
      EXPECT_GE(at[token] + close, *std::max_element(at, at + model.vocabulary()));
      row.push_back(token);
    }
  }
  // And number by number: one token at a time after a past.
  const Templated batch = model.prompt_template(Batch{Ids({1, 5}, {1, 4, 2, 7, 3})});
  const Tensor full = model(batch).value();
  Past past = model.begin(1);
  for (Index t = 0; t < batch.ids.shape()[1]; ++t) {
    const Tensor step = model(Ids({1, 1}, {batch.ids[t]}), past).value();
    for (Index v = 0; v < model.vocabulary(); ++v) EXPECT_NEAR(step[v], full[t * full.dim(2) + v], close);
  }
}

TEST_P(Methods, SavedAndLoadedSaysTheSame) {
  const formats::ScratchFolder scratch;
  const peft::Attached a = attach();
  table::move(host(), "mine");
  const Tensor before = answers();
  if (!GetParam().row.saves) {
    EXPECT_THROW(peft::expect_saveable(host(), a), ValueError);
    EXPECT_THROW(peft::save_adapter(host(), a, scratch.path("out")), ValueError);
    EXPECT_TRUE(scratch.names().empty()) << "nothing half-written";
    return;
  }
  EXPECT_NO_THROW(peft::expect_saveable(host(), a));
  peft::save_adapter(host(), a, scratch.path("out"));
  EXPECT_EQ(answers().values(), before.values()) << "saving changes nothing";
  peft::detach(host(), a);
  peft::load_adapter(host(), scratch.path("out"), "again");
  EXPECT_LE(apart(answers(), before), 2e-5);  // files are in F32; PiSSA comes back as another sum
}

#ifdef GRAFT_DOUBLE
TEST_P(Methods, GradientsOfEveryTrainedParameter) {
  attach();
  table::move(host(), "mine");
  loss().backward();
  table::Worst worst;
  const auto norms = dora_norms();
  for (const auto& p : peft::parameters(host(), "mine")) {
    const std::vector<double> ours = table::numbers(p.second->own().grad());
    Tensor w = p.second->own().value();
    std::vector<double> expected;
    const NoGrad no_grad;
    for (Index i = 0; i < w.numel(); ++i) {
      constexpr double h = 3e-3;  // seven points: error h⁶·f⁽⁷⁾/140, rounding 1e-16·loss/h
      const real before = w[i];
      const auto at = [&](double step) {
        w.write()[i] = before + step;
        const double y = held_loss(norms);
        w.write()[i] = before;
        return y;
      };
      expected.push_back((45 * (at(h) - at(-h)) - 9 * (at(2 * h) - at(-2 * h)) + (at(3 * h) - at(-3 * h))) / (60 * h));
    }
    table::compare(ours, expected, p.first, worst);
  }
  EXPECT_LE(worst.error, 1e-7) << worst.where;
}
#endif

/// Every pair of methods: beside a first one that was trained and is selected, the second starts as on the bare base.
TEST(Pairs, TheSecondStartsFromTheBase) {
  int pairs = 0;
  for (const MethodRow& first : table::methods())
    for (const MethodRow& second : table::methods()) {
      if (first.only_classifier || second.only_classifier) continue;
      Tensor start[2];
      for (const bool beside : {false, true}) {
        const std::unique_ptr<Model> model = table::tiny_gpt2();
        table::randomize(*model);
        Rng one(3), two(4);
        if (beside) {
          first.attach(*model, one, "one");
          table::move(*model, "one", 1);
        }
        second.attach(*model, two, "two");
        start[beside] = logits(*model);
      }
      EXPECT_LE(apart(start[0], start[1]), close) << second.name << " after " << first.name;
      ++pairs;
    }
  EXPECT_GE(pairs, 500);
}

INSTANTIATE_TEST_SUITE_P(All, Methods, testing::ValuesIn(cases()), [](const auto& c) { return c.param.name; });

}  // namespace
}  // namespace graft
