// graft tune on wrong input: clear words, and nothing is lost.
#include <fstream>

#include "tests/cli/tune_fixture.h"

namespace graft::testing {
namespace {

TEST_F(Tune, WrongInputIsToldAndNothingIsLost) {
  const auto fails = [&](const Arguments& arguments, const std::string& what) {
    SCOPED_TRACE(what);
    expect_fails(graft(arguments), what);
  };
  fails({"--quiet", "tune"}, "--model is missing");
  fails({"--quiet", "tune", "--model", tiny(), "--data", data("pairs.jsonl")}, "--out is missing");
  fails(command("none.jsonl", "x"), "none.jsonl");
  fails(command("pairs.jsonl", "x1", {"--method", "lora", "--virtual", "3"}), "LoRA has no option virtual");
  fails(command("pairs.jsonl", "x2", {"--method", "probe"}), "linear probe needs a head");
  fails(command("pairs.jsonl", "x3", {"--method", "p-tuning-v2"}), "needs a head");
  fails(command("pairs.jsonl", "x4", {"--targets", "query"}), "query");
  expect_refuses(graft(command("pairs.jsonl", "x5", {"--r", "0"})), "--r");
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

TEST_F(Tune, OptionsThatWouldSayNothingAreRefused) {
  const auto refused = [&](const Arguments& more, const std::string& what) {
    expect_fails(graft(command("pairs.jsonl", "nothing", more)), what);
  };
  refused({"--method", "prompt", "--text", "the cat"}, "init text only");
  refused({"--method", "prefix", "--text", "the cat"}, "init words only");
  refused({"--method", "p-tuning", "--template", "[v] {sentence} [answer]", "--virtual", "9"}, "virtual and template");
  refused({"--method", "p-tuning", "--encoder", "none", "--hidden", "8"}, "encoder is none");
  refused({"--split", "0", "--patience", "2"}, "needs held-out data");
  refused({"--by-line"}, "--by-line does not apply to");
  expect_ok(graft(command("pairs.jsonl", "run")));
  expect_fails(graft({"--quiet", "tune", "--resume", folder / "run", "--force"}), "give only one of them");
  for (const auto& [content, what] : std::map<std::string, std::string>{{R"({"text": "", "virtual": 5})", "\"text\" is empty"},
                                                                        {R"({"targets": []})", "empty list"},
                                                                        {R"([{"r": 3}])", "one JSON object"}}) {
    write_file(folder / "config.json", content);
    refused({"--config", folder / "config.json"}, what);
  }
}

TEST_F(Tune, ForceTakesOnlyWhatARunLeft) {
  expect_ok(graft(command("pairs.jsonl", "full", {"--method", "full"})));
  write_file(folder / "full" / "notes.txt", "mine");
  fs::copy_file(data("pairs.jsonl"), folder / "full" / "data.jsonl");
  const std::string model = read_file(folder / "full" / "model.safetensors");
  Arguments own = command("pairs.jsonl", "full", {"--force"});
  own[5] = folder / "full";
  ASSERT_EQ(own[4], "--model");
  expect_fails(graft(own), "is inside");  // it would learn from what it replaces
  expect_fails(graft(command("full/data.jsonl", "full", {"--force"})), "is inside");
  EXPECT_EQ(read_file(folder / "full" / "model.safetensors"), model);
  expect_ok(graft(command("pairs.jsonl", "full", {"--force"})));
  EXPECT_FALSE(fs::exists(folder / "full" / "model.safetensors"));
  EXPECT_EQ(read_file(folder / "full" / "notes.txt"), "mine");
  EXPECT_EQ(read_file(folder / "full" / "data.jsonl"), read_file(data("pairs.jsonl")));
}

TEST_F(Tune, AnotherModelIsNotGoneOnWith) {
  fs::copy(tiny(), folder / "model");
  Arguments mine = command("pairs.jsonl", "run");
  mine[5] = folder / "model";
  expect_ok(graft(mine));
  std::string bytes = read_file(folder / "model" / "model.safetensors");
  bytes[bytes.size() - 7] ^= 1;
  write_file(folder / "model" / "model.safetensors", bytes);
  expect_fails(graft({"--quiet", "--threads", "1", "tune", "--resume", folder / "run"}),
               "has changed since the run began");
}

TEST_F(Tune, DataArePlainFilesFoundAgainFromElsewhere) {
  const std::string tune = "\"$graft\" --quiet --threads 1 tune --model '" + tiny() + "' --steps 3 --batch 2";
  expect_fails(shell("cd '" + folder.path().string() + "'; cat lines.txt | " + tune + " --data /dev/stdin --out piped"),
               "not a regular file");
  expect_ok(shell("cd '" + folder.path().string() + "'; " + tune + " --data lines.txt --by-line --out here"));
  expect_ok(graft({"--quiet", "--threads", "1", "tune", "--resume", folder / "here"}));
}

TEST_F(Tune, AnEmptyPromptIsAnsweredFromNothing) {
  write_file(folder / "empty.jsonl", read_file(data("pairs.jsonl")) + "{\"prompt\": \"\", \"completion\": \"the cat\"}\n");
  expect_ok(graft(command("empty.jsonl", "empty", {"--validation", data("empty.jsonl")})));
}

TEST_F(Tune, AChatIsScoredByWhatTheAssistantSays) {
  expect_ok(graft(command("chat.jsonl", "chat", {"--evaluate-every", "1"})));
  const Json r = result("chat");
  EXPECT_EQ(r["score_name"], "NLL");
  EXPECT_NEAR(r["score"].get<double>(), r["held_out_loss"].get<double>(), 1e-5);  // both are of the best step
  EXPECT_GT(r["untuned"].get<double>(), 1);
  EXPECT_EQ(r["samples"][0]["reference"], "sat");
}

}  // namespace
}  // namespace graft::testing
