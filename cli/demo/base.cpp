#include "cli/demo/base.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "autograd/errors.h"
#include "autograd/sizes.h"
#include "autograd/threads.h"
#include "cli/compare/children.h"
#include "cli/demo/world.h"
#include "cli/file_lock.h"
#include "cli/fingerprint.h"
#include "cli/interrupt.h"
#include "cli/tune/folder.h"
#include "formats/file.h"
#include "nn/gpt2.h"
#include "nn/load.h"
#include "tokenizer/train.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Everything that determines the base. A change here gives another base, in its own folder.
constexpr Index stories = 9000;
json training(const DemoSize& size, Index most_steps) {
  const Index steps = most_steps > 0 ? std::min(most_steps, size.base_steps) : size.base_steps;
  return {{"method", "full"}, {"by-line", true}, {"length", 128},     {"batch", size.base_batch},
          {"steps", steps},   {"rate", 4e-3},    {"warmup", 0.05},    {"decay", 0.01},
          {"split", 0.02},    {"score", 4},      {"samples", 2},      {"evaluate-every", size.base_steps / 3},
          {"seed", 1},        {"save-every", 100}};
}

std::string told() {
  Rng rng(7);
  std::string all;
  for (Index i = 0; i < stories; ++i) all += story(rng) + "\n";
  return all;
}

/// The user's cache, or a folder in `out` if the cache is not writable.
fs::path cache(const fs::path& out) {
  const auto variable = [](const char* name) { return std::string(std::getenv(name) ? std::getenv(name) : ""); };
  const std::string user = variable("XDG_CACHE_HOME"), home = variable("HOME");
  const fs::path folder = !user.empty()   ? fs::path(user) / "graft"
                          : !home.empty() ? fs::path(home) / ".cache" / "graft"
                                          : fs::path();
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder / "demo", error);
  if (folder.empty() || error || access((folder / "demo").c_str(), W_OK) != 0) { return make_folder(out); }
  return folder / "demo";
}

void write_untrained(const fs::path& folder, const DemoSize& size, const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  const Tokenizer tokenizer = train_tokenizer(lines, demo_vocabulary, PreTokenizer::gpt2, {"<|endoftext|>"});
  Gpt2Config c = size.config();
  c.vocabulary = size_of(tokenizer);
  auto model = std::make_unique<Gpt2>(c);
  Rng rng(1);
  model->initialize(rng);
  Loaded loaded;
  loaded.model = model.get();
  loaded.root = std::move(model);
  loaded.bos = loaded.eos = tokenizer.id("<|endoftext|>");
  loaded.ends = {loaded.eos};
  fs::create_directories(folder);
  save_model(loaded, folder.string(), "F32", &tokenizer);
}

}  // namespace

DemoBases::DemoBases(std::string out, Index most_steps) : out_(std::move(out)), world_(told()), most_steps_(most_steps) {}

std::string DemoBases::key(const DemoSize& size) const {
  return text(std::hex, fingerprint(world_ + training(size, most_steps_).dump() +
                                    text(size.dim, ' ', size.layers, ' ', size.heads, ' ', demo_vocabulary)));
}

bool DemoBases::is_there(const DemoSize& size) const {
  return fs::exists(cache(out_) / ("base-" + key(size)) / "result.json");
}

std::string DemoBases::made(const DemoSize& size, const Globals& globals) const {
  const std::string key = this->key(size);
  const fs::path folder = cache(out_), base = folder / ("base-" + key);
  FileLock one_at_a_time((folder / ".lock").string());
  if (!one_at_a_time.try_take()) {
    std::cerr << "waiting for another graft demo that is training the same base" << std::endl;
    one_at_a_time.take();
  }
  if (!fs::exists(base / "result.json")) {
    const fs::path begun = folder / ("begin-" + key), told_in = folder / ("world-" + key + ".txt"),
                   config = folder / ("base-" + key + ".json");
    Child child;
    if (fs::exists(base / "run.json")) {
      child.arguments = {"tune", "--resume", base.string()};
    } else {
      formats::write_text(told_in.string(), world_);
      write_untrained(begun, size, world_);
      json options = training(size, most_steps_);
      options["model"] = begun.string(), options["data"] = told_in.string();
      formats::write_text(config.string(), options.dump(1));
      child.arguments = {"tune", "--config", config.string(), "--out", base.string()};
    }
    child.arguments.insert(child.arguments.begin(), {"--threads", std::to_string(threads())});
    if (globals.quiet) child.arguments.insert(child.arguments.begin(), "--quiet");
    int code = 0;
    child.ended = [&](int c, double) { code = c; };
    const CatchSignals signals{SIGINT, SIGTERM, SIGHUP};
    run_children({child}, 1, {});
    if (CatchSignals::caught()) throw Interrupted{CatchSignals::caught()};
    expect<ValueError>(code == 0, "the base could not be trained (", base.string(), ")");
  }
  return base.string();
}

}  // namespace graft::cli
