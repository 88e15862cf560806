// The key/value cache, and what precedes the first token: one type for both. Each row of the batch has a length of its own;
// while gradients are recorded, appending is a concatenation; under NoGrad it writes into spare capacity and copies nothing old.
#pragma once
#include <vector>

#include "autograd/variable.h"

namespace graft {

/// Keys and values of one layer, (B, G, S, D), as attention uses them (rotated); S is the capacity, not the length.
class KeyValue {
 public:
  KeyValue() = default;              ///< nothing yet
  KeyValue(Variable k, Variable v);  ///< (B, G, P, D) each. Errors: ShapeError
  const Variable& k() const { return k_; }
  const Variable& v() const { return v_; }
  Index capacity() const { return k_.defined() ? k_.dim(2) : 0; }

  /// Puts k, v (B, G, T, D) of row b at lengths[b] and after. When it grows, it reserves at least `capacity` keys.
  /// Errors: ShapeError; ValueError for rows of different lengths while gradients are recorded.
  void append(const Variable& k, const Variable& v, const std::vector<Index>& lengths, Index capacity = 0);
  void keep_rows(const std::vector<Index>& rows);  ///< the batch becomes these rows of it

 private:
  Variable k_, v_;
};

/// All layers, and how long each row is.
struct Past {
  std::vector<KeyValue> layers;  ///< empty: nothing remembered
  std::vector<Index> lengths;    ///< per row of the batch; empty: all 0
  Index reserve = 0;             ///< keys to reserve when growing (0: what is needed)

  /// Prepares it for a batch and a number of layers. Errors: ShapeError if it holds another batch or number of layers.
  void expect_fits(Index batch, Index count);
  Index longest() const;
  void advance(Index tokens);                      ///< all rows grew by this many
  void advance(const std::vector<Index>& tokens);  ///< each by its own number, at most what was appended (ragged rows)
  void keep_rows(const std::vector<Index>& rows);
};

}  // namespace graft
