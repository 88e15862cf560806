// The figures in docs/figures are what the library draws now. To write them anew:
//     GRAFT_WRITE_FIGURES=1 build/release/tests/show_test --gtest_filter='Figures.*'
#include <graft.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "tests/here.h"
#include "tests/show/pictures.h"

namespace {

using namespace graft;
namespace fs = std::filesystem;
using Figures = std::map<std::string, show::Picture>;  // by the name of the file

/// A page in Chinese has its figure beside the English one: name.svg, name.zh.svg.
struct Words {
  const char *ending, *levels, *code, *level, *schedules, *step, *rate, *prefix, *text;
};
const Words english{
    ".svg", "The 16 levels of NF4",       "code",  "value", "Learning rate over 100 steps, 10 of warm-up", "step",
    "rate", "Which query sees which key", "token "};
const Words chinese{".zh.svg", "NF4 的 16 个量化值",   "编码", "值", "100 步的学习率，其中预热 10 步", "步",
                    "学习率",  "哪个查询看得到哪个键", "词元 "};

show::Picture levels(const Words& w) {
  const auto& codes = four_bit_codes(FourBitOptions::Codes::nf4);
  return show::bars({codes.begin(), codes.end()}, {w.levels, w.code, w.level});
}

show::Picture schedules(const Words& w) {
  using train::Schedule;
  std::vector<show::Curve> curves;
  for (const auto& [name, curve] :
       {std::make_pair("cosine", Schedule::Curve::cosine), std::make_pair("linear", Schedule::Curve::linear),
        std::make_pair("constant", Schedule::Curve::constant)}) {
    Schedule schedule;
    schedule.curve = curve, schedule.rate = 1e-3, schedule.steps = 100, schedule.warmup = 10;
    curves.push_back({name, {}});
    for (Index step = 0; step <= schedule.steps; ++step) curves.back().y.push_back(schedule(step));
  }
  return show::plot(curves, {w.schedules, w.step, w.rate});
}

/// A prefix of 3 keys, then 6 tokens: the prefix is seen by all, a token by those that follow.
show::Picture mask(const Words& w) {
  constexpr Index prefix = 3, tokens = 6;
  Tensor seen({tokens, prefix + tokens}, real(0));
  show::HeatMap how;
  how.title = w.prefix;
  for (Index key = 0; key < prefix + tokens; ++key)
    how.columns.push_back(key < prefix ? text("P", key + 1) : text(w.text, key - prefix + 1));
  for (Index query = 0; query < tokens; ++query) {
    how.rows.push_back(text(w.text, query + 1));
    for (Index key = 0; key <= prefix + query; ++key) seen.write()[query * (prefix + tokens) + key] = 1;
  }
  return show::heat_map(seen, how);
}

/// Section 11 of docs/engine.md, word for word.
show::Picture history() {
  const Variable W = parameter(Tensor({3, 2}, 1), "W");
  const Variable b = frozen(Tensor({3}, 0), "b");
  const Variable x = parameter(Tensor({4, 2}, 1), "x");
  return show::graph(sum(tanh(linear(x, W) + b)));
}

Figures figures() {
  Figures all;
  for (const Words& w : {english, chinese}) {
    all["nf4-levels" + std::string(w.ending)] = levels(w);
    all["schedules" + std::string(w.ending)] = schedules(w);
    all["prefix-mask" + std::string(w.ending)] = mask(w);
  }
  if (sizeof(real) == sizeof(float)) all["history.svg"] = history();  // which shows the bytes
  return all;
}

fs::path folder() { return fs::path(here::root()) / "docs/figures"; }
std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Figures, AreWhatTheLibraryDrawsNow) {
  const Figures now = figures();
  if (std::getenv("GRAFT_WRITE_FIGURES") != nullptr)
    for (const auto& [name, picture] : now) std::ofstream(folder() / name, std::ios::binary) << picture.svg;
  for (const auto& [name, picture] : now)
    EXPECT_TRUE(read(folder() / name) == picture.svg)
        << "docs/figures/" << name << " is old; how to write it anew: tests/show/figures_test.cpp";
}

TEST(Figures, EachIsShownByAPageOfItsLanguage) {
  std::map<std::string, int> shown;
  static const std::regex figure(R"(!\[[^\]]+\]\((\.\./)?figures/([^)]+)\))");
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(here::root()) / "docs")) {
    if (entry.path().extension() != ".md") continue;
    const std::string page = read(entry.path());
    for (std::sregex_iterator m(page.begin(), page.end(), figure), end; m != end; ++m) {
      const std::string name = (*m)[2];
      ++shown[name];
      EXPECT_TRUE(fs::exists(folder() / name)) << entry.path() << " shows " << name;
      const bool in_chinese = entry.path().stem().extension() == ".zh",
                 has_chinese = fs::exists(folder() / fs::path(name).stem().concat(".zh.svg"));
      EXPECT_FALSE(in_chinese && has_chinese) << entry.path() << " could show the Chinese figure instead of " << name;
    }
  }
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder())) {
    ++files;
    EXPECT_EQ(shown.count(entry.path().filename()), 1u) << "no page shows " << entry.path();
    xml::parse(read(entry.path()));
  }
  EXPECT_EQ(files, 7);
}

}  // namespace
