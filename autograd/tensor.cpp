#include "autograd/tensor.h"

#include <algorithm>
#include <ostream>

#include "autograd/kernels.h"
#include "autograd/sizes.h"

namespace graft {

Storage::Storage(Index numel)
    : block(allocate(static_cast<std::size_t>(numel) * sizeof(real))),
      bytes(static_cast<std::size_t>(numel) * sizeof(real)),
      tag(current_tag()) {
  detail::enter(tag, bytes);
}
Storage::~Storage() {
  detail::leave(tag, bytes);
  release(block);
}
void Storage::retag(Tag to) {
  detail::retag(tag, to, bytes);
  tag = to;
}

Tensor::Tensor(Shape shape) : shape_(shape), storage_(std::make_shared<Storage>(shape.numel())) {}

Tensor::Tensor(Shape shape, real value) : Tensor(shape) { fill(value); }

Tensor::Tensor(Shape shape, const std::vector<real>& values) : Tensor(shape) {
  expect(size_of(values) == numel(), "Tensor: ", values.size(), " values given, but shape ", shape_,
         " holds ", numel());
  std::copy(values.begin(), values.end(), write());
}

real* Tensor::write() {
  expect<ValueError>(defined(), "Tensor: an empty tensor has no numbers to write; give it a shape first");
  storage_->version.fetch_add(1, std::memory_order_relaxed);
  return static_cast<real*>(storage_->block.memory);
}

real Tensor::nothing_to_read(const char* by) {
  throw ValueError(text(by, ": the tensor is empty, there is nothing to read; a gradient is empty until backward() has reached ",
                        "it, and again after it was cleared"));
}

real Tensor::at(std::initializer_list<Index> index) const {
  if (!defined()) nothing_to_read("at");
  expect<IndexError>(static_cast<int>(index.size()) == rank(), "Tensor::at: ", index.size(), " indices for shape ", shape_);
  Index flat = 0;
  int axis = 0;
  for (const Index i : index) {
    expect<IndexError>(i >= 0 && i < shape_[axis], "Tensor::at: index ", i, " on axis ", axis, " of shape ", shape_,
                       " must be in [0, ", shape_[axis], ")");
    flat = flat * shape_[axis++] + i;
  }
  return data()[flat];
}

real Tensor::item() const {
  if (!defined()) nothing_to_read("item");
  expect(numel() == 1, "item: the tensor has shape ", shape_, ", which is ", numel(), " numbers; item() reads exactly one");
  return data()[0];
}

Tensor Tensor::reshape(Shape shape) const {
  expect<ValueError>(defined(), "reshape: the tensor is empty");
  expect(shape.numel() == numel(), "reshape: ", shape_, " holds ", numel(), " numbers but ", shape, " holds ", shape.numel());
  Tensor view = *this;
  view.shape_ = shape;
  return view;
}

Tensor Tensor::clone() const {
  if (!defined()) return {};
  Tensor copy(shape_);
  copy.copy_from(*this);
  return copy;
}

void Tensor::fill(real value) { kernel::fill(write(), numel(), value); }

void Tensor::copy_from(const Tensor& source) {
  expect(source.defined() && source.shape() == shape_, "copy_from: source has shape ", source.shape(), " but this has ",
         shape_);
  kernel::copy(source.data(), write(), numel());
}

void Tensor::retag(Category category, const char* op) const {
  if (defined()) storage_->retag({category, op});
}

std::ostream& operator<<(std::ostream& out, const Tensor& t) {
  if (!t.defined()) return out << "Tensor (empty)";
  out << "Tensor " << t.shape() << "\n";
  constexpr Index edge = 4;  // how many rows and columns are shown at either end
  const Index rows = t.rows(), cols = t.cols();
  for (Index r = 0; r < rows; ++r) {
    if (rows > 2 * edge && r == edge) {
      out << "  ...\n";
      r = rows - edge;
    }
    for (Index c = 0; c < cols; ++c) {
      if (cols > 2 * edge && c == edge) {
        out << " ...";
        c = cols - edge;
      }
      out << ' ' << t[r * cols + c];
    }
    out << '\n';
  }
  return out;
}

Ids::Ids(Shape shape, std::vector<Id> values)
    : shape_(shape),
      values_(std::make_shared<const std::vector<Id>>(std::move(values))) {
  expect(size_of(*values_) == shape_.numel(), "Ids: ", values_->size(), " ids given, but shape ", shape_,
         " holds ", shape_.numel());
}
Ids::Ids(std::initializer_list<Id> values) : Ids({size_of(values)}, std::vector<Id>(values)) {}
Ids Ids::row(std::vector<Id> values) {
  const Index n = size_of(values);
  return Ids({1, n}, std::move(values));
}

}  // namespace graft
