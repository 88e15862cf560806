// graft tune and graft compare on a tiny model: every method and kind of data, going on after every kind of end, wrong input.
#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/cli/models.h"

namespace graft::testing {
namespace {

using Json = nlohmann::json;

class Tune : public ::testing::Test {
 protected:
  Tune() {
    const char* words[] = {"cat", "rat", "mat"};
    std::string labelled, pairs, chat, lines;
    for (int i = 0; i < 24; ++i) {
      const std::string word = words[i % 3];
      labelled += Json{{"text", "the " + word + " sat on"}, {"label", i % 2 ? "yes" : "no"}}.dump() + "\n";
      pairs += Json{{"prompt", "the " + word}, {"completion", " ate the mat"}}.dump() + "\n";
      chat += Json{{"messages", {{{"role", "user"}, {"content", word}}, {{"role", "assistant"}, {"content", "sat"}}}}}.dump() +
              "\n";
      lines += "the " + word + " sat on the mat\n";
    }
    write_file(folder / "labelled.jsonl", labelled), write_file(folder / "pairs.jsonl", pairs);
    write_file(folder / "chat.jsonl", chat), write_file(folder / "lines.txt", lines);
  }
  std::string data(const std::string& name) { return folder / name; }
  Arguments command(const std::string& file, const std::string& out, const Arguments& more = {}) {
    Arguments all{"--quiet", "--threads", "1",     "tune",       "--model", tiny(),
                  "--data",  data(file),  "--out", folder / out, "--batch", "2"};
    if (std::find(more.begin(), more.end(), "--steps") == more.end()) all.insert(all.end(), {"--steps", "3"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// Waits until the file is there; false if it does not come.
  bool comes(const fs::path& file) {
    for (int i = 0; i < 10000 && !fs::exists(file); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return fs::exists(file);
  }
  /// Waits until the file has grown by so many bytes from where it was shortest.
  void lines_come(const fs::path& file, std::uintmax_t bytes) {
    std::uintmax_t shortest = ~std::uintmax_t(0);
    for (int i = 0; i < 50000; ++i) {
      std::error_code none;
      const std::uintmax_t size = fs::file_size(file, none);
      if (!none) shortest = std::min(shortest, size);
      if (!none && size > shortest + bytes) return;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  Json result(const std::string& out) { return Json::parse(read_file(folder / out / "result.json")); }
  std::set<std::string> names(const std::string& out) {
    std::set<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder / out)) all.insert(entry.path().filename().string());
    return all;
  }
  void expect_ok(const Result& r) { EXPECT_EQ(r.code, 0) << r; }
  TemporaryFolder folder;
};

TEST_F(Tune, EveryMethodLearnsFromEveryKindOfDataItIsFor) {
  const std::vector<std::string> generating{"full",  "bitfit", "layernorm", "ia3",    "lora",   "rslora",   "lora-plus", "dora",
                                            "pissa", "qlora",  "adapter",   "prefix", "prompt", "ensemble", "p-tuning"};
  const auto more = [](const std::string& method) -> Arguments {
    if (method == "lora" || method == "rslora" || method == "dora" || method == "pissa" || method == "qlora" ||
        method == "lora-plus")
      return {"--method", method, "--r", "2"};
    if (method == "adapter") return {"--method", method, "--bottleneck", "4"};
    if (method == "prefix" || method == "p-tuning-v2" || method == "prompt") return {"--method", method, "--virtual", "3"};
    if (method == "ensemble") return {"--method", method, "--virtual", "3", "--prompts", "2"};
    return {"--method", method};
  };
  for (const std::string& method : generating) {
    if (method == "bitfit") continue;  // this Llama has no biases
    SCOPED_TRACE(method);
    expect_ok(graft(command("pairs.jsonl", method + "-pairs", more(method))));
    const Json r = result(method + "-pairs");
    EXPECT_EQ(r["score_name"], "BLEU");
    EXPECT_EQ(r["steps"], 3);
    EXPECT_EQ(r["curve"]["loss"].size(), 3u);
    EXPECT_GT(r["trainable"].get<long>(), 0);
    EXPECT_FALSE(r["samples"].empty());
  }
  for (const std::string method :
       {"probe", "full", "lora", "qlora", "prefix", "prompt", "ensemble", "p-tuning", "p-tuning-v2"}) {
    SCOPED_TRACE(method);
    Arguments options = more(method);  // words of which the tiny tokenizer has whole tokens
    if (method == "p-tuning") options.insert(options.end(), {"--words", "no=cat", "--words", "yes=rat"});
    expect_ok(graft(command("labelled.jsonl", method + "-classes", options)));
    const Json r = result(method + "-classes");
    EXPECT_EQ(r["score_name"], "accuracy");
    EXPECT_EQ(r["labels"], Json({"no", "yes"}));
    long counted = 0;
    for (const Json& row : r["confusion"])
      for (const Json& n : row) counted += n.get<long>();
    EXPECT_EQ(counted, 2);  // a tenth of 24
    EXPECT_EQ(r.contains("votes"), method == "ensemble");
  }
  expect_ok(graft(command("chat.jsonl", "chat")));
  expect_ok(graft(command("lines.txt", "text", {"--length", "16"})));
  EXPECT_EQ(result("text")["score_name"], "NLL");
}

TEST_F(Tune, WhatItWritesIsWhatTheOtherCommandsRead) {
  expect_ok(graft(command("lines.txt", "lora", {"--length", "16", "--rate", "0.01"})));
  const auto loss = [&](const Arguments& adapter) {
    Arguments all{"evaluate", "--model", tiny(), "--text", data("lines.txt"), "--window", "16"};
    all.insert(all.end(), adapter.begin(), adapter.end());
    const Result r = graft(all);
    expect_ok(r);
    return std::stod(r.out.substr(r.out.find("per token") + 9));
  };
  EXPECT_LT(loss({"--adapter", folder / "lora"}), loss({}));
  expect_ok(graft(command("lines.txt", "full", {"--length", "16", "--method", "full"})));
  expect_ok(graft({"generate", "--model", folder / "full", "--prompt", "the", "--max-tokens", "2"}));
  const Result merged = graft({"merge", "--model", tiny(), "--adapter", folder / "lora", "--out", folder / "merged"});
  expect_ok(merged);
}

/// The answers are those that graft tune found on the same texts.
TEST_F(Tune, ClassifySaysWhatTuneSaid) {
  std::string lines;
  Json texts = Json::array();
  for (const char* word : {"cat", "rat", "mat"}) {
    texts.push_back(std::string("the ") + word + " sat on the mat");
    lines += Json{{"text", texts.back()}, {"label", word}}.dump() + "\n";
  }
  write_file(folder / "three.jsonl", lines);
  for (const Arguments& method : {Arguments{"--method", "lora", "--r", "2", "--rate", "0.02"},
                                  Arguments{"--method", "ensemble", "--prompts", "3", "--virtual", "2"},
                                  Arguments{"--method", "p-tuning", "--words", "cat=cat,dog"}, Arguments{"--method", "full"}}) {
    SCOPED_TRACE(method[1]);
    Arguments more{"--validation", data("three.jsonl"), "--steps", "6"};
    more.insert(more.end(), method.begin(), method.end());
    const std::string out = "classes-" + method[1];
    expect_ok(graft(command("three.jsonl", out, more)));
    Arguments words{"classify", "--model", method[1] == "full" ? (folder / out).string() : tiny()};
    if (method[1] != "full") words.insert(words.end(), {"--adapter", folder / out});
    for (const Json& text : texts) words.insert(words.end(), {"--text", text.get<std::string>()});
    const Result said = graft(words);
    expect_ok(said);
    std::istringstream in(said.out);
    const Json samples = result(out)["samples"];
    for (std::size_t i = 0; i < 3; ++i) {
      std::string line;
      ASSERT_TRUE(std::getline(in, line)) << said;
      EXPECT_EQ(line.substr(0, line.find('\t')), samples[i]["after"].get<std::string>()) << said;
      EXPECT_EQ(line.substr(line.rfind('\t') + 1), texts[i].get<std::string>());
    }
  }
  expect_ok(graft(command("pairs.jsonl", "no-classes")));
  expect_fails(graft({"classify", "--model", tiny(), "--adapter", folder / "no-classes", "--text", "x"}),
               "there is no classes.json");
  expect_fails(graft({"classify", "--model", tiny(), "--text", "x"}), "has no head for classes");
  expect_refuses(graft({"classify", "--model", tiny()}), "--text or --file");
}

TEST_F(Tune, StoppedByCtrlCItGoesOnBitForBit) {
  const Arguments steps{"--steps",   "60", "--save-every", "7", "--evaluate-every", "9",   "--method", "prefix",
                        "--virtual", "3",  "--hidden",     "5", "--dropout",        "0.1", "--init",   "random"};
  expect_ok(graft(command("pairs.jsonl", "whole", steps)));
  Process process(GRAFT_PROGRAM, command("pairs.jsonl", "parts", steps));
  EXPECT_TRUE(comes(folder / "parts" / "checkpoint.safetensors"));
  kill(process.id(), SIGINT);
  const Result stopped = process.wait();
  if (stopped.code != 0) {
    EXPECT_EQ(stopped.code, 130) << stopped;
    expect_ok(graft({"--quiet", "--threads", "1", "tune", "--resume", folder / "parts"}));
  }
  for (const char* file : {"adapter_model.safetensors", "adapter_config.json", "checkpoint.safetensors"})
    EXPECT_TRUE(read_file(folder / "whole" / file) == read_file(folder / "parts" / file)) << file;
  EXPECT_EQ(names("whole"), names("parts"));
  // Steps and losses, each once and in order.
  const auto told = [&](const std::string& out) {
    std::istringstream in(read_file(folder / out / "metrics.jsonl"));
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) {
      Json one = Json::parse(line);
      one.erase("seconds"), one.erase("time");
      all.push_back(one.dump());
    }
    return all;
  };
  EXPECT_EQ(told("whole"), told("parts"));
}

TEST_F(Tune, KilledTwentyTimesItEndsWithTheSameBytes) {
  const Arguments steps{"--steps", "1500",     "--save-every", "20",        "--evaluate-every",
                        "50",      "--method", "p-tuning",     "--encoder", "mlp"};
  expect_ok(graft(command("pairs.jsonl", "whole", steps)));
  std::mt19937 random(1);
  int kills = 0;
  for (bool done = false; !done;) {
    const bool begun = fs::exists(folder / "parts" / "run.json");
    Process process(GRAFT_PROGRAM, begun ? Arguments{"--quiet", "--threads", "1", "tune", "--resume", folder / "parts"}
                                         : command("pairs.jsonl", "parts", steps));
    if (kills < 20) {
      if (kills % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(random() % 25));  // while it begins
      else lines_come(folder / "parts" / "metrics.jsonl", random() % 6000);                       // in the middle of its work
      kill(process.id(), SIGKILL);
      ++kills;
    }
    const Result r = process.wait();
    done = r.code == 0;
    ASSERT_TRUE(done || r.code == 128 + SIGKILL) << r;
    if (!fs::exists(folder / "parts" / "run.json")) fs::remove_all(folder / "parts");
  }
  EXPECT_EQ(kills, 20);
  for (const char* file : {"adapter_model.safetensors", "adapter_config.json", "checkpoint.safetensors"})
    EXPECT_TRUE(read_file(folder / "whole" / file) == read_file(folder / "parts" / file)) << file;
}

TEST_F(Tune, AFullDiskLosesNothing) {
  const Arguments steps{"--steps", "40", "--save-every", "10", "--method", "lora", "--r", "2"};
  // files of at most 12 blocks: the metrics grow beyond that
  const Result full = shell("trap '' XFSZ; ulimit -f 12; exec \"$graft\"" + quoted(command("pairs.jsonl", "parts", steps)));
  EXPECT_EQ(full.code, 1) << full;
  EXPECT_NE(full.err.find("parts/"), std::string::npos) << full;
  expect_ok(graft({"--quiet", "--threads", "1", "tune", "--resume", folder / "parts"}));
  expect_ok(graft(command("pairs.jsonl", "whole", steps)));
  EXPECT_TRUE(read_file(folder / "whole" / "adapter_model.safetensors") ==
              read_file(folder / "parts" / "adapter_model.safetensors"));
}

TEST_F(Tune, TestDataAreSeenByTheScoreOnly) {
  std::string five;
  for (int i = 0; i < 5; ++i) five += "{\"text\": \"the mat sat\", \"label\": \"yes\"}\n";
  write_file(folder / "five.jsonl", five);
  expect_ok(graft(command("labelled.jsonl", "without", {"--steps", "6"})));
  expect_ok(graft(command("labelled.jsonl", "with", {"--steps", "6", "--test", data("five.jsonl")})));
  const Json without = result("without"), with = result("with");
  EXPECT_EQ(with["held_out_loss"], without["held_out_loss"]);
  EXPECT_EQ(with["curve"], without["curve"]);
  EXPECT_EQ(with["majority"], 1.0);
  EXPECT_EQ(with["confusion"][0], Json({0, 0}));
  EXPECT_EQ(with["confusion"][1][0].get<int>() + with["confusion"][1][1].get<int>(), 5);
  EXPECT_EQ(with["samples"][0]["prompt"], "the mat sat");
  expect_fails(graft(command("labelled.jsonl", "x", {"--test", data("pairs.jsonl")})), "holds prompts and completions, but");
}

/// The base's own loss, not that of the method before it has learned anything.
TEST_F(Tune, BeforeIsTheBaseWithoutTheMethod) {
  const Arguments prompt{"--method", "prefix", "--virtual", "3",   "--init",  "random",
                         "--length", "16",     "--split",   "0.5", "--steps", "1"};
  expect_ok(graft(command("lines.txt", "prompt", prompt)));
  expect_ok(graft(command("lines.txt", "lora", {"--r", "2", "--length", "16", "--split", "0.5", "--steps", "1"})));
  EXPECT_EQ(result("prompt")["untuned"], result("lora")["untuned"]);
  EXPECT_NE(result("prompt")["untuned"], result("prompt")["score"]);
}

TEST_F(Tune, OptionsMayStandInAFile) {
  write_file(folder / "a.toml", "method = \"lora\"\nr = 3\ntargets = [\"q\", \"k\"]\nsteps = 2\nlength = 16\n");
  write_file(folder / "a.json",
             Json{{"method", "lora"}, {"r", 3}, {"targets", {"q", "k"}}, {"steps", 2}, {"length", 16}}.dump());
  for (const std::string file : {"a.toml", "a.json"}) {
    SCOPED_TRACE(file);
    expect_ok(graft({"--quiet", "tune", "--config", data(file), "--model", tiny(), "--data", data("lines.txt"), "--out",
                     folder / (file + "-out"), "--batch", "2"}));
    const Json r = result(file + "-out");
    EXPECT_EQ(r["delta"].size(), 6u);  // q and k of three layers
    EXPECT_EQ(r["delta"][0]["singular"].size(), 3u);
    EXPECT_EQ(r["steps"], 2);
  }
  expect_ok(graft({"--quiet", "tune", "--config", data("a.json"), "--model", tiny(), "--data", data("lines.txt"), "--out",
                   folder / "over", "--steps", "1"}));
  EXPECT_EQ(result("over")["steps"], 1);  // the command line goes before
  write_file(folder / "b.json", "{\"ranks\": 3}");
  expect_fails(
      graft({"tune", "--config", data("b.json"), "--model", tiny(), "--data", data("lines.txt"), "--out", folder / "x"}),
      "\"ranks\" is no option of graft tune");
  write_file(folder / "c.json", "{\"r\": \"many\"}");
  expect_fails(
      graft({"tune", "--config", data("c.json"), "--model", tiny(), "--data", data("lines.txt"), "--out", folder / "x"}),
      "--r");
  write_file(folder / "d.json", "{\"r\": ");
  expect_fails(graft({"tune", "--config", data("d.json"), "--model", tiny()}), "it begins as JSON does");
}

TEST_F(Tune, ADryRunOnlySaysWhatWouldHappen) {
  const Result r = graft({"tune", "--model", tiny(), "--data", data("pairs.jsonl"), "--method", "lora", "--dry-run"});
  expect_ok(r);
  for (const char* said : {"trainable", "memory: about", "time: about", "steps"})
    EXPECT_NE(r.out.find(said), std::string::npos) << said << "\n" << r;
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(Tune, WrongInputIsToldAndNothingIsLost) {
  const auto fails = [&](const Arguments& arguments, const std::string& what) {
    SCOPED_TRACE(what);
    expect_fails(graft(arguments), what);
  };
  fails({"--quiet", "tune"}, "--model is missing");
  fails({"--quiet", "tune", "--model", tiny(), "--data", data("pairs.jsonl")}, "--out is missing");
  fails(command("none.jsonl", "x"), "none.jsonl");
  fails(command("pairs.jsonl", "x1", {"--method", "lora", "--virtual", "3"}), "--virtual says nothing to LoRA");
  fails(command("pairs.jsonl", "x2", {"--method", "probe"}), "linear probe needs a head");
  fails(command("pairs.jsonl", "x3", {"--method", "p-tuning-v2"}), "needs a head");
  fails(command("pairs.jsonl", "x4", {"--targets", "query"}), "query");
  fails(command("pairs.jsonl", "x5", {"--r", "1000"}), "1000");
  fails(command("pairs.jsonl", "x6", {"--method", "prefix", "--virtual", "64"}), "context");
  fails(command("pairs.jsonl", "x7", {"--length", "65"}), "--length 65");
  fails(command("pairs.jsonl", "x8", {"--length", "3"}), "examples are longer than");
  fails(command("labelled.jsonl", "x9", {"--method", "p-tuning", "--words", "perhaps=so"}), "there is no label \"perhaps\"");
  fails(command("pairs.jsonl", "x10", {"--answer", "words"}), "no classes");
  fails(command("pairs.jsonl", "x11", {"--method", "p-tuning", "--template", "{sentence}"}), "template");
  fails(command("pairs.jsonl", "x12", {"--validation", data("labelled.jsonl")}), "holds labelled texts, but");
  write_file(folder / "unseen.jsonl", "{\"text\": \"the cat\", \"label\": \"perhaps\"}\n");
  fails(command("labelled.jsonl", "x13", {"--validation", data("unseen.jsonl")}),
        "\"perhaps\" is not among those that are known");
  write_file(folder / "one.jsonl", "{\"text\": \"the cat\", \"label\": \"a\"}\n{\"text\": \"the rat\", \"label\": \"a\"}\n");
  fails(command("one.jsonl", "x14"), "at least two classes");
  expect_refuses(graft(command("pairs.jsonl", "x15", {"--method", "magic"})), "magic");
  expect_refuses(graft(command("pairs.jsonl", "x16", {"--rate", "0"})), "--rate");
  fails({"--quiet", "tune", "--resume", folder / "nothing"}, "nothing");

  fails(command("pairs.jsonl", "nan", {"--method", "full", "--rate", "1e30", "--clip", "0", "--steps", "20"}),
        "is not a finite number");
  EXPECT_FALSE(fs::exists(folder / "nan" / "adapter_model.safetensors"));

  expect_ok(graft(command("pairs.jsonl", "taken")));
  const std::string before = read_file(folder / "taken" / "adapter_model.safetensors");
  fails(command("pairs.jsonl", "taken"), "holds a run already");
  fails({"--quiet", "tune", "--resume", folder / "taken", "--steps", "9"}, "--steps cannot change it");
  EXPECT_EQ(read_file(folder / "taken" / "adapter_model.safetensors"), before);
  fs::create_directory(folder / "mine");
  write_file(folder / "mine" / "letter.txt", "dear");
  fails(command("pairs.jsonl", "mine", {"--force"}), "is not empty");
  EXPECT_EQ(read_file(folder / "mine" / "letter.txt"), "dear");
  expect_ok(graft(command("pairs.jsonl", "taken", {"--force"})));
  fails(command("pairs.jsonl", "mine/letter.txt/x"), "cannot make the folder");
}

TEST_F(Tune, TwoAtOnceInOneFolderAreNotLetIn) {
  Process first(GRAFT_PROGRAM, command("pairs.jsonl", "both", {"--steps", "100000"}));
  EXPECT_TRUE(comes(folder / "both" / "metrics.jsonl"));
  expect_fails(graft(command("pairs.jsonl", "both")), "another graft tune is at work");
  kill(first.id(), SIGTERM);
  EXPECT_EQ(first.wait().code, 128 + SIGTERM);
  EXPECT_TRUE(fs::exists(folder / "both" / "checkpoint.safetensors"));
}

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
  Process process(GRAFT_PROGRAM, compare);
  EXPECT_TRUE(comes(folder / "stopped" / "runs" / "data-prompt-1" / "checkpoint.safetensors"));
  kill(process.id(), SIGINT);
  const Result stopped = process.wait();
  EXPECT_TRUE(stopped.code == 130 || stopped.code == 0) << stopped;  // 0 if it was done by then
  expect_ok(graft(compare));
  const Json report = Json::parse(read_file(folder / "stopped" / "report.json"));
  for (const Json& run : report["tasks"][0]["runs"]) EXPECT_EQ(run["curve"]["loss"].size(), 400u);
}

}  // namespace
}  // namespace graft::testing
