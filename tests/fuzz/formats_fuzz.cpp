// Mutations of the small fixtures for both readers of model files.
#include "formats/gguf.h"
#include "formats/safetensors.h"
#include "tests/fuzz/mutate.h"

namespace {

using namespace graft::formats;

std::vector<std::string> corpus(const char* name) {
  std::vector<std::string> all;
  const nlohmann::json fixture = fuzz::fixture(name);
  for (const auto& row : fixture["cases"]) {
    std::string file = fuzz::unpacked(row["bytes"]);
    if (file.size() < 4096) all.push_back(file);
    if (row["accepts"] && file.size() < 4096) all.insert(all.end(), 3, file);  // more of what gets far
  }
  return all;
}

std::string path(const char* name) { return testing::TempDir() + "graft_fuzz_" + name; }

TEST(Fuzz, MemoryOfTheLibraryIsCounted) {
  const std::string file = path("counted");
  std::ofstream(file) << std::string(300000, 'x');
  fuzz::memory() = {};
  const std::string text = read_text(file);  // its string grows inside the library
  EXPECT_GE(fuzz::memory().largest, 300000u);
  EXPECT_GE(fuzz::memory().peak, 300000u);
  std::remove(file.c_str());
}

TEST(Fuzz, Safetensors) {
  fuzz::run(corpus("safetensors.json"), path("st.safetensors"), fuzz::cases(6000), 8, 40, [](const std::string& path) {
    const Safetensors file(path);
    for (const auto& [name, tensor] : file.tensors()) {
      unsigned sum = 0;
      for (std::size_t i = 0; i < tensor.bytes; ++i) sum += tensor.data[i];
      ASSERT_LE(sum, 255 * tensor.bytes);
      ASSERT_GE(tensor.numel(), 0);
    }
  });
}

TEST(Fuzz, Gguf) {
  std::vector<std::string> files = corpus("gguf.json");
  files.insert(files.end(), 30, fuzz::unpacked(fuzz::fixture("gguf.json").at("everything")));
  fuzz::run(files, path("g.gguf"), fuzz::cases(6000), 8, 40, [](const std::string& path) {
    const Gguf file(path);
    for (const auto& [name, tensor] : file.tensors()) {
      unsigned sum = 0;
      for (std::size_t i = 0; i < tensor.bytes; ++i) sum += tensor.data[i];
      ASSERT_LE(sum, 255 * tensor.bytes);
    }
  });
}

}  // namespace
