// The memory ledger: how many bytes are alive, by what they are for, now and at the peak.
// Every storage carries a Tag (category, and for saved activations the op). New storage takes the tag of the innermost
// Tagged scope on this thread; record() tags the result of an op with its name. Totals are process-wide and thread-safe. Bytes
// are those requested; what the caching allocator holds besides them is reported as "cached".
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>

namespace graft {

enum class Category : std::uint8_t {
  frozen,     ///< weights that are not trained
  trainable,  ///< weights that are trained
  gradient,   ///< gradients of leaves
  optimizer,  ///< moments and other state of an optimizer
  saved,      ///< what outlives the forward pass: activations kept for backward, and inputs
  temporary,  ///< scratch of kernels, gradients in flight, everything made under NoGrad
  mapped      ///< memory-mapped files
};
constexpr int categories = 7;
const char* name(Category category);  ///< "frozen weights", "saved activations", ...

struct Tag {
  Category category = Category::saved;
  const char* op = nullptr;  ///< for saved: which op made it (a string literal); null is "input"
};

/// While it is alive, storage allocated on this thread carries this tag.
class Tagged {
 public:
  explicit Tagged(Category category, const char* op = nullptr);
  ~Tagged();
  Tagged(const Tagged&) = delete;
  Tagged& operator=(const Tagged&) = delete;

 private:
  Tag before_;
  bool nested_;
};
Tag current_tag();  ///< the tag that new storage would get: outside any scope saved, or temporary under NoGrad

/// Bytes outside tensors (packed weights, mapped files) are registered with one of these.
class Registered {
 public:
  Registered() = default;
  Registered(Category category, std::size_t bytes);
  Registered(Registered&& other) noexcept;
  Registered& operator=(Registered&& other) noexcept;
  ~Registered();

 private:
  Category category_ = Category::frozen;
  std::size_t bytes_ = 0;
};

/// A snapshot of the ledger, in bytes.
struct Ledger {
  std::array<std::size_t, categories> now{};   ///< by category
  std::array<std::size_t, categories> peak{};  ///< each category's own maximum since reset_peaks()
  std::size_t total_now = 0;
  std::size_t total_peak = 0;                      ///< maximum of the sum (not the sum of the peaks)
  std::map<std::string, std::size_t> saved_by_op;  ///< splits now[saved]
  std::size_t cached = 0;                          ///< free blocks kept by the allocator for the next step

  std::size_t operator[](Category category) const { return now[static_cast<int>(category)]; }
  std::string str() const;  ///< as a table
};

Ledger ledger();     ///< the current numbers
void reset_peaks();  ///< peaks restart from the current values
std::ostream& operator<<(std::ostream& out, const Ledger& ledger);

namespace detail {  // called by Storage
void enter(Tag tag, std::size_t bytes);
void leave(Tag tag, std::size_t bytes);
void retag(Tag from, Tag to, std::size_t bytes);
}  // namespace detail

}  // namespace graft
