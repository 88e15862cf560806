// The base of the small world: trained once, then kept in the user's cache.
#include <unistd.h>

#include <filesystem>

#include "formats/fingerprint.h"
#include "formats/user_cache.h"
#include "lesson/world.h"
#include "nn/load.h"
#include "train/data.h"
#include "train/steps.h"

namespace graft::lesson {
namespace {

namespace fs = std::filesystem;

// Everything that determines the base; a change gives another one, in a folder of its own.
constexpr Index steps = 500, rows = 32;  // so many at each rate
constexpr double rates[] = {3e-3, 5e-4};
std::string key() {
  std::string all = text(steps, ' ', rows, ' ', rates[0], ' ', rates[1], ' ', config().dim, ' ', config().layers, ' ', config().heads, ' ', sizeof(real));
  for (const std::string& line : world().lines) all += line;
  return text(std::hex, formats::fingerprint(all));
}

std::unique_ptr<Gpt2> trained() {
  auto model = std::make_unique<Gpt2>(config());
  Rng rng(1);
  model->initialize(rng);
  const train::Order order(size_of(world().lines), rows, 1);
  Index step = 0;
  const auto loss = [&] {
    std::vector<std::string> lines;
    for (const Index i : order(step++)) lines.push_back(nth(world().lines, i));
    return language_loss(*model, train::batch(world().tokenizer, lines));
  };
  for (const double rate : rates) train::steps(*model, steps, rate, loss);
  return model;
}

/// As the file has it, or null.
std::unique_ptr<Gpt2> kept(const fs::path& folder) {
  try {
    if (!fs::exists(folder / "config.json")) return nullptr;
    Loaded loaded = load_model(folder.string());
    if (!dynamic_cast<Gpt2*>(loaded.root.get()) || loaded.model->vocabulary() != config().vocabulary) return nullptr;
    return std::unique_ptr<Gpt2>(dynamic_cast<Gpt2*>(loaded.root.release()));
  } catch (const std::exception&) {
    return nullptr;  // damaged: it is trained again
  }
}

/// Complete or not at all: it is written beside its place and moved there.
void keep(Gpt2& model, const fs::path& folder) {
  std::error_code error;
  const fs::path beside = folder.string() + text(".", getpid());
  try {
    save_model(model, beside.string(), &world().tokenizer);
    fs::remove_all(folder, error);
    fs::rename(beside, folder, error);
  } catch (const std::exception&) {
    // a full disk, say: the next call trains it again
  }
  fs::remove_all(beside, error);
}

}  // namespace

Gpt2Config config() {
  Gpt2Config c;
  c.vocabulary = size_of(world().tokenizer);
  c.context = 48, c.dim = 64, c.layers = 2, c.heads = 4;
  return c;
}

std::unique_ptr<Gpt2> base() {
  const std::string cache = formats::user_cache("lesson");
  const fs::path folder = fs::path(cache) / ("base-" + key());
  if (!cache.empty())
    if (auto model = kept(folder)) return model;
  auto model = trained();
  if (cache.empty()) return model;
  keep(*model, folder);
  if (auto same = kept(folder)) return same;  // also where `real` is double, and the file has floats
  return model;
}

}  // namespace graft::lesson
