// graft's side of bench/compare: builds and times the cases of cases.h on commands from stdin (serve.h).
// Its output is for bench/compare; ops_bench prints the same cases as a table.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>

#include "autograd/allocator.h"
#include "autograd/ledger.h"
#include "autograd/threads.h"
#include "bench/cases.h"
#include "bench/serve.h"

namespace {

/// A line of /proc/self/status, in bytes: "VmRSS" is the resident memory now, "VmHWM" its peak. 0 if not on Linux.
double status(const std::string& key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key + ":", 0) == 0) return std::strtod(line.c_str() + key.size() + 1, nullptr) * 1024;
  }
  return 0;
}

/// Resets VmHWM to the current value (Linux: proc(5), clear_refs).
void reset_high_water() { std::ofstream("/proc/self/clear_refs") << 5 << std::flush; }

double sum_of_sizes(const graft::Tensor& t) {
  double sum = 0;
  for (graft::Index i = 0; i < t.numel(); ++i) sum += std::abs(static_cast<double>(t[i]));
  return sum;
}

/// Σ|y|, then Σ|∂x| of each input.
std::string check(bench::Case& c) {
  std::ostringstream out;
  out.precision(9);
  {
    graft::NoGrad off;
    out << sum_of_sizes(c.f().value());
  }
  c.step();
  for (const graft::Variable& x : c.inputs) out << ' ' << sum_of_sizes(x.grad());
  return out.str();
}

/// The peak of two steps, minus what was allocated before and the weights' gradients.
std::string memory(bench::Case& c) {
  for (graft::Variable& x : c.inputs) x.clear_grad();
  graft::release_cached();
  double gradients = 0;
  for (std::size_t i = c.inputs.size() - static_cast<std::size_t>(c.weights); i < c.inputs.size(); ++i) {
    gradients += static_cast<double>(c.inputs[i].value().bytes());
  }
  const double ledger_before = static_cast<double>(graft::ledger().total_now), rss_before = status("VmRSS");
  graft::reset_peaks();
  reset_high_water();
  c.step();
  c.step();
  const double ledger = static_cast<double>(graft::ledger().total_peak) - ledger_before - gradients;
  const double rss = status("VmHWM") - rss_before - gradients;
  char line[80];
  std::snprintf(line, sizeof line, "ledger=%.0f rss=%.0f", ledger, rss);
  return line;
}

}  // namespace

int main() {
  std::unique_ptr<bench::Case> now;
  const auto chosen = [&]() -> bench::Case& {
    graft::expect<graft::ValueError>(now != nullptr, "peer: no case yet; send \"use NAME\" first");
    return *now;
  };
  bench::Side side;
  side.use = [&](const std::string& name) {
    now.reset();
    graft::release_cached();
    now = std::make_unique<bench::Case>(bench::make_case(name));
  };
  side.run = [&](bool step) { step ? chosen().step() : chosen().forward(); };
  side.check = [&] { return check(chosen()); };
  side.memory = [&] { return memory(chosen()); };
  side.list = [] {
    std::string all;
    for (const std::string& name : bench::names()) all += (all.empty() ? "" : " ") + name;
    return all;
  };
  side.about = [] {
    return graft::text("threads=", graft::threads(), ";bytes=", sizeof(graft::real), ";compiler=", bench::compiler());
  };
  return bench::serve(side);
}
