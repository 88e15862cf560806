// graft tune and its relatives take care: of data in any format, of folders and signals, and that a method is what it is called.
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <tuple>

#include "cli/pace.h"
#include "formats/safetensors.h"
#include "peft/inside/file_format.h"
#include "peft/lora.h"
#include "peft/p_tuning.h"
#include "peft/p_tuning_v2.h"
#include "peft/prompt.h"
#include "tests/cli/tune_fixture.h"
#include "tests/here.h"

namespace graft::testing {
namespace {

TEST_F(Tune, DataAreWhatTheirEndingSays) {
  const std::string pairs = read_file(data("pairs.jsonl"));
  for (const char* name : {"pairs.json", "pairs.JSONL", "pairs.ndjson"}) {
    write_file(folder / name, pairs);
    expect_ok(graft(command(name, std::string("run-") + name)));
    EXPECT_EQ(result(std::string("run-") + name)["kind"], "prompts and completions");
  }
  std::string table = "text,label\n";
  for (int i = 0; i < 20; ++i) table += i % 2 ? "\"the cat, sat\",yes\n" : "the rat,no\n";
  write_file(folder / "reviews.csv", table);
  expect_ok(graft(command("reviews.csv", "table", {"--validation", data("reviews.csv"), "--test", data("labelled.jsonl")})));
  EXPECT_EQ(result("table")["labels"], Json({"no", "yes"}));
  const Result said = graft({"classify", "--model", tiny(), "--adapter", folder / "table", "--file", data("reviews.csv")});
  expect_ok(said);
  EXPECT_EQ(std::count(said.out.begin(), said.out.end(), '\n'), 20);
  EXPECT_NE(said.out.find("\tthe cat, sat\n"), std::string::npos) << said;

  write_file(folder / "notes.txt", pairs), write_file(folder / "packed.jsonl.gz", pairs);
  write_file(folder / "wide.txt", std::string("\xff\xfe t\0h\0e\0", 9));
  for (const auto& [name, what] : std::map<std::string, std::string>{
           {"notes.txt", "read as plain text"}, {"packed.jsonl.gz", "unpack it first"}, {"wide.txt", "UTF-16"}}) {
    expect_fails(graft(command(name, "not")), what);
    expect_fails(graft(command("lines.txt", "not", {"--by-line", "--validation", data(name)})), what);
    expect_fails(graft(command("lines.txt", "not", {"--by-line", "--test", data(name)})), what);
    expect_fails(graft({"evaluate", "--model", tiny(), "--text", data(name)}), what);
    expect_fails(graft({"classify", "--model", tiny(), "--adapter", folder / "table", "--file", data(name)}), what);
    EXPECT_FALSE(fs::exists(folder / "not"));
  }
  expect_fails(graft({"evaluate", "--model", tiny(), "--text", data("pairs.jsonl")}), "reads plain text");
}

TEST_F(Tune, NothingOfAFileCommandsTheTerminal) {
  expect_ok(graft(command("labelled.jsonl", "run")));
  const std::string file = folder / "run" / "classes.json", classes = read_file(file);
  write_file(file, std::string(classes).replace(classes.find("\"yes\""), 5, "\"\\u001b[31my\\u009be\\ts\""));
  std::string no = read_file(file);
  write_file(file, no.replace(no.find("\"no\""), 4, "\"\\u001b[2J\""));
  const Result r = graft({"classify", "--model", tiny(), "--adapter", folder / "run", "--text", "the\tcat\nsat \x1b[31m"});
  expect_ok(r);
  EXPECT_EQ(r.out.find('\x1b'), std::string::npos) << r;
  EXPECT_EQ(std::count(r.out.begin(), r.out.end(), '\t'), 2) << r;
  EXPECT_EQ(std::count(r.out.begin(), r.out.end(), '\n'), 1) << r;
  EXPECT_NE(r.out.find("the\\x09cat\\x0asat \\x1b[31m"), std::string::npos) << r;
}

TEST_F(Tune, EveryMethodOfTheTableMakesItself) {
  std::vector<std::string> words;
  for (const peft::MethodRow& row : peft::methods()) words.push_back(row.word);
  expect_refuses(graft(command("pairs.jsonl", "none", {"--method", "magic"})),
                 "must be one of " + joined(words) + ", not \"magic\"");
  struct Is {
    std::string type;  // as the file of the result says it
    Json fields;
  };
  const std::map<std::string, Is> kinds{
      {"full", {"", {}}},
      {"probe", {"GRAFT_LINEAR_PROBE", {}}},
      {"bitfit", {"", {}}},
      {"layernorm", {"GRAFT_LAYER_NORM", {}}},
      {"ia3", {"IA3", {}}},
      {"lora", {"LORA", {{"use_dora", false}, {"use_rslora", false}, {"r", 2}, {"lora_alpha", 2.0}}}},
      {"rslora", {"LORA", {{"use_rslora", true}, {"use_dora", false}}}},
      {"lora-plus", {"LORA", {{"use_dora", false}, {"use_rslora", false}, {"r", 2}}}},
      {"dora", {"LORA", {{"use_dora", true}}}},
      {"pissa", {"LORA", {{"r", 4}}}},  // a difference to the base has twice the rank
      {"qlora", {"LORA", {{"r", 2}}}},
      {"adapter", {"", {{"hidden_size", 16}}}},
      {"prefix", {"PREFIX_TUNING", {{"num_virtual_tokens", 3}}}},
      {"prompt", {"PROMPT_TUNING", {{"num_virtual_tokens", 3}}}},
      {"ensemble", {"PROMPT_TUNING", {{"num_virtual_tokens", 3}}}},
      {"p-tuning", {"P_TUNING", {}}},
      {"p-tuning-v2", {"PREFIX_TUNING", {{"num_virtual_tokens", 3}}}}};
  for (const peft::MethodRow& row : peft::methods()) {
    const std::string& name = row.word;
    SCOPED_TRACE(name);
    const Arguments more = small(row, {"--method", name, "--steps", "1"});
    const Result r = graft(command(row.generates ? "pairs.jsonl" : "labelled.jsonl", name, more));
    if (name == "bitfit") {  // this Llama has no biases
      expect_fails(r, "bias");
      continue;
    }
    expect_ok(r);
    if (!row.file) {
      EXPECT_TRUE(fs::exists(folder / name / "model.safetensors"));
      continue;
    }
    const Json config = Json::parse(read_file(folder / name / (row.copies ? "prompt-0" : "") / "adapter_config.json"));
    const std::string type = config.value("peft_type", "");
    if (const auto is = kinds.find(name); is != kinds.end()) {
      EXPECT_EQ(type, is->second.type);
      for (const auto& [key, value] : is->second.fields.items()) EXPECT_EQ(config[key], value) << key;
    } else {
      EXPECT_EQ(std::count(row.file->types.begin(), row.file->types.end(), type), 1) << type;
    }
  }
  const Result named = graft({"--threads", "1", "tune", "--model", tiny(), "--data", data("pairs.jsonl"), "--dry-run",
                              "--method", "pissa", "--r", "2"});
  EXPECT_EQ(named.out.rfind("PiSSA (LoRA) on Llama", 0), 0u) << named;
}

TEST_F(Tune, WhatARunLeavesIsNamedWhereItDoesNotFit) {
  for (const char* method : {"full", "ensemble", "lora"})
    expect_ok(graft(command("pairs.jsonl", method, {"--method", method, "--steps", "1"})));
  const auto with = [&](const std::string& adapter) {
    return graft({"generate", "--model", tiny(), "--adapter", folder / adapter, "--prompt", "the cat"});
  };
  expect_fails(with("full"), "it holds a whole model, saved by full fine-tuning; load it with --model");
  expect_fails(with("ensemble"), "each of them is an adapter: " + (folder / "ensemble/prompt-0").string());
  expect_works(with("ensemble/prompt-0"));
  expect_works(graft({"generate", "--model", folder / "full", "--prompt", "the cat"}));
  fs::create_directory(folder / "begun");
  fs::copy_file(folder / "lora/run.json", folder / "begun/run.json");
  expect_fails(with("begun"), "graft tune --resume " + (folder / "begun").string() + " resumes it");
  for (const char* adapter : {"lora", "ensemble", "ensemble/prompt-0"})
    for (const Arguments& asking : {Arguments{"generate", "--prompt", "a"}, Arguments{"convert", "--out", folder / "new"},
                                    Arguments{"tune", "--data", data("pairs.jsonl"), "--out", folder / "new"}}) {
      Arguments all = asking;
      all.insert(all.end(), {"--model", folder / adapter});
      expect_fails(graft(all), "holds an adapter, not a model; give it as --adapter, and the model it was made for as --model");
      EXPECT_FALSE(fs::exists(folder / "new"));
    }
}

TEST_F(Tune, AComparisonKnowsItsOptionsBeforeItTrains) {
  const auto set = [&](const std::string& words) {
    return graft({"compare", "--model", tiny(), "--data", data("labelled.jsonl"), "--methods", "probe,lora", "--set", words,
                  "--steps", "1", "--out", folder / "none"});
  };
  expect_fails(set("lora.rr=3"), "--set lora.rr=3: there is no option --rr; graft tune --help lists them");
  expect_fails(set("probe.r=3"), "--set probe.r=3: --r does not apply to linear probe");
  EXPECT_FALSE(fs::exists(folder / "none"));
}

TEST_F(Tune, WhatIsTakenByDefaultIsSaid) {
  const std::string help = graft({"tune", "--help"}).out;
  const auto expect_in_help = [&](const std::string& words) { EXPECT_NE(help.find(words), std::string::npos) << words; };
  expect_in_help(text("(prefix: ", peft::PrefixTuning().length, "; prompt, ensemble, p-tuning-v2: ", peft::PromptTuning().length,
                      "; p-tuning: ", peft::virtual_count(peft::PTuning().prompt_template), ")"));
  EXPECT_EQ(peft::PTuningV2().length, peft::PromptTuning().length);
  expect_in_help(text("prefix: ", peft::PrefixTuning().dropout, "; p-tuning-v2: ", peft::PTuningV2().dropout, ")"));
  const std::string r = help.substr(help.find("--r N"), help.find("--alpha") - help.find("--r N"));
  EXPECT_NE(r.find(std::to_string(peft::Lora().r)), std::string::npos) << r;
  const auto dry = [&](const std::string& file, const Arguments& more) {
    Arguments all{"tune", "--model", tiny(), "--data", data(file), "--dry-run"};
    all.insert(all.end(), more.begin(), more.end());
    const Result r = graft(all);
    expect_ok(r);
    return r.out;
  };
  expect_in_help("lora, rslora, dora, qlora");
  const std::string usual = dry("pairs.jsonl", {}), asked = dry("pairs.jsonl", {"--rate", "0.25", "--schedule", "linear"});
  EXPECT_NE(usual.find("rate 0.0005, cosine"), std::string::npos) << usual;
  EXPECT_NE(asked.find("rate 0.25, linear"), std::string::npos) << asked;

  // A label under another name would make the texts something to go on with.
  EXPECT_EQ(usual.find("not looked at"), std::string::npos) << usual;
  std::string lines;
  for (int i = 0; i < 10; ++i) lines += "{\"text\": \"the cat sat\", \"Label\": \"yes\"}\n";
  write_file(folder / "other.jsonl", lines);
  const std::string other = dry("other.jsonl", {});
  EXPECT_NE(other.find("ignored fields of the data: \"Label\""), std::string::npos) << other;
}

/// The words of `enum class Init` in a method's header, as the command line has them.
Arguments starts_in(const std::string& header) {
  const std::string code = read_file(fs::path(here::root()) / "peft" / header);
  const std::size_t begin = code.find("enum class Init {") + 17;
  std::string words = code.substr(begin, code.find('}', begin) - begin);
  for (char& c : words) c = c == '_' ? '-' : c == ',' ? ' ' : c;
  std::istringstream in(words);
  return {std::istream_iterator<std::string>(in), {}};
}

TEST_F(Tune, EveryStartOfEveryMethodRunsFromTheCommandLine) {
  const std::string help = graft({"tune", "--help"}).out;
  int runs = 0;
  for (const auto& [method, header] : std::map<std::string, const char*>{
           {"lora", "lora.h"}, {"adapter", "bottleneck.h"}, {"prefix", "prefix.h"}, {"prompt", "prompt.h"}})
    for (const std::string& start : starts_in(header)) {
      SCOPED_TRACE(method + " " + start);
      Arguments more{"--method", method, "--init", start, "--steps", "1"};
      if (start == "text" || start == "words") more.insert(more.end(), {"--text", "the cat"});
      const Arguments all = command("labelled.jsonl", method + "-" + start, more);
      expect_ok(graft(all));
      EXPECT_NE(help.find(start), std::string::npos);
      ++runs;
    }
  EXPECT_EQ(runs, 4 + 3 + 3 + 5);
}

TEST_F(Tune, TheAdaptersOfBothPapersRunFromTheCommandLine) {
  expect_ok(graft(
      command("pairs.jsonl", "he", {"--method", "adapter", "--form", "parallel", "--scale", "4", "--init", "zero-up"})));
  const Json he = Json::parse(read_file(folder / "he" / "adapter_config.json"))["config"];
  EXPECT_EQ(he["scaling"], 4.0);
  EXPECT_EQ(he["is_parallel"], true);
  expect_ok(graft(command("pairs.jsonl", "houlsby", {"--method", "adapter", "--activation", "gelu"})));
  EXPECT_EQ(Json::parse(read_file(folder / "houlsby" / "adapter_config.json"))["config"]["non_linearity"], "gelu");
  expect_fails(graft(command("pairs.jsonl", "none", {"--method", "adapter", "--activation", "magic"})),
               "there is no \"magic\"");
  expect_fails(graft(command("pairs.jsonl", "none", {"--method", "lora", "--scale", "4"})), "LoRA has no option scale");
  const Result help = graft({"tune", "--help"});
  EXPECT_NE(help.out.find("lora, rslora, lora-plus, dora, pissa, qlora: the rank"), std::string::npos) << help;
  EXPECT_EQ(help.out.find("an 16th"), std::string::npos);
}

/// q is 16 x 16, k is 8 x 16; what the report says of B·A has its Frobenius norm, and as many singular values as the width allows.
TEST_F(Tune, ARankAboveTheWidthIsTrainedAndReported) {
  expect_ok(graft(command("pairs.jsonl", "wide", {"--r", "20", "--targets", "q,k"})));
  const formats::Safetensors file(folder / "wide" / "adapter_model.safetensors");
  const auto numbers = [&](const std::string& name, std::vector<std::int64_t> shape) {
    const formats::TensorEntry* entry = file.find("base_model.model.model.layers.0.self_attn." + name + ".weight");
    EXPECT_TRUE(entry && std::vector<std::int64_t>(entry->shape.begin(), entry->shape.end()) == shape) << name;
    std::vector<float> all(entry ? static_cast<std::size_t>(entry->numel()) : 0);
    if (entry) formats::read_numbers(*entry, all.data(), "");
    return all;
  };
  std::size_t seen = 0;
  const Json report = result("wide");
  for (const Json& delta : report["delta"])
    for (const auto& [path, name, out] : {std::tuple<std::string, std::string, std::size_t>{"layers.0.attn.q", "q_proj", 16},
                                          {"layers.0.attn.k", "k_proj", 8}}) {
      if (delta["name"] != path) continue;
      const std::vector<float> A = numbers(name + ".lora_A", {20, 16});
      const std::vector<float> B = numbers(name + ".lora_B", {static_cast<std::int64_t>(out), 20});
      ASSERT_EQ(A.size() + B.size(), 20 * (16 + out));
      double squares = 0, sum_of_squares = 0;
      for (std::size_t i = 0; i < out; ++i)
        for (std::size_t j = 0; j < 16; ++j) {
          double ba = 0;  // s = 1
          for (std::size_t k = 0; k < 20; ++k) ba += static_cast<double>(B[i * 20 + k]) * A[k * 16 + j];
          squares += ba * ba;
        }
      for (const double s : delta["singular"]) sum_of_squares += s * s;
      EXPECT_EQ(delta["singular"].size(), out) << path;
      EXPECT_GT(squares, 0) << path;
      EXPECT_NEAR(sum_of_squares / squares, 1, 1e-3) << path;
      ++seen;
    }
  EXPECT_EQ(seen, 2u);
}

TEST_F(Tune, AFolderThatNothingCameOfIsGoneAgain) {
  for (const Arguments& wrong :
       std::vector<Arguments>{{"--targets", "query"}, {"--virtual", "3"}, {"--validation", data("none.jsonl")}}) {
    expect_fails(graft(command("pairs.jsonl", "new/folder/run", wrong)), "");
    EXPECT_FALSE(fs::exists(folder / "new"));
  }
  fs::create_directory(folder / "mine");
  expect_fails(graft(command("pairs.jsonl", "mine", {"--targets", "query"})), "query");
  EXPECT_TRUE(fs::exists(folder / "mine"));
  fs::permissions(folder / "mine", fs::perms::owner_read | fs::perms::owner_exec);
  if (geteuid() != 0) expect_fails(graft(command("pairs.jsonl", "mine")), "cannot be written to");
  fs::permissions(folder / "mine", fs::perms::owner_all);
}

/// kill -9 in the middle of a file leaves its beginning under another name.
TEST_F(Tune, WhatAKilledRunWasWritingIsTidiedUp) {
  fs::create_directories(folder / "run");
  write_file(folder / "run/.run.json.4711-0.new", "{\"gra");
  expect_ok(graft(command("labelled.jsonl", "run")));
  EXPECT_FALSE(fs::exists(folder / "run/.run.json.4711-0.new"));
  write_file(folder / "run/.checkpoint.safetensors.4711-12.new", "half");
  const std::vector<std::string> others{".notes-1.new", ".a.b-1.new", "a.1-1.new", ".a.1-1.newer", ".a.1-.new"};
  for (const std::string& other : others) write_file(folder / ("run/" + other), "mine");
  expect_ok(graft({"tune", "--resume", folder / "run", "--quiet"}));
  EXPECT_FALSE(fs::exists(folder / "run/.checkpoint.safetensors.4711-12.new"));
  for (const std::string& other : others) EXPECT_TRUE(fs::exists(folder / ("run/" + other))) << other;
}

TEST_F(Tune, ForceLeavesWhatOnlyLooksLikeARuns) {
  expect_ok(graft(command("pairs.jsonl", "run", {"--method", "ensemble", "--virtual", "2", "--prompts", "2", "--trace"})));
  const std::vector<std::string> mine{"best-friends.txt",   "best-1.safetensors.bak",   "prompt-ideas.txt",
                                      "prompt-0/notes.txt", "events.out.tfevents.mine", "trace/notes.txt",
                                      "prompt-x/model.bin", "best-7.safetensors/x"};
  for (const std::string& one : mine) {
    fs::create_directories((folder / "run" / one).parent_path());
    write_file(folder / "run" / one, "mine");
  }
  expect_ok(graft(command("pairs.jsonl", "run", {"--method", "adapter", "--force"})));
  for (const std::string& one : mine) EXPECT_EQ(read_file(folder / "run" / one), "mine") << one;
  for (const char* old : {"prompt-1", "prompt-0/adapter_config.json", "trace/start.safetensors"})
    EXPECT_FALSE(fs::exists(folder / "run" / old)) << old;
  expect_ok(graft(command("pairs.jsonl", "run", {"--force"})));
  EXPECT_FALSE(fs::exists(folder / "run" / "adapter.safetensors"));
  for (const std::string& one : mine) EXPECT_EQ(read_file(folder / "run" / one), "mine") << one;
}

TEST_F(Tune, StoppedWhileItIsScoredItGoesOnWithTheScore) {
  std::string many = read_file(data("pairs.jsonl"));
  for (int i = 0; i < 7; ++i) many += many;  // 3072 examples
  write_file(folder / "many.jsonl", many);
  const Arguments more{"--test", data("many.jsonl"), "--score", "3000", "--steps", "1"};
  Process process(here::program(), command("pairs.jsonl", "run", more));
  EXPECT_TRUE(comes(folder / "run" / "adapter_model.safetensors"));
  kill(process.id(), SIGINT);
  const Result stopped = process.wait();
  EXPECT_EQ(stopped.code, 130) << stopped;
  EXPECT_FALSE(fs::exists(folder / "run" / "result.json"));
  expect_ok(graft({"--quiet", "--threads", "1", "tune", "--resume", folder / "run"}));
  EXPECT_TRUE(result("run").contains("score"));
}

TEST_F(Tune, AComparisonEndsWhereChildrenAreIgnored) {
  const Arguments compare{"--quiet",   "--threads", "1",        "compare", "--model", tiny(),   "--data", data("pairs.jsonl"),
                          "--methods", "lora",      "--steps", "2",       "--out",   folder / "comparison"};
  signal(SIGCHLD, SIG_IGN);  // which a program that is begun now inherits
  Process process(here::program(), compare);
  signal(SIGCHLD, SIG_DFL);
  for (int i = 0; i < 600 && !fs::exists(folder / "comparison" / "report.json"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  if (!fs::exists(folder / "comparison" / "report.json")) kill(process.id(), SIGKILL);
  expect_ok(process.wait());
}

TEST_F(Tune, AShareOfWarmUpIsRoundedUp) {
  expect_ok(graft(command("pairs.jsonl", "run", {"--warmup", "0.03", "--steps", "20"})));
  std::ifstream in(folder / "run" / "metrics.jsonl");
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(Json::parse(line)["rate"], 0.0) << line;
}

TEST_F(Tune, RealSaysWhatItsBibleLacks) {
  std::string verses;
  for (const char* book :
       {"Ge",   "Exo",  "Lev",  "Num",  "Deu",  "Josh", "Jdgs", "Ruth", "1Sm",  "2Sm",   "1Ki",  "2Ki",  "1Chr", "2Chr",
        "Ezra", "Neh",  "Est",  "Acts", "Job",  "Psa",  "Prv",  "Eccl", "SSol", "Isa",   "Jer",  "Lam",  "Eze",  "Dan",
        "Hos",  "Joel", "Amos", "Obad", "Jonah", "Mic", "Nahum", "Hab", "Zep",  "Hag",   "Zec",  "Mal",  "Mat",  "Mark",
        "Luke", "John", "Rom",  "1Cor", "2Cor", "Gal",  "Eph",  "Phi",  "Col",  "1Th",   "2Th",  "1Tim", "2Tim", "Titus",
        "Phmn", "Heb",  "Jas",  "1Pet", "2Pet", "1Jn",  "2Jn",  "3Jn",  "Jude", "Rev"})
    verses += std::string(book) + "1:1 the cat sat\n";
  write_file(folder / "bible.txt", verses);
  expect_fails(graft({"--quiet", "real", "--model", tiny(), "--bible", data("bible.txt"), "--out", folder / "real"}),
               "give the whole Bible");
}

TEST(Pace, IsThatOfTheLatestSteps) {
  cli::Pace pace(20);
  EXPECT_EQ(pace.each(), 0);
  pace.at(60, 1);  // the first took a minute
  EXPECT_EQ(pace.each(), 0);
  for (int step = 2; step <= 10; ++step) pace.at(60 + (step - 1) * 10, step);
  EXPECT_DOUBLE_EQ(pace.each(), 10);
  for (int step = 11; step <= 60; ++step) pace.at(150 + (step - 10) * 0.5, step);
  EXPECT_DOUBLE_EQ(pace.each(), 0.5);
}

}  // namespace
}  // namespace graft::testing
