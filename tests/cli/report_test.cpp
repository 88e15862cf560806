// write_report(): the data arrive as they are, nothing in them is taken for HTML, and the file is whole or as it was.
#include "cli/report/report.h"

#include <sys/resource.h>

#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>

#include "autograd/errors.h"
#include "cli/report/page.h"
#include "tests/cli/process.h"
#include "tests/here.h"

namespace graft::testing {
namespace {

using nlohmann::json;

/// What stands after "const DATA = " to the end of its line, without the semicolon: what a browser is given.
std::string data_line(const std::string& page) {
  const std::string begin = "const DATA = ";
  const std::size_t from = page.find(begin) + begin.size(), to = page.find(";\n", from);
  return page.substr(from, to - from);
}
std::string written(const json& data) {
  const TemporaryFolder folder;
  cli::write_report(data, folder / "report.html");
  return read_file(folder / "report.html");
}
std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(Report, PageIsWholeAndAsksForNoOtherFile) {
  const std::string page(cli::page());
  EXPECT_EQ(page.rfind("<!DOCTYPE html>", 0), 0u);
  EXPECT_EQ(page.substr(page.size() - 8), "</html>\n");
  EXPECT_EQ(count(page, "/*DATA*/null"), 1u);
  EXPECT_EQ(count(page, "</script"), 1u);
  EXPECT_EQ(count(page, "</style"), 1u);
  EXPECT_FALSE(std::regex_search(page, std::regex(R"(/\*[a-z]+\.(js|css)\*/|<script[^>]+src|@import|url\(|fetch\()")));
  for (const auto& entry : fs::directory_iterator(fs::path(here::root()) / "cli/report")) {
    const std::string kind = entry.path().extension();
    const bool part = kind == ".js" || kind == ".css";
    EXPECT_TRUE(!part || page.find(read_file(entry.path())) != page.npos) << entry.path();
  }
}

TEST(Report, DataArriveAsTheyAre) {
  const json data = {{"title", "LoRA und \xe4\xb8\xad\xe6\x96\x87 \"quoted\" \\ back\nnew \t tab \x01"},
                     {"tasks", json::array({{{"runs", json::array({{{"score", 0.1}, {"trainable", 12345678901}}})}}})}};
  EXPECT_EQ(json::parse(data_line(written(data))), data);
}

TEST(Report, NothingInTheDataEndsTheScript) {
  const std::string plain(cli::page());
  const json data = {{"title", "</script><script>alert(1)</script><!--<script> \xe2\x80\xa8 \xe2\x80\xa9 ]]>"},
                     {"</ScRiPt ", {{"<!--", "/*DATA*/null"}}}};
  const std::string page = written(data), line = data_line(page);
  for (const char* what : {"<", "\xe2\x80\xa8", "\xe2\x80\xa9", "\n"}) EXPECT_EQ(line.find(what), line.npos) << what;
  EXPECT_EQ(json::parse(line), data);
  for (const char* what : {"<script", "</script", "<!--", "<"}) EXPECT_EQ(count(page, what), count(plain, what)) << what;
}

/// Between <noscript> and its end: what a browser without scripts shows.
std::string still(const json& data) {
  const std::string page = written(data), begin = "<noscript>";
  const std::size_t from = page.find(begin) + begin.size();
  return page.substr(from, page.find("</noscript>") - from);
}

TEST(Report, WithoutScriptsTablesAndCurvesStandStill) {
  const json run = {{"id", "lora"}, {"method", "LoRA & co"}, {"trainable", 294912}, {"share", 0.00236}, {"score", 58.25}, {"seconds_per_step", 0.0125},
                    {"peak", {{"total", 1536}}}, {"curve", {{"step", {0, 10, 40}}, {"loss", {3, nullptr, 1.5}}}}};
  const std::string page = still({{"tasks", json::array({{{"title", "Task <1>"}, {"score_name", "BLEU"},
                                                          {"runs", json::array({run, {{"id", "ia3"}, {"absent", "no room"}}})}}})}});
  for (const char* part : {"Task &lt;1&gt;", "LoRA &amp; co", "294,912", "0.236 %", "BLEU", "58.25", "12.5", "1.5 KiB", "Not run: ia3 (no room)",
                           "<svg", "3 at first, 1.5 at last"})
    EXPECT_NE(page.find(part), page.npos) << part << "\n" << page;
  EXPECT_EQ(count(page, "<table"), 1u);
  EXPECT_EQ(still({{"title", "none"}}), still({{"tasks", json::array({1, nullptr, "x"})}}));
}

/// data.md: any field may be missing or null; and nothing said of its kind is to be trusted.
TEST(Report, WithoutScriptsDataOfAnyKindDoNoHarm) {
  const std::vector<json> odd = {nullptr, true, -1, 1e300, "</noscript><b>", json::array({nullptr, "x", {{"step", 3}}}), {{"a", 1}}};
  for (const json& a : odd)
    for (const json& b : odd) {
      const json run = {{"id", a}, {"method", b}, {"trainable", a}, {"share", b}, {"score", a}, {"seconds_per_step", b}, {"peak", a},
                        {"curve", {{"step", json::array({a, 3, 1, b, 5})}, {"loss", json::array({b, 1, 2, a})}}}};
      for (const json& tasks : {json::array({{{"title", b}, {"id", a}, {"score_name", a}, {"runs", json::array({run, a, b})}}}),
                                json::array({{{"runs", a}}, b}), a})
        EXPECT_EQ(count(written({{"tasks", tasks}}), "</noscript>"), 1u);
      EXPECT_EQ(still({{"tasks", json::array({{{"runs", json::array({{{"curve", a}, {"peak", b}}})}}})}}).find("nan"), std::string::npos);
    }
}

TEST(Report, WhatJsonCannotHoldIsUnknown) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const std::string page = written({{"numbers", {nan, infinity, -infinity, 1}}, {"title", "half a letter: \xe4\xb8 end"}});
  const json back = json::parse(data_line(page));
  EXPECT_EQ(back.at("numbers"), json({nullptr, nullptr, nullptr, 1}));
  EXPECT_EQ(back.at("title"), "half a letter: \xef\xbf\xbd end");
}

TEST(Report, RefusesWhatIsNoObjectAndLeavesTheFile) {
  const TemporaryFolder folder;
  write_file(folder / "report.html", "before");
  for (const json& data : {json(nullptr), json("text"), json::array({1})}) {
    try {
      cli::write_report(data, folder / "report.html");
      ADD_FAILURE() << data;
    } catch (const ValueError& error) {
      EXPECT_NE(std::string(error.what()).find(data.type_name()), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(read_file(folder / "report.html"), "before");
}

TEST(Report, IsWrittenWholeOrNotAtAll) {
  const TemporaryFolder folder;
  EXPECT_THROW(cli::write_report(json::object(), folder / "none/report.html"), FileError);
  write_file(folder / "report.html", "before");
  // No file may be larger than a page: as a disk that is full.
  struct rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  struct rlimit small = old;
  small.rlim_cur = 20000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(cli::write_report(json::object(), folder / "report.html"), FileError);
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_file(folder / "report.html"), "before");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"report.html"});

  cli::write_report({{"title", "after"}}, folder / "report.html");
  EXPECT_EQ(data_line(read_file(folder / "report.html")), R"({"title":"after"})");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"report.html"});
}

}  // namespace
}  // namespace graft::testing
