#include "autograd/shape.h"

#include <algorithm>
#include <limits>
#include <ostream>

namespace graft {

Shape::Shape(const Index* begin, const Index* end) {
  expect<SizeError>(end - begin <= max_rank, "Shape: ", end - begin, " axes, but a tensor has at most ", max_rank,
                    "; merge axes with reshape");
  constexpr Index most = std::numeric_limits<Index>::max() / static_cast<Index>(sizeof(real)) / 2;
  Index nonzero = 1;  // the product without zeros, so that [0, 2^62, 2^62] is refused too
  for (const Index* size = begin; size != end; ++size) {
    expect<SizeError>(*size >= 0, "Shape: axis ", size - begin, " has size ", *size, "; sizes are 0 or more");
    const Index factor = std::max<Index>(*size, 1);
    expect<SizeError>(nonzero <= most / factor, "Shape: the sizes up to axis ", size - begin, " (", *size,
                      ") multiply to more than ", most, " numbers, more than any memory holds");
    nonzero *= factor;
    numel_ *= *size;
    sizes_[rank_++] = *size;
  }
}

Index Shape::outer(int axis) const {
  Index n = 1;
  for (int a = 0; a < axis; ++a) n *= sizes_[a];
  return n;
}

Index Shape::inner(int axis) const {
  Index n = 1;
  for (int a = axis + 1; a < rank_; ++a) n *= sizes_[a];
  return n;
}

Shape Shape::with(int axis, Index size) const {
  std::vector<Index> sizes(begin(), end());
  sizes[resolve(axis)] = size;
  return Shape(sizes);
}

Shape Shape::without(int axis) const {
  std::vector<Index> sizes(begin(), end());
  sizes.erase(sizes.begin() + resolve(axis));
  return Shape(sizes);
}

Shape Shape::before(Index size) const {
  std::vector<Index> sizes(begin(), end());
  sizes.insert(sizes.begin(), size);
  return Shape(sizes);
}

bool Shape::is_tail_of(const Shape& other) const {
  return rank_ <= other.rank_ && std::equal(begin(), end(), other.end() - rank_);
}

std::string Shape::str() const {
  std::string s = "[";
  for (int a = 0; a < rank_; ++a) s += (a ? ", " : "") + std::to_string(sizes_[a]);
  return s + "]";
}

void Shape::no_axis(int axis) const {
  throw IndexError(text("axis ", axis, " does not exist in shape ", str(), "; axes are ", -rank_, " to ", rank_ - 1));
}

bool operator==(const Shape& a, const Shape& b) { return a.rank() == b.rank() && std::equal(a.begin(), a.end(), b.begin()); }

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.str(); }

}  // namespace graft
