#include "show/graph.h"

#include <algorithm>

#include "autograd/errors.h"
#include "autograd/graph.h"

namespace graft::show {

Picture graph(const Variable& y) {
  Picture picture{graph_svg(y), graph_text(y)};
  std::size_t end = 0;
  for (int lines = 0; lines < 60 && end != std::string::npos; ++lines) end = picture.text.find('\n', end == 0 ? 0 : end + 1);
  if (end == std::string::npos || end + 1 == picture.text.size()) return picture;
  const auto more = std::count(picture.text.begin() + static_cast<std::ptrdiff_t>(end) + 1, picture.text.end(), '\n');
  picture.text.resize(end + 1);
  picture.text += text("… and ", more, " older nodes\n");
  return picture;
}

}  // namespace graft::show
