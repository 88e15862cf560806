// The plain occupants of slots: Linear, PackedLinear, Embedding, PackedEmbedding, LayerNorm, RmsNorm, Dropout.
#pragma once
#include <optional>

#include "nn/interfaces.h"

namespace graft {

/// y = x·Wᵀ + b.      W (out, in), b (out).
struct Linear : Projection {
  Param weight;
  std::optional<Param> b;  ///< named "bias"

  Linear(Index in, Index out, bool bias);
  explicit Linear(const Param& shared);  ///< W is that of another place (a tied head); no bias
  std::string kind() const override;
  Variable operator()(const Variable& x) override;
  Index in() const override { return weight.shape()[1]; }
  Index out() const override { return weight.shape()[0]; }
  Tensor dense() const override { return weight.value(); }
  Tensor bias() const override { return b ? b->value() : Tensor(); }
};

/// The same over a packed W.
struct PackedLinear : Projection {
  PackedPart weight;
  std::optional<Param> b;

  explicit PackedLinear(Packed W, bool bias = false);
  std::string kind() const override;
  Variable operator()(const Variable& x) override;
  Index in() const override { return weight->cols(); }
  Index out() const override { return weight->rows(); }
  Tensor dense() const override { return graft::dense(*weight); }
  Tensor bias() const override { return b ? b->value() : Tensor(); }
};

/// y[i] = W[ids[i]].      W (rows, dim).
struct Embedding : Table {
  Param weight;

  Embedding(Index rows, Index dim);
  std::string kind() const override;
  Variable operator()(const Ids& ids) override;
  Index rows() const override { return weight.shape()[0]; }
  Index dim() const override { return weight.shape()[1]; }
  Tensor dense() const override { return weight.value(); }
};

struct PackedEmbedding : Table {
  PackedPart weight;

  explicit PackedEmbedding(Packed W);
  std::string kind() const override;
  Variable operator()(const Ids& ids) override;
  Index rows() const override { return weight->rows(); }
  Index dim() const override { return weight->cols(); }
  Tensor dense() const override { return graft::dense(*weight); }
};

/// (x - mean)/√(var + eps)·weight + bias (Ba et al. 2016).
struct LayerNorm : RowMap {
  Param weight, bias;
  real eps;

  LayerNorm(Index dim, real eps);
  std::string kind() const override;
  Variable operator()(const Variable& x) override;
};

/// x/√(mean(x²) + eps)·weight (Zhang & Sennrich 2019).
struct RmsNorm : RowMap {
  Param weight;
  real eps;

  RmsNorm(Index dim, real eps);
  std::string kind() const override;
  Variable operator()(const Variable& x) override;
};

/// Drops numbers while training (Srivastava et al. 2014); the identity otherwise.
struct Dropout : RowMap {
  real p;

  explicit Dropout(real p);  ///< Errors: ValueError unless 0 <= p < 1
  std::string kind() const override;
  Variable operator()(const Variable& x) override;
};

/// A head that shares the table's weight, packed or not: the innermost table's, never the slot.
/// Errors: ValueError if the innermost table is neither of the two above.
std::unique_ptr<Projection> tied_head(const Table& table);

}  // namespace graft
