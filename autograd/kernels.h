// The loops that ops call: plain functions from tensors to tensors, no history, no checks beyond those of the op.
// The fast ones (Eigen, OpenMP) are in cpu/; clear.h has a slow, clear version of each one that is not obvious.
#pragma once
#include <array>
#include <vector>

#include "autograd/rng.h"
#include "autograd/tensor.h"

namespace graft::kernel {

// --- elementwise; b's shape is a tail of a's and repeats (cpu/elementwise.cpp) ---
enum class Binary { add, sub, mul, div, sub_from, div_into };  // the last two: b - a, b / a
Tensor binary(Binary op, const Tensor& a, const Tensor& b);
Tensor scale(const Tensor& x, real s);
void add_to(Tensor& into, const Tensor& x);                                 // into += x
Tensor sum_to(const Tensor& x, const Shape& tail);                            // sum of x over the rows that repeat `tail`
Tensor multiply_sum_to(const Tensor& a, const Tensor& b, const Shape& tail);  // sum_to(a * b, tail) in one pass

enum class Unary { exp, log, tanh, sigmoid, relu, silu, gelu, gelu_erf };
Tensor unary(Unary f, const Tensor& x);
/// ∂x = ∂y·f'(x), from what the op saved: y for exp tanh sigmoid relu, x for log silu gelu gelu_erf.
Tensor unary_backward(Unary f, const Tensor& saved, const Tensor& dy);

// --- products (cpu/matmul.cpp) ---
Tensor multiply_nt(const Tensor& a, const Tensor& b);                      // (.., K)·(N, K)ᵀ -> (.., N)
Tensor multiply_nt(const Tensor& a, const Tensor& b, const Tensor& bias);  // + bias (N)
Tensor multiply_nn(const Tensor& a, const Tensor& b);                      // (.., K)·(K, N)  -> (.., N)
Tensor multiply_tn(const Tensor& a, const Tensor& b);                      // (.., M)ᵀ·(.., N) -> (M, N), sum over rows
Tensor batched_nn(const Tensor& a, const Tensor& b);                       // (.., M, K)·(.., K, N)
Tensor batched_nt(const Tensor& a, const Tensor& b);                       // (.., M, K)·(.., N, K)ᵀ
Tensor batched_tn(const Tensor& a, const Tensor& b);                       // (.., K, M)ᵀ·(.., K, N)

// --- softmax (cpu/softmax.cpp) ---
Tensor softmax(const Tensor& x);
Tensor softmax_backward(const Tensor& y, const Tensor& dy);
Tensor log_softmax(const Tensor& x);
Tensor log_softmax_backward(const Tensor& y, const Tensor& dy);

// --- norms (cpu/norm.cpp) ---
// mean and 1/deviation of each row; no mean for rms_norm
struct Normalized {
  Tensor y, mean, inverse;
};
Normalized layer_norm(const Tensor& x, const Tensor& gain, const Tensor& bias, real eps);
Normalized rms_norm(const Tensor& x, const Tensor& gain, real eps);
// empty if not wanted
struct NormGradients {
  Tensor dx, dgain, dbias;
};
/// For both norms, in one pass over x and dy; an empty mean stands for rms_norm. wanted: x, gain, bias.
NormGradients norm_backward(const Tensor& x, const Tensor& mean, const Tensor& inverse, const Tensor& gain, const Tensor& dy,
                            std::array<bool, 3> wanted);

// --- dropout (cpu/dropout.cpp): number i is kept if bits(key, i) says so; its own backward ---
Tensor dropout(const Tensor& x, real p, std::uint64_t key);

// --- reductions (cpu/reduce.cpp) ---
real total(const Tensor& x);  // pairwise over fixed blocks: independent of threads
Tensor sum_axis(const Tensor& x, int axis);
Tensor repeat_axis(const Tensor& dy, const Shape& shape, int axis, real factor);  // backward of sum and mean over an axis

// --- shape (cpu/shape.cpp) ---
void copy(const real* from, real* to, Index n);
void fill(real* to, Index n, real value);
void copy_axis(const Tensor& from, Index from_at, Tensor& to, Index to_at, Index count, int axis);  // a band along an axis
Tensor swap_heads(const Tensor& x);           // (B, M, N, D) -> (B, N, M, D)
Tensor repeat(const Tensor& x, Index batch);  // (..) -> (batch, ..)

// --- tables (cpu/lookup.cpp) ---
Tensor lookup(const Tensor& table, const Tensor& more, const Ids& ids);  // more may be empty
/// Rows of dy added up by id, for ids in [first, first + rows).
Tensor scatter_add(const Tensor& dy, const Ids& ids, Id first, const Shape& table);

// --- rotary (cpu/rotary.cpp): direction -1 rotates back ---
Tensor rotary(const Tensor& x, const Ids& positions, const Tensor& frequencies, int direction);

// --- attention (cpu/attention.cpp) ---
// lse (B, H, T): log-sum-exp of each row's scores
struct Attended {
  Tensor O, lse;
};
Attended attention(const Tensor& Q, const Tensor& K, const Tensor& V, const std::vector<Index>& past, real scale);
struct AttentionGradients {
  Tensor dQ, dK, dV;
};
AttentionGradients attention_backward(const Tensor& Q, const Tensor& K, const Tensor& V, const std::vector<Index>& past,
                                      real scale, const Attended& forward, const Tensor& dO);

// --- cross-entropy (cpu/cross_entropy.cpp); weights has one number per row, 0 where the label is ignored ---
// lse (N)
struct Scored {
  real loss;
  Tensor lse;
};
Scored cross_entropy(const Tensor& logits, const Ids& labels, const std::vector<real>& weights);
Tensor cross_entropy_backward(const Tensor& logits, const Ids& labels, const std::vector<real>& weights, const Tensor& lse,
                              real dy);
// gradients for ∂loss = 1; empty if not wanted
struct LinearScored {
  real loss;
  Tensor dx, dW;
};
LinearScored linear_cross_entropy(const Tensor& x, const Tensor& W, const Ids& labels, const std::vector<real>& weights,
                                  bool want_dx, bool want_dW);

// --- optimizers (cpu/adam.cpp) ---
/// w ← shrink·w - rate·m/(√v/root + eps) after m and v are updated with g, over n numbers anywhere in memory (even mapped).
struct AdamStep {
  real shrink, beta1, beta2, eps, rate, root;
};
void adam(real* w, const real* g, real* m, real* v, Index n, const AdamStep& a);

}  // namespace graft::kernel
