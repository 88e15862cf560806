#include "nn/initialize.h"

namespace graft {

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void initialize_weights(const Module& m, const Deviation& deviation, Rng& rng) {
  for (auto& named : m.parameters()) {
    Param& param = *named.second;
    if (ends_with(named.first, "bias")) param.set(Tensor(param.shape(), 0));
    else if (param.shape().rank() == 1) param.set(Tensor(param.shape(), 1));
    else param.set(normal(param.shape(), 0, deviation(named.first), rng));
  }
}

}  // namespace graft
