// graft generate: what is written, in which order, and how it ends. Which tokens are right is tested in tests/nn.
#include <csignal>
#include <thread>

#include "autograd/sizes.h"
#include "nn/generate.h"
#include "tests/cli/models.h"
#include "tests/here.h"
#include "tokenizer/chat.h"

namespace graft::testing {
namespace {

Result generate(const Arguments& arguments, const std::string& input = "") {
  Arguments all{"generate", "--model", tiny()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return graft(all, {input, {}, {}, ""});
}

/// What the library itself generates, as text.
std::string expected(const std::string& prompt, Index max_tokens, const Sampling& sampling = {}, std::uint64_t seed = 1) {
  const Loaded loaded = load_model(tiny());
  const Tokenizer tokenizer = load_tokenizer_of(tiny());
  const std::vector<TokenId> ids = tokenizer.encode(prompt);
  GenerateOptions options;
  options.sampling = sampling;
  options.max_tokens = max_tokens;
  Rng rng(seed);
  const auto rows = graft::generate(*loaded.model, {{ids.begin(), ids.end()}}, options, rng);
  return tokenizer.decode({rows[0].begin(), rows[0].end()}, true);
}

std::string line(const std::string& s) { return s + (s.empty() || s.back() != '\n' ? "\n" : ""); }

TEST(Generate, OnePrompt) {
  const std::string prompt = "the cat", more = expected(prompt, 12);
  const Result r = generate({"--prompt", prompt, "--max-tokens", "12"});
  expect_works(r);
  EXPECT_EQ(r.out, line(prompt + more));
  EXPECT_NE(r.err.find("12 tokens, "), std::string::npos) << r;
  EXPECT_NE(r.err.find("tokens/s"), std::string::npos) << r;
  EXPECT_EQ(generate({"--prompt", prompt, "--max-tokens", "12", "--no-echo"}).out, line(more));
  const Result quiet = generate({"--prompt", prompt, "--max-tokens", "12", "--quiet"});
  EXPECT_EQ(quiet.out, line(more));
  EXPECT_EQ(quiet.err, "");
  EXPECT_EQ(generate({"--prompt-file", "-", "--max-tokens", "12"}, prompt).out, r.out);
}

TEST(Generate, SeveralPromptsAreNumberedAndInOrder) {
  const Result r = generate({"--prompt", "the cat", "--prompt", "a", "--prompt", "on the mat", "--max-tokens", "7"});
  expect_works(r);
  EXPECT_EQ(r.out, line("[1] the cat" + expected("the cat", 7)) + "\n" + line("[2] a" + expected("a", 7)) + "\n" +
                       line("[3] on the mat" + expected("on the mat", 7)));
}

TEST(Generate, SamplingFollowsTheSeed) {
  Sampling hot;
  hot.temperature = 2;
  hot.top_k = 50;
  hot.top_p = 0.95;
  hot.repetition_penalty = 1.1;
  Arguments all{"--prompt", "the",          "--quiet", "--temperature", "2",
                "--top-k",  "50",           "--top-p", "0.95",          "--repetition-penalty",
                "1.1",      "--max-tokens", "20",      "--seed",        "7"};
  EXPECT_EQ(generate(all).out, line(expected("the", 20, hot, 7)));
  const std::string before = generate(all).out;
  all.back() = "8";
  EXPECT_NE(generate(all).out, before);
}

TEST(Generate, WhoAsksForDrawingGetsIt) {
  Sampling few, likely, plain;
  few.temperature = likely.temperature = plain.temperature = 1;
  few.top_k = 5, likely.top_p = 0.9;
  const std::string greedy = line(expected("the", 20));
  for (const auto& [arguments, sampling, seed] : std::vector<std::tuple<Arguments, Sampling, std::uint64_t>>{
           {{"--top-k", "5"}, few, 1}, {{"--top-p", "0.9"}, likely, 1}, {{"--seed", "7"}, plain, 7}}) {
    Arguments all{"--prompt", "the", "--quiet", "--max-tokens", "20"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    EXPECT_EQ(generate(all).out, line(expected("the", 20, sampling, seed))) << arguments[0];
    EXPECT_NE(generate(all).out, greedy) << arguments[0];
    all.insert(all.end(), {"--temperature", "0"});
    EXPECT_EQ(generate(all).out, greedy) << "asked for by name, with " << arguments[0];
  }
  EXPECT_NE(graft({"generate", "--help"}).out.find("with --top-k,"), std::string::npos) << graft({"generate", "--help"});
}

TEST(Generate, StopsBeforeAStopString) {
  const std::string all = expected("the cat", 20);
  const std::string stop = all.substr(all.size() / 2, 2);
  const Result r = generate({"--prompt", "the cat", "--quiet", "--max-tokens", "20", "--stop", "nowhere", "--stop", stop});
  expect_works(r);
  EXPECT_EQ(r.out, line(all.substr(0, all.find(stop))));
}

TEST(Generate, TheDefaultLengthKeepsWithinTheContext) {
  const Result r = generate({"--prompt", "the cat sat on the mat"});
  expect_works(r);
  expect_fails(generate({"--prompt", "the cat", "--max-tokens", "64"}), "exceed the model's context of 64");
  std::string much;
  for (int i = 0; i < 80; ++i) much += "mat ";
  expect_fails(generate({"--prompt", much}), "context of 64");
}

TEST(Generate, Chat) {
  const Loaded loaded = load_model(tiny());
  const Tokenizer tokenizer = load_tokenizer_of(tiny());
  const std::vector<TokenId> ids = chatml(tokenizer, {{"system", "cat"}, {"user", "the <|im_end|>"}});
  GenerateOptions options;
  options.max_tokens = 5;
  options.ends = {tokenizer.id("<|im_end|>")};
  Rng rng(1);
  const auto rows = graft::generate(*loaded.model, {{ids.begin(), ids.end()}}, options, rng);
  const Result r = generate({"--system", "cat", "--chat", "the <|im_end|>", "--max-tokens", "5"});
  expect_works(r);
  EXPECT_EQ(r.out, line(tokenizer.decode({rows[0].begin(), rows[0].end()}, true)));
}

TEST(Generate, WrongInput) {
  expect_refuses(generate({}), "give --prompt, --prompt-file or --chat");
  expect_refuses(generate({"--prompt", "a", "--chat", "b"}), "excludes");
  expect_refuses(generate({"--prompt", "a", "--prompt-file", "b"}), "excludes");
  expect_refuses(generate({"--prompt", "a", "--system", "b"}), "equires");
  for (const auto& [option, value] : std::vector<std::pair<std::string, std::string>>{{"--max-tokens", "0"},
                                                                                      {"--max-tokens", "1.5"},
                                                                                      {"--temperature", "-1"},
                                                                                      {"--temperature", "nan"},
                                                                                      {"--temperature", "1x"},
                                                                                      {"--top-k", "-1"},
                                                                                      {"--top-p", "0"},
                                                                                      {"--top-p", "1.01"},
                                                                                      {"--repetition-penalty", "0"},
                                                                                      {"--seed", "-1"},
                                                                                      {"--max-tokens", "010"},
                                                                                      {"--max-tokens", "0x10"},
                                                                                      {"--max-tokens", "1e2"},
                                                                                      {"--max-tokens", "+5"},
                                                                                      {"--max-tokens", " 5"},
                                                                                      {"--max-tokens", "99999999999999999999"},
                                                                                      {"--seed", "00"},
                                                                                      {"--seed", "--7"},
                                                                                      {"--top-k", "-010"},
                                                                                      {"--temperature", "1e999"},
                                                                                      {"--temperature", ""},
                                                                                      {"--stop", ""}})
    expect_refuses(generate({"--prompt", "a", option, value}), option);
  expect_fails(generate({"--prompt", ""}), "has no tokens");
  expect_fails(generate({"--prompt-file", "/nowhere/x"}), "/nowhere/x");
  expect_fails(generate({"--prompt", "a", "--bos"}), "bos");
  for (const char* name : {"/models/llama_classifier", "/models/gpt2_token_classifier"})
    expect_fails(graft({"generate", "--model", here::fixtures() + name, "--prompt", "a"}), "is a classifier");
}

TEST(Generate, CtrlCEndsWithWhatIsThere) {
  // A context large enough to be still writing when the signal comes.
  const TemporaryFolder folder;
  LlamaConfig c;
  const Tokenizer tokenizer = load_tokenizer_of(tiny());
  c.vocabulary = size_of(tokenizer);
  c.context = 1000000;
  c.dim = 64;
  c.hidden = 64;
  c.layers = 8;
  c.heads = 2;
  c.kv_heads = 1;
  auto model = std::make_unique<Llama>(c);
  Rng rng(1);
  model->initialize(rng);
  Loaded loaded;
  loaded.model = model.get();
  loaded.root = std::move(model);
  fs::create_directory(folder / "m");
  save_model(loaded, folder / "m", "F32", &tokenizer);
  const Process process(here::program(), {"generate", "--model", folder / "m", "--prompt", "the", "--max-tokens", "900000"});
  for (int i = 0; i < 600 && process.out_so_far().size() < 10; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::string streamed = process.out_so_far();
  EXPECT_GE(streamed.size(), 10u) << "nothing was streamed";
  kill(process.id(), SIGINT);
  const Result r = process.wait();
  EXPECT_EQ(r.code, 130) << r.err;
  EXPECT_EQ(r.out.rfind(streamed, 0), 0u) << "what was streamed stays";
  EXPECT_EQ(r.out.back(), '\n');
  EXPECT_NE(r.err.find("interrupted"), std::string::npos) << r.err;
}

}  // namespace
}  // namespace graft::testing
