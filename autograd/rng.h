// Rng: random numbers as an argument. Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"):
// number i is a pure function of (key, i), so a run is the same on every machine, and a mask need not be stored: its
// key is enough to regenerate it. Copying an Rng copies its place in the sequence.
#pragma once
#include <array>
#include <cstdint>

#include "autograd/tensor.h"

namespace graft {

/// Four 32-bit numbers from a 128-bit counter and a 64-bit key.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

class Rng {
 public:
  explicit Rng(std::uint64_t seed = 0) : seed_(seed) {}

  std::uint64_t next();                ///< 64 random bits
  double uniform();                    ///< in [0, 1), 53 bits
  double normal();                     ///< mean 0, deviation 1 (Box-Muller)
  Index below(Index n);                ///< in [0, n), every value equally likely. Errors: ValueError for n < 1
  Rng split() { return Rng(next()); }  ///< an independent stream

  struct State {
    std::uint64_t seed, drawn;
  };
  State state() const { return {seed_, drawn_}; }  ///< all that needs to be saved
  explicit Rng(State s) : seed_(s.seed), drawn_(s.drawn) {}

 private:
  std::uint64_t seed_;
  std::uint64_t drawn_ = 0;
};

Tensor uniform(const Shape& shape, real low, real high, Rng& rng);  ///< each number in [low, high)
Tensor normal(const Shape& shape, real mean, real deviation, Rng& rng);

}  // namespace graft
