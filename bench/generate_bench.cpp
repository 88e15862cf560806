// Generation with a real model, in one process: how fast a prompt is read, how fast tokens follow, and peak memory.
//   bench_generate_bench MODEL [PROMPT-LENGTH [NEW-TOKENS]]   -> one line of JSON
// bench/generate_compare runs it in turns with llama.cpp.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "autograd/threads.h"
#include "nn/generate.h"
#include "nn/load.h"

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: %s MODEL [PROMPT-LENGTH [NEW-TOKENS]]\n", argv[0]), 2;
  const graft::Index prompt = argc > 2 ? std::atoll(argv[2]) : 256, more = argc > 3 ? std::atoll(argv[3]) : 100;
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto seconds = [](auto a, auto b) { return std::chrono::duration<double>(b - a).count(); };

  const auto start = now();
  const graft::Loaded loaded = graft::load_model(argv[1]);
  std::vector<graft::Id> ids;  // the same on both sides; any ids will do, the work does not depend on them
  for (graft::Index i = 0; i < prompt; ++i) ids.push_back(static_cast<graft::Id>(100 + (i * 7919) % 40000));
  graft::GenerateOptions options;
  graft::Rng rng(0);
  options.max_tokens = 2;
  graft::generate(*loaded.model, {{1, 2, 3, 4}}, options, rng);  // warm-up: touches pages and starts threads

  options.max_tokens = 1 + more;
  const auto begin = now();
  auto first = begin, last = begin;
  graft::Index count = 0;
  graft::generate(*loaded.model, {ids}, options, rng, [&](graft::Index, graft::Id) {
    last = now();
    if (count++ == 0) first = last;
    return true;
  });
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("{\"side\": \"graft\", \"threads\": %d, \"load_s\": %.3f, \"prompt\": %.2f, \"decode\": %.2f, \"peak_mib\": %.1f}\n",
              graft::threads(), seconds(start, begin), double(prompt) / seconds(begin, first),
              double(more) / seconds(first, last), double(usage.ru_maxrss) / 1024);
}
