// graft convert and graft evaluate.
#include <sys/mount.h>

#include <cmath>
#include <csignal>
#include <thread>

#include "formats/safetensors.h"
#include "nn/evaluate.h"
#include "tests/cli/models.h"
#include "tests/here.h"

namespace graft::testing {
namespace {

TEST(Convert, TheFolderSaysTheSame) {
  const TemporaryFolder folder;
  const Result r = graft({"convert", "--model", tiny(), "--out", folder / "out"});
  expect_works(r);
  EXPECT_EQ(r.out, "");
  for (const char* file : {"config.json", "model.safetensors", "tokenizer.json"})
    EXPECT_TRUE(fs::exists(folder / "out" / file)) << file;
  EXPECT_EQ(read_file(folder / "out/model.safetensors"), read_file(tiny() + "/model.safetensors"));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"out"});
  const Arguments say{"generate", "--prompt", "the cat", "--max-tokens", "9", "--quiet", "--model"};
  Arguments before = say, after = say;
  before.push_back(tiny());
  after.push_back(folder / "out");
  EXPECT_EQ(graft(after).out, graft(before).out);
}

TEST(Convert, ForceLeavesNothingOfTheModelBefore) {
  const TemporaryFolder folder;
  expect_works(graft({"convert", "--model", tiny(), "--out", folder / "out"}));
  for (const char* old :
       {"model.safetensors.index.json", "model-00001-of-00002.safetensors", "vocab.json", "merges.txt", "notes.txt"})
    write_file(folder / "out" / old, "{}");
  const std::string fixture = here::fixtures() + "/models/gpt2";
  const Result refused = graft({"convert", "--model", fixture, "--out", folder / "out"});
  expect_fails(refused, "--force");
  expect_works(graft({"convert", "--model", fixture, "--out", folder / "out", "--force"}));
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder / "out")) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"config.json", "model.safetensors", "notes.txt"})) << "the user's own file stays";
  expect_works(graft({"info", folder / "out"}));
}

TEST(Convert, HalvesAreHalfAsLarge) {
  const TemporaryFolder folder;
  for (const char* dtype : {"F16", "BF16"}) {
    const Result r = graft({"convert", "--model", tiny(), "--out", folder / dtype, "--dtype", dtype, "--quiet"});
    expect_works(r);
    EXPECT_EQ(r.err, "");
    EXPECT_LT(fs::file_size(folder / dtype / "model.safetensors"), fs::file_size(tiny() + "/model.safetensors") * 2 / 3);
    expect_works(graft({"info", folder / dtype}));
  }
}

TEST(Convert, FromGguf) {
  const TemporaryFolder folder;
  const std::string gguf = here::fixtures() + "/models/gguf_q4_1.gguf";
  expect_works(graft({"convert", "--model", gguf, "--out", folder / "out"}));
  write_file(folder / "ids.json", "{\"ids\": [[1, 2, 3, 4]]}");
  std::vector<std::vector<float>> numbers;
  for (const std::string& model : {gguf, (folder / "out").string()}) {
    expect_works(graft({"logits", "--model", model, "--ids", folder / "ids.json", "--out", folder / "logits"}));
    const formats::Safetensors file(folder / "logits");
    const formats::TensorEntry& logits = *file.find("logits");
    numbers.emplace_back(static_cast<std::size_t>(logits.numel()));
    formats::read_numbers(logits, numbers.back().data(), "");
  }
  for (std::size_t i = 0; i < numbers[0].size(); ++i) ASSERT_NEAR(numbers[1][i], numbers[0][i], 1e-4);
}

TEST(Convert, WritesOverNothingUnlessForced) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "out");
  expect_works(graft({"convert", "--model", tiny(), "--out", folder / "out"}));  // empty is fine
  const auto written = fs::last_write_time(folder / "out/model.safetensors");
  write_file(folder / "out/notes", "mine");
  expect_fails(graft({"convert", "--model", tiny(), "--out", folder / "out"}), "is not empty");
  EXPECT_EQ(fs::last_write_time(folder / "out/model.safetensors"), written);
  expect_works(graft({"convert", "--model", tiny(), "--out", (folder / "out/").string() + "/", "--force", "--no-tokenizer"}));
  EXPECT_EQ(read_file(folder / "out/notes"), "mine");
  EXPECT_NE(fs::last_write_time(folder / "out/model.safetensors"), written);
  expect_fails(graft({"convert", "--model", folder / "out", "--out", folder / "out", "--force"}), "the model's own folder");
}

TEST(Convert, WrongPlaces) {
  const TemporaryFolder folder;
  write_file(folder / "file", "");
  expect_fails(graft({"convert", "--model", tiny(), "--out", folder / "file"}), "is a file");
  expect_fails(graft({"convert", "--model", tiny(), "--out", folder / "no/where"}), "there is no folder");
  expect_refuses(graft({"convert", "--model", tiny(), "--out", folder / "x", "--dtype", "F8"}), "--dtype");
  fs::copy(tiny(), folder / "half");
  fs::resize_file(folder / "half/model.safetensors", 5000);
  expect_fails(graft({"convert", "--model", folder / "half", "--out", folder / "x"}), "model.safetensors");
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"file", "half"}));
}

/// A signal that comes while the model is written: as if it had not been called, and dead of that signal.
TEST(Convert, ASignalLeavesNothing) {
  const TemporaryFolder folder;
  LlamaConfig c;
  c.vocabulary = 300, c.context = 64, c.dim = 256, c.hidden = 1024, c.layers = 12, c.heads = 2, c.kv_heads = 1;
  auto model = std::make_unique<Llama>(c);
  Rng rng(1);
  model->initialize(rng);
  Loaded loaded;
  loaded.model = model.get();
  loaded.root = std::move(model);
  fs::create_directory(folder / "m");
  save_model(loaded, folder / "m");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    int code = 0;
    for (int attempt = 0; attempt < 20 && code == 0; ++attempt) {  // it may be done before the signal comes
      fs::remove_all(folder / "out");
      const Process process(here::program(),
                            {"convert", "--model", folder / "m", "--out", folder / "out", "--dtype", "F16", "--quiet"});
      const fs::path draft = folder / ("out.part" + std::to_string(process.id()));
      for (int i = 0; i < 60000 && !fs::exists(draft) && !fs::exists(folder / "out"); ++i)
        std::this_thread::sleep_for(std::chrono::microseconds(500));
      kill(process.id(), signal);
      const Result r = process.wait();
      code = r.code;
      EXPECT_TRUE(code == 0 || code == 128 + signal) << r;
      EXPECT_EQ(r.err, "");
      EXPECT_EQ(folder.names(), code == 0 ? std::vector<std::string>({"m", "out"}) : std::vector<std::string>{"m"});
    }
    EXPECT_EQ(code, 128 + signal) << "never caught at work";
  }
}

/// A file system of 32 KiB, where one can be made.
TEST(Convert, AFullDiskLeavesNothing) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "small");
  const std::string small = folder / "small";
  if (mount("none", small.c_str(), "tmpfs", 0, "size=32k") != 0) GTEST_SKIP() << "no small file system can be mounted here";
  const Result converted = graft({"convert", "--model", tiny(), "--out", small + "/out"});
  const bool left = !fs::is_empty(small);
  write_file(
      folder / "ids.json",
      "{\"ids\": "
      "[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40]]}");
  const Result logits = graft({"logits", "--model", tiny(), "--ids", folder / "ids.json", "--out", small + "/logits"});
  const bool left_by_logits = !fs::is_empty(small);
  umount(small.c_str());
  expect_fails(converted, "No space left");
  expect_fails(logits, "No space left");
  EXPECT_FALSE(left);
  EXPECT_FALSE(left_by_logits);
}

TEST(Evaluate, EqualsTheLibrary) {
  const TemporaryFolder folder;
  const std::string words = "the cat sat on the mat and the cat ate the rat";
  write_file(folder / "text", words);
  const Tokenizer tokenizer = load_tokenizer_of(tiny());
  const Loaded loaded = load_model(tiny());
  const std::vector<TokenId> ids = tokenizer.encode(words);
  for (const Index window : {0, 5}) {
    Arguments arguments{"evaluate", "--model", tiny(), "--text", folder / "text"};
    if (window) arguments.insert(arguments.end(), {"--window", std::to_string(window)});
    const Evaluation e = evaluate(*loaded.model, {ids.begin(), ids.end()}, window);
    char expected[200];
    std::snprintf(expected, sizeof expected,
                  "mean negative log-likelihood per token  %.6f\nperplexity  %.4f\ntokens  %zu, %lld of them predicted\n",
                  e.mean(), std::exp(e.mean()), ids.size(), static_cast<long long>(e.tokens));
    const Result r = graft(arguments);
    expect_works(r);
    EXPECT_EQ(r.out, expected);
    EXPECT_EQ(r.err, "");
  }
  EXPECT_EQ(graft({"evaluate", "--model", tiny(), "--text", "-"}, {words, {}, {}, ""}).code, 0);
}

TEST(Evaluate, WrongInput) {
  const TemporaryFolder folder;
  write_file(folder / "empty", "");
  write_file(folder / "one", "a");
  const auto of = [&](const std::string& file, const Arguments& more = {}) {
    Arguments all{"evaluate", "--model", tiny(), "--text", file};
    all.insert(all.end(), more.begin(), more.end());
    return graft(all);
  };
  expect_fails(of(folder / "none"), "none");
  expect_fails(of(folder / "empty"), "0 tokens");
  expect_fails(of(folder / "one"), "1 token");
  expect_fails(of(tiny()), "");
  write_file(folder / "text", "the cat sat on the mat");
  expect_fails(of(folder / "text", {"--window", "65"}), "context of 64");
  expect_fails(of(tiny() + "/config.json"), "contains examples");
  expect_refuses(of(folder / "one", {"--window", "1"}), "--window");
}

}  // namespace
}  // namespace graft::testing
