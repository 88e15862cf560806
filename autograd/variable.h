// Read first: clear/scalar.h, the same on single numbers, in 40 lines.
// Variable: a Tensor and how it was computed. record() writes the history down, backward() reads it from the end.
// The value is separate from its history: edges hold Nodes, and Nodes hold no values, so the only tensors a graph keeps
// alive are those that a pullback saved. Reverse-mode differentiation: Griewank & Walther 2008, chapter 3.
#pragma once
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autograd/tensor.h"

namespace graft {

struct Node;
class Variable;

/// Takes ∂loss/∂y, gives ∂loss/∂x for one input x.
using Pullback = std::function<Tensor(const Tensor& dy)>;
/// The same for all inputs at once, where they share work. learns[i] says whether input i needs its gradient; the
/// result has one tensor per input, empty where learns[i] is false.
using JointPullback = std::function<std::vector<Tensor>(const Tensor& dy, const std::vector<bool>& learns)>;

/// True on this thread unless a NoGrad is alive.
bool recording();

/// While it is alive, ops on this thread record history, or do not.
class Recording {
 public:
  explicit Recording(bool on);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  bool before_;
};
/// While it is alive, ops on this thread record no history.
struct NoGrad : Recording {
  NoGrad() : Recording(false) {}
};
/// The opposite, inside a NoGrad: recompute() records its second run although backward itself records nothing.
struct WithGrad : Recording {
  WithGrad() : Recording(true) {}
};

class Variable {
 public:
  Variable() = default;                                 ///< empty
  Variable(Tensor value) : value_(std::move(value)) {}  ///< a constant: no history, never learns
  Variable(Tensor value, std::shared_ptr<Node> node) : value_(std::move(value)), node_(std::move(node)) {}

  const Tensor& value() const { return value_; }
  const Shape& shape() const { return value_.shape(); }
  Index dim(int axis) const { return value_.dim(axis); }
  real item() const { return value_.item(); }
  bool defined() const { return value_.defined(); }

  const std::shared_ptr<Node>& node() const { return node_; }
  bool learns() const;  ///< a gradient flows into it (requires_grad)
  /// Makes a leaf trainable or frozen (also in the ledger). Errors: GraphError on anything but a leaf.
  void learn(bool on);
  Variable detach() const { return Variable(value_); }  ///< the same numbers without history

  /// The gradient of a trainable leaf; empty before the first backward().
  const Tensor& grad() const;
  void clear_grad();
  void set_grad(Tensor grad);  ///< Errors: ShapeError

  /// Adds ∂this/∂leaf to grad() of every leaf that this was computed from; this must hold one number. The graph is used up.
  /// Errors: GraphError for more than one number, for a graph that is used up already, or without any history; for a
  /// pullback that gives a wrong shape; for a saved tensor that was changed since; Interrupted. After an error no grad() has changed.
  void backward() const;
  void backward(const Tensor& seed) const;  ///< the same for any shape, with ∂loss/∂this given

 private:
  Tensor value_;
  std::shared_ptr<Node> node_;
};

/// A trainable leaf, and a frozen one.
Variable parameter(Tensor value, std::string name = {});
Variable frozen(Tensor value, std::string name = {});

/// One input of an op and how to pull a gradient back to it. The pullback, with all it saved, is dropped at once when the
/// input does not learn or nothing is recorded.
struct Edge {
  std::shared_ptr<Node> input;
  Pullback pullback;

  Edge(const Variable& x, std::nullptr_t) : input(x.node()) {}
  template <class F>
  Edge(const Variable& x, F&& pull) : input(x.node()) {
    if (x.learns() && recording()) pullback = std::forward<F>(pull);
  }
};

/// One step of history. leaf: a parameter. live: the result of an op. released: the same after its backward.
struct Node {
  enum class State : std::uint8_t { leaf, live, released };

  Node(const char* op, Shape shape, State state, bool requires_grad);
  ~Node();  // frees long histories without recursion
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const char* op;  ///< a string literal
  Shape shape;
  State state;
  bool requires_grad;
  std::uint64_t sequence;                     ///< process-wide count: an input is always older than its results
  Tensor grad;                                ///< leaves only
  std::vector<Edge> edges;                    ///< the inputs that learn
  std::vector<std::shared_ptr<Node>> frozen;  ///< the inputs that do not (without values: for pictures of the graph)
  JointPullback joint;                        ///< if set, it serves all edges
  std::vector<bool> joint_learns;             ///< for each input of joint, in its order
  std::string name;                           ///< of a leaf, may be empty

  // What backward_to() needs from a node on its way back.
  void expect_live() const;                                         // Errors: GraphError if released
  void expect_gradient(const Tensor& dx, const Node& input) const;  // Errors: GraphError for a wrong shape
  std::vector<Tensor> joint_gradients(const Tensor& dy) const;      // of the learning inputs, as edges
  void release();                                                   // frees what the pullbacks saved
};

/// y with its history: y = op(inputs). Returns a constant if no input learns or under NoGrad.
/// Errors: GraphError if an input learns but has no pullback.
template <class... Edges>
Variable record(const char* op, Tensor y, Edges&&... edges);
/// The same with one pullback for all inputs.
Variable record_joint(const char* op, Tensor y, std::initializer_list<Variable> inputs, JointPullback joint);
Variable record_joint(const char* op, Tensor y, const std::vector<Variable>& inputs, JointPullback joint);

/// A tensor kept for backward. Using it after it was changed throws GraphError.
class Saved {
 public:
  Saved(Tensor tensor) : tensor_(std::move(tensor)), version_(tensor_.version()) {}
  Saved(const Variable& x) : Saved(x.value()) {}
  Saved(Tensor tensor, const char* op);  ///< a by-product of the op, counted under it in the ledger
  operator const Tensor&() const { return get(); }
  const Tensor& get() const {
    if (tensor_.version() != version_) changed();
    return tensor_;
  }

 private:
  [[noreturn]] void changed() const;
  Tensor tensor_;
  std::uint32_t version_;
};

/// A node where the walk back ends, and the gradient that arrived there.
struct NodeGradient {
  std::shared_ptr<Node> node;
  Tensor grad;
};
/// Backward from y, stopping at leaves and at every node older than `boundary`; gradients are returned, not stored.
/// This is what backward(), recompute() and cross_entropy_by_rows() are made of.
std::vector<NodeGradient> backward_to(const Variable& y, Tensor seed, std::uint64_t boundary = 0);
/// The nodes where backward_to() would end.
std::vector<std::shared_ptr<Node>> frontier(const Variable& y, std::uint64_t boundary);
std::uint64_t next_sequence();  ///< the sequence of the next node: nodes from now on have this or a higher one

/// into += grad, in place only if no other handle shares the storage.
void accumulate(Tensor& into, Tensor grad);

namespace detail {
/// A view (reshape) is not counted under its op: its bytes belong to the tensor that it is a view of.
Variable record(const char* op, Tensor y, Edge* edges, std::size_t count, bool view = false);
}  // namespace detail

template <class... Edges>
Variable record(const char* op, Tensor y, Edges&&... edges) {
  Edge list[] = {std::forward<Edges>(edges)...};
  return detail::record(op, std::move(y), list, sizeof...(edges));
}

std::ostream& operator<<(std::ostream& out, const Variable& x);

}  // namespace graft
