// A program outside of graft: a small graph, its gradient, an op of its own, and the library's errors caught by type.
#include <graft.h>

#include <iostream>

namespace {

int failures = 0;

void check(bool ok, const char* what) {
  std::cout << (ok ? "ok    " : "WRONG ") << what << "\n";
  if (!ok) ++failures;
}

/// True if f throws exactly an E (not something derived from it, not another type).
template <class E, class F>
bool throws(F f) {
  try {
    f();
  } catch (const E& e) {
    return typeid(e) == typeid(E) && *e.what() != '\0';
  } catch (...) {
  }
  return false;
}

/// y = x³, which graft does not have        ∂x = ∂y·3x²
graft::Variable cube(const graft::Variable& x) {
  using graft::Tensor;
  Tensor y(x.shape());
  for (graft::Index i = 0; i < y.numel(); ++i) y.write()[i] = x.value()[i] * x.value()[i] * x.value()[i];
  return graft::record("cube", y, graft::Edge{x, [X = x.value()](const Tensor& dy) {
                         Tensor dx(X.shape());
                         for (graft::Index i = 0; i < X.numel(); ++i) dx.write()[i] = dy[i] * 3 * X[i] * X[i];
                         return dx;
                       }});
}

}  // namespace

int main() {
  using namespace graft;
  const Variable x = parameter(Tensor({3}, {1, -2, 3}), "x");
  sum(x * x).backward();
  check(x.grad().values() == std::vector<real>{2, -4, 6}, "the gradient of sum(x * x) is 2x");

  const Variable z = parameter(Tensor({3}, {1, -2, 3}));
  sum(cube(z)).backward();
  check(z.grad().values() == std::vector<real>{3, 12, 27}, "the gradient of sum(cube(x)), an op made here, is 3x^2");

  const Variable W = parameter(Tensor({2, 4}, 1));
  check(throws<ShapeError>([&] { linear(x, W); }), "a wrong shape is a graft::ShapeError");
  check(throws<IndexError>([&] { lookup(W, Ids{0, 2}); }), "an id outside the table is a graft::IndexError");
  check(throws<GraphError>([&] { (x * x).backward(); }), "backward from three numbers is a graft::GraphError");
  check(throws<SizeError>([] { Tensor(Shape{-1}); }), "a negative size is a graft::SizeError");
  check(throws<ValueError>([] { threads(0); }), "no threads is a graft::ValueError");
  try {
    linear(x, W);
    check(false, "caught as graft::Error");
  } catch (const Error&) {
    check(true, "caught as graft::Error");
  }
  try {
    linear(x, W);
    check(false, "caught as std::exception");
  } catch (const std::exception&) {
    check(true, "caught as std::exception");
  }
  std::cout << x.value() << "\n" << ledger();
  return failures == 0 ? 0 : 1;
}
