// VeRA: Kopiczko et al. 2024, "VeRA: vector-based random matrix adaptation". Two random matrices are frozen and the same for all
// targets; each target learns only the two vectors that scale them (eq. 2):
//     y = W₀x + b₀ + b∘(B·(d∘(A·x)))          ΔW = diag(b)·B·diag(d)·A
// d starts at 0.1 and b at 0, so that nothing changes at first. A and B are as large as the largest target needs; a smaller one
// takes the first columns of A and the first rows of B (PEFT).
// GPT-2's q, k and v are one module in its file: as in PEFT they share one d, and B has rows for each of the three.
#pragma once
#include <map>

#include "peft/method.h"
#include "peft/wrapper.h"

namespace graft::peft {

/// A (r, in) and B (out, r) of one adapter. They are not parameters: a file has them, or the key that they are drawn from.
class VeraProjections {
 public:
  VeraProjections(Tensor A, Tensor B);
  /// As PEFT draws them, bit for bit: U(-√(6/n), √(6/n)), n the columns, by torch's generator on the CPU (Mersenne twister).
  static std::shared_ptr<VeraProjections> drawn(Index r, Index in, Index out, std::uint32_t key);

  const Tensor& A() const { return A_; }
  const Tensor& B() const { return B_; }
  Variable columns_of_A(Index in);             ///< the first, (r, in); all targets of this size have the same copy
  Variable rows_of_B(Index first, Index out);  ///< (out, r)

 private:
  Tensor A_, B_;
  std::map<Index, Variable> of_A_;
  std::map<std::pair<Index, Index>, Variable> of_B_;
};

struct Vera : Method {
  Index r = 256;                               ///< as large as it may be: r + out numbers learn per target, whatever A and B cost
  real d_initial = real(0.1);                  ///< every number of d at first; the paper: 0.1 or less
  real dropout = 0;                            ///< on the input of A
  std::vector<std::string> targets{"q", "v"};  ///< ends of slot paths, as LoRA's
  std::uint32_t key = 0;                       ///< that A and B are drawn from (PEFT: projection_prng_key)
  std::shared_ptr<VeraProjections> projections;  ///< these instead, if given
  bool save_projection = true;                   ///< A and B are in the file, too; those that were given always are
  enum class Biases { none, all, vera_only };
  Biases train_biases = Biases::none;  ///< the base's biases learn too: all, or those of the targets
  std::vector<std::string> also;       ///< paths of modules that learn whole: "norm" (PEFT: modules_to_save)

  std::string kind() const override { return "VeRA"; }
  /// Errors: ValueError also for projections of other sizes than the targets need.
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override;
  static std::vector<MethodRow> rows();
};

/// What one name adds to one projection.
struct VeraVectors {
  Param d;        ///< (r)
  Param b;        ///< (out)
  Variable A, B;  ///< (r, in), (out, r)
  SharedDropout dropout;  ///< of x, before A; GPT-2: one for q, k and v
  std::shared_ptr<VeraProjections> projections;  ///< what A and B are parts of
};

/// y = W₀x + b₀ + b∘(B·(d∘(A·x)))
struct VeraLinear : ProjectionWrapper<VeraVectors> {
  using ProjectionWrapper::ProjectionWrapper;
  std::string method() const override { return "VeRA"; }
  Variable operator()(const Variable& x) override;
  Tensor merged_weight(const VeraVectors& vectors) const override;  ///< W₀ + diag(b)·B·diag(d)·A
};

}  // namespace graft::peft
