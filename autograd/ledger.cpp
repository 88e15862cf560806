#include "autograd/ledger.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <ostream>
#include <utility>
#include <vector>

#include "autograd/allocator.h"
#include "autograd/variable.h"

namespace graft {
namespace {

struct Counter {
  std::atomic<std::size_t> now{0}, peak{0};

  void add(std::size_t bytes) {
    const std::size_t sum = now.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::size_t highest = peak.load(std::memory_order_relaxed);
    while (sum > highest && !peak.compare_exchange_weak(highest, sum, std::memory_order_relaxed)) {}
  }
  void subtract(std::size_t bytes) { now.fetch_sub(bytes, std::memory_order_relaxed); }
};

Counter by_category[categories];
Counter total;

// Saved bytes by op. Ops are few and their names are literals, so a short list searched by address is enough.
struct ByOp {
  std::mutex mutex;
  std::vector<std::pair<const char*, std::size_t>> bytes;

  std::size_t& of(const char* op) {
    for (auto& entry : bytes)
      if (entry.first == op) return entry.second;
    return bytes.emplace_back(op, 0).second;
  }
};
ByOp& by_op() {
  static ByOp* const one = new ByOp;  // never destroyed: tensors in other statics may outlive it
  return *one;
}

thread_local Tag scope;
thread_local bool in_scope = false;

}  // namespace

const char* name(Category category) {
  static const char* const names[categories] = {"frozen weights",    "trainable weights", "gradients", "optimizer",
                                                "saved activations", "temporary",         "mapped"};
  return names[static_cast<int>(category)];
}

Tagged::Tagged(Category category, const char* op) : before_(scope), nested_(in_scope) {
  scope = {category, op};
  in_scope = true;
}
Tagged::~Tagged() {
  scope = before_;
  in_scope = nested_;
}

Tag current_tag() {
  if (in_scope) return scope;
  return {recording() ? Category::saved : Category::temporary, nullptr};
}

namespace detail {
void enter(Tag tag, std::size_t bytes) {
  by_category[static_cast<int>(tag.category)].add(bytes);
  total.add(bytes);
  if (tag.category == Category::saved) {
    ByOp& ops = by_op();
    const std::lock_guard<std::mutex> lock(ops.mutex);
    ops.of(tag.op) += bytes;
  }
}
void leave(Tag tag, std::size_t bytes) {
  by_category[static_cast<int>(tag.category)].subtract(bytes);
  total.subtract(bytes);
  if (tag.category == Category::saved) {
    ByOp& ops = by_op();
    const std::lock_guard<std::mutex> lock(ops.mutex);
    ops.of(tag.op) -= bytes;
  }
}
void retag(Tag from, Tag to, std::size_t bytes) {
  leave(from, bytes);  // remove before adding, so that the move itself makes no peak
  enter(to, bytes);
}
}  // namespace detail

Registered::Registered(Category category, std::size_t bytes) : category_(category), bytes_(bytes) {
  detail::enter({category_, nullptr}, bytes_);
}
Registered::Registered(Registered&& other) noexcept : category_(other.category_), bytes_(std::exchange(other.bytes_, 0)) {}
Registered& Registered::operator=(Registered&& other) noexcept {
  std::swap(category_, other.category_);
  std::swap(bytes_, other.bytes_);
  return *this;
}
Registered::~Registered() {
  if (bytes_) detail::leave({category_, nullptr}, bytes_);
}

Ledger ledger() {
  Ledger l;
  for (int c = 0; c < categories; ++c) {
    l.now[c] = by_category[c].now;
    l.peak[c] = by_category[c].peak;
  }
  l.total_now = total.now;
  l.total_peak = total.peak;
  l.cached = allocator_statistics().cached;
  ByOp& ops = by_op();
  const std::lock_guard<std::mutex> lock(ops.mutex);
  for (const auto& [op, bytes] : ops.bytes)
    if (bytes) l.saved_by_op[op ? op : "input"] += bytes;
  return l;
}

void reset_peaks() {
  for (Counter& c : by_category) c.peak = c.now.load();
  total.peak = total.now.load();
}

std::string Ledger::str() const {
  const auto column = [](const std::string& number) {
    return std::string(15 - std::min<std::size_t>(15, number.size()), ' ') + number;
  };
  const auto line = [&](std::string what, const std::string& a, const std::string& b = {}) {
    what.resize(std::max<std::size_t>(what.size(), 22), ' ');
    return what + column(a) + (b.empty() ? "" : column(b)) + "\n";
  };
  std::string table = line("bytes", "now", "peak");
  for (int c = 0; c < categories; ++c) {
    table += line(name(static_cast<Category>(c)), std::to_string(now[c]), std::to_string(peak[c]));
    if (static_cast<Category>(c) != Category::saved) continue;
    std::vector<std::pair<std::size_t, std::string>> ops;
    for (const auto& [op, bytes] : saved_by_op) ops.emplace_back(bytes, op);
    std::sort(ops.rbegin(), ops.rend());
    for (const auto& [bytes, op] : ops) table += line("  " + op, std::to_string(bytes));
  }
  table += line("total", std::to_string(total_now), std::to_string(total_peak));
  return table + line("cached for reuse", std::to_string(cached));
}

std::ostream& operator<<(std::ostream& out, const Ledger& ledger) { return out << ledger.str(); }

}  // namespace graft
