#include "autograd/variable.h"

#include <atomic>
#include <map>
#include <ostream>

#include "autograd/interrupt.h"
#include "autograd/kernels.h"

namespace graft {
namespace {

std::atomic<std::uint64_t> sequences{1};
thread_local bool recording_now = true;

}  // namespace

bool recording() { return recording_now; }
Recording::Recording(bool on) : before_(recording_now) { recording_now = on; }
Recording::~Recording() { recording_now = before_; }

// --- Node -------------------------------------------------------------------------------------------------------------

Node::Node(const char* op, Shape shape, State state, bool requires_grad)
    : op(op),
      shape(shape),
      state(state),
      requires_grad(requires_grad),
      sequence(sequences.fetch_add(1, std::memory_order_relaxed)) {}

namespace {
/// What a destroyed node held. Freeing it may destroy the nodes before it and what their pullbacks captured.
struct Pending {
  std::vector<Edge> edges;
  std::vector<std::shared_ptr<Node>> frozen;
  JointPullback joint;
};
thread_local std::vector<Pending>* pending = nullptr;  // set while this thread is destroying a node
}  // namespace

Node::~Node() {
  if (edges.empty() && frozen.empty() && !joint) return;
  Pending mine{std::move(edges), std::move(frozen), std::move(joint)};
  if (pending) {  // one loop instead of recursion, however long the history
    pending->push_back(std::move(mine));
    return;
  }
  std::vector<Pending> waiting;
  pending = &waiting;
  mine = Pending();
  while (!waiting.empty()) {
    const Pending next = std::move(waiting.back());
    waiting.pop_back();
  }
  pending = nullptr;
}

// --- Variable ---------------------------------------------------------------------------------------------------------

bool Variable::learns() const { return node_ && node_->requires_grad; }

void Variable::learn(bool on) {
  expect<GraphError>(node_ && node_->state == Node::State::leaf, [&] {
    return text("learn: only a leaf can learn, but this is ",
                node_ ? text("the result of ", node_->op) : "a constant", "; make one with parameter()");
  });
  node_->requires_grad = on;
  value_.retag(on ? Category::trainable : Category::frozen);
  if (!on) clear_grad();
}

const Tensor& Variable::grad() const {
  static const Tensor none;
  return node_ ? node_->grad : none;
}
void Variable::clear_grad() {
  if (node_) node_->grad = Tensor();
}
void Variable::set_grad(Tensor grad) {
  expect<GraphError>(learns() && node_->state == Node::State::leaf, "set_grad: only a leaf that learns holds a gradient");
  expect(grad.shape() == shape(), "set_grad: the gradient has shape ", grad.shape(), " but the leaf has ", shape());
  grad.retag(Category::gradient);
  node_->grad = std::move(grad);
}

namespace {
Variable leaf(Tensor value, std::string name, bool learns) {
  expect<ValueError>(value.defined(), learns ? "parameter" : "frozen", ": the tensor is empty; give it a shape first");
  value.retag(learns ? Category::trainable : Category::frozen);
  auto node = std::make_shared<Node>("leaf", value.shape(), Node::State::leaf, learns);
  node->name = std::move(name);
  return Variable(std::move(value), std::move(node));
}
}  // namespace

Variable parameter(Tensor value, std::string name) { return leaf(std::move(value), std::move(name), true); }

Variable frozen(Tensor value, std::string name) { return leaf(std::move(value), std::move(name), false); }

// --- recording --------------------------------------------------------------------------------------------------------

namespace {
/// The ledger counts a new tensor under the op that made it; a view of an older one keeps its tag.
void charge(const Tensor& y, const char* op) {
  if (y.tag().category == Category::saved && y.tag().op == nullptr) y.retag(Category::saved, op);
}
}  // namespace

Variable detail::record(const char* op, Tensor y, Edge* edges, std::size_t count, bool view) {
  if (!recording_now) return Variable(std::move(y));
  if (!view) charge(y, op);
  std::size_t learning = 0;
  for (std::size_t i = 0; i < count; ++i) {
    expect<GraphError>(edges[i].pullback || !edges[i].input || !edges[i].input->requires_grad, op, ": input ", i,
                       " learns but has no pullback; give one, or detach() the input");
    learning += edges[i].pullback != nullptr;
  }
  if (learning == 0) return Variable(std::move(y));
  auto node = std::make_shared<Node>(op, y.shape(), Node::State::live, true);
  node->edges.reserve(learning);
  for (std::size_t i = 0; i < count; ++i) {
    if (edges[i].pullback) node->edges.push_back(std::move(edges[i]));
    else if (edges[i].input) node->frozen.push_back(std::move(edges[i].input));
  }
  return Variable(std::move(y), std::move(node));
}

namespace {
Variable record_joint_range(const char* op, Tensor y, const Variable* begin, const Variable* end, JointPullback joint) {
  if (!recording_now) return Variable(std::move(y));
  charge(y, op);
  std::size_t learning = 0;
  for (const Variable* x = begin; x != end; ++x) learning += x->learns();
  if (learning == 0) return Variable(std::move(y));
  auto node = std::make_shared<Node>(op, y.shape(), Node::State::live, true);
  node->edges.reserve(learning);
  node->joint = std::move(joint);
  for (const Variable* x = begin; x != end; ++x) {
    node->joint_learns.push_back(x->learns());
    if (x->learns()) node->edges.emplace_back(*x, nullptr);
    else if (x->node()) node->frozen.push_back(x->node());
  }
  return Variable(std::move(y), std::move(node));
}
}  // namespace

Variable record_joint(const char* op, Tensor y, std::initializer_list<Variable> inputs, JointPullback joint) {
  return record_joint_range(op, std::move(y), inputs.begin(), inputs.end(), std::move(joint));
}
Variable record_joint(const char* op, Tensor y, const std::vector<Variable>& inputs, JointPullback joint) {
  return record_joint_range(op, std::move(y), inputs.data(), inputs.data() + inputs.size(), std::move(joint));
}

Saved::Saved(Tensor tensor, const char* op) : Saved(std::move(tensor)) {
  if (recording_now && tensor_.defined()) charge(tensor_, op);
}

void Saved::changed() const {
  throw GraphError(text("backward: a saved tensor of shape ", tensor_.shape(), " was changed ", tensor_.version() - version_,
                        " time(s) since the forward pass; change weights after backward(), or clone() them before"));
}

// --- backward: the whole engine ---------------------------------------------------------------------------------------

void accumulate(Tensor& into, Tensor grad) {
  if (!into.defined()) into = std::move(grad);
  else if (into.alone()) kernel::add_to(into, grad);
  else into = kernel::binary(kernel::Binary::add, into, grad);
}

std::vector<NodeGradient> backward_to(const Variable& y, Tensor seed, std::uint64_t boundary) {
  expect<GraphError>(y.learns(), "backward_to: y has no history to walk back through");
  expect(seed.defined() && seed.shape() == y.shape(), "backward_to: the seed has shape ", seed.shape(), " but y has ", y.shape());
  const Tagged in_flight(Category::temporary);
  const NoGrad no_history_of_history;
  std::vector<NodeGradient> arrived;
  std::map<std::uint64_t, NodeGradient, std::greater<>> todo;  // by sequence, newest first
  todo[y.node()->sequence] = {y.node(), std::move(seed)};
  while (!todo.empty()) {
    auto [node, dy] = std::move(todo.begin()->second);
    todo.erase(todo.begin());
    if (node->state == Node::State::leaf || node->sequence < boundary) {
      arrived.push_back({std::move(node), std::move(dy)});
      continue;
    }
    node->expect_live();
    std::vector<Tensor> joint = node->joint ? node->joint_gradients(dy) : std::vector<Tensor>();
    for (std::size_t i = 0; i < node->edges.size(); ++i) {
      Edge& edge = node->edges[i];
      Tensor dx = node->joint ? std::move(joint[i]) : edge.pullback(dy);  // the chain rule
      node->expect_gradient(dx, *edge.input);
      NodeGradient& waiting = todo[edge.input->sequence];
      waiting.node = edge.input;
      accumulate(waiting.grad, std::move(dx));  // several uses of x: their gradients add up
    }
    node->release();  // frees what it saved
  }
  return arrived;
}

void Variable::backward() const {
  expect<ValueError>(defined(), "backward: the variable is empty");
  expect<GraphError>(value_.numel() == 1, "backward: y has shape ", shape(), ", but without a seed it must be one number; ",
                     "call sum(y) or mean(y), or backward(seed) with ∂loss/∂y");
  backward(Tensor(shape(), 1));
}

void Variable::backward(const Tensor& seed) const {
  expect<GraphError>(learns(), "backward: y has no history: none of its inputs learns, or it was computed under ",
                     "NoGrad; make leaves with parameter(), and unmerge() whatever is merged into the weights");
  expect(seed.defined() && seed.shape() == shape(), "backward: the seed has shape ", seed.shape(), " but y has ", shape());
  heed_interrupt("backward");
  std::vector<NodeGradient> arrived = backward_to(*this, seed);
  // Everything succeeded, so gradients change only now: first what may allocate memory, then what cannot fail.
  for (auto& [leaf, grad] : arrived)
    if (leaf->grad.defined() && !leaf->grad.alone()) leaf->grad = leaf->grad.clone();
    else if (!leaf->grad.defined() && !grad.alone()) grad = grad.clone();  // shared with another leaf or with the seed
  for (auto& [leaf, grad] : arrived) {
    if (!leaf->requires_grad) continue;  // learn(false) was called since the forward pass
    accumulate(leaf->grad, std::move(grad));
    leaf->grad.retag(Category::gradient);
  }
}

// --- what backward_to() needs from a node -----------------------------------------------------------------------------

void Node::expect_live() const {
  expect<GraphError>(state == State::live, "backward: reached ", op, " ", shape,
                     ", which an earlier backward has used up: its saved tensors are gone; run the forward pass again");
}

void Node::expect_gradient(const Tensor& dx, const Node& input) const {
  expect<GraphError>(dx.defined() && dx.shape() == input.shape, [&] {
    return text("backward: the pullback of ", op, " gave a gradient of shape ", dx.defined() ? dx.shape().str() : "(empty)",
                " for an input (", input.op, ") of shape ", input.shape, "; a gradient has the shape of its input");
  });
}

std::vector<Tensor> Node::joint_gradients(const Tensor& dy) const {
  std::vector<Tensor> all = joint(dy, joint_learns), wanted;
  expect<GraphError>(all.size() == joint_learns.size(), "backward: the joint pullback of ", op, " gave ", all.size(),
                     " gradients for ", joint_learns.size(), " inputs; give one per input, empty for those that do not learn");
  for (std::size_t i = 0; i < all.size(); ++i)
    if (joint_learns[i]) wanted.push_back(std::move(all[i]));
  return wanted;
}

void Node::release() {
  state = State::released;
  edges.clear();
  joint = nullptr;
}

std::uint64_t next_sequence() { return sequences.load(std::memory_order_relaxed); }

std::vector<std::shared_ptr<Node>> frontier(const Variable& y, std::uint64_t boundary) {
  std::vector<std::shared_ptr<Node>> found;
  if (!y.learns()) return found;
  std::map<std::uint64_t, std::shared_ptr<Node>, std::greater<>> todo{{y.node()->sequence, y.node()}};
  while (!todo.empty()) {
    const std::shared_ptr<Node> node = std::move(todo.begin()->second);
    todo.erase(todo.begin());
    if (node->state == Node::State::leaf || node->sequence < boundary) found.push_back(node);
    else
      for (const Edge& edge : node->edges) todo.emplace(edge.input->sequence, edge.input);
  }
  return found;
}

std::ostream& operator<<(std::ostream& out, const Variable& x) {
  out << x.value();
  if (x.node()) out << "  " << x.node()->op << (x.learns() ? ", learns\n" : ", frozen\n");
  return out;
}

}  // namespace graft
