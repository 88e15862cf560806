// Fuzzing without a fuzzer: mutations of given files by a seeded generator, and counters of what is allocated meanwhile.
// A case is right if the reader accepts the bytes or throws graft::Error, and never asks for memory out of proportion.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "autograd/errors.h"
#include "tests/here.h"

namespace fuzz {

/// Counted by the operator new of tests/fuzz/count_memory.cpp, for this thread.
struct Memory {
  std::size_t largest = 0, live = 0, peak = 0;
};
Memory& memory();

using Random = std::mt19937_64;

inline std::size_t below(Random& random, std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random() % n); }

/// Up to eight changes: bits, bytes, fields of 4 and 8 bytes, digits, lost ends, stretches twice, moved or from another file.
inline std::string mutated(const std::vector<std::string>& corpus, Random& random) {
  static const std::uint64_t extremes[] = {0,           1,           2,          3,          31,         255,       1ull << 31,
                                           1ull << 32,  1ull << 60,  1ull << 61, 1ull << 62, 1ull << 63, ~0ull,     ~0ull - 31,
                                           0x7fffffffu, 0xffffffffu, ~0ull >> 1, 100000000,  100000001,  1ull << 20};
  static const std::string bytes("\0\1\x7f\x80\xff{}[]\",:\\ -+.eE0129u", 25);
  std::string file = corpus[below(random, corpus.size())];
  for (std::size_t changes = 1 + below(random, 8); changes > 0; --changes) {
    if (file.empty()) file = std::string(8, '\0');
    const std::size_t at = below(random, file.size());
    const std::size_t length = 1 + below(random, std::min<std::size_t>(file.size() - at, 64));
    switch (below(random, 9)) {
      case 0: file[at] = static_cast<char>(file[at] ^ (1 << below(random, 8))); break;
      case 1: file[at] = bytes[below(random, bytes.size())]; break;
      case 2: file[at] = static_cast<char>(random()); break;
      case 3:
      case 4: {
        const std::uint64_t value = extremes[below(random, std::size(extremes))];
        const std::size_t width = random() % 2 == 0 ? 4 : 8;
        std::memcpy(&file[at], &value, std::min(width, file.size() - at));
        break;
      }
      case 5: file.resize(at); break;
      case 6: file.insert(below(random, file.size() + 1), file.substr(at, length)); break;
      case 7: file.erase(at, length); break;
      default: {
        const std::string& other = corpus[below(random, corpus.size())];
        if (!other.empty()) file.insert(at, other.substr(below(random, other.size()), length));
      }
    }
  }
  return file;
}

/// The cases to run: `usual`, or what GRAFT_FUZZ_CASES says.
inline std::size_t cases(std::size_t usual) {
  const char* asked = std::getenv("GRAFT_FUZZ_CASES");
  return asked == nullptr ? usual : static_cast<std::size_t>(std::strtoull(asked, nullptr, 10));
}

/// Writes each mutation to `path` and lets `read(path)` have it. No allocation may exceed times * size + slack, nor what lives
/// at once total_times * size + slack.
inline void run(const std::vector<std::string>& corpus, const std::string& path, std::size_t count, std::size_t times,
                std::size_t total_times, const std::function<void(const std::string&)>& read) {
  ASSERT_FALSE(corpus.empty());
  constexpr std::size_t slack = 1 << 16;
  for (const std::string& whole : corpus) {  // what is made once, as tables of Unicode, is made now
    std::ofstream(path, std::ios::binary) << whole;
    try {
      read(path);
    } catch (const graft::Error&) {}
  }
  Random random(20240607);
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string file = mutated(corpus, random);
    std::ofstream(path, std::ios::binary) << file;
    Memory& used = memory();
    used = {};
    std::string wrong;
    try {
      read(path);
      ++accepted;
    } catch (const graft::Error&) {
    } catch (const std::exception& error) { wrong = error.what(); }
    const Memory seen = used;
    if (!wrong.empty()) ADD_FAILURE() << "case " << i << ": not an error of graft: " << wrong;
    if (seen.largest > times * file.size() + slack)
      ADD_FAILURE() << "case " << i << ": " << seen.largest << " bytes asked for at once, for a file of " << file.size();
    if (seen.peak > total_times * file.size() + slack)
      ADD_FAILURE() << "case " << i << ": " << seen.peak << " bytes alive, for a file of " << file.size();
    if (testing::Test::HasFailure()) {
      std::ofstream(path + ".found", std::ios::binary) << file;
      FAIL() << "the file is kept as " << path << ".found";
    }
  }
  std::remove(path.c_str());
  // Mutations that are all refused at the first byte, or none at all, would test nothing.
  EXPECT_GT(accepted, count / 200);
  EXPECT_LT(accepted, count - count / 10);
}

/// The files of a fixture: "cases" whose bytes are [[base64, how often], ...].
inline std::string unpacked(const nlohmann::json& parts) {
  static const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string all;
  for (const auto& part : parts) {
    std::string bytes;
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : part[0].get<std::string>()) {
      if (c == '=') break;
      bits = bits << 6 | static_cast<std::uint32_t>(letters.find(c));
      held += 6;
      if (held >= 8) bytes += static_cast<char>(bits >> (held -= 8) & 0xff);
    }
    for (int times = part[1]; times > 0; --times) all += bytes;
  }
  return all;
}

inline nlohmann::json fixture(const std::string& name) {
  std::ifstream in(here::fixtures() + "/" + name);
  return nlohmann::json::parse(in);
}

}  // namespace fuzz
