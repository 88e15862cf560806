#include "tokenizer/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tokenizer/inside/json.h"

namespace graft {

namespace {

namespace fs = std::filesystem;

// What cannot be asked about (no permission, a name too long) is not there: reading it then says why.
bool there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}
bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::string read(const fs::path& path) {
  expect<FileError>(!is_folder(path), path.string(), " cannot be read: it is a folder");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  expect<FileError>(in.is_open() && (in.peek() == std::ifstream::traits_type::eof() || text << in.rdbuf()), path.string(),
                    " cannot be read: ", std::strerror(errno));
  return text.str();
}

std::string read_if_there(const fs::path& path) { return there(path) ? read(path) : ""; }

/// Into a new file beside `path`, flushed to the disk, then renamed over it; on an error the new file is removed.
void replace(const fs::path& path, const std::string& text) {
  std::string fresh = path.string() + ".XXXXXX";
  const auto check = [&](bool ok) {
    if (ok) return;
    const std::string why = std::strerror(errno);
    ::unlink(fresh.c_str());
    throw FileError(path.string() + " cannot be written: " + why);
  };
  const int file = ::mkstemp(&fresh[0]);
  if (file < 0) throw FileError(path.string() + " cannot be written: " + std::strerror(errno));
  bool ok = ::fchmod(file, 0644) == 0;
  for (std::size_t done = 0; ok && done < text.size();) {
    const ssize_t count = ::write(file, text.data() + done, text.size() - done);
    ok = count > 0 || (count < 0 && errno == EINTR);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  ok = ok && ::fsync(file) == 0;
  ok = (::close(file) == 0) && ok;
  check(ok);
  check(::rename(fresh.c_str(), path.c_str()) == 0);
}

std::string config_of(const Tokenizer& tokenizer) {
  const Tokenizer::Parts& parts = tokenizer.parts();
  json::Value config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"add_prefix_space", false}};
  const std::pair<const char*, TokenId> ends[] = {
      {"bos_token", parts.bos}, {"eos_token", parts.eos}, {"unk_token", parts.unk}, {"pad_token", parts.pad}};
  for (const auto& end : ends)
    if (end.second >= 0) config[end.first] = tokenizer.token(end.second);
  return config.dump(2) + "\n";
}

}  // namespace

Tokenizer load_tokenizer(const std::string& path) {
  fs::path file(path);
  if (is_folder(file)) {
    const fs::path folder = file;
    file = folder / "tokenizer.json";
    if (!there(file)) {
      expect<FileError>(there(folder / "vocab.json") && there(folder / "merges.txt"), path,
                        " has neither tokenizer.json nor vocab.json and merges.txt");
      return from_vocab_and_merges(
          read(folder / "vocab.json"), read(folder / "merges.txt"), path, read_if_there(folder / "tokenizer_config.json"),
          read_if_there(folder / "special_tokens_map.json"), read_if_there(folder / "added_tokens.json"));
    }
  }
  return from_json(read(file), file.string(), read_if_there(file.parent_path() / "tokenizer_config.json"));
}

void save_tokenizer(const Tokenizer& tokenizer, const std::string& path) {
  const std::string text = to_json(tokenizer);
  if (!is_folder(path)) return replace(path, text);
  replace(fs::path(path) / "tokenizer.json", text);
  replace(fs::path(path) / "tokenizer_config.json", config_of(tokenizer));
}

}  // namespace graft
