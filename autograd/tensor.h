// Tensor: a Shape and shared, 64-byte-aligned storage. Always contiguous and row-major; a view is a reshape.
// A Tensor is a handle: copies share the numbers. It knows nothing about gradients (see variable.h).
// Arithmetic is that of Variables (ops.h), which tensors become by themselves: (a - b).value(), nothing is recorded.
// data() reads; write() writes and is counted, so that backward can tell whether a saved tensor was changed.
#pragma once
#include <atomic>
#include <iosfwd>
#include <memory>
#include <vector>

#include "autograd/allocator.h"
#include "autograd/ledger.h"
#include "autograd/shape.h"

namespace graft {

/// Owned memory with its ledger tag. Created by Tensor only.
struct Storage {
  explicit Storage(Index numel);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  void retag(Tag to);

  Block block;
  std::size_t bytes;  ///< as requested
  Tag tag;
  std::atomic<std::uint32_t> version{0};  ///< how often it was opened for writing
};

class Tensor {
 public:
  Tensor() = default;                                    ///< empty: no shape chosen, no storage
  explicit Tensor(Shape shape);                          ///< uninitialized
  Tensor(Shape shape, real fill);                        ///< all equal to fill
  Tensor(Shape shape, const std::vector<real>& values);  ///< Errors: ShapeError unless numel values are given

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  Index numel() const { return defined() ? shape_.numel() : 0; }  ///< 0 for an empty tensor
  Index dim(int axis) const { return shape_.dim(axis); }
  Index rows() const { return shape_.rows(); }
  Index cols() const { return shape_.cols(); }
  std::size_t bytes() const { return defined() ? static_cast<std::size_t>(numel()) * sizeof(real) : 0; }

  const real* data() const { return defined() ? static_cast<const real*>(storage_->block.memory) : nullptr; }
  /// The same numbers, to be changed. Errors: ValueError on an empty tensor.
  real* write();

  /// By flat index, unchecked. Errors: ValueError on an empty tensor, such as a gradient before backward()
  real operator[](Index i) const { return defined() ? data()[i] : nothing_to_read("[]"); }
  real at(std::initializer_list<Index> index) const;  ///< Errors: IndexError; ValueError as []
  real item() const;                                  ///< the only number. Errors: ShapeError; ValueError as []
  std::vector<real> values() const { return {data(), data() + (defined() ? numel() : 0)}; }

  /// The same storage under another shape. Errors: ShapeError unless numel is the same.
  Tensor reshape(Shape shape) const;
  Tensor clone() const;  ///< the same numbers in new storage
  void fill(real value);
  void copy_from(const Tensor& source);  ///< overwrite the numbers. Errors: ShapeError

  bool alone() const { return storage_.use_count() == 1; }  ///< no other handle shares this storage
  bool shares(const Tensor& other) const { return storage_ == other.storage_; }
  std::uint32_t version() const { return storage_ ? storage_->version.load(std::memory_order_relaxed) : 0; }
  /// Moves the storage's bytes to another line of the ledger.
  void retag(Category category, const char* op = nullptr) const;
  Tag tag() const { return storage_ ? storage_->tag : Tag{}; }

 private:
  [[noreturn]] static real nothing_to_read(const char* by);
  Shape shape_;
  std::shared_ptr<Storage> storage_;
};

std::ostream& operator<<(std::ostream& out, const Tensor& tensor);  ///< numbers; long rows and columns are abbreviated

/// Token ids or labels: whole numbers with a shape. Immutable, so copies are cheap.
class Ids {
 public:
  Ids() = default;
  Ids(Shape shape, std::vector<Id> values);  ///< Errors: ShapeError unless numel values are given
  Ids(std::initializer_list<Id> values);     ///< (n)
  static Ids row(std::vector<Id> values);    ///< (1, n): a batch of one row, model(Ids::row(tokenizer.encode("...")))

  const Shape& shape() const { return shape_; }
  Index numel() const { return shape_.numel(); }
  Id operator[](Index i) const { return (*values_)[static_cast<std::size_t>(i)]; }  ///< flat index, unchecked
  const Id* data() const { return values_ ? values_->data() : nullptr; }
  std::vector<Id> values() const { return {begin(), end()}; }
  const Id* begin() const { return data(); }
  const Id* end() const { return data() + (values_ ? numel() : 0); }

 private:
  Shape shape_{0};
  std::shared_ptr<const std::vector<Id>> values_;
};

}  // namespace graft
