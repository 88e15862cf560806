// The one table of all ops: how to call each on a list of inputs, and the shapes to try. The gradient check, the comparison
// with PyTorch and the thread test read it. A new op is one row here (and one case in fixtures/make_ops.py).
// A row's name is the op's in ops.h; a second form of it has a word in brackets: "linear (bias)".
#pragma once
#include <array>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "autograd/recompute.h"

namespace graft::table {

/// What an op takes besides Variables; each row says in its comment what it reads from here.
struct Extra {
  Ids ids = {};                     ///< ids, labels or positions
  std::vector<Index> numbers = {};  ///< axis, lengths, counts
  std::vector<real> reals = {};     ///< scale, eps, p, weights
};

/// Where the inputs lie: not where the op or its derivative breaks.
enum class Range { any, positive, nonzero };

using Inputs = std::vector<Variable>;
using Function = std::function<Variable(const Inputs& x, const Extra& e)>;

struct Case {
  std::vector<Shape> shapes;
  Extra extra = {};
};

struct Op {
  std::string name;
  Function f;
  std::vector<Case> cases;
  Range range = Range::any;
};
inline void PrintTo(const Op& op, std::ostream* out) { *out << op.name; }  // for GoogleTest

inline real first(const std::vector<real>& list, real otherwise = 0) { return list.empty() ? otherwise : list[0]; }

/// Inputs for a case: multiples of 1/64 in [-2, 2], pushed away from 0 where the range says so; always the same.
inline std::vector<Tensor> inputs_for(const Case& c, Range range, std::uint64_t seed = 1) {
  Rng rng(seed);
  std::vector<Tensor> inputs;
  for (const Shape& shape : c.shapes) {
    Tensor x(shape);
    real* out = x.write();
    for (Index i = 0; i < x.numel(); ++i) {
      real v = static_cast<real>(rng.below(257) - 128) / 64;
      if (range == Range::positive) v = (v < 0 ? -v : v) + real(0.25);
      if (range == Range::nonzero) v += v < 0 ? real(-0.25) : real(0.25);
      out[i] = v;
    }
    inputs.push_back(x);
  }
  return inputs;
}

/// A fixed tensor of random numbers, for ∂loss/∂y.
inline Tensor seed_for(const Shape& shape) {
  Rng rng(99);
  return normal(shape, 0, 1, rng);
}

inline std::vector<Case> pairs() {  // same shapes, and one the tail of the other, either way round
  return {{{{5, 3}, {5, 3}}},   {{{1}, {1}}},
          {{{}, {}}},           {{{2, 3, 4}, {4}}},
          {{{4}, {2, 3, 4}}},   {{{2, 3, 4}, {3, 4}}},
          {{{7, 17}, {17}}},    {{{3, 5}, {}}},
          {{{}, {3}}},          {{{2, 3, 1}, {3, 1}}},
          {{{13, 1}, {1}}},     {{{1, 19}, {19}}},
          {{{19}, {1, 1, 19}}}, {{{2, 2, 2, 2, 3}, {2, 3}}}};
}
inline std::vector<Case> singles() { return {{{{}}}, {{{1}}}, {{{3, 7}}}, {{{2, 3, 17}}}, {{{65}}}}; }
inline std::vector<Case> rows() { return {{{{1}}}, {{{5}}}, {{{3, 1}}}, {{{4, 7}}}, {{{2, 3, 17}}}, {{{2, 65}}}}; }
inline std::vector<Case> axes() {
  return {{{{1}}, {{}, {0}}},        {{{5, 3}}, {{}, {0}}},     {{{5, 3}}, {{}, {1}}},    {{{2, 1, 7}}, {{}, {-1}}},
          {{{2, 3, 17}}, {{}, {0}}}, {{{2, 3, 17}}, {{}, {1}}}, {{{2, 3, 17}}, {{}, {2}}}};
}
inline std::vector<Case> products(bool transposed) {
  std::vector<Case> cases;
  for (const std::vector<Index>& before : {std::vector<Index>{}, std::vector<Index>{3}, std::vector<Index>{2, 3}})
    for (const auto& [M, K, N] :
         {std::array<Index, 3>{1, 1, 1}, std::array<Index, 3>{2, 5, 3}, std::array<Index, 3>{7, 17, 1}}) {
      std::vector<Index> a = before, b = before;
      a.insert(a.end(), {M, K});
      if (transposed) b.insert(b.end(), {N, K});
      else b.insert(b.end(), {K, N});
      cases.push_back({{Shape(a), Shape(b)}});
    }
  return cases;
}
/// Losses over logits (shape, V): labels, some ignored, and perhaps weights. `shapes` makes the inputs of one case.
template <class Shapes>
std::vector<Case> losses(Shapes shapes, const std::vector<Index>& numbers = {}) {
  const Id no = ignored;
  std::vector<Case> cases;
  const auto add = [&](std::vector<Index> rows, Index V, std::vector<Id> labels, std::vector<real> weights) {
    cases.push_back({shapes(rows, V), {Ids(Shape(rows), std::move(labels)), numbers, std::move(weights)}});
  };
  add({1}, 1, {0}, {});
  add({1}, 5, {3}, {});
  add({4}, 7, {6, 0, 6, 2}, {});
  add({2, 3}, 17, {no, 16, 1, 0, no, 9}, {});
  add({7}, 13, {1, 2, no, 4, 5, 6, 12}, {1, real(0.5), 3, 0, real(0.25), 2, real(-1.5)});
  add({2, 2}, 3, {no, no, no, 2}, {});
  add({2}, 3, {no, no}, {1, 2});  // weights of our own, nothing scored: loss and gradients are 0
  return cases;
}
inline std::vector<Index> with(std::vector<Index> rows, Index last) {
  rows.push_back(last);
  return rows;
}

/// Every op of ops.h.
inline std::vector<Op> ops() {
  const auto by_rows = [](const Inputs& x, const Extra& e) {  // numbers: chunk; a head of two layers
    const Head head = [&](const Variable& rows) { return linear(tanh(linear(rows, x[1])), x[2]); };
    return cross_entropy_by_rows(x[0], e.ids, head, {e.reals}, e.numbers.empty() ? 2 : e.numbers[0]);
  };
  using V = const Inputs&;
  using E = const Extra&;
  return {
      {"add", [](V x, E) { return x[0] + x[1]; }, pairs()},
      {"sub", [](V x, E) { return x[0] - x[1]; }, pairs()},
      {"mul", [](V x, E) { return x[0] * x[1]; }, pairs()},
      {"add (number)", [](V x, E) { return 1.5 * (x[0] + 2) + (0.25 + x[0]); }, singles()},
      {"sub (number)", [](V x, E) { return (x[0] - 0.5) * (1 - x[0]); }, singles()},
      {"scale (number)", [](V x, E) { return 3 * x[0] + x[0] * 0.75 + -x[0]; }, singles()},
      {"div (number)", [](V x, E) { return x[0] / 4 + 2 / x[0]; }, singles(), Range::nonzero},
      {"div", [](V x, E) { return x[0] / x[1]; }, pairs(), Range::nonzero},
      {"scale", [](V x, E e) { return scale(x[0], first(e.reals, real(-1.75))); }, singles()},  // reals: s

      {"exp", [](V x, E) { return exp(x[0]); }, singles()},
      {"log", [](V x, E) { return log(x[0]); }, singles(), Range::positive},
      {"tanh", [](V x, E) { return tanh(x[0]); }, singles()},
      {"sigmoid", [](V x, E) { return sigmoid(x[0]); }, singles()},
      {"relu", [](V x, E) { return relu(x[0]); }, singles(), Range::nonzero},
      {"silu", [](V x, E) { return silu(x[0]); }, singles()},
      {"gelu", [](V x, E) { return gelu(x[0]); }, singles()},
      {"gelu_erf", [](V x, E) { return gelu_erf(x[0]); }, singles()},

      {"linear",
       [](V x, E) { return linear(x[0], x[1]); },
       {{{{1}, {1, 1}}},
        {{{5}, {3, 5}}},
        {{{7, 5}, {3, 5}}},
        {{{2, 3, 17}, {13, 17}}},
        {{{6, 1}, {4, 1}}},
        {{{1, 9}, {1, 9}}}}},
      {"linear (bias)",
       [](V x, E) { return linear(x[0], x[1], x[2]); },
       {{{{1}, {1, 1}, {1}}},
        {{{5}, {3, 5}, {3}}},
        {{{7, 5}, {3, 5}, {3}}},
        {{{2, 3, 17}, {13, 17}, {13}}},
        {{{6, 1}, {4, 1}, {4}}}}},
      {"matmul", [](V x, E) { return matmul(x[0], x[1]); }, products(false)},
      {"matmul_nt", [](V x, E) { return matmul_nt(x[0], x[1]); }, products(true)},

      {"softmax", [](V x, E) { return softmax(x[0]); }, rows()},
      {"log_softmax", [](V x, E) { return log_softmax(x[0]); }, rows()},
      {"layer_norm",
       [](V x, E e) { return layer_norm(x[0], x[1], x[2], first(e.reals, real(1e-3))); },  // reals: eps
       {{{{1}, {1}, {1}}},
        {{{5}, {5}, {5}}},
        {{{3, 1}, {1}, {1}}},
        {{{4, 7}, {7}, {7}}},
        {{{2, 3, 17}, {17}, {17}}},
        {{{2, 65}, {65}, {65}}},
        {{{3, 2}, {2}, {2}}, {{}, {}, {real(0.5)}}}}},
      {"rms_norm",
       [](V x, E e) { return rms_norm(x[0], x[1], first(e.reals, real(1e-3))); },  // reals: eps
       {{{{1}, {1}}, {{}, {}, {real(0.5)}}},
        {{{5}, {5}}},
        {{{3, 1}, {1}}, {{}, {}, {real(0.5)}}},
        {{{4, 7}, {7}}},
        {{{2, 3, 17}, {17}}},
        {{{2, 65}, {65}}}},
       Range::nonzero},

      {"dropout",
       [](V x, E e) {
         Rng rng(7);
         return dropout(x[0], first(e.reals, real(0.3)), rng);
       },  // reals: p
       {{{{1}}}, {{{3, 7}}}, {{{2, 3, 17}}}, {{{65}}}, {{{9}}, {{}, {}, {0}}}, {{{5, 5}}, {{}, {}, {real(0.9)}}}}},

      {"sum", [](V x, E) { return sum(x[0]); }, singles()},
      {"mean", [](V x, E) { return mean(x[0]); }, singles()},
      {"sum (axis)", [](V x, E e) { return sum(x[0], int(e.numbers[0])); }, axes()},    // numbers: axis
      {"mean (axis)", [](V x, E e) { return mean(x[0], int(e.numbers[0])); }, axes()},  // numbers: axis

      {"reshape",
       [](V x, E e) { return reshape(x[0], Shape(e.numbers)); },  // numbers: the new shape
       {{{{6}}, {{}, {2, 3}}}, {{{2, 3, 5}}, {{}, {5, 6}}}, {{{1, 1}}}, {{{7, 2}}, {{}, {7, 1, 2}}}}},
      {"concat",
       [](V x, E e) { return concat(x, int(e.numbers[0])); },  // numbers: axis
       {{{{3}}, {{}, {0}}},
        {{{2, 3}, {1, 3}}, {{}, {0}}},
        {{{2, 3}, {2, 1}, {2, 5}}, {{}, {1}}},
        {{{2, 2, 3, 1}, {2, 2, 1, 1}}, {{}, {2}}},
        {{{1, 2, 7}, {1, 2, 17}}, {{}, {-1}}},
        {{{2, 0}, {2, 3}}, {{}, {1}}}}},
      {"slice",
       [](V x, E e) { return slice(x[0], int(e.numbers[0]), e.numbers[1], e.numbers[2]); },  // axis, begin, end
       {{{{1}}, {{}, {0, 0, 1}}},
        {{{7, 3}}, {{}, {0, 2, 5}}},
        {{{2, 3}}, {{}, {1, 1, 3}}},
        {{{2, 3, 17}}, {{}, {-1, 0, 5}}},
        {{{2, 5, 3}}, {{}, {1, 4, 5}}}}},
      {"split_heads",
       [](V x, E e) { return split_heads(x[0], e.numbers[0]); },  // numbers: heads
       {{{{1, 1, 1}}, {{}, {1}}}, {{{2, 3, 20}}, {{}, {4}}}, {{{1, 7, 6}}, {{}, {3}}}, {{{3, 1, 8}}, {{}, {2}}}}},
      {"merge_heads",
       [](V x, E) { return merge_heads(x[0]); },
       {{{{1, 1, 1, 1}}}, {{{2, 4, 3, 5}}}, {{{1, 3, 7, 2}}}, {{{3, 2, 1, 4}}}}},
      {"expand",
       [](V x, E e) { return expand(x[0], e.numbers[0]); },  // numbers: batch
       {{{{}}, {{}, {3}}}, {{{1}}, {{}, {1}}}, {{{3, 5}}, {{}, {2}}}, {{{2, 3, 4, 2}}, {{}, {2}}}}},

      {"lookup",
       [](V x, E e) { return lookup(x[0], e.ids); },  // ids
       {{{{1, 1}}, {{0, 0}}}, {{{7, 3}}, {{6, 0, 6, 2, 6}}}, {{{5, 17}}, {Ids({2, 3}, {1, 1, 4, 0, 3, 1})}}}},
      {"lookup (two tables)",
       [](V x, E e) { return lookup(x[0], x[1], e.ids); },  // ids
       {{{{1, 1}, {1, 1}}, {{1, 0, 1}}}, {{{4, 3}, {2, 3}}, {Ids({2, 3}, {5, 0, 4, 5, 3, 5})}}, {{{4, 3}, {2, 3}}, {{1, 2}}}}},
      {"rotary",
       [](V x, E e) {  // ids: positions; reals: base
         const Index D = x[0].defined() ? x[0].dim(3) : 2;
         return rotary(x[0], e.ids, rotary_frequencies(D, first(e.reals, 100)));
       },
       {{{{1, 1, 1, 2}}, {{0}}},
        {{{1, 2, 3, 4}}, {{0, 1, 2}}},
        {{{2, 3, 4, 6}}, {Ids({2, 4}, {0, 1, 2, 3, 5, 6, 7, 8})}},
        {{{2, 1, 2, 16}}, {Ids({2, 2}, {11, 12, 300, 301})}}}},
      {"causal_attention",
       [](V x, E e) { return causal_attention(x[0], x[1], x[2], e.numbers, first(e.reals)); },  // past; scale
       {{{{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}}},
        {{{1, 1, 5, 3}, {1, 1, 5, 3}, {1, 1, 5, 3}}},
        {{{2, 3, 4, 5}, {2, 3, 4, 5}, {2, 3, 4, 5}}},
        {{{1, 2, 3, 4}, {1, 1, 7, 4}, {1, 1, 7, 4}}, {{}, {}, {real(0.5)}}},  // past keys
        {{{2, 4, 3, 2}, {2, 2, 3, 2}, {2, 2, 3, 2}}},                         // two heads share a key head
        {{{3, 2, 2, 5}, {3, 1, 9, 5}, {3, 1, 9, 5}}, {{}, {0, 3, 7}}},        // ragged, spare room behind
        {{{2, 2, 1, 8}, {2, 2, 9, 8}, {2, 2, 9, 8}}},                         // one query, as in generation
        {{{1, 1, 17, 3}, {1, 1, 17, 3}, {1, 1, 17, 3}}}}},

      {"cross_entropy", [](V x, E e) { return cross_entropy(x[0], e.ids, {e.reals}); },  // labels; weights
       losses([](const std::vector<Index>& rows, Index V) { return std::vector<Shape>{Shape(with(rows, V))}; })},
      {"linear_cross_entropy", [](V x, E e) { return linear_cross_entropy(x[0], x[1], e.ids, {e.reals}); },  // labels; weights
       losses([](const std::vector<Index>& rows, Index V) {
         return std::vector<Shape>{Shape(with(rows, 5)), {V, 5}};
       })},
      {"cross_entropy_by_rows", by_rows, losses([](const std::vector<Index>& rows, Index V) {
         return std::vector<Shape>{Shape(with(rows, 3)), {4, 3}, {V, 4}};
       })},
  };
}

/// What is built of ops: recompute() in all its uses, one Variable in several places, a transformer block.
inline std::vector<Op> composites() {
  using V = const Inputs&;
  using E = const Extra&;
  return {
      {"x + x", [](V x, E) { return x[0] + x[0]; }, singles()},
      {"x * x", [](V x, E) { return x[0] * x[0]; }, singles()},
      {"x / (x·x + exp y)", [](V x, E) { return x[0] / (x[0] * x[0] + exp(x[1])); }, pairs()},
      {"x·xᵀ", [](V x, E) { return matmul_nt(x[0], x[0]); }, {{{{5, 3}}}, {{{2, 3, 4}}}}},
      {"concat (x, x)",
       [](V x, E) {
         return concat({x[0], x[1], x[0]}, 0);
       },
       {{{{2, 3}, {1, 3}}}}},
      {"attention (Q = K = V)", [](V x, E) { return causal_attention(x[0], x[0], x[0]); }, {{{{2, 2, 5, 3}}}}},
      {"linear_cross_entropy (weighed further)",  // ∂loss is not 1 there
       [](V x, E) {
         return scale(linear_cross_entropy(x[0], x[1], {1, 0, 2}), -3) * sum(x[0]);
       },
       {{{{3, 4}, {5, 4}}}}},
      {"tied head",  // one table is looked up and multiplied by
       [](V x, E) {
         return linear_cross_entropy(tanh(lookup(x[0], {3, 1, 1, 0})), x[0], {1, 1, 0, 2});
       },
       {{{{5, 4}}}}},

      {"recompute",
       [](V x, E) {
         return recompute([](V in) { return gelu(linear(in[0], in[1], in[2])); }, {x[0], x[1], x[2]});
       },
       {{{{4, 3}, {5, 3}, {5}}}}},
      {"recompute (several uses, a learning part over another)",
       [](V x, E) {
         const Variable h = tanh(linear(x[0], x[1]));
         const Variable r = recompute([W = x[2]](V in) { return in[0] + linear(silu(in[0]), W); }, {h});
         return r * h;
       },
       {{{{4, 3}, {5, 3}, {5, 5}}}}},
      {"recompute (only parameters inside learn)",
       [](V x, E) {
         return recompute([W = x[0], b = x[1]](V in) { return tanh(linear(in[0], W, b)); }, {Variable(seed_for({4, 3}))});
       },
       {{{{5, 3}, {5}}}}},
      {"recompute (history from outside)",
       [](V x, E) {
         const Variable outside = exp(x[1]);
         return recompute([outside](V in) { return in[0] * outside + outside; }, {x[0]}) * outside;
       },
       {{{{4, 3}, {3}}}}},
      {"recompute (an input is left out)",
       [](V x, E) {
         return recompute([](V in) { return sigmoid(in[1]); }, {x[0], x[1]});
       },
       {{{{4, 3}, {3}}}}},
      {"recompute (gives back its input)",
       [](V x, E) { return recompute([](V in) { return in[0]; }, {x[0]}) * x[0]; },
       {{{{4, 3}}}}},
      {"recompute (the same input twice)",
       [](V x, E) {
         return recompute([](V in) { return in[0] * tanh(in[1]); }, {x[0], x[0]});
       },
       {{{{4, 3}}}}},
      {"recompute (past keys)",
       [](V x, E) {
         return recompute(
             [](V in) {
               return causal_attention(in[0], concat({in[1], in[3]}, 2), concat({in[2], in[4]}, 2));
             },
             {x[0], x[1], x[2], x[3], x[4]});
       },
       {{{{2, 4, 3, 5}, {2, 2, 2, 5}, {2, 2, 2, 5}, {2, 2, 3, 5}, {2, 2, 3, 5}}}}},
      {"recompute (past keys seen from outside)",
       [](V x, E) {
         const Variable k = tanh(x[1]), v = scale(x[1], 2);
         return recompute(
             [k, v](V in) {
               return causal_attention(in[0], concat({k, in[0]}, 2), concat({v, in[0]}, 2));
             },
             {x[0]});
       },
       {{{{1, 2, 3, 5}, {1, 2, 2, 5}}}}},
      {"recompute (dropout)",
       [](V x, E) {
         Rng rng(5);
         const auto part = [W = x[1]](V in, Rng& r) {
           return dropout(tanh(linear(dropout(in[0], real(0.4), r), W)), real(0.2), r);
         };
         const Variable first = recompute(part, {x[0]}, rng), second = recompute(part, {first}, rng);
         return dropout(second, real(0.5), rng);
       },
       {{{{4, 6}, {6, 6}}}}},
      {"recompute (inside recompute)",
       [](V x, E) {
         Rng rng(6);
         return recompute(
             [W = x[1]](V in, Rng& r) {
               const Variable h =
                   recompute([W](V deep, Rng& q) { return dropout(tanh(linear(deep[0], W)), real(0.3), q); }, {in[0]}, r);
               return dropout(h, real(0.3), r) * in[0];
             },
             {x[0]}, rng);
       },
       {{{{3, 4}, {4, 4}}}}},
      {"recompute (around cross_entropy_by_rows)",
       [](V x, E) {
         return recompute(
             [W = x[1]](V in) {
               return cross_entropy_by_rows(
                   tanh(in[0]), {1, 0, ignored, 2, 1}, [W](const Variable& rows) { return linear(rows, W); }, {}, 2);
             },
             {x[0]});
       },
       {{{{5, 4}, {3, 4}}}}},
      {"cross_entropy_by_rows (head of recompute)",
       [](V x, E) {
         const Variable W = tanh(x[2]);  // history outside of the head, reached by every chunk
         const Head head = [&](const Variable& rows) {
           return linear(recompute([U = x[1]](V in) { return silu(linear(in[0], U)); }, {rows}), W);
         };
         return scale(cross_entropy_by_rows(sigmoid(x[0]), {1, 0, ignored, 2, 1}, head, {}, 2), 3) + sum(W);
       },
       {{{{5, 3}, {4, 3}, {3, 4}}}}},

      {"transformer block",
       [](V x, E) {
         const Variable &in = x[0], &Wq = x[1], &Wk = x[2], &Wv = x[3], &Wo = x[4], &gain = x[5], &bias = x[6], &up = x[7],
                        &gate = x[8], &down = x[9], &head = x[10];
         const Variable n = layer_norm(in, gain, bias);  // (B, T, 8)
         const Tensor theta = rotary_frequencies(4, 50);
         const Ids positions({3}, {2, 3, 4});
         const Variable Q = rotary(split_heads(linear(n, Wq), 2), positions, theta);  // (B, 2, T, 4)
         const Variable K = rotary(split_heads(linear(n, Wk), 1), positions, theta);  // (B, 1, T, 4)
         const Variable A = merge_heads(causal_attention(Q, K, split_heads(linear(n, Wv), 1)));
         Rng rng(3);
         const Variable h = in + dropout(linear(A, Wo), real(0.1), rng);
         const Variable m = rms_norm(h, gain);
         const Variable y = h + linear(silu(linear(m, gate)) * linear(m, up), down);  // (B, T, 8)
         return linear_cross_entropy(y, head, Ids({2, 3}, {1, ignored, 2, 0, 6, 4}));
       },
       {{{{2, 3, 8}, {8, 8}, {4, 8}, {4, 8}, {8, 8}, {8}, {8}, {5, 8}, {5, 8}, {8, 5}, {7, 8}}}}},
  };
}

}  // namespace graft::table
