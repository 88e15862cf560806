// Elementwise functions and their derivatives, one pass over memory each.
#include <unsupported/Eigen/SpecialFunctions>

#include "autograd/cpu/parallel.h"
#include "autograd/eigen.h"
#include "autograd/kernels.h"

namespace graft::kernel {
namespace {

constexpr real sqrt_2_over_pi = real(0.797884560802865356), cubic = real(0.044715);
constexpr real sqrt_half = real(0.707106781186547524), inverse_sqrt_2pi = real(0.398942280401432678);

template <class X>
auto logistic(const X& x) {
  return real(1) / (real(1) + (-x).exp());
}

// The tanh form of gelu as x·σ(2u), u = √(2/π)(x + 0.044715x³), because (1 + tanh u)/2 = σ(2u): one exponential.
template <class X>
auto gelu_gate(const X& x) {
  return real(1) / (real(1) + (x * (real(-2) * sqrt_2_over_pi * (real(1) + cubic * x.square()))).exp());
}

template <class Y, class X>
void apply(Unary f, Y&& y, const X& x) {
  switch (f) {
    case Unary::exp: y = x.exp(); break;
    case Unary::log: y = x.log(); break;
    case Unary::tanh: y = x.tanh(); break;
    case Unary::sigmoid: y = logistic(x); break;
    case Unary::relu: y = x.max(real(0)); break;
    case Unary::silu: y = x * logistic(x); break;
    case Unary::gelu: y = x * gelu_gate(x); break;
    case Unary::gelu_erf: y = real(0.5) * x * (real(1) + (sqrt_half * x).erf()); break;
  }
}

/// dx = dy·f'(x); `s` is y for exp tanh sigmoid relu, and x for the others.
template <class DX, class S, class DY>
void apply_backward(Unary f, DX&& dx, const S& s, const DY& dy) {
  switch (f) {
    case Unary::exp: dx = dy * s; break;
    case Unary::log: dx = dy / s; break;
    case Unary::tanh: dx = dy * (real(1) - s.square()); break;
    case Unary::sigmoid: dx = dy * s * (real(1) - s); break;
    case Unary::relu: dx = (s > real(0)).select(dy, real(0)); break;
    case Unary::silu: {
      const EigenArray gate = logistic(s);
      dx = dy * gate * (real(1) + s * (real(1) - gate));
      break;
    }
    case Unary::gelu: {  // y = x·g(2u):  y' = g + x·g(1 - g)·2u',  u' = √(2/π)(1 + 3·0.044715x²)
      const EigenArray gate = gelu_gate(s);
      dx = dy * gate * (real(1) + (real(1) - gate) * s * (real(2) * sqrt_2_over_pi * (real(1) + real(3) * cubic * s.square())));
      break;
    }
    case Unary::gelu_erf:  // y = x·Φ(x):  y' = Φ(x) + x·φ(x)
      dx = dy * (real(0.5) * (real(1) + (sqrt_half * s).erf()) + s * inverse_sqrt_2pi * (real(-0.5) * s.square()).exp());
      break;
  }
}

constexpr Index strip = 2048;  // intermediate arrays of this many numbers stay in the first-level cache

}  // namespace

Tensor unary(Unary f, const Tensor& x) {
  Tensor y(x.shape());
  real* out = y.write();
  const real* in = x.data();
  for_numbers(x.numel(), 8, [=](Index begin, Index end) {
    apply(f, Eigen::Map<EigenArray>(out + begin, end - begin), Eigen::Map<const EigenArray>(in + begin, end - begin));
  });
  return y;
}

Tensor unary_backward(Unary f, const Tensor& saved, const Tensor& dy) {
  Tensor dx(dy.shape());
  real* out = dx.write();
  const real *ps = saved.data(), *pd = dy.data();
  for_numbers(dy.numel(), 8, [=](Index begin, Index end) {
    for (Index i = begin; i < end; i += strip) {
      const Index n = std::min(strip, end - i);
      apply_backward(f, Eigen::Map<EigenArray>(out + i, n), Eigen::Map<const EigenArray>(ps + i, n),
                     Eigen::Map<const EigenArray>(pd + i, n));
    }
  });
  return dx;
}

}  // namespace graft::kernel
