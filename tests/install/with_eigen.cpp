// A program that uses Eigen itself, compiled without the processor flags of the library. If the library exported its own
// copies of Eigen's functions, or handed Eigen types over its border, this would crash or compute nonsense.
#include <autograd/eigen.h>
#include <graft.h>

#include <Eigen/Dense>
#include <iostream>

int main() {
  using namespace graft;
  const Index n = 37;
  Rng rng(1);
  const Variable a = parameter(normal({n, n}, 0, 1, rng)), b = parameter(normal({n, n}, 0, 1, rng));
  const Variable y = matmul(a, b);
  sum(y).backward();

  const EigenMatrix A = matrix(a.value()), B = matrix(b.value());
  const EigenMatrix Y = A * B;                                     // here, with this program's flags
  const EigenMatrix dA = EigenMatrix::Ones(n, n) * B.transpose();  // d sum(A·B) / dA
  const double off = (matrix(y.value()) - Y).norm() / Y.norm() + (matrix(a.grad()) - dA).norm() / dA.norm();

  const Eigen::MatrixXd S = Eigen::MatrixXd::Random(n, n);
  const Eigen::VectorXd c = Eigen::VectorXd::Random(n);
  const double solved = (S * S.partialPivLu().solve(c) - c).norm();

  std::cout << "library and Eigen differ by " << off << "; Eigen solves to " << solved << "\n";
  return off < 1e-5 && solved < 1e-8 ? 0 : 1;
}
