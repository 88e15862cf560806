// A benchmark process driven by commands: reads lines from stdin, answers each with one line on stdout. bench/compare
// keeps one process per side alive and lets them take turns. Independent of ops.
//   use NAME      build a case, drop the previous one       -> ok
//   time MODE N   run it N times, MODE forward or step      -> seconds for all N: by the clock, of processor time
//   check         numbers that must equal the other side's  -> numbers
//   memory        peak of one step above the level before   -> ledger=BYTES rss=BYTES
//   list, about                                             -> names; key=value;key=value
#pragma once
#include <chrono>
#include <ctime>
#include <exception>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>

namespace bench {

struct Side {
  std::function<std::string()> about, list, check, memory;
  std::function<void(const std::string& name)> use;
  std::function<void(bool step)> run;
};

struct Seconds {
  double wall, cpu;
};

inline Seconds seconds_for(const std::function<void(bool)>& run, bool step, long count) {
  const std::clock_t work = std::clock();
  const auto start = std::chrono::steady_clock::now();
  for (long i = 0; i < count; ++i) run(step);
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {wall, static_cast<double>(std::clock() - work) / CLOCKS_PER_SEC};
}

inline std::string answer(const Side& side, const std::string& line) {
  std::istringstream in(line);
  std::string order, word;
  in >> order;
  if (order == "use" && in >> word) {
    side.use(word);
    return "ok";
  }
  long count = 0;
  if (order == "time" && in >> word >> count) {
    std::ostringstream out;
    out.precision(9);
    const Seconds seconds = seconds_for(side.run, word == "step", count);
    out << seconds.wall << ' ' << seconds.cpu;
    return out.str();
  }
  if (order == "check" && side.check) return side.check();
  if (order == "memory" && side.memory) return side.memory();
  if (order == "list" && side.list) return side.list();
  if (order == "about" && side.about) return side.about();
  return "error: cannot do \"" + line + "\"; commands are use NAME, time MODE N, check, memory, list, about";
}

/// Serves until stdin ends. An exception becomes an answer ("error: ..."), so that one bad case does not end a comparison.
inline int serve(const Side& side) {
  for (std::string line; std::getline(std::cin, line);) {
    std::string reply;
    try {
      reply = answer(side, line);
    } catch (const std::exception& e) {
      reply = std::string("error: ") + e.what();
    }
    std::cout << reply << std::endl;
  }
  return 0;
}

/// The compiler and the instruction set that this program was built for.
inline std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#else
  return "unknown";
#endif
}

}  // namespace bench
