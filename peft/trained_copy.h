// A projection of which every name trains a whole copy: the heads of classifiers (PEFT: modules_to_save).
#pragma once
#include <map>

#include "peft/wrapper.h"

namespace graft::peft {

struct TrainedCopy : ProjectionWrapper {
  using ProjectionWrapper::ProjectionWrapper;
  std::string method() const override { return "trained copy"; }
  std::vector<std::string> names() const override;
  void drop(const std::string& name) override { copies_.erase(name); }
  Variable operator()(const Variable& x) override;
  Tensor merged_weight(const std::string& name) const override { return copies_.at(name)->weight.value(); }
  Tensor merged_bias(const std::string& name) const override;

  struct Copy {
    Param weight;
    std::unique_ptr<Param> bias;
  };
  Copy& add(const std::string& name);  ///< starts with the base's numbers
  Copy& copy(const std::string& name) const { return *copies_.at(name); }

 private:
  Variable apply(const std::string& name, const Variable& x);
  std::map<std::string, std::unique_ptr<Copy>> copies_;
};

}  // namespace graft::peft
