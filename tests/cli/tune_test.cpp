// graft tune on a tiny model: every method and kind of data, going on after every kind of end.
#include <csignal>
#include <random>

#include "tests/cli/tune_fixture.h"
#include "tests/here.h"

namespace graft::testing {
namespace {

TEST_F(Tune, EveryMethodLearnsFromEveryKindOfDataItIsFor) {
  const auto more = [this](const peft::MethodRow& row) {  // words of which the tiny tokenizer has whole tokens
    Arguments all{"--method", row.word};
    if (row.by_words) all.insert(all.end(), {"--words", "no=cat", "--words", "yes=rat"});
    return small(row, std::move(all));
  };
  for (const peft::MethodRow& row : peft::methods()) {
    const std::string& method = row.word;
    if (!row.generates || method == "bitfit") continue;  // this Llama has no biases
    SCOPED_TRACE(method);
    expect_ok(graft(command("pairs.jsonl", method + "-pairs", small(row, {"--method", method}))));
    const Json r = result(method + "-pairs");
    EXPECT_EQ(r["score_name"], "BLEU");
    EXPECT_EQ(r["steps"], 3);
    EXPECT_EQ(r["curve"]["loss"].size(), 3u);
    EXPECT_GT(r["trainable"].get<long>(), 0);
    EXPECT_FALSE(r["samples"].empty());
  }
  for (const peft::MethodRow& row : peft::methods()) {
    const std::string& method = row.word;
    if (!row.classifies || method == "bitfit") continue;
    SCOPED_TRACE(method);
    expect_ok(graft(command("labelled.jsonl", method + "-classes", more(row))));
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
  for (const Arguments& method :
       {Arguments{"--method", "lora", "--r", "2", "--rate", "0.02"},
        Arguments{"--method", "ensemble", "--prompts", "3", "--virtual", "2"},
        Arguments{"--method", "p-tuning", "--words", "cat=cat,dog"}, Arguments{"--method", "full"},
        Arguments{"--method", "full", "--answer", "words"}, Arguments{"--method", "qlora", "--r", "2"}}) {
    SCOPED_TRACE(method[1]);
    Arguments more{"--validation", data("three.jsonl"), "--steps", "6"};
    more.insert(more.end(), method.begin(), method.end());
    const std::string out = "classes-" + method[1] + std::to_string(method.size());
    expect_ok(graft(command("three.jsonl", out, more)));
    Arguments words{"classify", "--model", tiny(), "--adapter", folder / out};
    for (const Json& text : texts) words.insert(words.end(), {"--text", text.get<std::string>()});
    const Result said = graft(words);
    expect_ok(said);
    if (method[1] == "full") {  // which left a model
      words.erase(words.begin() + 2, words.begin() + 5);
      words.insert(words.begin() + 2, folder / out);
      EXPECT_EQ(graft(words).out, said.out);
    }
    EXPECT_EQ(Json::parse(read_file(folder / out / "classes.json"))["quantized"], method[1] == "qlora");
    write_file(folder / "three.txt", "\xef\xbb\xbf" + texts[0].get<std::string>() + "\r\n" + texts[1].get<std::string>() +
                                         "\r\n\r\n" + texts[2].get<std::string>());
    EXPECT_EQ(graft({"classify", "--model", tiny(), "--adapter", folder / out, "--file", folder / "three.txt"}).out, said.out);
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
  expect_fails(graft({"classify", "--model", tiny(), "--text", "x"}), "has no classification head");
  expect_refuses(graft({"classify", "--model", tiny()}), "--text or --file");
}

TEST_F(Tune, StoppedByCtrlCItGoesOnBitForBit) {
  const Arguments steps{"--steps",   "60", "--save-every", "7", "--evaluate-every", "9",   "--method", "prefix",
                        "--virtual", "3",  "--hidden",     "5", "--dropout",        "0.1", "--init",   "random"};
  expect_ok(graft(command("pairs.jsonl", "whole", steps)));
  Process process(here::program(), command("pairs.jsonl", "parts", steps));
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
    Process process(here::program(), begun ? Arguments{"--quiet", "--threads", "1", "tune", "--resume", folder / "parts"}
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
  EXPECT_EQ(result("over")["steps"], 1);  // the command line takes precedence
  write_file(folder / "b.json", "{\"ranks\": 3}");
  expect_fails(
      graft({"tune", "--config", data("b.json"), "--model", tiny(), "--data", data("lines.txt"), "--out", folder / "x"}),
      "\"ranks\" is not an option of graft tune");
  write_file(folder / "c.json", "{\"r\": \"many\"}");
  expect_fails(
      graft({"tune", "--config", data("c.json"), "--model", tiny(), "--data", data("lines.txt"), "--out", folder / "x"}),
      "--r");
  write_file(folder / "d.json", "{\"r\": ");
  expect_fails(graft({"tune", "--config", data("d.json"), "--model", tiny()}), "it begins like JSON");
}

TEST_F(Tune, ADryRunOnlySaysWhatWouldHappen) {
  const Result r = graft({"tune", "--model", tiny(), "--data", data("pairs.jsonl"), "--method", "lora", "--dry-run"});
  expect_ok(r);
  for (const char* said : {"trainable", "memory: about", "time: about", "steps"})
    EXPECT_NE(r.out.find(said), std::string::npos) << said << "\n" << r;
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(Tune, TwoAtOnceInOneFolderAreNotLetIn) {
  Process first(here::program(), command("pairs.jsonl", "both", {"--steps", "100000"}));
  EXPECT_TRUE(comes(folder / "both" / "metrics.jsonl"));
  lines_come(folder / "both" / "metrics.jsonl", 100);  // some steps are done
  expect_fails(graft(command("pairs.jsonl", "both")), "another graft tune is running in");
  kill(first.id(), SIGTERM);
  EXPECT_EQ(first.wait().code, 128 + SIGTERM);
  EXPECT_TRUE(fs::exists(folder / "both" / "checkpoint.safetensors"));
}

}  // namespace
}  // namespace graft::testing
