// Tables, the ledger's among them: sums are the ledger's own.
#include "show/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/errors.h"
#include "autograd/tensor.h"
#include "tests/show/pictures.h"

namespace {

using namespace graft;
using pictures::checked;

TEST(Table, NumbersAreSetToTheRight) {
  const xml::Element page = checked(show::table(
      {"word", "count", "size", "shape", "share", "what"},
      {{"q", "12", "1.5 MiB", "[2, 3]", "3 %", "12 apples"}, {"2nd value", "-0.5", "20 B", "[4]", "", "7 pears"}, {"", "NaN", "-", "", "1.2e-07 %", "3 plums"}}));
  const auto cells = page.all("td");
  ASSERT_EQ(cells.size(), 18u);
  const bool right[] = {false, true, true, false, true, false};
  for (std::size_t i = 0; i < cells.size(); ++i)
    EXPECT_EQ((*cells[i])["style"].find("text-align:right") != std::string::npos, right[i % 6]) << cells[i]->text;
}

TEST(Table, TextHasItsColumnsUnderEachOther) {
  const std::string text = show::table({"方法", "loss"}, {{"LoRA", "1.5"}, {"P-tuning", "12.25"}}).text;
  EXPECT_EQ(text, "方法       loss\nLoRA        1.5\nP-tuning  12.25\n");
}

TEST(Table, WordsAreEscaped) {
  const xml::Element page = checked(show::table({pictures::evil}, {{pictures::evil}}));
  EXPECT_EQ(page.all("td").at(0)->text.rfind("a<b>&\"c'", 0), 0u);
}

TEST(Table, RefusesARowOfAnotherLength) { EXPECT_THROW(show::table({"a", "b"}, {{"1"}}), ValueError); }

TEST(Table, NumberHasFourDigitsThatCount) {
  const std::pair<double, const char*> all[] = {
      {0, "0"},           {-0.0, "0"},       {0.023144, "0.02314"}, {1.2e-7, "1.2e-07"}, {12288, "12288"},
      {2.30258, "2.303"}, {-1.5, "-1.5"},    {123456.78, "123457"}, {1e20, "1e+20"},     {3, "3"},
      {1234.56, "1235"},  {9999.5, "1e+04"}, {std::nan(""), "NaN"}, {-INFINITY, "-inf"}};
  for (const auto& [x, words] : all) EXPECT_EQ(show::number(x), words);
  EXPECT_EQ(show::bytes(812), "812 B");
  EXPECT_EQ(show::bytes(3277), "3.2 KiB");
}

/// The exact bytes are in the cells' tips. Rows of ops are indented.
TEST(Memory, SumsAreTheLedgersTotals) {
  const Tensor kept({300, 7}, real(0));
  Tensor weight;
  {
    const Tagged tag(Category::frozen);
    weight = Tensor({1000}, real(0));
  }
  Tensor product;
  {
    const Tagged tag(Category::saved, "mul<&>");
    product = Tensor({55}, real(0));
  }
  const Ledger first = ledger();
  const Tensor more({77}, real(0));
  const Ledger second = ledger();
  ASSERT_GT(second.total_now, first.total_now);
  const xml::Element page = checked(show::memory({{"before", first}, {"after", second}}));
  std::vector<std::size_t> sums(2), ops(2), totals(2), saved(2);
  for (const xml::Element* tr : page.all("tr")) {
    const auto cells = tr->all("td");
    if (cells.empty()) continue;
    ASSERT_EQ(cells.size(), 3u);
    const std::string& what = cells[0]->text;
    for (std::size_t m = 0; m < 2; ++m) {
      const auto bytes = static_cast<std::size_t>(std::stoull((*cells[m + 1])["title"]));
      if (what.rfind("\u00a0", 0) == 0) ops[m] += bytes;
      else if (what == "total") totals[m] = bytes;
      else sums[m] += bytes;
      if (what == "saved activations") saved[m] = bytes;
    }
  }
  EXPECT_EQ(totals[0], first.total_now);
  EXPECT_EQ(totals[1], second.total_now);
  EXPECT_EQ(sums, totals);
  EXPECT_EQ(ops, saved);
  EXPECT_NE(page.all_text().find("mul<&>"), std::string::npos);
}

TEST(Memory, OfOneMomentShowsThePeakToo) {
  const Tensor kept({300, 7}, real(0));
  reset_peaks();
  { const Tensor gone({1000, 10}, real(0)); }
  const Ledger now = ledger();
  ASSERT_GT(now.total_peak, now.total_now);
  const xml::Element page = checked(show::memory(now));
  const auto rows = page.all("tr");
  const auto last = rows.back()->all("td");
  ASSERT_EQ(last.size(), 3u);
  EXPECT_EQ(last[0]->text, "total");
  EXPECT_EQ(std::stoull((*last[1])["title"]), now.total_now);
  EXPECT_EQ(std::stoull((*last[2])["title"]), now.total_peak);
}

TEST(Memory, OfNothingIsATableStill) {
  checked(show::memory(Ledger{}));
  checked(show::memory(std::vector<std::pair<std::string, Ledger>>{}));
}

}  // namespace
