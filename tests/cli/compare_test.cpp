// graft compare on a tiny model: its table, going on, and what it is not asked twice.
#include <csignal>

#include "tests/cli/tune_fixture.h"
#include "tests/here.h"

namespace graft::testing {
namespace {

TEST_F(Tune, CompareMakesATableAndDoesNothingTwice) {
  const Arguments compare{"--threads",
                          "2",
                          "compare",
                          "--model",
                          tiny(),
                          "--data",
                          data("labelled.jsonl"),
                          "--methods",
                          "probe,lora,prompt",
                          "--seeds",
                          "1,2",
                          "--r",
                          "2",
                          "--set",
                          "prompt.virtual=4",
                          "--steps",
                          "4",
                          "--batch",
                          "2",
                          "--out",
                          folder / "comparison"};
  const Result first = graft(compare);
  expect_ok(first);
  for (const char* said : {"linear probe", "LoRA", "prompt tuning", "accuracy", "±", "report.html"})
    EXPECT_NE(first.out.find(said), std::string::npos) << said << "\n" << first;
  const Json report = Json::parse(read_file(folder / "comparison" / "report.json"));
  EXPECT_EQ(report["tasks"][0]["runs"].size(), 3u);
  EXPECT_EQ(report["tasks"][0]["runs"][1]["scores"].size(), 2u);
  EXPECT_EQ(report["tasks"][0]["runs"][2]["virtual_tokens"].size(), 4u);
  EXPECT_TRUE(fs::exists(folder / "comparison" / "report.html"));
  const auto made = fs::last_write_time(folder / "comparison" / "runs" / "data-lora-1" / "result.json");
  expect_ok(graft(compare));
  EXPECT_EQ(fs::last_write_time(folder / "comparison" / "runs" / "data-lora-1" / "result.json"), made);
  const std::string before = read_file(data("labelled.jsonl"));
  write_file(data("labelled.jsonl"), before + "{\"text\": \"the mat sat on the rat\", \"label\": \"good\"}\n");
  expect_ok(graft(compare));  // other data: the old results say nothing about them
  EXPECT_NE(fs::last_write_time(folder / "comparison" / "runs" / "data-lora-1" / "result.json"), made);
  write_file(data("labelled.jsonl"), before);

  Arguments broken = compare;
  broken.back() = (folder / "broken").string();
  broken.insert(broken.end(), {"--set", "lora.targets=query"});
  const Result some = graft(broken);
  EXPECT_EQ(some.code, 1) << some;
  EXPECT_NE(some.err.find("some trainings failed"), std::string::npos) << some;
  EXPECT_NE(some.out.find("linear probe"), std::string::npos) << some;  // the others are there
}

TEST_F(Tune, AComparisonThatIsStoppedGoesOn) {
  const Arguments compare{
      "--quiet",      "--threads", "2",     "compare",         "--model", tiny(),    "--data", data("pairs.jsonl"), "--methods",
      "lora,prompt",  "--r",       "2",     "--virtual",       "3",       "--steps", "400",    "--batch",           "2",
      "--save-every", "10",        "--out", folder / "stopped"};
  Process process(here::program(), compare);
  EXPECT_TRUE(comes(folder / "stopped" / "runs" / "data-prompt-1" / "checkpoint.safetensors"));
  kill(process.id(), SIGINT);
  const Result stopped = process.wait();
  EXPECT_TRUE(stopped.code == 130 || stopped.code == 0) << stopped;  // 0 if it was done by then
  expect_ok(graft(compare));
  const Json report = Json::parse(read_file(folder / "stopped" / "report.json"));
  for (const Json& run : report["tasks"][0]["runs"]) EXPECT_EQ(run["curve"]["loss"].size(), 400u);
}

TEST_F(Tune, ACompareMayBeToldByAFile) {
  write_file(folder / "config.toml", "steps = 2\nbatch = 2\nr = 2\n");
  const auto compare = [&](const std::string& out, const Arguments& more) {
    Arguments all{"--quiet", "--threads", "1", "compare", "--model", tiny(), "--config", folder / "config.toml",
                  "--out",   folder / out};
    all.insert(all.end(), more.begin(), more.end());
    return graft(all);
  };
  expect_ok(compare("told", {"--data", data("pairs.jsonl"), "--methods", "lora,prompt"}));
  EXPECT_EQ(Json::parse(read_file(folder / "told" / "report.json"))["tasks"][0]["runs"][0]["steps"], 2);

  const auto fails = [&](const Arguments& more, const std::string& what) { expect_fails(compare("wrong", more), what); };
  const Arguments pairs{"--data", data("pairs.jsonl")};
  const auto with = [&](Arguments more) {
    more.insert(more.end(), pairs.begin(), pairs.end());
    return more;
  };
  fails(with({"--methods", "lora,lora"}), "lora is listed twice");
  fails(with({"--methods", "lora", "--seeds", "1,1"}), "1 is listed twice");
  fails(with({"--methods", "lora", "--set", "lora.seed=7"}), "is chosen by the comparison");
  fails(with({"--methods", "lora", "--set", "lora.r="}), "the value is missing");
  write_file(folder / "config.toml", "steps = 2\nmethod = \"lora\"\n");
  fails(with({"--methods", "lora"}), "cannot be set for a comparison");
  write_file(folder / "config.toml", "steps = 2\n");
  fs::create_directory(folder / "wrong2");
  write_file(folder / "wrong2" / "report.json", "mine");
  expect_fails(compare("wrong2", with({"--methods", "lora"})), "not a comparison's");
  EXPECT_EQ(read_file(folder / "wrong2" / "report.json"), "mine");
}

TEST_F(Tune, LabelWordsGoToTheMethodsThatAnswerByThem) {
  const Arguments compare{"--quiet",   "--threads",
                          "1",         "compare",
                          "--model",   tiny(),
                          "--data",    data("labelled.jsonl"),
                          "--methods", "probe,p-tuning",
                          "--steps",   "2",
                          "--batch",   "2",
                          "--words",   "no=cat",
                          "--words",   "no=mat",
                          "--words",   "yes=rat",
                          "--out",     folder / "words"};
  expect_ok(graft(compare));
  const Json classes = Json::parse(read_file(folder / "words" / "runs" / "data-p-tuning-1" / "classes.json"));
  EXPECT_EQ(classes["words"], Json({{" cat", " mat"}, {" rat"}}));
  EXPECT_EQ(Json::parse(read_file(folder / "words" / "runs" / "data-probe-1" / "classes.json"))["words"], Json::array());
}

TEST_F(Tune, WhatIsMadeAgainIsSaidAndAKilledTrainingIsCalledThat) {
  Arguments compare{"--threads", "1", "compare", "--model", tiny(),  "--data",         data("pairs.jsonl"), "--methods", "lora",
                    "--r",       "2", "--batch", "2",       "--out", folder / "again", "--steps",           "3"};
  expect_ok(graft(compare));
  compare.back() = "4";
  const Result again = graft(compare);
  expect_ok(again);
  EXPECT_NE(again.err.find("starts again"), std::string::npos) << again;
  compare.back() = "100000";
  Process process(here::program(), compare);
  const fs::path run = folder / "again" / "runs" / "data-lora-1";
  EXPECT_TRUE(comes(run / "checkpoint.safetensors"));
  lines_come(run / "metrics.jsonl", 1000);
  const std::string id = std::to_string(process.id());
  const pid_t child = std::stoi(read_file("/proc/" + id + "/task/" + id + "/children"));
  EXPECT_EQ(kill(child, SIGKILL), 0);
  const Result killed = process.wait();
  EXPECT_EQ(killed.code, 1);
  EXPECT_NE(killed.err.find("ended by signal 9"), std::string::npos) << killed;
}

}  // namespace
}  // namespace graft::testing
