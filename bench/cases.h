// The benchmark cases: ops at shapes, by name ("linear/256/768/3072"). One list serves the Google Benchmark programs and
// the comparison with PyTorch (bench/compare builds the same cases from the same names).
// Inputs are a fixed function of their index, so that both sides compute the same numbers and can be checked.
#pragma once
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/ops.h"

namespace bench {

using graft::Id;
using graft::Ids;
using graft::Index;
using graft::real;
using graft::Shape;
using graft::Tensor;
using graft::Variable;

/// One op at one shape. `f` records when recording is on; `seed` is ∂loss/∂y, empty where y is a scalar.
struct Case {
  std::vector<Variable> inputs;  ///< the trainable leaves
  std::function<Variable()> f;
  Tensor seed;
  double flops = 0;       ///< of forward; matrix products count two per multiply-add, other ops none
  double step_flops = 0;  ///< of forward and backward
  double bytes = 0;       ///< the minimum that forward reads and writes; 0 if products bound the time
  int weights = 0;        ///< how many of the last inputs are weights: their gradients are not working memory

  void forward() const {
    graft::NoGrad off;
    f();
  }
  void step() {
    for (Variable& x : inputs) x.clear_grad();
    const Variable y = f();
    if (seed.defined()) {
      y.backward(seed);
    } else {
      y.backward();
    }
  }
};

/// Well-mixed 32 bits for number i of stream `salt`.
inline std::uint32_t mix(std::uint32_t i, std::uint32_t salt) {
  std::uint32_t h = i * 2654435761u + salt * 40503u;
  h ^= h >> 16;
  h *= 0x45d9f3bu;
  return h ^ (h >> 16);
}

/// Numbers in [-1/2, 1/2) · size, exact in float.
inline Tensor numbers(Shape shape, std::uint32_t salt, real size = 1) {
  Tensor t(shape);
  real* out = t.write();
  for (Index i = 0; i < t.numel(); ++i) {
    out[i] = (static_cast<real>(mix(static_cast<std::uint32_t>(i), salt) >> 8) / real(16777216) - real(0.5)) * size;
  }
  return t;
}

inline Ids ids(Index count, Index below, std::uint32_t salt) {
  std::vector<Id> values(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) {
    values[static_cast<std::size_t>(i)] = static_cast<Id>(mix(static_cast<std::uint32_t>(i), salt) % below);
  }
  return Ids({count}, std::move(values));
}

/// A case from inputs x (and w, ...) and an op on them; the seed has the shape of the result.
template <class F>
Case make(std::vector<Tensor> tensors, Shape result, int weights, F f) {
  Case c;
  for (Tensor& t : tensors) c.inputs.push_back(graft::parameter(std::move(t)));
  c.f = [x = c.inputs, f] { return f(x); };
  if (result.rank() > 0) c.seed = numbers(result, 99);
  c.weights = weights;
  return c;
}

using Numbers = std::vector<Index>;
using In = const std::vector<Variable>&;

/// How a name's first word turns its numbers into a case.
struct Kind {
  std::size_t count;  ///< of numbers in the name
  std::function<Case(const Numbers&)> make;
};

inline const std::map<std::string, Kind>& kinds() {
  static const double f = sizeof(real);
  static const std::map<std::string, Kind> table = {
      {"linear", {3, [](const Numbers& n) {  // rows, in, out
         Case c = make({numbers({n[0], n[1]}, 1), numbers({n[2], n[1]}, 2)}, {n[0], n[2]}, 1,
                       [](In x) { return graft::linear(x[0], x[1]); });
         c.flops = 2.0 * n[0] * n[1] * n[2];
         c.step_flops = 3 * c.flops;
         return c;
       }}},
      {"linear_bias", {3, [](const Numbers& n) {
         Case c = make({numbers({n[0], n[1]}, 1), numbers({n[2], n[1]}, 2), numbers({n[2]}, 3)}, {n[0], n[2]}, 2,
                       [](In x) { return graft::linear(x[0], x[1], x[2]); });
         c.flops = 2.0 * n[0] * n[1] * n[2];
         c.step_flops = 3 * c.flops;
         return c;
       }}},
      {"attention", {4, [](const Numbers& n) {  // batch, heads, positions, width of a head
         const Shape s = {n[0], n[1], n[2], n[3]};
         Case c = make({numbers(s, 1, 4), numbers(s, 2, 4), numbers(s, 3)}, s, 0,
                       [](In x) { return graft::causal_attention(x[0], x[1], x[2]); });
         c.flops = 2.0 * n[0] * n[1] * n[2] * (n[2] + 1) * n[3];  // two products over the lower triangle
         c.step_flops = 3.5 * c.flops;                           // backward: five products
         return c;
       }}},
      {"layer_norm", {2, [](const Numbers& n) {
         Case c = make({numbers({n[0], n[1]}, 1), numbers({n[1]}, 2), numbers({n[1]}, 3)}, {n[0], n[1]}, 2,
                       [](In x) { return graft::layer_norm(x[0], x[1], x[2]); });
         c.bytes = 2 * f * n[0] * n[1];
         return c;
       }}},
      {"gelu", {2, [](const Numbers& n) {
         Case c = make({numbers({n[0], n[1]}, 1, 6)}, {n[0], n[1]}, 0, [](In x) { return graft::gelu(x[0]); });
         c.bytes = 2 * f * n[0] * n[1];
         return c;
       }}},
      {"softmax", {2, [](const Numbers& n) {
         Case c = make({numbers({n[0], n[1]}, 1, 6)}, {n[0], n[1]}, 0, [](In x) { return graft::softmax(x[0]); });
         c.bytes = 2 * f * n[0] * n[1];
         return c;
       }}},
      {"cross_entropy", {2, [](const Numbers& n) {
         Case c = make({numbers({n[0], n[1]}, 1, 6)}, {}, 0, [labels = ids(n[0], n[1], 9)](In x) {
           return graft::cross_entropy(x[0], labels);
         });
         c.bytes = f * n[0] * n[1];
         return c;
       }}},
      {"linear_cross_entropy", {3, [](const Numbers& n) {  // rows, in, vocabulary
         Case c = make({numbers({n[0], n[1]}, 1), numbers({n[2], n[1]}, 2, real(0.5))}, {}, 1,
                       [labels = ids(n[0], n[2], 9)](In x) { return graft::linear_cross_entropy(x[0], x[1], labels); });
         c.flops = 2.0 * n[0] * n[1] * n[2];
         c.step_flops = 3 * c.flops;
         return c;
       }}},
      {"add", {2, [](const Numbers& n) {
         Case c = make({numbers({n[0], n[1]}, 1), numbers({n[0], n[1]}, 2)}, {n[0], n[1]}, 0,
                       [](In x) { return x[0] + x[1]; });
         c.bytes = 3 * f * n[0] * n[1];
         return c;
       }}},
      {"add_row", {2, [](const Numbers& n) {  // a bias: one row added to every row
         Case c = make({numbers({n[0], n[1]}, 1), numbers({n[1]}, 2)}, {n[0], n[1]}, 1,
                       [](In x) { return x[0] + x[1]; });
         c.bytes = 2 * f * n[0] * n[1];
         return c;
       }}},
      {"lookup", {3, [](const Numbers& n) {  // ids, rows of the table, width
         Case c = make({numbers({n[1], n[2]}, 1)}, {n[0], n[2]}, 1,
                       [which = ids(n[0], n[1], 9)](In x) { return graft::lookup(x[0], which); });
         c.bytes = 2 * f * n[0] * n[2];
         return c;
       }}},
      {"overhead", {1, [](const Numbers& n) {  // the engine's own cost: a product this small costs nothing
         return make({numbers({n[0]}, 1), numbers({n[0]}, 2)}, {n[0]}, 0, [](In x) { return x[0] * x[1]; });
       }}},
      {"chain", {2, [](const Numbers& n) {  // the same for a history of n[1] ops
         return make({numbers({n[0]}, 1), numbers({n[0]}, 2)}, {n[0]}, 0, [ops = n[1]](In x) {
           Variable y = x[0] * x[1];
           for (Index i = 1; i < ops; ++i) y = y * x[1];
           return y;
         });
       }}},
  };
  return table;
}

/// GPT-2 small's shapes.
inline const std::vector<std::string>& names() {
  static const std::vector<std::string> list = {
      "linear/256/768/768", "linear/256/768/3072", "linear/256/3072/768",
      "linear/1024/768/768", "linear/1024/768/3072", "linear/1024/3072/768",
      "linear/256/768/50257", "linear_bias/1024/768/3072",
      "attention/1/12/64/64", "attention/1/12/256/64", "attention/4/12/256/64", "attention/1/12/1024/64",
      "layer_norm/256/768", "layer_norm/1024/768", "layer_norm/1024/3072",
      "gelu/256/3072", "gelu/1024/3072",
      "softmax/3072/256", "softmax/12288/1024", "softmax/256/50257",
      "cross_entropy/256/50257", "cross_entropy/1024/50257",
      "add/256/768", "add/1024/768", "add/1024/3072", "add_row/1024/3072",
      "lookup/256/50257/768", "lookup/1024/50257/768",
      "linear_cross_entropy/1024/768/50257",
      "overhead/8", "chain/8/64"};
  return list;
}

/// The words of a name: {"linear", "256", ...}.
inline std::vector<std::string> words(const std::string& name) {
  std::vector<std::string> out;
  std::istringstream in(name);
  for (std::string word; std::getline(in, word, '/');) out.push_back(word);
  return out;
}

/// The numbers of a name. Errors: ValueError unless there are `count` numbers.
inline Numbers shape_of(const std::string& name, std::size_t count) {
  Numbers n;
  const std::vector<std::string> parts = words(name);
  for (std::size_t i = 1; i < parts.size(); ++i) n.push_back(std::strtoll(parts[i].c_str(), nullptr, 10));
  graft::expect<graft::ValueError>(n.size() == count, "bench: ", name, " has ", n.size(),
                                   " numbers but its kind takes ", count,
                                   "; bench::names() has examples");
  return n;
}

/// Errors: ValueError for an unknown kind.
inline Case make_case(const std::string& name) {
  const std::string word = name.substr(0, name.find('/'));
  const auto found = kinds().find(word);
  graft::expect<graft::ValueError>(found != kinds().end(), "bench: unknown kind of case ", word,
                                   "; bench::kinds() lists them");
  return found->second.make(shape_of(name, found->second.count));
}

}  // namespace bench
