// Ops that move numbers without changing them; backward moves the gradient the other way.
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"

namespace graft {

Variable reshape(const Variable& x, const Shape& shape) {
  expect_defined("reshape", x);
  Edge back{x, [before = x.shape()](const Tensor& dy) { return dy.reshape(before); }};
  return detail::record("reshape", x.value().reshape(shape), &back, 1, /*view=*/true);
}

/// y = [x₀ ; x₁ ; ..] along an axis      ∂xᵢ = its band of ∂y
Variable concat(const std::vector<Variable>& parts, int axis) {
  expect<ValueError>(!parts.empty(), "concat: no parts given; give at least one");
  for (const Variable& part : parts) expect_defined("concat", part);
  const Shape first = parts[0].shape();
  axis = axis_of("concat", parts[0], axis);
  Index length = 0;
  for (const Variable& part : parts) {
    expect(part.shape().rank() == first.rank() && part.shape().with(axis, 0) == first.with(axis, 0), "concat: shapes ", first,
           " and ", part.shape(), " may differ only on axis ", axis);
    length += part.dim(axis);
  }
  Tensor y(first.with(axis, length));
  std::vector<Index> starts;
  Index at = 0;
  for (const Variable& part : parts) {
    kernel::copy_axis(part.value(), 0, y, at, part.dim(axis), axis);
    starts.push_back(at);
    at += part.dim(axis);
  }
  std::vector<Shape> shapes;
  for (const Variable& part : parts) shapes.push_back(part.shape());
  return record_joint("concat", y, parts, [axis, starts, shapes](const Tensor& dy, const std::vector<bool>& learns) {
    std::vector<Tensor> bands(shapes.size());
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      if (!learns[i]) continue;
      bands[i] = Tensor(shapes[i]);
      kernel::copy_axis(dy, starts[i], bands[i], 0, shapes[i][axis], axis);
    }
    return bands;
  });
}

/// y = x[.., begin:end, ..]      ∂x = ∂y in that band, 0 elsewhere
Variable slice(const Variable& x, int axis, Index begin, Index end) {
  expect_defined("slice", x);
  axis = axis_of("slice", x, axis);
  expect<IndexError>(0 <= begin && begin <= end && end <= x.dim(axis), "slice: [", begin, ", ", end, ") is not within axis ",
                     axis, " of shape ", x.shape(), ", which has size ", x.dim(axis));
  Tensor y(x.shape().with(axis, end - begin));
  kernel::copy_axis(x.value(), begin, y, 0, end - begin, axis);
  return record("slice", y, Edge{x, [shape = x.shape(), axis, begin, end](const Tensor& dy) {
                                   Tensor dx(shape, 0);
                                   kernel::copy_axis(dy, 0, dx, begin, end - begin, axis);
                                   return dx;
                                 }});
}

Variable split_heads(const Variable& x, Index heads) {
  expect_defined("split_heads", x);
  expect(x.shape().rank() == 3 && heads > 0 && x.dim(2) % heads == 0, "split_heads: x has shape ", x.shape(),
         ", which is not (B, T, H·D) for ", heads, " heads");
  const Shape rows{x.dim(0), x.dim(1), heads, x.dim(2) / heads};
  return record("split_heads", kernel::swap_heads(x.value().reshape(rows)),  // (B, T, H, D) -> (B, H, T, D)
                Edge{x, [shape = x.shape()](const Tensor& dy) { return kernel::swap_heads(dy).reshape(shape); }});
}

Variable merge_heads(const Variable& x) {
  expect_defined("merge_heads", x);
  expect(x.shape().rank() == 4, "merge_heads: x has shape ", x.shape(), ", but (B, H, T, D) is needed");
  const Shape heads{x.dim(0), x.dim(2), x.dim(1), x.dim(3)};  // (B, T, H, D)
  return record("merge_heads", kernel::swap_heads(x.value()).reshape({x.dim(0), x.dim(2), x.dim(1) * x.dim(3)}),
                Edge{x, [heads](const Tensor& dy) { return kernel::swap_heads(dy.reshape(heads)); }});
}

/// y[b] = x        ∂x = Σ_b ∂y[b]
Variable expand(const Variable& x, Index batch) {
  expect_defined("expand", x);
  expect<ValueError>(batch >= 1, "expand: a batch of ", batch, " requested, but it must be at least 1");
  return record("expand", kernel::repeat(x.value(), batch),
                Edge{x, [shape = x.shape()](const Tensor& dy) { return kernel::sum_to(dy, shape); }});
}

}  // namespace graft
