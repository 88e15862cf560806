// A tiny model, data of each kind for it, and graft tune on them.
#pragma once
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "peft/registry.h"
#include "tests/cli/models.h"

namespace graft::testing {

using Json = nlohmann::json;

class Tune : public ::testing::Test {
 protected:
  Tune() {
    const char* words[] = {"cat", "rat", "mat"};
    std::string labelled, pairs, chat, lines;
    for (int i = 0; i < 24; ++i) {
      const std::string word = words[i % 3];
      labelled += Json{{"text", "the " + word + " sat on"}, {"label", i % 2 ? "yes" : "no"}}.dump() + "\n";
      pairs += Json{{"prompt", "the " + word}, {"completion", " ate the mat"}}.dump() + "\n";
      chat += Json{{"messages", {{{"role", "user"}, {"content", word}}, {{"role", "assistant"}, {"content", "sat"}}}}}.dump() +
              "\n";
      lines += "the " + word + " sat on the mat\n";
    }
    write_file(folder / "labelled.jsonl", labelled), write_file(folder / "pairs.jsonl", pairs);
    write_file(folder / "chat.jsonl", chat), write_file(folder / "lines.txt", lines);
  }
  std::string data(const std::string& name) { return folder / name; }
  Arguments command(const std::string& file, const std::string& out, const Arguments& more = {}) {
    Arguments all{"--quiet", "--threads", "1",     "tune",       "--model", tiny(),
                  "--data",  data(file),  "--out", folder / out, "--batch", "2"};
    if (std::find(more.begin(), more.end(), "--steps") == more.end()) all.insert(all.end(), {"--steps", "3"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// The arguments and, of the options that the method has, those that make it small.
  Arguments small(const peft::MethodRow& row, Arguments all) {
    for (const peft::OptionInfo& option : peft::options_of(row))
      for (const auto& [name, value] : {std::pair{"r", "2"}, {"bottleneck", "4"}, {"virtual", "3"}, {"prompts", "2"}})
        if (option.name == name) all.insert(all.end(), {std::string("--") + name, value});
    return all;
  }
  /// Waits until the file is there; false if it does not come.
  bool comes(const fs::path& file) {
    for (int i = 0; i < 10000 && !fs::exists(file); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return fs::exists(file);
  }
  /// Waits until the file has grown by so many bytes from where it was shortest.
  void lines_come(const fs::path& file, std::uintmax_t bytes) {
    std::uintmax_t shortest = ~std::uintmax_t(0);
    for (int i = 0; i < 50000; ++i) {
      std::error_code none;
      const std::uintmax_t size = fs::file_size(file, none);
      if (!none) shortest = std::min(shortest, size);
      if (!none && size > shortest + bytes) return;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  Json result(const std::string& out) { return Json::parse(read_file(folder / out / "result.json")); }
  std::set<std::string> names(const std::string& out) {
    std::set<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder / out)) all.insert(entry.path().filename().string());
    return all;
  }
  void expect_ok(const Result& r) { EXPECT_EQ(r.code, 0) << r; }
  TemporaryFolder folder;
};

}  // namespace graft::testing
