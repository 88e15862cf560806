// The folded tree against Module::tree(), the table of parameters against the model's own counts.
#include "show/model.h"

#include <graft.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <regex>

#include "tests/show/pictures.h"

namespace {

using namespace graft;
using pictures::checked;

std::unique_ptr<Gpt2> gpt(Index layers) {
  Gpt2Config config;
  config.vocabulary = 40, config.dim = 16, config.layers = layers, config.heads = 2, config.context = 12;
  auto model = std::make_unique<Gpt2>(config);
  Rng rng(1);
  model->initialize(rng);
  return model;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}
Index number_before(const std::string& text, const std::string& words) {
  std::smatch m;
  if (!std::regex_search(text, m, std::regex("([0-9,]+)" + words))) return -1;
  std::string digits = m[1];
  digits.erase(std::remove(digits.begin(), digits.end(), ','), digits.end());
  return std::stoll(digits);
}

/// The lines of a folded tree, each as often as it stands for.
Index unfolded(const xml::Element& e, Index times = 1) {
  Index lines = 0;
  for (const xml::Element& child : e.children) {
    const bool fold = child.name == "details";
    const Index inside = fold ? times * number_before(child.children.at(0).text, " × ") : times;
    if (!child.text.empty() && child.name == "div") lines += times;
    if (child.name == "b") lines += times;
    if (child.name == "summary") lines += times;
    lines += unfolded(child, inside);
  }
  return lines;
}

void expect_as_many_lines(const Module& m) {
  const show::Html folded = show::tree(m);
  const xml::Element page = checked(folded);
  EXPECT_EQ(unfolded(page), static_cast<Index>(lines_of(m.tree()).size())) << folded.text;
  EXPECT_EQ(number_before(folded.text.substr(folded.text.rfind('\n', folded.text.size() - 2)), " parameters"), m.count(false));
}

TEST(Tree, AlikeLayersAreOneLine) {
  const auto model = gpt(12);
  const show::Html folded = show::tree(*model);
  const xml::Element page = checked(folded);
  ASSERT_EQ(page.all("details").size(), 1u);
  const std::string& line = page.all("summary").at(0)->text;
  EXPECT_EQ(line.rfind("layers.0–11: 12 × Gpt2Block", 0), 0u) << line;
  Index each = 0;
  for (const auto& [path, p] : model->parameters())
    if (path.rfind("layers.0.", 0) == 0) each += p->numel();
  EXPECT_EQ(number_before(line, " parameters"), 12 * each);
  EXPECT_EQ(number_before(line, " of them learning"), 12 * each);
  EXPECT_LT(lines_of(folded.text).size(), 50u);
  expect_as_many_lines(*model);
  EXPECT_NE(folded.html.find("font-family:ui-monospace"), std::string::npos) << "a page's own style would override <pre>";
}

TEST(Tree, ALayerThatDiffersIsLeftOut) {
  const auto model = gpt(5);
  model->learn(false);
  model->parameter("layers.2.attn.q.weight").learn(true);
  const xml::Element page = checked(show::tree(*model));
  const auto folds = page.all("summary");
  ASSERT_EQ(folds.size(), 2u);
  EXPECT_EQ(folds[0]->text.rfind("layers.0–1: 2 × ", 0), 0u);
  EXPECT_EQ(folds[1]->text.rfind("layers.3–4: 2 × ", 0), 0u);
  EXPECT_EQ(number_before(folds[1]->text, " of them learning"), 0);
  EXPECT_EQ(page.all("b").size(), 1u) << "what learns is bold";
  expect_as_many_lines(*model);
}

TEST(Tree, WithAdaptersEveryLineOfTheWholeTreeIsThere) {
  const auto model = gpt(4);
  Rng rng(2);
  peft::attach(*model, peft::Lora{}, rng, "mine");
  expect_as_many_lines(*model);
  const auto one = gpt(1);
  EXPECT_TRUE(checked(show::tree(*one)).all("details").empty());
  expect_as_many_lines(*one);
}

/// Two members that share a weight with each other, two that share one with a third: only the first two are alike.
struct Pair : Module {
  std::string kind() const override { return "Pair<&>"; }
  Param a{*this, "a", {3}};
  Param b{*this, "b", a};
};
struct Shared : Module {
  std::string kind() const override { return "Shared"; }
  List<Pair> list{*this, "list"};
};
TEST(Tree, WeightsSharedInsideOfAMemberDoNotMakeItDiffer) {
  Shared model;
  for (int i = 0; i < 3; ++i) model.list.add(std::make_unique<Pair>());
  const xml::Element page = checked(show::tree(model));
  ASSERT_EQ(page.all("summary").size(), 1u);
  EXPECT_EQ(page.all("summary")[0]->text.rfind("list.0–2: 3 × Pair<&>, 9 parameters", 0), 0u) << page.all("summary")[0]->text;
  expect_as_many_lines(model);
}

TEST(Parameters, SumsAreTheModelsOwn) {
  const auto model = gpt(6);
  Rng rng(2);
  peft::attach(*model, peft::Lora{}, rng, "mine");
  peft::attach(*model, peft::Lora{}, rng, "7");  // a name that looks like a layer's number
  for (const char* name : {"8", "9"}) peft::attach(*model, peft::Lora{}, rng, name);  // 7 and 8 are frozen now
  const show::Html shown = show::parameters(*model);
  const xml::Element page = checked(shown);
  std::map<std::string, Index> sums;
  Index rows = 0, learning = 0, all = 0, paths = 0;
  const auto count = [](std::string words) {
    words.erase(std::remove(words.begin(), words.end(), ','), words.end());
    return words.empty() ? Index(-1) : static_cast<Index>(std::stoll(words));
  };
  for (const xml::Element* tr : page.all("tr")) {
    const auto cells = tr->all("td");
    if (cells.empty()) continue;
    const Index numbers = count(cells[3]->text);
    if (cells[1]->text.empty()) {
      sums[cells[0]->text] = numbers;
      continue;
    }
    ++rows;
    all += numbers;
    if (cells[4]->text == "learning") learning += numbers;
    const Index times = std::max<Index>(1, count(cells[2]->text));
    const auto listed = cells[0]->all("div").size();
    EXPECT_EQ(times == 1 ? 0u : static_cast<std::size_t>(times), listed) << cells[0]->all_text();
    paths += times;
  }
  EXPECT_EQ(sums["learning"], model->count(true));
  EXPECT_EQ(sums["all"], model->count(false));
  EXPECT_EQ(sums["frozen"], model->count(false) - model->count(true));
  EXPECT_EQ(all, model->count(false));
  EXPECT_EQ(learning, model->count(true));
  EXPECT_EQ(paths, static_cast<Index>(model->parameters().size()));
  EXPECT_LT(rows, 40);
  EXPECT_NE(shown.text.find("layers.0–5.attn.q.lora_A.7"), std::string::npos) << shown.text;
  EXPECT_NE(shown.text.find("layers.0–5.attn.q.lora_A.mine"), std::string::npos) << shown.text;
}

TEST(Parameters, PackedWeightsCount) {
  const auto model = gpt(3);
  peft::quantize(*model);
  const show::Html shown = show::parameters(*model);
  checked(shown);
  EXPECT_EQ(number_before(shown.text.substr(shown.text.rfind("\nall ")), "(?=\\n)"), model->count(false)) << shown.text;
  EXPECT_NE(shown.text.find("frozen, "), std::string::npos);
  expect_as_many_lines(*model);
}

}  // namespace
