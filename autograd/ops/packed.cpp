// Products with packed weights, and rows of packed tables. The weight is never trained, so there is one pullback, and it
// keeps nothing but the handle of the packed weight.
#include "autograd/packed.h"

#include "autograd/ops/check.h"

namespace graft {
namespace {

void expect_packed(const char* op, const Packed& W) {
  expect<ValueError>(W != nullptr, op, ": the packed matrix is empty; give it one, for example from packed_blocks()");
}

}  // namespace

PackedMatrix::PackedMatrix(Index rows, Index cols) : rows_(rows), cols_(cols) { Shape{rows, cols}; }
PackedMatrix::~PackedMatrix() = default;

/// y = x·Wᵀ        ∂x = ∂y·W
Variable linear(const Variable& x, const Packed& W) {
  expect_defined("linear", x);
  expect_packed("linear", W);
  const Shape shape{W->rows(), W->cols()};
  expect(x.shape().rank() >= 1, "linear: x has shape ", x.shape(), " and W ", shape, " (", W->format(),
         "), but x must be at least one row (.., in)");
  expect(x.dim(-1) == W->cols(), "linear: x ", x.shape(), " has ", x.dim(-1), " features but W ", shape, " (", W->format(),
         ") takes ", W->cols(), "; y = x·Wᵀ with W (out, in)");
  return record("linear", kernel::packed_nt(x.value(), *W),
                Edge{x, [W](const Tensor& dy) { return kernel::packed_nn(dy, *W); }});
}

/// y[i] = W[ids[i]]
Variable lookup(const Packed& table, const Ids& ids) {
  expect_packed("lookup", table);
  for (Index i = 0; i < ids.numel(); ++i)
    expect<IndexError>(ids[i] >= 0 && ids[i] < table->rows(), "lookup: id ", ids[i], " at position ", i, " of ids ",
                       ids.shape(), " is not a row of the table; its ", table->rows(), " rows (", table->format(),
                       ") are 0 to ", table->rows() - 1);
  return detail::record("lookup", kernel::packed_rows(*table, ids), nullptr, 0);
}

}  // namespace graft
