// Decompositions by Eigen.
#include "autograd/linalg.h"

#include <Eigen/SVD>

#include "autograd/eigen.h"

namespace graft {

Svd singular_values(const Tensor& W) {
  expect(W.rank() == 2 && W.numel() > 0, "singular_values: W has shape ", W.shape(), ", but a matrix is needed");
  const Index m = W.rows(), n = W.cols(), k = std::min(m, n);
  // In double, so that small singular values of float matrices are accurate; speed matters little here.
  const Eigen::BDCSVD<Eigen::MatrixXd> svd(matrix(W).cast<double>(), Eigen::ComputeThinU | Eigen::ComputeThinV);
  Svd result{Tensor(Shape{m, k}), Tensor(Shape{k}), Tensor(Shape{k, n})};
  matrix_out(result.U) = svd.matrixU().cast<real>();
  matrix_out(result.Vt) = svd.matrixV().transpose().cast<real>();
  real* S = result.S.write();
  for (Index i = 0; i < k; ++i) S[i] = static_cast<real>(svd.singularValues()[i]);
  return result;
}

}  // namespace graft
