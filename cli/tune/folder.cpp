#include "cli/tune/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "autograd/errors.h"
#include "formats/file.h"

namespace graft::cli {

namespace fs = std::filesystem;

Folder::Folder(const std::string& path, const std::string& who) : path_(path) {
  std::error_code error;
  fs::create_directories(path_, error);
  expect<FileError>(!error && fs::is_directory(path_), "--out: cannot make the folder ", path,
                    error ? ": " + error.message() : "");
  lock_ = open((path_ / ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  expect<FileError>(lock_ >= 0, "--out: cannot write to ", path);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    close(lock_);
    throw FileError(text("--out: another ", who, " is at work in ", path));
  }
}
Folder::~Folder() { close(lock_); }

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
