// Eigen views of tensors. The one opt-in header that includes Eigen: the views are created on the caller's side, and no
// Eigen type ever crosses the library's interface (see docs/architecture.md).
#pragma once
#include <Eigen/Core>

#include "autograd/tensor.h"

namespace graft {

using EigenMatrix = Eigen::Matrix<real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using EigenArray = Eigen::Array<real, Eigen::Dynamic, 1>;

/// rows × cols of t, to read.
inline Eigen::Map<const EigenMatrix> matrix(const Tensor& t) { return {t.data(), t.rows(), t.cols()}; }
/// The same, to write (counts as a change of t).
inline Eigen::Map<EigenMatrix> matrix_out(Tensor& t) { return {t.write(), t.rows(), t.cols()}; }
/// All numbers as one array, to read and to write.
inline Eigen::Map<const EigenArray> array(const Tensor& t) { return {t.data(), t.numel()}; }
inline Eigen::Map<EigenArray> array_out(Tensor& t) { return {t.write(), t.numel()}; }

}  // namespace graft
