// Rows of a table by id. Backward adds each gradient to the row that it came from.
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"

namespace graft {
namespace {
void expect_table(const Variable& table) {
  expect(table.shape().rank() == 2, "lookup: a table is a matrix (rows, dim), but this has shape ", table.shape());
}
void expect_ids(const Ids& ids, Index rows) {
  for (Index i = 0; i < ids.numel(); ++i)
    expect<IndexError>(ids[i] >= 0 && ids[i] < rows, "lookup: id ", ids[i], " at position ", i, " of ids ", ids.shape(),
                       " is not a row of the table; its ", rows, " rows are 0 to ", rows - 1);
}
}  // namespace

/// y[i] = table[ids[i]]      ∂table[v] = Σ_{i: ids[i] = v} ∂y[i]
Variable lookup(const Variable& table, const Ids& ids) {
  expect_defined("lookup", table);
  expect_table(table);
  expect_ids(ids, table.dim(0));
  return record("lookup", kernel::lookup(table.value(), Tensor(), ids),
                Edge{table, [ids, shape = table.shape()](const Tensor& dy) { return kernel::scatter_add(dy, ids, 0, shape); }});
}

/// The same over [table ; more], with consecutive row numbers.
Variable lookup(const Variable& table, const Variable& more, const Ids& ids) {
  expect_defined("lookup", table, more);
  expect_table(table);
  expect_table(more);
  expect(table.dim(1) == more.dim(1), "lookup: the tables ", table.shape(), " and ", more.shape(), " differ in row size");
  expect_ids(ids, table.dim(0) + more.dim(0));
  const Id first = static_cast<Id>(table.dim(0));
  return record(
      "lookup", kernel::lookup(table.value(), more.value(), ids),
      Edge{table, [ids, shape = table.shape()](const Tensor& dy) { return kernel::scatter_add(dy, ids, 0, shape); }},
      Edge{more, [ids, first, shape = more.shape()](const Tensor& dy) { return kernel::scatter_add(dy, ids, first, shape); }});
}

}  // namespace graft
