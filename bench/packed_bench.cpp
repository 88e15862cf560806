// Products with packed weights at the shapes of SmolLM2-135M: 30 layers of Q4_1 and a head of Q8_0, in synthetic blocks.
// "token" is one token's worth of products (decoding: memory-bound), "prompt" those of 256 rows (compute-bound), with
// "backward" for ∂x of the same; attention and elementwise work are not included. Other formats: one product each.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "autograd/blocks.h"
#include "autograd/rng.h"

namespace {

using namespace graft;

/// Blocks of random integers with equal scales: the values do not affect the time, unless they are NaN.
struct Matrix {
  std::vector<std::uint8_t> bytes;
  Packed W;

  Matrix(BlockFormat format, Index rows, Index cols) : bytes(static_cast<std::size_t>(rows) * bytes_per_row(format, cols)) {
    std::minstd_rand random(1);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() >> 8);
    const std::size_t size = bytes_per_block(format);
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      std::uint8_t* const block = bytes.data() + at;
      if (size >= 18) block[1] = block[3] = 0x20;
      if (format == BlockFormat::q6_K) block[209] = 0x20;
      if (size <= 4) block[size - 1] = 0x3c;
    }
    W = packed_blocks(format, rows, cols, bytes.data(), nullptr);
  }
  Matrix(Matrix&&) = default;
};

Tensor random_rows(Index n, Index cols) {
  Rng rng(1);
  return normal({n, cols}, 0, 1, rng);
}

struct Model {
  std::vector<Matrix> layers;
  double bytes = 0, numbers = 0;

  explicit Model(bool with_head) {
    for (int layer = 0; layer < 30; ++layer)
      for (const std::pair<Index, Index>& shape : std::vector<std::pair<Index, Index>>{
               {576, 576}, {192, 576}, {192, 576}, {576, 576}, {1536, 576}, {1536, 576}, {576, 1536}})
        layers.emplace_back(BlockFormat::q4_1, shape.first, shape.second);
    if (with_head) layers.emplace_back(BlockFormat::q8_0, 49152, 576);
    for (const Matrix& m : layers) {
      bytes += static_cast<double>(m.W->bytes());
      numbers += static_cast<double>(m.W->rows() * m.W->cols());
    }
  }
};

void rates(benchmark::State& state, double bytes, double flops) {
  using benchmark::Counter;
  state.counters["B/s"] = Counter(bytes, Counter::kIsIterationInvariantRate);
  state.counters["FLOP/s"] = Counter(flops, Counter::kIsIterationInvariantRate);
}

/// All products of n rows: the head sees only the last of them, as in generation.
void model(benchmark::State& state, Index n, bool backward) {
  const NoGrad no_history;
  const Model model(!backward);
  const Tensor thin = random_rows(n, 576), wide = random_rows(n, 1536), last = random_rows(1, 576);
  const Tensor dy[3] = {random_rows(n, 576), random_rows(n, 192), random_rows(n, 1536)};
  double flops = 0;
  for (auto _ : state) {
    flops = 0;
    for (const Matrix& m : model.layers) {
      const Index rows = m.W->rows(), in = m.W->cols();
      const bool is_head = rows == 49152;
      const Tensor y = backward ? kernel::packed_nn(dy[rows == 576   ? 0
                                                       : rows == 192 ? 1
                                                                     : 2],
                                                    *m.W)
                                : kernel::packed_nt(is_head     ? last
                                                    : in == 576 ? thin
                                                                : wide,
                                                    *m.W);
      benchmark::DoNotOptimize(y.data());
      flops += 2.0 * static_cast<double>((is_head ? 1 : n) * rows * in);
    }
  }
  rates(state, model.bytes, flops);
  state.counters["token/s"] = benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsIterationInvariantRate);
}

void one(benchmark::State& state, BlockFormat format, Index n, Index rows, Index cols) {
  const NoGrad no_history;
  const Matrix m(format, rows, cols);
  const Tensor x = random_rows(n, cols);
  for (auto _ : state) benchmark::DoNotOptimize(kernel::packed_nt(x, *m.W).data());
  rates(state, static_cast<double>(m.W->bytes()), 2.0 * static_cast<double>(n * rows * cols));
}

const bool registered = [] {
  const auto add = [](const std::string& name, auto f) {
    benchmark::RegisterBenchmark(name.c_str(), f)->UseRealTime()->Unit(benchmark::kMillisecond);
  };
  add("smollm2/token", [](benchmark::State& s) { model(s, 1, false); });
  add("smollm2/4_rows", [](benchmark::State& s) { model(s, 4, false); });
  add("smollm2/16_rows", [](benchmark::State& s) { model(s, 16, false); });
  add("smollm2/prompt/256", [](benchmark::State& s) { model(s, 256, false); });
  add("smollm2/prompt/256/backward", [](benchmark::State& s) { model(s, 256, true); });
  for (const BlockFormat format :
       {BlockFormat::f32, BlockFormat::f16, BlockFormat::bf16, BlockFormat::q4_0, BlockFormat::q4_1, BlockFormat::q5_0,
        BlockFormat::q5_1, BlockFormat::q8_0, BlockFormat::q4_K, BlockFormat::q6_K})
    for (const Index n : {1, 256})
      add(text(name(format), "/", n, "/4096/1536"), [format, n](benchmark::State& s) { one(s, format, n, 4096, 1536); });
  return true;
}();

}  // namespace

BENCHMARK_MAIN();
