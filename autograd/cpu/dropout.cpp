// Dropout from counter-based random bits: number i of the mask is lane i mod 4 of philox(i / 4, key), on any thread.
#include "autograd/cpu/parallel.h"
#include "autograd/kernels.h"

namespace graft::kernel {
namespace {

constexpr int lanes = 16;  // counters processed together, so that the compiler can fill whole registers

/// bits[4·j + lane] for the counters first .. first + lanes: philox() of rng.cpp, many at a time.
void philox_strip(std::uint64_t first, std::uint64_t key, std::uint32_t (&bits)[4 * lanes]) {
  std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
  for (int j = 0; j < lanes; ++j) {
    c0[j] = static_cast<std::uint32_t>(first + j);
    c1[j] = static_cast<std::uint32_t>((first + j) >> 32);
    c2[j] = c3[j] = 0;
  }
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9, k1 += 0xBB67AE85) {
    for (int j = 0; j < lanes; ++j) {
      const std::uint64_t p0 = std::uint64_t(0xD2511F53) * c0[j], p1 = std::uint64_t(0xCD9E8D57) * c2[j];
      c0[j] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[j] ^ k0;
      c2[j] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[j] ^ k1;
      c1[j] = static_cast<std::uint32_t>(p1);
      c3[j] = static_cast<std::uint32_t>(p0);
    }
  }
  for (int j = 0; j < lanes; ++j) {
    bits[4 * j] = c0[j];
    bits[4 * j + 1] = c1[j];
    bits[4 * j + 2] = c2[j];
    bits[4 * j + 3] = c3[j];
  }
}

}  // namespace

Tensor dropout(const Tensor& x, real p, std::uint64_t key) {
  Tensor y(x.shape());
  real* out = y.write();
  const real* in = x.data();
  const real kept = 1 / (1 - p);
  const auto dropped_below = static_cast<std::uint32_t>(std::min(double(p) * 0x1p32, 0x1p32 - 1));
  constexpr Index strip = 4 * lanes;
  const Index strips = (x.numel() + strip - 1) / strip;
  for_range(strips, 16 * strip, [&](Index s, Index end) {
    std::uint32_t bits[strip];
    for (; s < end; ++s) {
      philox_strip(static_cast<std::uint64_t>(s) * lanes, key, bits);
      const Index begin = s * strip, n = std::min(strip, x.numel() - begin);
      for (Index i = 0; i < n; ++i) out[begin + i] = bits[i] >= dropped_below ? in[begin + i] * kept : 0;
    }
  });
  return y;
}

}  // namespace graft::kernel
