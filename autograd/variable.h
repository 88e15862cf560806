// To read first: clear/scalar.h, the same on single numbers, in 40 lines.
// Variable: a Tensor and how it came about. record() writes the history down, backward() reads it from the end.
// The value lives apart from its history: edges hold Nodes, and Nodes hold no values, so the only tensors a graph keeps
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
/// The same for all inputs at once, where they share work. learns[i] says whether input i wants its gradient; the
/// answer has one tensor per input, empty where learns[i] is false.
using JointPullback = std::function<std::vector<Tensor>(const Tensor& dy, const std::vector<bool>& learns)>;

/// True on this thread unless a NoGrad is alive.
bool recording();

/// While it lives, ops on this thread record, or do not.
class Recording {
 public:
  explicit Recording(bool on);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  bool before_;
};
/// While it lives, ops on this thread record nothing.
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
  bool learns() const;  ///< a gradient can flow into it
  /// Turns learning of a leaf on or off (and moves its bytes in the ledger). Errors: GraphError on anything but a leaf.
  void learn(bool on);
  Variable detach() const { return Variable(value_); }  ///< the same numbers without history

  /// The gradient of a leaf that learns; empty before the first backward().
  const Tensor& grad() const;
  void clear_grad();
  void set_grad(Tensor grad);  ///< Errors: ShapeError

  /// Adds ∂this/∂leaf to grad() of every leaf that this was computed from; this must hold one number. The graph is used up.
  /// Errors: GraphError for more than one number, for a graph that was used up before, or without any history; for a
  /// pullback that gives a wrong shape; for a saved tensor that was changed since. After an error no grad() has changed.
  void backward() const;
  void backward(const Tensor& seed) const;  ///< the same for any shape, with ∂loss/∂this given

 private:
  Tensor value_;
  std::shared_ptr<Node> node_;
};

/// A leaf that learns, and one that is frozen.
Variable parameter(Tensor value, std::string name = {});
Variable frozen(Tensor value, std::string name = {});

/// One input of an op and how to pull a gradient back to it. The pullback is dropped at once when the input does not learn
/// or nothing is recorded; what it had saved goes with it.
struct Edge {
  std::shared_ptr<Node> input;
  Pullback pullback;

  Edge(const Variable& x, std::nullptr_t) : input(x.node()) {}
  template <class F>
  Edge(const Variable& x, F&& pull) : input(x.node()) {
    if (x.learns() && recording()) pullback = std::forward<F>(pull);
  }
};

/// One step of history. leaf: a parameter. live: the result of an op. released: its backward has been done.
struct Node {
  enum class State : std::uint8_t { leaf, live, released };

  Node(const char* op, Shape shape, State state, bool requires_grad);
  ~Node();  // takes long histories apart without recursion
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const char* op;  ///< a string literal
  Shape shape;
  State state;
  bool requires_grad;
  std::uint64_t sequence;                     ///< process-wide count: an input is always older than what is made of it
  Tensor grad;                                ///< leaves only
  std::vector<Edge> edges;                    ///< the inputs that learn
  std::vector<std::shared_ptr<Node>> frozen;  ///< the inputs that do not (no values: for pictures of the graph)
  JointPullback joint;                        ///< if set, it serves all edges
  std::vector<bool> joint_learns;             ///< for each input of joint, in its order
  std::string name;                           ///< of a leaf, may be empty

  // What backward_to() asks of a node on its way back.
  void expect_live() const;                                         // Errors: GraphError if released
  void expect_gradient(const Tensor& dx, const Node& input) const;  // Errors: GraphError for a wrong shape
  std::vector<Tensor> joint_gradients(const Tensor& dy) const;      // of the learning inputs, as edges
  void release();                                                     // frees what the pullbacks saved
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
  Saved(Tensor tensor, const char* op);  ///< something the op made besides its result: charged on it in the ledger
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

/// The end of a history that is not walked further, and the gradient that arrived there.
struct NodeGradient {
  std::shared_ptr<Node> node;
  Tensor grad;
};
/// Backward from y, stopping at leaves and at every node older than `boundary`; gradients are returned, none is stored.
/// This is what backward(), recompute() and cross_entropy_by_rows() are made of.
std::vector<NodeGradient> backward_to(const Variable& y, Tensor seed, std::uint64_t boundary = 0);
/// The ends that backward_to() would reach.
std::vector<std::shared_ptr<Node>> frontier(const Variable& y, std::uint64_t boundary);
std::uint64_t next_sequence();  ///< nodes made from now on are at least this old

/// into += grad, in place only where nobody else holds the numbers.
void accumulate(Tensor& into, Tensor grad);

namespace detail {
/// A view (reshape) is not charged on its op: the bytes belong to what it is a view of.
Variable record(const char* op, Tensor y, Edge* edges, std::size_t count, bool view = false);
}  // namespace detail

template <class... Edges>
Variable record(const char* op, Tensor y, Edges&&... edges) {
  Edge list[] = {std::forward<Edges>(edges)...};
  return detail::record(op, std::move(y), list, sizeof...(edges));
}

std::ostream& operator<<(std::ostream& out, const Variable& x);

}  // namespace graft
