#include "peft/pissa.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels.h"
#include "autograd/linalg.h"
#include "nn/layers.h"

namespace graft::peft {

namespace {
/// The weight itself, below wrappers of other names: those pass this one through.
Linear* plain_of(Projection& base) {
  Projection* at = &base;
  while (auto* wraps = dynamic_cast<Wraps<Projection>*>(at)) at = &*wraps->base;
  return dynamic_cast<Linear*>(at);
}
}  // namespace

Tensor LoraGroup::weight(const std::string& method) const {
  Index rows = 0;
  for (const LoraLinear* wrapper : wrappers) {
    expect<ValueError>(plain_of(*wrapper->base) != nullptr, method, ": a ", wrapper->base->kind(),
                       " cannot hold the rest of its weight; take another start, or quantize after training");
    rows += wrapper->out();
  }
  Tensor W(Shape{rows, wrappers[0]->in()});
  real* to = W.write();
  for (const LoraLinear* wrapper : wrappers) {
    const Tensor part = wrapper->base->dense();
    to = std::copy_n(part.data(), part.numel(), to);
  }
  return W;
}

void LoraGroup::start(const Tensor& A, const Tensor& B, const std::string& name) const {
  pairs[0]->A.set(A.clone());
  const real* from = B.data();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    Tensor rows(pairs[i]->B.shape());
    std::copy_n(from, rows.numel(), rows.write());
    from += rows.numel();
    const Tensor BA = kernel::scale(kernel::multiply_nn(rows, A), pairs[i]->scale), W = wrappers[i]->base->dense();
    plain_of(*wrappers[i]->base)
        ->weight.vary(wrappers[i]->selection, name, kernel::binary(kernel::Binary::sub, W, BA), false);
    pairs[i]->A0 = A, pairs[i]->B0 = rows;
    pairs[i]->B.set(rows.clone());
  }
}

void start_pissa(const LoraGroup& group, const std::string& name) {
  expect<ValueError>(group.pairs[0]->scale > 0, "PiSSA: alpha gives a scale of ", group.pairs[0]->scale,
                     ", whose root is taken; it must be above 0");
  const Svd svd = singular_values(group.weight("PiSSA"));  // U (out, n), S (n), Vᵀ (n, in)
  const Index r = group.pairs[0]->A.shape()[0], in = svd.Vt.cols(), out = svd.U.rows(), n = svd.S.numel();
  Tensor A(Shape{r, in}), B(Shape{out, r});
  real *a = A.write(), *b = B.write();
  for (Index k = 0; k < r; ++k) {
    const real root = std::sqrt(svd.S[k] / group.pairs[0]->scale);
    for (Index i = 0; i < in; ++i) a[k * in + i] = root * svd.Vt[k * in + i];
    for (Index o = 0; o < out; ++o) b[o * r + k] = root * svd.U[o * n + k];
  }
  group.start(A, B, name);
}

}  // namespace graft::peft
