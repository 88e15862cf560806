// LoRA of a table of embeddings: E' = E + s·(B·A)ᵀ, so row i gets s·B·A[:, i] (Hu et al. 2021; loralib's Embedding).
// Here the start is reversed in loralib and PEFT: A = 0 and B ~ N(0, 1). A head tied to the table keeps the old rows, as in PEFT.
// DoRA of a table, as in PEFT: one magnitude per feature, E' = m·(E + s·(B·A)ᵀ)/‖E + s·(B·A)ᵀ‖, the norm over all rows.
#pragma once
#include "peft/lora.h"

namespace graft::peft {

struct LoraTable : MergingWrapper<Table> {
  using MergingWrapper<Table>::MergingWrapper;
  std::string method() const override { return "LoRA"; }
  std::vector<std::string> names() const override;
  void drop(const std::string& name) override { pairs_.erase(name); }
  Variable operator()(const Ids& ids) override;
  Index rows() const override { return base->rows(); }
  Index dim() const override { return base->dim(); }
  Tensor dense() const override;
  std::unique_ptr<Table> plain(const std::string& name) const override;

  struct Pair {
    Param A;  ///< (V, r): transposed, one row per id
    Param B;  ///< (D, r)
    real scale;
    std::optional<Param> magnitude;  ///< (D), DoRA only
  };
  void add(const std::string& name, Index r, real scale, bool dora, Rng& rng);
  Pair& pair(const std::string& name) const { return *pairs_.at(name); }

 private:
  Tensor direction(const Pair& p) const;  ///< E + s·A·Bᵀ
  Tensor changed(const Pair& p) const;    ///< that, with the magnitude if there is one
  Variable added(const Pair& p, const Variable& y, const Variable& low) const;  ///< from E[ids] and s·A[ids]
  std::map<std::string, std::unique_ptr<Pair>> pairs_;
};

bool is_table(const BaseModel& base, const std::string& target);  ///< does a table's path end so, and no projection's?

}  // namespace graft::peft
