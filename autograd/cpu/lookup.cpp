// Rows of tables by id, and back.
#include <algorithm>

#include "autograd/cpu/parallel.h"
#include "autograd/eigen.h"
#include "autograd/kernels.h"

namespace graft::kernel {

Tensor lookup(const Tensor& table, const Tensor& more, const Ids& ids) {
  const Index V = table.dim(0), D = table.dim(1);
  std::vector<Index> sizes(ids.shape().begin(), ids.shape().end());
  sizes.push_back(D);
  Tensor y{Shape(sizes)};
  real* out = y.write();
  for_range(ids.numel(), D, [&](Index i, Index end) {
    for (; i < end; ++i) {
      const real* row = ids[i] < V ? table.data() + ids[i] * D : more.data() + (ids[i] - V) * D;
      std::copy_n(row, D, out + i * D);
    }
  });
  return y;
}

Tensor scatter_add(const Tensor& dy, const Ids& ids, Id first, const Shape& table) {
  const Index V = table[0], D = table[1];
  Tensor dtable(table, 0);
  real* out = dtable.write();
  for_numbers(D, ids.numel(), [&](Index begin, Index end) {  // each thread owns a band of columns: no two write the same number
    for (Index i = 0; i < ids.numel(); ++i) {
      const Index row = Index(ids[i]) - first;
      if (row < 0 || row >= V) continue;
      Eigen::Map<EigenArray>(out + row * D + begin, end - begin) +=
          Eigen::Map<const EigenArray>(dy.data() + i * D + begin, end - begin);
    }
  });
  return dtable;
}

}  // namespace graft::kernel
