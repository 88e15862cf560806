// Every case of cases.h under Google Benchmark: forward, and forward with backward ("step").
// --benchmark_filter='gelu/.*' selects; rates are FLOP/s for products, bytes/s (minimum traffic) for the rest.
#include <benchmark/benchmark.h>

#include "autograd/allocator.h"
#include "bench/cases.h"

namespace {

void measure(benchmark::State& state, const std::string& name, bool step) {
  {
    bench::Case c = bench::make_case(name);
    step ? c.step() : c.forward();  // fills the allocator's cache
    for (auto _ : state) step ? c.step() : c.forward();
    using benchmark::Counter;
    const double flops = step ? c.step_flops : c.flops;
    if (flops > 0) state.counters["FLOP/s"] = Counter(flops, Counter::kIsIterationInvariantRate);
    if (c.bytes > 0 && !step) {
      state.counters["B/s"] = Counter(c.bytes, Counter::kIsIterationInvariantRate, Counter::OneK::kIs1024);
    }
  }
  graft::release_cached();
}

/// Only names are registered; tensors are allocated when a case runs.
const bool registered = [] {
  for (const std::string& name : bench::names()) {
    for (const bool step : {false, true}) {
      benchmark::RegisterBenchmark((name + (step ? "/step" : "/forward")).c_str(),
                                   [name, step](benchmark::State& state) { measure(state, name, step); })
          ->UseRealTime()
          ->Unit(name.find("/8") == name.find('/') ? benchmark::kNanosecond : benchmark::kMicrosecond);
    }
  }
  return true;
}();

}  // namespace

BENCHMARK_MAIN();
