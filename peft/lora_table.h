// LoRA of a table of embeddings: E' = E + s·(B·A)ᵀ, so row i gets s·B·A[:, i] (Hu et al. 2021; loralib's Embedding).
// Here the start is reversed in loralib and PEFT: A = 0 and B ~ N(0, 1). A head tied to the table keeps the old rows, as in PEFT.
// DoRA of a table, as in PEFT: one magnitude per feature, E' = m·(E + s·(B·A)ᵀ)/‖E + s·(B·A)ᵀ‖, the norm over all rows.
#pragma once
#include "peft/lora.h"

namespace graft::peft {

/// What one name adds to one table.
struct LoraTablePair {
  Param A;  ///< (V, r): transposed, one row per id
  Param B;  ///< (D, r)
  real scale;
  std::optional<Param> magnitude;  ///< (D), DoRA only
};

/// E[ids] + s·A[ids]·Bᵀ
struct LoraTable : TableWrapper<LoraTablePair> {
  using TableWrapper::TableWrapper;
  std::string method() const override { return "LoRA"; }
  Variable look_up(const LoraTablePair& pair, const Ids& ids) const override;  ///< s·A[ids]
  Variable row(const LoraTablePair& pair, const Variable& y, const Variable& looked_up) const override;
  Tensor merged_table(const LoraTablePair& pair) const override;
  void add(const std::string& name, Index r, real scale, bool dora, Rng& rng);

 private:
  Tensor direction(const LoraTablePair& pair) const;  ///< E + s·A·Bᵀ
};

bool is_table(const BaseModel& base, const std::string& target);  ///< does a table's path end with it, and no projection's?

}  // namespace graft::peft
