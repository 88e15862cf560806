// A complete projection with LoRA (Hu et al. 2022, section 4.1): read this before peft/lora.h,
// which works in any model, under several names, with dropout, and with PEFT's files.
#pragma once
#include <cmath>

#include "autograd/ops.h"
#include "autograd/rng.h"

namespace graft::clear {

/// h = x·Wᵀ + α/r · x·Aᵀ·Bᵀ      W (out, in) is frozen, A (r, in) and B (out, r) are trained
struct LoraLinear {
  Variable W, A, B;
  real scaling;

  LoraLinear(const Tensor& w, Index r, real alpha, Rng& rng)
      : W(w), scaling(alpha / static_cast<real>(r)) {
    const Index out = w.dim(0), in = w.dim(1);
    const real bound = 1 / std::sqrt(static_cast<real>(in));  // Kaiming, as PEFT
    A = parameter(uniform({r, in}, -bound, bound, rng));
    B = parameter(Tensor({out, r}, 0));  // so that at first nothing changes
  }
  Variable operator()(const Variable& x) const {
    return linear(x, W) + scaling * linear(linear(x, A), B);
  }
};

}  // namespace graft::clear
