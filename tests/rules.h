// House rules as tests: a rule is a function from a tree of files to complaints. It is run on the real tree, which must give none,
// and on small broken ones, in each of which it must find something.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace rules {

namespace fs = std::filesystem;
using Tree = std::map<std::string, std::string>;  // path from the root -> text
using Complaints = std::vector<std::string>;

struct Rule {
  const char* name;
  Complaints (*complain)(const Tree&);
  std::vector<Tree> broken;  // in each of these the rule must find something
};
inline void PrintTo(const Rule& rule, std::ostream* out) { *out << rule.name; }

inline std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

inline std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace rules
