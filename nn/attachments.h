// The variants of a model by name, in order of attachment, and what was trainable before each: kept for peft/method.h.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace graft {

class Attachments {
 public:
  /// What is trainable: some variants, and the model's own parameters at these paths.
  struct Learning {
    std::vector<std::string> variants, paths;
  };

  bool empty() const { return all_.empty(); }
  bool has(const std::string& name) const { return all_.count(name) != 0; }
  bool in_place(const std::string& name) const;  ///< does it change the model's own parameters?
  std::vector<std::string> names() const;

  void add(std::string name, bool in_place, Learning frozen);  ///< frozen: what was trainable until now
  /// What is trainable after its removal: what it had frozen; none if a later one was added, which then keeps that frozen.
  std::optional<Learning> remove(const std::string& name);

 private:
  struct Attachment {
    std::uint64_t order;
    bool in_place;
    Learning frozen;
  };
  std::map<std::string, Attachment> all_;
  std::uint64_t next_ = 0;
};

}  // namespace graft
