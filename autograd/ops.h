// Every op on Variables, declared with its formula. The definitions, value and pullbacks side by side, are in ops/.
// Notation: ∂x stands for ∂loss/∂x. "Rows" are all axes but the last; N is their number. B batch, T positions, H heads.
// Errors, for all: ShapeError names the op and both shapes; an empty Variable is a ValueError.
#pragma once
#include <functional>
#include <vector>

#include "autograd/rng.h"
#include "autograd/variable.h"

namespace graft {

// --- arithmetic (ops/arithmetic.cpp): same shapes, or one shape is the tail of the other and repeats over its rows -----
Variable operator+(const Variable& a, const Variable& b);
Variable operator-(const Variable& a, const Variable& b);
Variable operator*(const Variable& a, const Variable& b);  ///< elementwise
Variable operator/(const Variable& a, const Variable& b);
Variable scale(const Variable& x, real s);  ///< y = s·x
// With a number, which is a constant of shape (), the tail of every shape: 2*x, x/4, x + 1, 1 - x, 1/x.
namespace detail {
inline Variable number(real s) { return Tensor(Shape{}, s); }
}  // namespace detail
inline Variable operator*(real s, const Variable& x) { return scale(x, s); }
inline Variable operator*(const Variable& x, real s) { return scale(x, s); }
inline Variable operator/(const Variable& x, real s) { return x / detail::number(s); }
inline Variable operator/(real s, const Variable& x) { return detail::number(s) / x; }
inline Variable operator+(const Variable& x, real s) { return x + detail::number(s); }
inline Variable operator+(real s, const Variable& x) { return x + detail::number(s); }
inline Variable operator-(const Variable& x, real s) { return x - detail::number(s); }
inline Variable operator-(real s, const Variable& x) { return detail::number(s) - x; }
inline Variable operator-(const Variable& x) { return scale(x, -1); }

// --- elementwise functions (ops/activation.cpp) ---
Variable exp(const Variable& x);
Variable log(const Variable& x);  ///< natural; 0 gives -inf and negative numbers NaN, as in IEEE 754
Variable tanh(const Variable& x);
Variable sigmoid(const Variable& x);  ///< 1 / (1 + e⁻ˣ)
Variable relu(const Variable& x);     ///< max(x, 0); derivative 0 at 0
Variable silu(const Variable& x);     ///< x·sigmoid(x)
Variable gelu(const Variable& x);  ///< ½x(1 + tanh(√(2/π)(x + 0.044715x³))): GPT-2's "gelu_new" (Hendrycks & Gimpel 2016)
Variable gelu_erf(const Variable& x);  ///< x·Φ(x) = ½x(1 + erf(x/√2))

// --- products (ops/matmul.cpp) ---
Variable linear(const Variable& x, const Variable& W);                     ///< y = x·Wᵀ        x (.., in)  W (out, in)
Variable linear(const Variable& x, const Variable& W, const Variable& b);  ///< y = x·Wᵀ + b    b (out)
Variable matmul(const Variable& a, const Variable& b);                     ///< (.., M, K)·(.., K, N), axes before equal
Variable matmul_nt(const Variable& a, const Variable& b);                  ///< (.., M, K)·(.., N, K)ᵀ

// --- rows as distributions (ops/softmax.cpp), over the last axis ---
Variable softmax(const Variable& x);      ///< yᵢ = e^xᵢ / Σⱼ e^xⱼ
Variable log_softmax(const Variable& x);  ///< yᵢ = xᵢ - log Σⱼ e^xⱼ

// --- normalisation over the last axis (ops/norm.cpp) ---
/// y = (x - mean)/√(var + eps)·gain + bias (Ba et al. 2016)
Variable layer_norm(const Variable& x, const Variable& gain, const Variable& bias, real eps = real(1e-5));
/// y = x/√(mean(x²) + eps)·gain (Zhang & Sennrich 2019)
Variable rms_norm(const Variable& x, const Variable& gain, real eps = real(1e-5));

// --- dropout (ops/dropout.cpp) ---
/// yᵢ = xᵢ/(1-p) with probability 1-p, else 0 (Srivastava et al. 2014). The mask is not stored but regenerated in backward.
/// p = 0 returns x and draws nothing. Errors: ValueError unless 0 <= p < 1.
Variable dropout(const Variable& x, real p, Rng& rng);

// --- reductions (ops/reduce.cpp) ---
Variable sum(const Variable& x);  ///< of all numbers, a scalar
Variable mean(const Variable& x);
Variable sum(const Variable& x, int axis);  ///< the axis disappears
Variable mean(const Variable& x, int axis);

// --- shape (ops/shape.cpp) ---
Variable reshape(const Variable& x, const Shape& shape);              ///< the same numbers; shares storage
Variable concat(const std::vector<Variable>& parts, int axis);        ///< one after another along an axis
Variable slice(const Variable& x, int axis, Index begin, Index end);  ///< begin <= i < end along an axis
Variable split_heads(const Variable& x, Index heads);                 ///< (B, T, H·D) -> (B, H, T, D)
Variable merge_heads(const Variable& x);                              ///< (B, H, T, D) -> (B, T, H·D)
Variable expand(const Variable& x, Index batch);                      ///< (..) -> (batch, ..), B copies

// --- tables (ops/lookup.cpp) ---
/// y[i] = table[ids[i]]: ids (..) and table (V, D) give (.., D). Errors: IndexError names the id and V.
Variable lookup(const Variable& table, const Ids& ids);
/// The same with the rows of `more` as ids V, V+1, ...; either table may be frozen.
Variable lookup(const Variable& table, const Variable& more, const Ids& ids);

// --- rotary position embedding (ops/rotary.cpp), Su et al. 2021 ---
/// θⱼ = base^(-2j/dim), j < dim/2.
Tensor rotary_frequencies(Index dim, real base = 10000);
/// Rotates the pair (x[j], x[j + D/2]) of each head by positions[b, t]·θⱼ ("rotate half", the Hugging Face layout).
/// x (B, H, T, D); positions (B, T) or (T); frequencies (D/2).
Variable rotary(const Variable& x, const Ids& positions, const Tensor& frequencies);

// --- attention (ops/attention.cpp) ---
/// O = softmax(scale·Q·Kᵀ + causal mask)·V without storing the T×S scores: online softmax (Milakov & Gimelshein 2018)
/// in blocks (Dao et al. 2022); keeps only the log-sum-exp of each row.
/// Q (B, H, T, D); K, V (B, G, S, D), each group of H/G query heads shares one key head. Row b has past[b] keys before its
/// first query: query i sees keys j <= past[b] + i; later keys are not read. past empty: S - T for every row.
/// scale 0 stands for 1/√D. Scores are masked by blocks: a NaN or infinity in V[j] may appear in up to 63 rows before j.
Variable causal_attention(const Variable& Q, const Variable& K, const Variable& V, const std::vector<Index>& past = {},
                          real scale = 0);

// --- losses (ops/cross_entropy.cpp, ops/linear_cross_entropy.cpp) ---
constexpr Id ignored = -100;  ///< a label that is not scored, as in PyTorch and Hugging Face

/// How the losses ℓᵢ = -log softmax(logitsᵢ)[labelᵢ] of the scored rows become one number.
struct Reduction {
  /// Σ wᵢ·ℓᵢ with wᵢ = weights[i]; empty: wᵢ = 1/(number of scored rows), the mean.
  std::vector<real> weights;
};
/// logits (.., V), labels (..). Errors: IndexError for a label outside [0, V) that is not `ignored`; ValueError for the mean
/// when no row is scored.
Variable cross_entropy(const Variable& logits, const Ids& labels, const Reduction& reduction = {});
/// cross_entropy(linear(x, W), labels) in chunks of rows: the full logits never exist, and ignored rows cost nothing.
Variable linear_cross_entropy(const Variable& x, const Variable& W, const Ids& labels, const Reduction& reduction = {});
/// cross_entropy(head(x), labels) for any head that maps rows to rows; each chunk's backward is done at once.
using Head = std::function<Variable(const Variable& rows)>;
Variable cross_entropy_by_rows(const Variable& x, const Ids& labels, const Head& head, const Reduction& reduction = {},
                               Index chunk = 256);

}  // namespace graft
