#include "show/inside/text_pictures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "show/inside/scale.h"

namespace graft::show {

std::string sparkline(const std::vector<double>& y, std::size_t width, bool log) {
  static constexpr std::array<const char*, 8> levels{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  Range range(log);
  for (const double v : y) range.take(v);
  if (range.empty()) return "";
  const Scale scale(range.low(), range.high(), log);
  const std::size_t characters = std::min(width, y.size());
  std::string out;
  for (std::size_t c = 0; c < characters; ++c) {  // each stands for the mean height of its part of the numbers
    double sum = 0, count = 0;
    for (std::size_t i = c * y.size() / characters; i < (c + 1) * y.size() / characters; ++i)
      if (range.shows(y[i])) sum += scale(y[i]), ++count;
    out += count > 0 ? levels[static_cast<std::size_t>(std::min(7.0, std::floor(sum / count * 8)))] : " ";
  }
  return out;
}

}  // namespace graft::show
