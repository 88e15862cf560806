// graft demo and graft real from beginning to end, with a few steps of each training.
#include <nlohmann/json.hpp>

#include "tests/cli/models.h"

namespace graft::testing {
namespace {

using Json = nlohmann::json;

TEST(Demo, TwoAtOnceShareACacheAndEachHasItsReport) {
  TemporaryFolder folder;
  const auto demo = [&](const std::string& out) {
    return Arguments{"--threads", "2", "demo", "--steps", "1", "--out", folder / out};
  };
  const Around cache{"", {{"XDG_CACHE_HOME", folder / "cache"}}, {}, ""};
  Process first(GRAFT_PROGRAM, demo("a"), cache), second(GRAFT_PROGRAM, demo("b"), cache);
  int bases = 0;
  for (Process* one : {&first, &second}) {
    const Result r = one->wait();
    expect_works(r);
    bases += r.err.find("full fine-tuning on Gpt2") != std::string::npos;  // who trains it says so
    for (const char* said : {"Write a sentence", "Judge a review", "LoRA", "P-tuning v2", "report: "})
      EXPECT_NE(r.out.find(said), std::string::npos) << said << "\n" << r;
  }
  EXPECT_EQ(bases, 1);
  for (const char* out : {"a", "b"}) {
    const Json report = Json::parse(read_file(folder / out / "report.json"));
    ASSERT_EQ(report["tasks"].size(), 2u);
    std::size_t absent = 0;
    for (const Json& task : report["tasks"]) {
      EXPECT_EQ(task["runs"].size(), 10u);
      for (const Json& run : task["runs"]) {
        absent += run.contains("absent");
        EXPECT_TRUE(run.contains("absent") || run["curve"]["loss"].size() == 1u) << run["id"];
      }
    }
    EXPECT_EQ(absent, 3u);  // the probe, P-tuning and P-tuning v2 do not write sentences
    EXPECT_TRUE(fs::exists(folder / out / "report.html"));
  }
}

/// A little Bible: of each book three chapters of a few verses, whose words tell the kind.
std::string bible() {
  const std::vector<std::pair<const char*, std::vector<const char*>>> books{
      {"the cat sat on the mat", {"Ge", "Exo", "Lev", "Num", "Deu"}},
      {"the rat ate the mat",
       {"Josh", "Jdgs", "Ruth", "1Sm", "2Sm", "1Ki", "2Ki", "1Chr", "2Chr", "Ezra", "Neh", "Est", "Acts"}},
      {"the cat ate the rat", {"Job", "Psa", "Prv", "Eccl", "SSol"}},
      {"the mat sat on the cat",
       {"Isa", "Jer", "Lam", "Eze", "Dan", "Hos", "Joel", "Amos", "Obad", "Jonah", "Mic", "Nahum", "Hab", "Zep", "Hag", "Zec",
        "Mal"}},
      {"on the mat that sat", {"Mat", "Mark", "Luke", "John"}},
      {"and the cat and the rat", {"Rom",   "1Cor", "2Cor", "Gal", "Eph",  "Phi",  "Col", "1Th", "2Th", "1Tim", "2Tim",
                                   "Titus", "Phmn", "Heb",  "Jas", "1Pet", "2Pet", "1Jn", "2Jn", "3Jn", "Jude"}},
      {"that sat", {"Rev"}}};
  std::string all;
  for (const auto& [words, names] : books)
    for (const char* name : names)
      for (int chapter = 1; chapter <= 12; ++chapter)
        for (int verse = 1; verse <= 8; ++verse)
          all += std::string(name) + std::to_string(chapter) + ":" + std::to_string(verse) + " " + words + "\n";
  return all;
}

TEST(Real, BothPartsEndWithATableAndTheReportsPath) {
  std::string kinds;  // often enough to be tokens
  for (int i = 0; i < 20; ++i) kinds += "a Law a History a Poetry a Prophets a Gospels a Letters ";
  const TinyModel model(kinds, 400);
  TemporaryFolder folder;
  write_file(folder / "bible.txt", bible());
  const std::string out = folder / "out";
  const Arguments real{"--threads", "2", "real",     "--model", model.path(), "--bible", folder / "bible.txt",
                       "--steps",   "2", "--length", "16",      "--out",      out};
  const Result r = graft(real);
  expect_works(r);
  EXPECT_EQ(r.err.rfind("About ", 0), 0u) << r;  // how long it will take comes first
  for (const char* said : {"untuned", "before:", "after:", "majority", "Prophets", "columns what was said"})
    EXPECT_NE(r.out.find(said), std::string::npos) << said << "\n" << r;
  const std::string last = "report: " + out + "/report.html\n";
  EXPECT_EQ(r.out.substr(r.out.size() - last.size()), last);
  const Json report = Json::parse(read_file(out + "/report.json"));
  ASSERT_EQ(report["tasks"].size(), 2u);
  EXPECT_EQ(report["tasks"][0]["runs"].size(), 2u);
  EXPECT_EQ(report["tasks"][1]["runs"].size(), 5u);
  for (const Json& run : report["tasks"][1]["runs"]) {
    long counted = 0;
    for (const Json& row : run["confusion"])
      for (const Json& n : row) counted += n.get<long>();
    EXPECT_EQ(counted, 360) << run["id"];  // the held-out verses, each once
  }
  expect_works(graft(real));  // all is there already
}

}  // namespace
}  // namespace graft::testing
