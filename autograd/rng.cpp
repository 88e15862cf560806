#include "autograd/rng.h"

#include <algorithm>
#include <cmath>

namespace graft {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t(0xD2511F53) * c[0];
    const std::uint64_t p1 = std::uint64_t(0xCD9E8D57) * c[2];
    c = {std::uint32_t(p1 >> 32) ^ c[1] ^ k[0], std::uint32_t(p1), std::uint32_t(p0 >> 32) ^ c[3] ^ k[1], std::uint32_t(p0)};
    k[0] += 0x9E3779B9;  // Weyl sequences: golden ratio and √3 - 1
    k[1] += 0xBB67AE85;
  }
  return c;
}

std::uint64_t Rng::next() {
  const std::array<std::uint32_t, 4> bits =
      philox({std::uint32_t(drawn_), std::uint32_t(drawn_ >> 32), 0, 0}, {std::uint32_t(seed_), std::uint32_t(seed_ >> 32)});
  ++drawn_;
  return std::uint64_t(bits[1]) << 32 | bits[0];
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double Rng::normal() {
  const double u = 1 - uniform(), v = uniform();  // u in (0, 1], so its logarithm is finite
  return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v);
}

Index Rng::below(Index n) {
  expect<ValueError>(n >= 1, "Rng::below: there is no whole number in [0, ", n, "); give n >= 1");
  const std::uint64_t range = static_cast<std::uint64_t>(n);
  const std::uint64_t unfair = (0 - range) % range;  // 2^64 mod n: draws below it would favor small values
  std::uint64_t draw = next();
  while (draw < unfair) draw = next();
  return static_cast<Index>(draw % range);
}

Tensor uniform(const Shape& shape, real low, real high, Rng& rng) {
  expect<ValueError>(low < high, "uniform: [", low, ", ", high, ") is empty; give low < high");
  Tensor t(shape);
  real* out = t.write();
  const real below_high = std::nextafter(high, low);  // rounding to real must not reach the open end
  for (Index i = 0; i < t.numel(); ++i) out[i] = std::min(low + (high - low) * static_cast<real>(rng.uniform()), below_high);
  return t;
}

Tensor normal(const Shape& shape, real mean, real deviation, Rng& rng) {
  Tensor t(shape);
  real* out = t.write();
  for (Index i = 0; i < t.numel(); ++i) out[i] = mean + deviation * static_cast<real>(rng.normal());
  return t;
}

}  // namespace graft
