#include "cli/tune/folder.h"

#include "autograd/errors.h"
#include "formats/file.h"

namespace graft::cli {

namespace fs = std::filesystem;

namespace {
std::filesystem::path made(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  expect<FileError>(!error && fs::is_directory(path), "--out: cannot make the folder ", path,
                    error ? ": " + error.message() : "");
  return path;
}
}  // namespace

Folder::Folder(const std::string& path, const std::string& who) : path_(made(path)), lock_(file(".lock")) {
  expect<FileError>(lock_.try_take(), "--out: another ", who, " is at work in ", path);
}

bool Folder::foreign() const {
  for (const auto& entry : fs::directory_iterator(path_))
    if (entry.path().filename() != ".lock") return true;
  return false;
}

std::string Folder::best(Index step) { return text("best-", step, ".safetensors"); }

void Folder::clear() const {
  for (const auto& entry : fs::directory_iterator(path_))
    if (entry.path().filename() != ".lock") fs::remove_all(entry.path());
}

void Folder::keep_best(Index step) const {
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("best-", 0) == 0 && name != best(step)) fs::remove(entry.path());
  }
}

void write_json(const std::string& file, const nlohmann::json& value) {
  formats::write_text(file, value.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace graft::cli
