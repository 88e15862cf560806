// Arithmetic on arrays. A smaller second argument repeats over the rows of the first.
#include "autograd/cpu/repeats.h"
#include "autograd/kernels.h"

namespace graft::kernel {
namespace {

using In = Eigen::Map<const EigenArray>;
using Out = Eigen::Map<EigenArray>;

template <class A, class B>
void apply(Binary op, Out y, const A& a, const B& b) {
  switch (op) {
    case Binary::add: y = a + b; break;
    case Binary::sub: y = a - b; break;
    case Binary::mul: y = a * b; break;
    case Binary::div: y = a / b; break;
    case Binary::sub_from: y = b - a; break;
    case Binary::div_into: y = b / a; break;
  }
}

}  // namespace

Tensor binary(Binary op, const Tensor& a, const Tensor& b) {
  Tensor y(a.shape());
  real* out = y.write();
  const real *pa = a.data(), *pb = b.data();
  const Index m = b.numel();
  if (m == a.numel()) {
    for_numbers(a.numel(), 1,
                [=](Index i, Index end) { apply(op, Out(out + i, end - i), In(pa + i, end - i), In(pb + i, end - i)); });
  } else if (m == 1) {
    for_numbers(a.numel(), 1, [=](Index i, Index end) {
      apply(op, Out(out + i, end - i), In(pa + i, end - i), EigenArray::Constant(end - i, *pb));
    });
  } else if (m > 1) {
    for_range(a.numel() / m, m, [=](Index r, Index end) {
      for (; r < end; ++r) apply(op, Out(out + r * m, m), In(pa + r * m, m), In(pb, m));
    });
  }
  return y;
}

Tensor scale(const Tensor& x, real s) {
  Tensor y(x.shape());
  real* out = y.write();
  const real* in = x.data();
  for_numbers(x.numel(), 1, [=](Index i, Index end) { Out(out + i, end - i) = s * In(in + i, end - i); });
  return y;
}

void add_to(Tensor& into, const Tensor& x) {
  real* out = into.write();
  const real* in = x.data();
  for_numbers(x.numel(), 1, [=](Index i, Index end) { Out(out + i, end - i) += In(in + i, end - i); });
}

Tensor sum_to(const Tensor& x, const Shape& tail) {
  if (x.shape() == tail) return x;
  Tensor y(tail);
  if (tail.numel() == 1) {
    y.fill(total(x));
    return y;
  }
  real* out = y.write();
  const real* in = x.data();
  const Index m = tail.numel(), repeats = m ? x.numel() / m : 0;
  for_numbers(m, repeats, [=](Index begin, Index end) {
    sum_repeats(out, repeats, begin, end, [=](Index r, Index at, Index n) { return In(in + r * m + at, n); });
  });
  return y;
}

Tensor multiply_sum_to(const Tensor& a, const Tensor& b, const Shape& tail) {
  if (a.shape() == tail) return binary(Binary::mul, a, b);
  if (tail.numel() == 1 || b.numel() != a.numel()) return sum_to(binary(Binary::mul, a, b), tail);
  Tensor y(tail);
  real* out = y.write();
  const real *pa = a.data(), *pb = b.data();
  const Index m = tail.numel(), repeats = m ? a.numel() / m : 0;
  for_numbers(m, repeats, [=](Index begin, Index end) {
    sum_repeats(out, repeats, begin, end,
                [=](Index r, Index at, Index n) { return In(pa + r * m + at, n) * In(pb + r * m + at, n); });
  });
  return y;
}

}  // namespace graft::kernel
