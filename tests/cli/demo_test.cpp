// graft demo and graft real from beginning to end, with a few steps of each training.
#include <nlohmann/json.hpp>

#include "cli/real/bible.h"
#include "tests/cli/models.h"
#include "tests/here.h"

namespace graft::testing {
namespace {

using Json = nlohmann::json;

TEST(Demo, TwoAtOnceShareACacheAndEachHasItsReport) {
  TemporaryFolder folder;
  const auto demo = [&](const std::string& out) {
    return Arguments{"--threads", "2", "demo", "--steps", "1", "--out", folder / out};
  };
  const Around cache{"", {{"XDG_CACHE_HOME", folder / "cache"}}, {}, ""};
  Process first(here::program(), demo("a"), cache), second(here::program(), demo("b"), cache);
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
  // Whoever goes on in the folder gets the size that it has, however fast the machine is now.
  write_file(folder / "a" / "demo-size.txt", "tiny");
  expect_fails(graft(demo("a"), cache), "the demo has no size \"tiny\"; sizes are large, medium, small");
  write_file(folder / "a" / "demo-size.txt", "medium");
  const Result same = graft(demo("a"), cache);
  expect_works(same);
  EXPECT_NE(same.err.find("size medium, the same as the demo in"), std::string::npos) << same;
  EXPECT_EQ(Json::parse(read_file(folder / "a" / "report.json"))["command"], "graft demo --size medium");
  expect_refuses(graft({"demo", "--size", "tiny"}), "must be one of large, medium, small");
}

/// A little Bible: of each book twelve chapters of eight verses, whose words tell the kind.
std::string bible() {
  const std::map<std::string, std::string> words{{"Law", "the cat sat on the mat"},
                                                 {"History", "the rat ate the mat"},
                                                 {"Poetry", "the cat ate the rat"},
                                                 {"Prophets", "the mat sat on the cat"},
                                                 {"Gospels", "on the mat that sat"},
                                                 {"Letters", "and the cat and the rat"},
                                                 {"", "that sat"}};
  std::string all;
  for (const auto& [kind, books] : cli::books_by_kind())
    for (const std::string& book : books)
      for (int chapter = 1; chapter <= 12; ++chapter)
        for (int verse = 1; verse <= 8; ++verse)
          all += book + std::to_string(chapter) + ":" + std::to_string(verse) + " " + words.at(kind) + "\n";
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
  for (const char* said : {"untuned", "before:", "after:", "majority", "Prophets", "columns the predicted ones"})
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
