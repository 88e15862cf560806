#include "cli/tune/manifest.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/errors.h"
#include "cli/fingerprint.h"
#include "cli/tune/folder.h"
#include "formats/file.h"

namespace graft::cli {

using nlohmann::json;

namespace {

namespace fs = std::filesystem;

std::string mark(const fs::path& path) {
  constexpr std::size_t whole = std::size_t(32) << 20, piece = 4096, pieces = 2048;
  if (fs::is_directory(path)) {
    std::set<fs::path> files;
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.path().extension() == ".safetensors" || entry.path().filename() == "config.json") files.insert(entry.path());
    std::string all;
    for (const fs::path& file : files) all += file.filename().string() + mark(file);
    return text(std::hex, fingerprint(all));
  }
  const formats::MappedFile file(path.string());
  const auto bytes = [&](std::size_t at, std::size_t n) {
    return std::string(reinterpret_cast<const char*>(file.data()) + at, n);
  };
  if (file.size() == 0) return "0";
  if (file.size() <= whole) return text(std::hex, fingerprint(bytes(0, file.size())));
  std::string some = std::to_string(file.size());
  for (std::size_t i = 0; i < pieces; ++i) some += bytes((file.size() - piece) / (pieces - 1) * i, piece);
  return text(std::hex, fingerprint(some));
}

}  // namespace

json marks_of(const std::vector<std::string>& files) {
  json all = json::object();
  for (const std::string& file : files)
    if (!file.empty()) all[file] = mark(file);
  return all;
}

void write_manifest(const std::string& file, const Manifest& m) {
  json all{{"graft", GRAFT_VERSION}, {"threads", m.threads}, {"data", m.data}, {"options", m.options}};
  if (m.texts) all["texts"] = {{"begin", m.texts->begin}, {"system", m.texts->system}, {"end", m.texts->end}};
  write_json(file, all);
}

}  // namespace graft::cli
