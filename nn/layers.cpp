#include "nn/layers.h"

#include "autograd/ops.h"

namespace graft {

// --- projections ---------------------------------------------------------------------------------------------------------

Linear::Linear(Index in, Index out, bool bias) : weight(*this, "weight", Shape{out, in}) {
  if (bias) b.emplace(*this, "bias", Shape{out});
}
Linear::Linear(const Param& shared) : weight(*this, "weight", shared) {
  expect(shared.shape().rank() == 2, "Linear: the shared weight has shape ", shared.shape(), ", but (out, in) is needed");
}
std::string Linear::kind() const { return text("Linear ", in(), " -> ", out()); }
Variable Linear::operator()(const Variable& x) { return b ? linear(x, weight, *b) : linear(x, weight); }

PackedLinear::PackedLinear(Packed W, bool bias) : weight(*this, "weight", std::move(W)) {
  if (bias) b.emplace(*this, "bias", Shape{out()});
}
std::string PackedLinear::kind() const { return text("PackedLinear ", in(), " -> ", out()); }
Variable PackedLinear::operator()(const Variable& x) {
  const Variable y = linear(x, static_cast<const Packed&>(weight));
  return b ? y + *b : y;
}

// --- tables --------------------------------------------------------------------------------------------------------------

Embedding::Embedding(Index rows, Index dim) : weight(*this, "weight", Shape{rows, dim}) {}
std::string Embedding::kind() const { return text("Embedding ", rows(), " x ", dim()); }
Variable Embedding::operator()(const Ids& ids) { return lookup(weight, ids); }

PackedEmbedding::PackedEmbedding(Packed W) : weight(*this, "weight", std::move(W)) {}
std::string PackedEmbedding::kind() const { return text("PackedEmbedding ", rows(), " x ", dim()); }
Variable PackedEmbedding::operator()(const Ids& ids) { return lookup(static_cast<const Packed&>(weight), ids); }

std::unique_ptr<Projection> tied_head(const Table& table) {
  if (const auto* plain = dynamic_cast<const Embedding*>(&table)) return std::make_unique<Linear>(plain->weight);
  if (const auto* packed = dynamic_cast<const PackedEmbedding*>(&table))
    return std::make_unique<PackedLinear>(static_cast<const Packed&>(packed->weight));
  throw ValueError(text("tied_head: a ", table.kind(), " has no weight to share; tie the head to what it wraps"));
}

// --- norms ---------------------------------------------------------------------------------------------------------------

LayerNorm::LayerNorm(Index dim, real e) : weight(*this, "weight", Shape{dim}), bias(*this, "bias", Shape{dim}), eps(e) {}
std::string LayerNorm::kind() const { return text("LayerNorm ", weight.numel(), ", eps ", eps); }
Variable LayerNorm::operator()(const Variable& x) { return layer_norm(x, weight, bias, eps); }

RmsNorm::RmsNorm(Index dim, real e) : weight(*this, "weight", Shape{dim}), eps(e) {}
std::string RmsNorm::kind() const { return text("RmsNorm ", weight.numel(), ", eps ", eps); }
Variable RmsNorm::operator()(const Variable& x) { return rms_norm(x, weight, eps); }

// --- dropout -------------------------------------------------------------------------------------------------------------

Dropout::Dropout(real rate) : p(rate) {
  expect<ValueError>(0 <= p && p < 1, "Dropout: the rate is ", p, ", but must be in [0, 1)");
}
std::string Dropout::kind() const { return text("Dropout ", p); }
Variable Dropout::operator()(const Variable& x) { return randomness() ? dropout(x, p, *randomness()) : x; }

}  // namespace graft
