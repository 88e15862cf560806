#include "peft/pissa.h"

#include <cmath>

#include "autograd/kernels.h"
#include "autograd/linalg.h"
#include "nn/layers.h"

namespace graft::peft {

void start_pissa(Projection& base, LoraPair& pair, const Selection& selection, const std::string& name) {
  auto* plain = dynamic_cast<Linear*>(&base);
  expect<ValueError>(plain != nullptr, "PiSSA: a ", base.kind(), " cannot hold the rest of its weight; take another start, or ",
                     "quantize after training");
  const Index r = pair.A.shape()[0], in = base.in(), out = base.out();
  const Svd svd = singular_values(base.dense());  // U (out, n), S (n), Vᵀ (n, in)
  const Index n = svd.S.numel();
  Tensor A(Shape{r, in}), B(Shape{out, r});
  for (Index k = 0; k < r; ++k) {
    const real root = std::sqrt(svd.S[k] / pair.scale);
    for (Index i = 0; i < in; ++i) A.write()[k * in + i] = root * svd.Vt[k * in + i];
    for (Index o = 0; o < out; ++o) B.write()[o * r + k] = root * svd.U[o * n + k];
  }
  const Tensor BA = kernel::scale(kernel::multiply_nn(B, A), pair.scale);
  plain->weight.vary(selection, name, kernel::binary(kernel::Binary::sub, base.dense(), BA), false);
  pair.A0 = A.clone(), pair.B0 = B.clone();
  pair.A.give(A);
  pair.B.give(B);
}

}  // namespace graft::peft
