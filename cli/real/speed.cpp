#include "cli/real/speed.h"

#include <algorithm>
#include <chrono>

#include "nn/load.h"

namespace graft::cli {

double reading_speed(const std::string& path) {
  const Loaded loaded = load_model(path);
  const NoGrad constant;
  constexpr Index rows = 4;
  const Index length = std::min<Index>(128, loaded.model->free_positions());
  const Ids words({rows, length}, std::vector<Id>(static_cast<std::size_t>(rows * length), 0));
  const auto read = [&] {
    const auto began = std::chrono::steady_clock::now();
    Past past = loaded.model->begin(rows);
    (void)loaded.model->hidden(Templated::raw(words), past);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  (void)read();  // the first time also loads the file and fills caches
  return static_cast<double>(rows * length) / read();
}

}  // namespace graft::cli
