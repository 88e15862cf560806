// Packed matrices: weights that stay in a compressed storage format (blocks of a few bits and a scale) and are unpacked only
// inside a product, a panel at a time. They are never trained: ∂x flows through them, ∂W does not exist.
// This header knows no format; blocks.h has the formats of GGUF files.
#pragma once
#include <memory>
#include <string>

#include "autograd/variable.h"

namespace graft {

/// W (rows = out, cols = in) in some storage format. Immutable, shared among threads.
class PackedMatrix {
 public:
  PackedMatrix(Index rows, Index cols);  ///< Errors: SizeError
  virtual ~PackedMatrix();
  PackedMatrix(const PackedMatrix&) = delete;
  PackedMatrix& operator=(const PackedMatrix&) = delete;

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  virtual std::string format() const = 0;  ///< "Q4_1"
  virtual std::size_t bytes() const = 0;   ///< of the packed weight
  /// The rows first .. first + count as numbers, to[count * cols].
  virtual void unpack(Index first, Index count, real* to) const = 0;
  /// y[i * stride + r] = <x_i, W_r> for the few rows x (n, cols), n <= few, and all r in [first, first + count): for
  /// decoding, where a panel would be unpacked for only one or two rows. The default unpacks; formats override it.
  virtual void multiply_few(const real* x, Index n, Index first, Index count, real* y, Index stride) const;
  static constexpr Index few = 4;

 private:
  Index rows_, cols_;
};
using Packed = std::shared_ptr<const PackedMatrix>;

Tensor dense(const PackedMatrix& W);  ///< all of it as numbers, (rows, cols)

/// y = x·Wᵀ      ∂x = ∂y·W.      x (.., in), W (out, in). Errors: as linear() in ops.h.
Variable linear(const Variable& x, const Packed& W);
/// y[i] = W[ids[i]]: ids (..) give (.., cols). Errors: IndexError names the id and the number of rows.
Variable lookup(const Packed& table, const Ids& ids);

namespace kernel {
Tensor packed_nt(const Tensor& x, const PackedMatrix& W);   // x·Wᵀ
Tensor packed_nn(const Tensor& dy, const PackedMatrix& W);  // ∂y·W
Tensor packed_rows(const PackedMatrix& W, const Ids& ids);
}  // namespace kernel

}  // namespace graft
