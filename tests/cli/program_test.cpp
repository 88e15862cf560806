// The program as a whole: help, exit codes, where models are looked for, and outputs that cannot be written.
#include "tests/cli/models.h"
#include "tests/here.h"

namespace graft::testing {
namespace {

const Arguments commands{"info",  "tokenize", "logits",   "generate", "evaluate", "convert",
                         "merge", "tune",     "classify", "compare",  "demo",     "real"};

TEST(Program, EveryCommandHasHelpThatEndsInAnExample) {
  const Result all = graft({"--help"});
  expect_works(all);
  for (const std::string& command : commands) {
    EXPECT_NE(all.out.find("\n  " + command), std::string::npos) << command;
    const Result help = graft({command, "--help"});
    expect_works(help);
    EXPECT_EQ(help.err, "");
    const std::size_t example = help.out.find("\nExample");
    ASSERT_NE(example, std::string::npos) << help;
    EXPECT_NE(help.out.find("\n  graft " + command, example), std::string::npos) << help;
  }
}

TEST(Program, CalledWrongly) {
  expect_refuses(graft({}), "subcommand");
  expect_refuses(graft({"nonsense"}), "nonsense");
  expect_refuses(graft({"info"}), "MODEL");
  expect_refuses(graft({"info", ""}), "empty");
  expect_refuses(graft({"tokenize", "text"}), "--model");
  for (const char* threads : {"0", "010", "1025", "2x", "0x2"})
    expect_refuses(graft({"--threads", threads, "info", "x"}), "threads");
  for (const char* option : {"--seed", "--steps"})
    for (const char* number : {"-1", "010", "1e3"}) expect_refuses(graft({"demo", option, number}), option);
  for (const char* command : {"logits", "generate", "evaluate", "convert"})
    expect_refuses(graft({command, "--no-such-option"}), "");
}

TEST(Program, MisspeltWordsAreAnsweredWithTheNearest) {
  expect_refuses(graft({"tunee"}), "unknown command \"tunee\"; did you mean tune? graft --help lists them");
  expect_refuses(graft({"frobnicate"}), "unknown command \"frobnicate\"; graft --help lists them");
  expect_refuses(graft({"tune", "--stesp", "3"}), "graft tune has no option --stesp; did you mean --steps? graft tune --help");
  expect_refuses(graft({"generate", "--temprature=1"}), "has no option --temprature; did you mean --temperature?");
  expect_refuses(graft({"info", "x", "--thread", "2"}), "has no option --thread; did you mean --threads?");
  for (const char* rate : {"--lr", "--learning_rate=1"})  // --lr is nearer to --r
    expect_refuses(graft({"tune", rate}), "; did you mean --rate?");
  expect_refuses(graft({"tune", "--zzzzzzzz"}), "graft tune has no option --zzzzzzzz; graft tune --help lists them");
  expect_refuses(graft({"info", "one", "two"}), "graft info takes no argument \"two\"; graft info --help");
}

TEST(Program, EveryCommandTakesItsModelAsAnOption) {  // info also without its name
  const Result named = graft({"info", "--model", tiny()}), bare = graft({"info", tiny()});
  expect_works(named);
  EXPECT_EQ(named.out, bare.out);
}

TEST(Program, ModelsThatAreNotThere) {
  expect_fails(graft({"info", "nowhere"}), "there is no model \"nowhere\"");
  expect_fails(graft({"info", "smollm2-135m"}, {"", {{"GRAFT_MODELS", "/nowhere"}}, {}, ""}), "./run fetch smollm2-135m");
  expect_fails(graft({"info", "org/name"}, {"", {{"GRAFT_MODELS", "/nowhere"}}, {}, ""}), "/nowhere; ./run fetch org/name");
  expect_fails(graft({"info", "smollm2-135m"}, {"", {}, {"HOME", "XDG_CACHE_HOME", "GRAFT_MODELS"}, ""}), "HOME is not set");
  expect_fails(graft({"info", "two\nlines"}), "two lines");
}

TEST(Program, FetchedModelsAreFoundByName) {
  const TemporaryFolder cache;
  fs::create_directories(cache / "graft/models");
  fs::create_directory_symlink(tiny(), cache / "graft/models/org--tiny");
  const Result by_cache = graft({"info", "org/tiny"}, {"", {{"XDG_CACHE_HOME", cache / ""}}, {"GRAFT_MODELS"}, ""});
  expect_works(by_cache);
  expect_works(graft({"info", "org/tiny"}, {"", {{"GRAFT_MODELS", cache / "graft/models"}}, {}, ""}));
  fs::create_directories(cache / ".cache");
  fs::create_directory_symlink(cache / "graft", cache / ".cache/graft");
  expect_works(graft({"info", "org/tiny"}, {"", {{"HOME", cache / ""}}, {"GRAFT_MODELS", "XDG_CACHE_HOME"}, ""}));
}

TEST(Program, BrokenModelsAreRefused) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "empty");
  expect_fails(graft({"info", folder / "empty"}), "config.json");
  write_file(folder / "no.gguf", "nonsense");
  expect_fails(graft({"info", folder / "no.gguf"}), "no.gguf");
  fs::copy(tiny(), folder / "half");
  fs::resize_file(folder / "half/model.safetensors", fs::file_size(folder / "half/model.safetensors") / 2);
  expect_fails(graft({"info", folder / "half"}), "model.safetensors");
}

TEST(Program, OutputThatCannotBeWrittenIsAnError) {
  for (const Arguments& arguments : {Arguments{"info", tiny()}, Arguments{"tokenize", "--model", tiny(), "the cat"},
                                     Arguments{"generate", "--model", tiny(), "--prompt", "the", "--max-tokens", "9"}}) {
    const Result r = graft(arguments, {"", {}, {}, "/dev/full"});
    EXPECT_EQ(r.code, 1) << arguments[0] << r;
    EXPECT_NE(r.err.find("could not write the output"), std::string::npos) << r;
  }
  write_file(fs::path(tiny()) / "../text", "the cat sat");
  EXPECT_EQ(graft({"evaluate", "--model", tiny(), "--text", tiny() + "/../text"}, {"", {}, {}, "/dev/full"}).code, 1);
}

TEST(Program, EndsQuietlyWhenNobodyReadsOn) {
  const Result r = shell("\"$graft\" info --all " + tiny() + " | head -n 1");
  EXPECT_EQ(r.code, 0);
  EXPECT_EQ(r.out, tiny() + "\n");
  EXPECT_EQ(r.err, "");
}

TEST(Info, ShowsWhatTheModelIsMadeOf) {
  const Result r = graft({"info", tiny()});
  expect_works(r);
  for (const char* part : {"Hugging Face folder", "Llama: 3 layers, width 16, 2 heads on 1", "context       64 tokens",
                           "tokenizer.json: 2", " learning, 0 frozen", "F32", "layers.0 ... layers.2: LlamaBlock", "q: Linear"})
    EXPECT_NE(r.out.find(part), std::string::npos) << part << "\n" << r;
  EXPECT_EQ(r.out.find("layers.1:"), std::string::npos) << r;
  const Result all = graft({"info", tiny(), "--all"});
  for (const char* part : {"layers.0: LlamaBlock", "layers.1: LlamaBlock", "layers.2: LlamaBlock"})
    EXPECT_NE(all.out.find(part), std::string::npos) << part << "\n" << all;
}

/// Whatever a file says, the terminal gets no commands from it.
TEST(Info, ShowsControlCharactersAsWhatTheyAre) {
  const TemporaryFolder folder;
  std::string gguf = read_file(here::fixtures() + "/models/gguf_q4_1.gguf");
  const std::size_t pre = gguf.find("smollm", gguf.find("tokenizer.ggml.pre"));
  ASSERT_NE(pre, std::string::npos);
  for (const auto& [said, shown] : {std::pair<std::string, const char*>{"\x1b[31m!", "pre-tokenizer \\x1b[31m!, "},
                                    {"\n\t \x7f 1", "pre-tokenizer \\x0a\\x09 \\x7f 1, "},
                                    {"\xc2\x9b 31m", "pre-tokenizer \\x9b 31m, "},
                                    {"gr\xc3\xbc n", "pre-tokenizer gr\xc3\xbc n, "}}) {
    ASSERT_EQ(said.size(), 6u);
    write_file(folder / "m.gguf", gguf.replace(pre, 6, said));
    const Result r = graft({"info", folder / "m.gguf"});
    expect_works(r);
    EXPECT_NE(r.out.find(shown), std::string::npos) << shown << "\n" << r;
  }
  fs::copy(here::fixtures() + "/peft/lora_gpt2", folder / "adapter");
  std::string config = read_file(folder / "adapter/adapter_config.json");
  config.replace(config.find("tiny-gpt2"), 9, "\\u001b[2J");
  write_file(folder / "adapter/adapter_config.json", config);
  const Result r = graft({"info", "--adapter", folder / "adapter"});
  expect_works(r);
  EXPECT_NE(r.out.find("made for      \\x1b[2J\n"), std::string::npos) << r;
}

}  // namespace
}  // namespace graft::testing
