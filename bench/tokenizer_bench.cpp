// How fast a tokenizer encodes a text on one thread, as a whole and line by line.
// usage: tokenizer_bench TOKENIZER.json TEXT [ROUNDS]     a table: the best and the median of ROUNDS (5)
//        tokenizer_bench TOKENIZER.json TEXT --serve      for tokenizer_peer.py: "whole" or "lines" on stdin -> seconds of processor time;
//                                                         "check" -> how many ids, and a hash of them; "peak" -> bytes
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "autograd/errors.h"
#include "tokenizer/files.h"

namespace {

/// Seconds of processor time: encoding keeps one thread busy, and other work on the machine does not count.
double now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::string read(const char* path) {
  std::ifstream in(path, std::ios::binary);
  graft::expect<graft::FileError>(in.is_open(), path, " cannot be read");
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
    lines.push_back(text.substr(at, end + 1 - at));
    at = end + 1;
  }
  return lines;
}

struct Bench {
  graft::Tokenizer tokenizer;
  std::string text;
  std::vector<std::string> lines = lines_of(text);
  std::size_t tokens = 0;  // in the last run

  double seconds(bool by_line) {
    const double start = now();
    tokens = 0;
    if (!by_line) tokens = tokenizer.encode(text).size();
    else
      for (const std::string& line : lines) tokens += tokenizer.encode(line).size();
    return now() - start;
  }
};

/// Linux: proc(5), status. 0 elsewhere.
double peak_bytes() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("VmHWM:", 0) == 0) return std::strtod(line.c_str() + 6, nullptr) * 1024;
  return 0;
}

/// FNV-1a over the ids, 4 bytes each; the peer does the same.
std::uint64_t hash(const std::vector<graft::TokenId>& ids) {
  std::uint64_t state = 0xcbf29ce484222325u;
  for (const graft::TokenId id : ids) state = (state ^ static_cast<std::uint32_t>(id)) * 0x100000001b3u;
  return state;
}

void serve(Bench& bench) {
  for (std::string order; std::getline(std::cin, order);) {
    if (order == "whole" || order == "lines") {
      std::cout << bench.seconds(order == "lines") << std::endl;
    } else if (order == "check") {
      const auto whole = bench.tokenizer.encode(bench.text);
      std::vector<graft::TokenId> by_line;
      for (const std::string& line : bench.lines) {
        const auto ids = bench.tokenizer.encode(line);
        by_line.insert(by_line.end(), ids.begin(), ids.end());
      }
      std::cout << whole.size() << ' ' << hash(whole) << ' ' << by_line.size() << ' ' << hash(by_line) << std::endl;
    } else if (order == "peak") {
      std::cout << peak_bytes() << std::endl;
    } else {
      std::cout << "error: commands are whole, lines, check, peak" << std::endl;
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::fprintf(stderr, "usage: tokenizer_bench TOKENIZER.json TEXT [ROUNDS | --serve]\n");
    return 2;
  }
  const double start = now();
  Bench bench{graft::load_tokenizer(argv[1]), read(argv[2])};
  const double load = now() - start;
  graft::expect<graft::ValueError>(!bench.text.empty(), argv[2], " is empty");
  if (argc > 3 && std::string(argv[3]) == "--serve") {
    serve(bench);
    return 0;
  }
  const int rounds = argc > 3 ? std::max(1, std::atoi(argv[3])) : 5;
  std::printf("%zu tokens in the vocabulary, loaded in %.3f s; %zu bytes of text\n", bench.tokenizer.size(), load,
              bench.text.size());
  for (const bool by_line : {false, true}) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) times.push_back(bench.seconds(by_line));
    std::sort(times.begin(), times.end());
    const double best = times.front(), middle = times[times.size() / 2], bytes = static_cast<double>(bench.text.size());
    std::printf("%-12s best %6.2f MB/s %6.2f million tokens/s   median %6.2f MB/s   (%zu tokens)\n",
                by_line ? "line by line" : "whole text", bytes / best / 1e6, static_cast<double>(bench.tokens) / best / 1e6,
                bytes / middle / 1e6, bench.tokens);
  }
  std::printf("peak memory  %.1f MB\n", peak_bytes() / 1e6);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "tokenizer_bench: %s\n", error.what());
  return 1;
}
