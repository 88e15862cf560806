// What is put around texts, by every command alike: the token that begins one, the system turn of a chat, the token that ends one;
// ids that no token has; and the small files that models take along.
#include "autograd/sizes.h"
#include "nn/evaluate.h"
#include "nn/generate.h"
#include "tests/cli/tune_fixture.h"
#include "tokenizer/chat.h"

namespace graft::testing {
namespace {

const char* const system_template =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nthe "
    "cat<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
    "'\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

class Texts : public Tune {
 protected:
  /// A copy of the tiny model, of which files of JSON are changed.
  std::string copy(const std::string& name, const std::map<std::string, std::function<void(Json&)>>& changes) {
    fs::copy(tiny(), folder / name);
    for (const auto& [file, change] : changes) {
      Json all = fs::exists(folder / name / file) ? Json::parse(read_file(folder / name / file)) : Json::object();
      change(all);
      write_file(folder / name / file, all.dump());
    }
    return folder / name;
  }
  /// Its tokenizer puts <|endoftext|> before a text.
  std::string begins() {
    return copy("begins", {{"tokenizer.json", [](Json& j) {
                              const Json piece = {{"SpecialToken", {{"id", "<|endoftext|>"}, {"type_id", 0}}}};
                              const Json rest = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
                              const Json token = {{"id", "<|endoftext|>"}, {"ids", {0}}, {"tokens", {"<|endoftext|>"}}};
                              j["post_processor"] = {{"type", "TemplateProcessing"},
                                                     {"single", {piece, rest}},
                                                     {"pair", {piece, rest}},
                                                     {"special_tokens", {{"<|endoftext|>", token}}}};
                            }}});
  }
  std::string tuned(const std::string& model, const std::string& file, const std::string& out, Arguments more = {}) {
    Arguments all = command(file, out, more);
    *std::find(all.begin(), all.end(), tiny()) = model;
    expect_ok(graft(all));
    return read_file(folder / out / "adapter_model.safetensors");
  }
  std::string said(Arguments all) {
    const Result r = graft(all);
    expect_ok(r);
    return r.out;
  }
};

TEST_F(Texts, TheBeginningIsPutWhereTheTokenizerSaysSo) {
  const std::string model = begins(), words = "the cat sat on the mat";
  write_file(folder / "text", words);
  const Tokenizer tokenizer = load_tokenizer_of(model);
  std::vector<Id> ids = tokenizer.encode(words);
  const Loaded loaded = load_model(model);
  char plain[60], begun[60];
  std::snprintf(plain, sizeof plain, "%.6f", evaluate(*loaded.model, ids).mean());
  ids.insert(ids.begin(), 0);
  std::snprintf(begun, sizeof begun, "%.6f", evaluate(*loaded.model, ids).mean());
  ASSERT_STRNE(plain, begun);
  const auto loss = [&](const std::string& of, const Arguments& more) {
    Arguments all{"evaluate", "--model", of, "--text", folder / "text"};
    all.insert(all.end(), more.begin(), more.end());
    const std::string out = said(all);
    return out.substr(out.find("token  ") + 7, 8);
  };
  EXPECT_EQ(loss(model, {}), begun);
  EXPECT_EQ(loss(model, {"--bos"}), begun) << "never twice";
  EXPECT_EQ(loss(model, {"--no-bos"}), plain);
  EXPECT_EQ(loss(tiny(), {}), plain);

  GenerateOptions how;
  how.max_tokens = 6;
  const auto written = [&](std::vector<Id> prompt) {
    Rng rng(1);
    const std::vector<Id> row = generate(*loaded.model, {prompt}, how, rng)[0];
    const std::string text = tokenizer.decode({row.begin(), row.end()}, true);
    return text + (text.empty() || text.back() != '\n' ? "\n" : "");
  };
  const auto goes_on = [&](const Arguments& more) {
    Arguments all{"generate", "--model", model, "--prompt", words, "--max-tokens", "6", "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return said(all);
  };
  EXPECT_EQ(goes_on({}), written(ids));
  EXPECT_EQ(goes_on({"--no-bos"}), written({ids.begin() + 1, ids.end()}));
  EXPECT_EQ(
      said({"generate", "--model", model, "--prompt", "<|endoftext|>" + words, "--specials", "--max-tokens", "6", "--quiet"}),
      written(ids))
      << "it is there already";
  EXPECT_EQ(said({"tokenize", "--model", model, "--ids", "the"}).substr(0, 3), "[0,");
  EXPECT_EQ(said({"tokenize", "--model", model, "--ids", "--no-bos", "the"}),
            said({"tokenize", "--model", tiny(), "--ids", "the"}));
  expect_fails(graft({"evaluate", "--model", copy("none", {{"tokenizer_config.json", [](Json& j) { j = Json::object(); }}}),
                      "--text", folder / "text", "--bos"}),
               "names no beginning-of-text token");
}

TEST_F(Texts, TuneTrainsWithTheBeginning) {
  const std::string model = begins();
  // the same weights, told by hand: config.json names the token
  const std::string by_hand = copy("by-hand", {{"config.json", [](Json& j) { j["bos_token_id"] = 0; }}});
  for (const char* file : {"pairs.jsonl", "lines.txt", "labelled.jsonl"}) {
    SCOPED_TRACE(file);
    const std::string name = file;
    const auto trained = [&](const std::string& of, const char* number, const char* more = nullptr) {
      Arguments all{"--split", "0.4"};  // the text is few windows
      if (more) all.push_back(more);
      return tuned(of, file, name + number, all);
    };
    const std::string told = trained(by_hand, "1", "--bos"), plain = trained(by_hand, "2");
    EXPECT_NE(told, plain);
    EXPECT_EQ(trained(model, "3"), told);
    EXPECT_EQ(trained(model, "4", "--no-bos"), plain);
  }
  // chats have their own beginning
  EXPECT_EQ(tuned(model, "chat.jsonl", "chat1"), tuned(by_hand, "chat.jsonl", "chat2"));

  const Json run = Json::parse(read_file(folder / "pairs.jsonl3" / "run.json"));
  EXPECT_EQ(run["texts"]["begin"], Json::array({0}));
  // What is asked of the adapter begins as it was trained, whatever the tokenizer says.
  const auto loss = [&](const std::string& adapter, Arguments more = {}) {
    Arguments all{"evaluate", "--model", model, "--text", data("lines.txt"), "--adapter", folder / adapter};
    all.insert(all.end(), more.begin(), more.end());
    return said(all);
  };
  EXPECT_EQ(loss("lines.txt4"), loss("lines.txt4", {"--no-bos"}));
  EXPECT_EQ(loss("lines.txt3"), loss("lines.txt3", {"--bos"}));
  EXPECT_NE(loss("lines.txt4"), loss("lines.txt4", {"--bos"}));
  const auto classes = [&](const std::string& adapter, Arguments more = {}) {
    Arguments all{"classify", "--model", model, "--adapter", folder / adapter, "--text", "the cat sat on"};
    all.insert(all.end(), more.begin(), more.end());
    return said(all);
  };
  EXPECT_EQ(classes("labelled.jsonl4"), classes("labelled.jsonl4", {"--no-bos"}));
  EXPECT_EQ(classes("labelled.jsonl3"), classes("labelled.jsonl3", {"--bos"}));
  EXPECT_NE(classes("labelled.jsonl3"), classes("labelled.jsonl3", {"--no-bos"}));
}

TEST_F(Texts, ARunGoesOnAsItBegan) {
  const std::string model = begins();
  const std::string plain = tuned(model, "pairs.jsonl", "plain", {"--no-bos"}), begun = tuned(model, "pairs.jsonl", "begun");
  const auto from_the_start = [&](const std::string& out, const std::function<void(Json&)>& change) {
    Json run = Json::parse(read_file(folder / out / "run.json"));
    change(run);
    write_file(folder / out / "run.json", run.dump());
    for (const char* file : {"checkpoint.safetensors", "adapter_model.safetensors", "before.json"})
      fs::remove(folder / out / file);
    for (const std::string& name : names(out))
      if (name.rfind("best-", 0) == 0) fs::remove(folder / out / name);
    expect_ok(graft({"--quiet", "--threads", "1", "tune", "--resume", folder / out}));
    return read_file(folder / out / "adapter_model.safetensors");
  };
  EXPECT_EQ(from_the_start("begun", [](Json&) {}), begun);
  EXPECT_EQ(from_the_start("begun", [](Json& run) { run["texts"]["begin"] = Json::array(); }), plain)
      << "the file of the run counts";
  EXPECT_EQ(from_the_start("plain", [](Json&) {}), plain);
  // A run that was begun before this was kept put nothing before texts; config.json names no end, so none was learned.
  const std::string old = from_the_start("begun", [](Json& run) { run.erase("texts"); });
  EXPECT_NE(old, begun);
  EXPECT_NE(old, plain) << "the tokenizer's end";
}

TEST_F(Texts, TheEndIsLearnedAndItsAbsenceIsTold) {
  // The tiny model's config.json names no end; its tokenizer says <|endoftext|>.
  const std::string in_config = copy("in-config", {{"config.json", [](Json& j) { j["eos_token_id"] = 0; }},
                                                   {"tokenizer_config.json", [](Json& j) { j = Json::object(); }}});
  const std::string in_generation = copy("in-generation", {{"generation_config.json",
                                                            [](Json& j) {
                                                              j["eos_token_id"] = {0, 2};
                                                            }},
                                                           {"tokenizer_config.json", [](Json& j) { j = Json::object(); }}});
  const std::string nowhere = copy("nowhere", {{"tokenizer_config.json", [](Json& j) { j = Json::object(); }}});
  const std::string learned = tuned(tiny(), "pairs.jsonl", "a");
  EXPECT_EQ(tuned(in_config, "pairs.jsonl", "b"), learned);
  EXPECT_EQ(tuned(in_generation, "pairs.jsonl", "c"), learned);
  EXPECT_NE(tuned(nowhere, "pairs.jsonl", "d"), learned);
  const auto told = [&](const std::string& model) {
    Arguments all = command("pairs.jsonl", "e");
    all.erase(all.begin());  // --quiet
    *std::find(all.begin(), all.end(), tiny()) = model;
    all.push_back("--force");
    return graft(all).err.find("the end of a text is not learned") != std::string::npos;
  };
  EXPECT_TRUE(told(nowhere));
  EXPECT_FALSE(told(tiny()));
}

TEST_F(Texts, EveryEndEndsWhatIsWritten) {
  const Loaded loaded = load_model(tiny());
  const Tokenizer tokenizer = load_tokenizer_of(tiny());
  GenerateOptions how;
  how.max_tokens = 12;
  Rng rng(1);
  const std::vector<Id> prompt = tokenizer.encode("the cat"), row = generate(*loaded.model, {prompt}, how, rng)[0];
  const Id end = row[4];
  const std::size_t first = static_cast<std::size_t>(std::find(row.begin(), row.end(), end) - row.begin());
  const std::string expected = tokenizer.decode({row.begin(), row.begin() + static_cast<std::ptrdiff_t>(first)}, true);
  const std::string lists = copy("lists", {{"generation_config.json", [&](Json& j) { j["eos_token_id"] = {2, end}; }}});
  const std::string one = copy("one", {{"generation_config.json", [&](Json& j) { j["eos_token_id"] = end; }}});
  const std::string config = copy("config", {{"config.json", [&](Json& j) { j["eos_token_id"] = {1, end}; }}});
  const std::string named = copy("named", {{"tokenizer_config.json", [&](Json& j) { j["eos_token"] = tokenizer.token(end); }}});
  for (const std::string& model : {lists, one, config, named})
    EXPECT_EQ(said({"generate", "--model", model, "--prompt", "the cat", "--max-tokens", "12", "--quiet"}),
              expected + (expected.empty() || expected.back() != '\n' ? "\n" : ""))
        << model;
}

/// An adapter of a stranger may bring a run.json of any kind; what is not an id is not made one.
TEST_F(Texts, NumbersOfARunThatAreNoIdsAreNotCastToSome) {
  (void)tuned(tiny(), "pairs.jsonl", "run");
  const std::string run = folder / "run", file = folder / "run/run.json";
  const auto said_with = [&] {
    return said({"generate", "--model", tiny(), "--adapter", run, "--prompt", "the cat", "--max-tokens", "4", "--quiet"});
  };
  const std::string before = said_with();
  const Json good = Json::parse(read_file(file));
  for (const char* begin : {"[1e300]", "[3.7]", "[true]", "[99999999999]", "\"x\"", "[-7]", "{}"}) {
    Json other = good;
    other["texts"]["begin"] = Json::parse(begin);
    write_file(file, other.dump());
    EXPECT_EQ(said_with(), before) << begin;
  }
}

TEST_F(Texts, ChatsBeginWithTheModelsOwnSystemTurn) {
  const std::string model = copy("chats", {{"tokenizer_config.json", [](Json& j) { j["chat_template"] = system_template; }}});
  const auto answer = [&](const std::string& of, const Arguments& more) {
    Arguments all{"generate", "--model", of, "--chat", "on", "--max-tokens", "5"};
    all.insert(all.end(), more.begin(), more.end());
    const Result r = graft(all);
    expect_ok(r);
    return r;
  };
  EXPECT_EQ(answer(model, {}).out, answer(tiny(), {"--system", "the cat"}).out);
  EXPECT_EQ(answer(model, {"--no-system"}).out, answer(tiny(), {}).out);
  EXPECT_EQ(answer(model, {"--system", "rat"}).out, answer(tiny(), {"--system", "rat"}).out);
  EXPECT_NE(answer(model, {}).err.find("begin with the model's own, \"the cat\""), std::string::npos);
  EXPECT_NE(answer(model, {"--no-system"}).err.find("\"the cat\", is not used"), std::string::npos);
  EXPECT_EQ(answer(tiny(), {}).err.find("graft: "), std::string::npos);
  const std::string other =
      copy("other", {{"tokenizer_config.json", [](Json& j) { j["chat_template"] = "{{ messages[0] }}"; }}});
  EXPECT_NE(answer(other, {}).err.find("chat template is not ChatML"), std::string::npos);
  std::string loud = system_template;  // what it says is shown, and is no command to the terminal
  loud.replace(loud.find("the cat"), 7, "the \x1b[31mcat");
  const std::string commands = copy("commands", {{"tokenizer_config.json", [&](Json& j) { j["chat_template"] = loud; }}});
  for (const Arguments& more : {Arguments{}, Arguments{"--no-system"}}) {
    const std::string said = answer(commands, more).err;
    EXPECT_NE(said.find("the \\x1b[31mcat"), std::string::npos) << said;
    EXPECT_EQ(said.find('\x1b'), std::string::npos) << said;
  }

  const std::string with = tuned(model, "chat.jsonl", "with"), without = tuned(tiny(), "chat.jsonl", "without");
  EXPECT_NE(with, without);
  EXPECT_EQ(tuned(tiny(), "chat.jsonl", "told", {"--system", "the cat"}), with);
  EXPECT_EQ(tuned(model, "chat.jsonl", "not", {"--no-system"}), without);
  // What is asked of the adapter begins as it was trained.
  EXPECT_EQ(answer(model, {"--adapter", folder / "not"}).out, answer(model, {"--adapter", folder / "not", "--no-system"}).out);
}

TEST_F(Texts, IdsWithoutATokenAreNoText) {
  const Tokenizer tokenizer = load_tokenizer_of(tiny());
  LlamaConfig c;
  c.vocabulary = 8 * size_of(tokenizer);  // most of its rows have no token
  c.context = 64, c.dim = 16, c.hidden = 24, c.layers = 2, c.heads = 2, c.kv_heads = 1;
  auto model = std::make_unique<Llama>(c);
  Rng rng(1);
  model->initialize(rng);
  Loaded loaded;
  loaded.model = model.get();
  loaded.root = std::move(model);
  fs::create_directory(folder / "padded");
  save_model(loaded, folder / "padded", "F32", &tokenizer);
  for (const char* seed : {"1", "2", "3"}) {
    const Result r = graft({"generate", "--model", folder / "padded", "--prompt", "the", "--seed", seed, "--max-tokens", "40"});
    EXPECT_EQ(r.code, 0) << r;
    EXPECT_NE(r.err.find("40 tokens"), std::string::npos) << r;
  }
  tuned(folder / "padded", "pairs.jsonl", "run");
  EXPECT_FALSE(result("run")["samples"].empty());
  tuned(folder / "padded", "lines.txt", "text", {"--split", "0.4"});
  const std::string beyond = std::to_string(tokenizer.size());
  const Result back = graft({"tokenize", "--model", tiny(), "--decode", "[" + beyond + "]"});
  EXPECT_EQ(back.out, "\n");
  EXPECT_NE(back.err.find("no token has the id " + beyond), std::string::npos) << back;
}

TEST_F(Texts, ModelsTakeTheirSmallFilesAlong) {
  const std::string model =
      copy("model", {{"tokenizer_config.json",
                      [](Json& j) { j["chat_template"] = system_template, j["model_max_length"] = 64, j["note"] = "kept"; }},
                     {"generation_config.json",
                      [](Json& j) {
                        j = {{"eos_token_id", {0, 2}}, {"temperature", 0.5}};
                      }},
                     {"special_tokens_map.json", [](Json& j) { j["eos_token"] = "<|endoftext|>"; }}});
  write_file(folder / "model" / "chat_template.jinja", system_template);
  tuned(model, "pairs.jsonl", "lora");
  Arguments full = command("pairs.jsonl", "full", {"--method", "full"});
  *std::find(full.begin(), full.end(), tiny()) = model;
  expect_ok(graft(full));
  expect_ok(graft({"convert", "--model", model, "--out", folder / "converted"}));
  expect_ok(graft({"merge", "--model", model, "--adapter", folder / "lora", "--out", folder / "merged"}));
  for (const char* out : {"full", "converted", "merged"}) {
    SCOPED_TRACE(out);
    for (const char* file : {"generation_config.json", "special_tokens_map.json", "chat_template.jinja"})
      EXPECT_EQ(read_file(folder / out / file), read_file(folder / "model" / file)) << file;
    const Json config = Json::parse(read_file(folder / out / "tokenizer_config.json"));
    EXPECT_EQ(config["chat_template"], system_template);
    EXPECT_EQ(config["model_max_length"], 64);
    EXPECT_EQ(config["note"], "kept");
  }
  // Another model in the same folder keeps nothing of this one.
  expect_ok(graft({"convert", "--model", tiny(), "--out", folder / "converted", "--force"}));
  EXPECT_FALSE(fs::exists(folder / "converted/generation_config.json"));
  EXPECT_FALSE(fs::exists(folder / "converted/chat_template.jinja"));
  EXPECT_FALSE(Json::parse(read_file(folder / "converted/tokenizer_config.json")).contains("chat_template"));
}

}  // namespace
}  // namespace graft::testing
