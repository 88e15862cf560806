#include "nn/past.h"

#include <algorithm>

#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/sizes.h"

namespace graft {
namespace {

/// The numbers of `old` up to each row's length, in a tensor with capacity for `capacity` keys.
Tensor moved(const Tensor& old, const std::vector<Index>& lengths, Index capacity) {
  const Index B = old.dim(0), G = old.dim(1), S = old.dim(2), D = old.dim(3);
  Tensor larger(Shape{B, G, capacity, D});
  real* to = larger.write();
  for (Index b = 0; b < B; ++b)
    for (Index g = 0; g < G; ++g)
      std::copy_n(old.data() + (b * G + g) * S * D, nth(lengths, b) * D, to + (b * G + g) * capacity * D);
  return larger;
}

/// Row b of x (B, G, T, D) goes to the places lengths[b], lengths[b] + 1, ... of `into`.
void write_rows(Tensor& into, const Tensor& x, const std::vector<Index>& lengths) {
  const Index B = x.dim(0), G = x.dim(1), T = x.dim(2), D = x.dim(3), capacity = into.dim(2);
  real* to = into.write();
  for (Index b = 0; b < B; ++b)
    for (Index g = 0; g < G; ++g)
      std::copy_n(x.data() + (b * G + g) * T * D, T * D, to + ((b * G + g) * capacity + nth(lengths, b)) * D);
}

Variable picked(const Variable& x, const std::vector<Index>& rows) {
  const Index size = x.value().numel() / x.dim(0);
  Tensor y(x.shape().with(0, size_of(rows)));
  real* to = y.write();
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy_n(x.value().data() + rows[i] * size, size, to + static_cast<Index>(i) * size);
  return Variable(std::move(y));
}

void expect_rows(const std::vector<Index>& rows, Index batch) {
  expect<ValueError>(!recording(), "keep_rows: it would cut the history of what is kept; use NoGrad");
  expect<ValueError>(!rows.empty(), "keep_rows: no rows asked for; at least one is needed");
  for (const Index r : rows)
    expect<IndexError>(0 <= r && r < batch, "keep_rows: row ", r, " asked for, but the batch has ", batch);
}

}  // namespace

KeyValue::KeyValue(Variable k, Variable v) : k_(std::move(k)), v_(std::move(v)) {
  expect(k_.shape().rank() == 4 && k_.shape() == v_.shape(), "KeyValue: k ", k_.shape(), " and v ", v_.shape(),
         " must both be (B, G, P, D)");
}

void KeyValue::append(const Variable& k, const Variable& v, const std::vector<Index>& lengths, Index capacity) {
  expect(k.shape().rank() == 4 && k.shape() == v.shape(), "KeyValue::append: k ", k.shape(), " and v ", v.shape(),
         " must both be (B, G, T, D)");
  expect(size_of(lengths) == k.dim(0), "KeyValue::append: ", lengths.size(), " lengths for a batch of ",
         k.dim(0));
  expect<ValueError>(k.dim(0) > 0 && *std::min_element(lengths.begin(), lengths.end()) >= 0,
                     "KeyValue::append: an empty batch, or a row of negative length");
  const Index most = *std::max_element(lengths.begin(), lengths.end()), need = most + k.dim(2);
  if (k_.defined()) {
    expect(k.shape() == k_.shape().with(2, k.dim(2)), "KeyValue::append: k ", k.shape(), " does not continue ", k_.shape());
  }
  expect(most <= this->capacity(), "KeyValue::append: a row has ", most, " keys already, but only ", this->capacity(), " are here");

  if (recording()) {  // a recorded history must not be overwritten
    for (const Index length : lengths)
      expect<ValueError>(length == most, "KeyValue::append: rows of ", length, " and of ", most,
                         " keys; while gradients are recorded all rows must have the same length (use NoGrad)");
    if (most == 0) {
      k_ = k, v_ = v;
    } else {
      const auto before = [&](const Variable& x) { return x.dim(2) == most ? x : slice(x, 2, 0, most); };
      k_ = concat({before(k_), k}, 2), v_ = concat({before(v_), v}, 2);
    }
    return;
  }
  if (most == 0 && capacity <= need) {  // the first and perhaps only call: nothing to copy
    k_ = k.detach(), v_ = v.detach();
    return;
  }
  Tensor keys = k_.value(), values = v_.value();
  k_ = v_ = Variable();
  if (!keys.defined() || keys.dim(2) < need || !keys.alone() || !values.alone()) {
    const Index larger = std::max(capacity, !keys.defined() || keys.dim(2) >= need ? need : std::max(need, 2 * keys.dim(2)));
    if (!keys.defined()) keys = values = Tensor(k.shape().with(2, 0));
    keys = moved(keys, lengths, larger), values = moved(values, lengths, larger);
  }
  write_rows(keys, k.value(), lengths);
  write_rows(values, v.value(), lengths);
  k_ = keys, v_ = values;
}

void KeyValue::keep_rows(const std::vector<Index>& rows) {
  if (!k_.defined()) return;
  expect_rows(rows, k_.dim(0));
  k_ = picked(k_, rows), v_ = picked(v_, rows);
}

void Past::expect_fits(Index batch, Index count) {
  if (layers.empty()) layers.resize(static_cast<std::size_t>(count));
  if (lengths.empty()) lengths.assign(static_cast<std::size_t>(batch), 0);
  expect(size_of(layers) == count, "Past: keys and values of ", layers.size(), " layers, but the model has ",
         count);
  expect(size_of(lengths) == batch, "Past: it remembers ", lengths.size(), " rows, but the batch has ",
         batch);
}

Index Past::longest() const { return lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end()); }

void Past::advance(Index tokens) {
  for (Index& length : lengths) length += tokens;
}
void Past::advance(const std::vector<Index>& tokens) {
  expect(tokens.size() == lengths.size(), "Past::advance: ", tokens.size(), " numbers for ", lengths.size(), " rows");
  for (std::size_t b = 0; b < lengths.size(); ++b) lengths[b] += tokens[b];
}

void Past::keep_rows(const std::vector<Index>& rows) {
  expect_rows(rows, size_of(lengths));
  for (KeyValue& layer : layers) layer.keep_rows(rows);
  std::vector<Index> kept;
  for (const Index r : rows) kept.push_back(nth(lengths, r));
  lengths = std::move(kept);
}

}  // namespace graft
