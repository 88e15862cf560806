// Runs the program `graft` as a user's shell does: arguments and input in, exit code and both outputs out.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/here.h"

namespace graft::testing {

namespace fs = std::filesystem;

inline std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path << " cannot be read";
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}
inline void write_file(const fs::path& path, const std::string& content) { std::ofstream(path, std::ios::binary) << content; }

/// A folder of a test's own, gone with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "graft-cli.XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }
  const fs::path& path() const { return path_; }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(path_)) all.push_back(entry.path().filename().string());
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  fs::path path_;
};

struct Result {
  int code;  // 128 + n if signal n ended it
  std::string out, err;
};
inline std::ostream& operator<<(std::ostream& to, const Result& r) {
  return to << "exit code " << r.code << "\nstdout: " << r.out << "\nstderr: " << r.err;
}

using Arguments = std::vector<std::string>;
struct Around {
  std::string input;                       ///< its standard input
  std::map<std::string, std::string> set;  ///< environment variables beside the test's own
  std::vector<std::string> unset;          ///< and without these
  std::string out;                         ///< standard output goes here instead (/dev/full)
};

/// A running program with its outputs in files.
class Process {
 public:
  Process(const std::string& program, const Arguments& arguments, const Around& around = {}) : to_(around.out) {
    write_file(folder_ / "in", around.input);
    if (to_.empty()) to_ = (folder_ / "out").string();
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    const std::string in = folder_ / "in", err = folder_ / "err";
    posix_spawn_file_actions_addopen(&files, 0, in.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, to_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&files, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    std::vector<std::string> words{program}, settings = environment(around);
    words.insert(words.end(), arguments.begin(), arguments.end());
    EXPECT_EQ(posix_spawn(&id_, program.c_str(), &files, nullptr, pointers(words).data(), pointers(settings).data()), 0);
    posix_spawn_file_actions_destroy(&files);
  }
  pid_t id() const { return id_; }
  std::string out_so_far() const { return read_file(to_); }
  Result wait() const {
    int status = 0;
    EXPECT_EQ(waitpid(id_, &status, 0), id_);
    const bool regular = fs::is_regular_file(to_);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), regular ? read_file(to_) : "",
            read_file(folder_ / "err")};
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> all;
    for (std::string& word : words) all.push_back(word.data());
    all.push_back(nullptr);
    return all;
  }
  static std::vector<std::string> environment(const Around& around) {
    std::map<std::string, std::string> all;
    for (char** entry = environ; *entry; ++entry) {
      const std::string line = *entry;
      all[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
    }
    for (const auto& [name, value] : around.set) all[name] = value;
    for (const std::string& name : around.unset) all.erase(name);
    std::vector<std::string> lines;
    for (const auto& [name, value] : all) lines.push_back(name + "=" + value);
    return lines;
  }

  TemporaryFolder folder_;
  std::string to_;
  pid_t id_ = -1;
};

/// graft ARGUMENTS...
inline Result graft(const Arguments& arguments, const Around& around = {}) {
  return Process(here::program(), arguments, around).wait();
}
/// The words as a shell's line has them: 'a' 'b', with a space before each.
inline std::string quoted(const Arguments& words) {
  std::string line;
  for (const std::string& word : words) line += " '" + word + "'";
  return line;
}
/// By a shell, where $graft is the program.
inline Result shell(const std::string& script, Around around = {}) {
  around.set["graft"] = here::program();
  return Process("/bin/sh", {"-c", script}, around).wait();
}

/// What a failure must look like: code 1, nothing on stdout, one line on stderr that says `what`.
inline void expect_fails(const Result& r, const std::string& what) {
  EXPECT_EQ(r.code, 1) << r;
  EXPECT_EQ(r.out, "") << r;
  EXPECT_EQ(r.err.rfind("graft: ", 0), 0u) << r;
  EXPECT_EQ(r.err.find('\n'), r.err.size() - 1) << r;
  EXPECT_NE(r.err.find(what), std::string::npos) << "no \"" << what << "\" in\n" << r;
}
/// Called wrongly: code 2, nothing on stdout, and stderr says `what`.
inline void expect_refuses(const Result& r, const std::string& what) {
  EXPECT_EQ(r.code, 2) << r;
  EXPECT_EQ(r.out, "") << r;
  EXPECT_NE(r.err.find(what), std::string::npos) << "no \"" << what << "\" in\n" << r;
}
inline void expect_works(const Result& r) { EXPECT_EQ(r.code, 0) << r; }

}  // namespace graft::testing
