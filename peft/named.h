// A map from names of adapters to what one wrapper keeps for each of them.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "autograd/errors.h"
#include "autograd/text.h"

namespace graft::peft {

template <class T>
class Named {
 public:
  T* find(const std::string& name) const {
    const auto found = all_.find(name);
    return found == all_.end() ? nullptr : found->second.get();
  }
  T& at(const std::string& name) const {  ///< Errors: ValueError
    T* const found = find(name);
    expect<ValueError>(found != nullptr, [&] { return text("there is no \"", name, "\" here; known: ", joined(names())); });
    return *found;
  }
  T& put(const std::string& name, std::unique_ptr<T> entry) { return *(all_[name] = std::move(entry)); }
  void drop(const std::string& name) { all_.erase(name); }
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& entry : all_) list.push_back(entry.first);
    return list;
  }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

 private:
  std::map<std::string, std::unique_ptr<T>> all_;
};

}  // namespace graft::peft
