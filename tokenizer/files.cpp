#include "tokenizer/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tokenizer/inside/config_text.h"
#include "tokenizer/inside/json.h"

namespace graft {

namespace {

namespace fs = std::filesystem;

// A path that cannot be checked (no permission, a name too long) counts as missing; reading it reports why.
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

/// Writes a new file beside `path`, flushes it to the disk and renames it over `path`; on an error the new file is removed.
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

/// The config that was read, except for what differs in graft's files: the class is the generic one for a tokenizer.json, whose
/// post-processor says which tokens go around texts, and paths pointed to files of the old folder.
std::string config_of(const Tokenizer& tokenizer) {
  const Tokenizer::Parts& parts = tokenizer.parts();
  const auto read = parts.beside.find(names::config);
  json::Value config = read == parts.beside.end() ? json::Value::object() : json::parse(read->second, parts.source);
  for (const char* key : {"add_bos_token", "add_eos_token", "auto_map", "name_or_path", "tokenizer_file", "vocab_file",
                          "merges_file", "special_tokens_map_file"})
    config.erase(key);
  config["tokenizer_class"] = "PreTrainedTokenizerFast", config["add_prefix_space"] = false;
  const std::pair<const char*, TokenId> ends[] = {
      {"bos_token", parts.bos}, {"eos_token", parts.eos}, {"unk_token", parts.unk}, {"pad_token", parts.pad}};
  for (const auto& end : ends)
    if (end.second >= 0 && json::token_name({&config, parts.source}, end.first) != tokenizer.token(end.second))
      config[end.first] = tokenizer.token(end.second);
  return config.dump(2, ' ', false, json::Value::error_handler_t::replace) + "\n";
}

}  // namespace

std::string config_text(const std::string& chat_template, std::int64_t longest) {
  json::Value config = json::Value::object();
  if (!chat_template.empty()) config["chat_template"] = chat_template;
  if (longest > 0) config["model_max_length"] = longest;
  return config.empty() ? "" : config.dump(2, ' ', false, json::Value::error_handler_t::replace) + "\n";
}

Tokenizer load_tokenizer(const std::string& path) {
  fs::path file(path);
  if (is_folder(file)) {
    const fs::path folder = file;
    file = folder / "tokenizer.json";
    if (!there(file)) {
      expect<FileError>(there(folder / "vocab.json") && there(folder / "merges.txt"), path,
                        " has neither tokenizer.json nor vocab.json and merges.txt");
      return from_vocab_and_merges(read(folder / "vocab.json"), read(folder / "merges.txt"), path,
                                   read_if_there(folder / names::config), read_if_there(folder / names::special_map),
                                   read_if_there(folder / "added_tokens.json"), read_if_there(folder / names::chat_template));
    }
  }
  const fs::path folder = file.parent_path();
  return from_json(read(file), file.string(), read_if_there(folder / names::config), read_if_there(folder / names::special_map),
                   read_if_there(folder / names::chat_template));
}

void save_tokenizer(const Tokenizer& tokenizer, const std::string& path) {
  const std::string text = to_json(tokenizer);
  if (!is_folder(path)) return replace(path, text);
  replace(fs::path(path) / "tokenizer.json", text);
  replace(fs::path(path) / names::config, config_of(tokenizer));
  for (const auto& [name, content] : tokenizer.parts().beside)
    if (name != names::config && !content.empty()) replace(fs::path(path) / name, content);
}

}  // namespace graft
