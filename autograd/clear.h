// The slow clear versions: one loop per index of the formula, no blocks, no threads. They are the oracles for the kernels
// with the same names in kernels.h, and the place to read what those compute.
#pragma once
#include "autograd/kernels.h"

namespace graft::clear {

Tensor multiply_nt(const Tensor& a, const Tensor& b);
Tensor multiply_nn(const Tensor& a, const Tensor& b);
Tensor multiply_tn(const Tensor& a, const Tensor& b);
Tensor unary(kernel::Unary f, const Tensor& x);
Tensor softmax(const Tensor& x);
Tensor log_softmax(const Tensor& x);
kernel::Normalized layer_norm(const Tensor& x, const Tensor& gain, const Tensor& bias, real eps);
kernel::Normalized rms_norm(const Tensor& x, const Tensor& gain, real eps);
Tensor scatter_add(const Tensor& dy, const Ids& ids, Id first, const Shape& table);
kernel::Attended attention(const Tensor& Q, const Tensor& K, const Tensor& V, const std::vector<Index>& past, real scale);
kernel::AttentionGradients attention_backward(const Tensor& Q, const Tensor& K, const Tensor& V, const std::vector<Index>& past,
                                              real scale, const Tensor& dO);
real cross_entropy(const Tensor& logits, const Ids& labels, const std::vector<real>& weights);
Tensor cross_entropy_backward(const Tensor& logits, const Ids& labels, const std::vector<real>& weights);

}  // namespace graft::clear
