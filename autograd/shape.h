// Shape: the sizes of a tensor's axes, at most five, kept in place (no allocation). Row-major: the last axis is contiguous.
// A Shape that exists is valid: no negative size, and its bytes fit the address space.
#pragma once
#include <array>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <vector>

#include "autograd/errors.h"
#include "autograd/real.h"

namespace graft {

class Shape {
 public:
  static constexpr int max_rank = 5;

  Shape() = default;  ///< rank 0: one number
  /// Errors: SizeError for a negative size, more than five axes, or more bytes than can be addressed.
  Shape(std::initializer_list<Index> sizes) : Shape(sizes.begin(), sizes.end()) {}
  explicit Shape(const std::vector<Index>& sizes) : Shape(sizes.data(), sizes.data() + sizes.size()) {}
  Shape(const Index* begin, const Index* end);

  int rank() const { return rank_; }
  Index numel() const { return numel_; }  ///< how many numbers: the product of all sizes
  Index operator[](int axis) const { return sizes_[axis]; }
  const Index* begin() const { return sizes_.data(); }
  const Index* end() const { return sizes_.data() + rank_; }

  /// Size of an axis; -1 is the last one. Errors: IndexError.
  Index dim(int axis) const { return sizes_[resolve(axis)]; }
  /// The axis counted from the front: resolve(-1) == rank() - 1. Errors: IndexError.
  int resolve(int axis) const {
    const int a = axis < 0 ? axis + rank_ : axis;
    if (a < 0 || a >= rank_) no_axis(axis);
    return a;
  }

  /// A tensor seen as a matrix: cols is the last axis (1 for a scalar), rows is the product of the others.
  Index cols() const { return rank_ == 0 ? 1 : sizes_[rank_ - 1]; }
  Index rows() const { return outer(rank_ - 1); }
  Index outer(int axis) const;  ///< product of the sizes before axis
  Index inner(int axis) const;  ///< product of the sizes after axis

  Shape with(int axis, Index size) const;  ///< the same shape except for one axis
  Shape without(int axis) const;           ///< with one axis removed
  Shape before(Index size) const;          ///< with one axis added in front

  /// True if this shape is the tail of the other: [4] and [] are tails of [2, 3, 4].
  bool is_tail_of(const Shape& other) const;

  std::string str() const;  ///< "[2, 3, 4]"

 private:
  [[noreturn]] void no_axis(int axis) const;

  std::array<Index, max_rank> sizes_{};
  Index numel_ = 1;
  int rank_ = 0;
};

bool operator==(const Shape& a, const Shape& b);
inline bool operator!=(const Shape& a, const Shape& b) { return !(a == b); }
std::ostream& operator<<(std::ostream& out, const Shape& shape);

}  // namespace graft
