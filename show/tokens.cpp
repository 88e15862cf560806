#include "show/tokens.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "autograd/errors.h"
#include "autograd/utf8.h"
#include "show/inside/svg.h"
#include "show/inside/words.h"
#include "show/table.h"

namespace graft::show {
namespace {

/// A token in pieces: characters as they are, and signs that stand for what has no look of its own.
struct Piece {
  std::string words;
  bool sign;
};
std::string hexadecimal(const char* format, unsigned x) {
  char out[16];
  std::snprintf(out, sizeof out, format, x);
  return out;
}
std::vector<Piece> pieces(std::string_view bytes) {
  std::vector<Piece> all;
  while (!bytes.empty()) {
    const utf8::Character c = utf8::front(bytes);
    const std::string_view mine = bytes.substr(0, c.length);
    if (c.point == ' ') all.push_back({"·", true});
    else if (c.point == '\n') all.push_back({"↵", true});
    else if (c.point == '\t') all.push_back({"→", true});
    else if (c.point < 0x20 || c.point == 0x7F || c.point == utf8::Character::none)
      for (const char byte : mine) all.push_back({hexadecimal("<0x%02X>", static_cast<unsigned char>(byte)), true});
    else if (plain(mine) != mine || columns(mine) == 0 || c.point == 0xA0)
      all.push_back({hexadecimal("<U+%04X>", static_cast<unsigned>(c.point)), true});
    else if (!all.empty() && !all.back().sign) all.back().words += mine;
    else all.push_back({std::string(mine), false});
    bytes.remove_prefix(c.length);
  }
  return all;
}

struct Chip {
  std::vector<Piece> pieces;
  bool is_virtual;
  std::string text() const {
    std::string all;
    for (const Piece& piece : pieces) all += piece.words;
    return all;
  }
};

std::string html_of(const Chip& chip, const std::string& tip, const std::string& ground) {
  std::string out = text("<span title=\"", escaped(tip),
                         "\" style=\"display:inline-block;margin:1px;padding:1px 4px;border-radius:4px;color:",
                         chip.is_virtual ? "#ffffff" : "#171b21", ";background:", ground, "\">");
  for (const Piece& piece : chip.pieces)
    out += piece.sign ? "<span style=\"opacity:.55\">" + escaped(piece.words) + "</span>" : escaped(piece.words);
  return out + "</span>";
}

}  // namespace

Html tokens(const Tokenizer& tokenizer, const std::vector<Id>& ids, Index vocabulary, const std::vector<double>& values) {
  expect<ValueError>(values.empty() || values.size() == ids.size(), "tokens: ", values.size(), " values for ", ids.size(),
                     " tokens; give one for each, or none");
  constexpr std::array<const char*, 4> grounds{"#cfe6f7", "#f9e3b4", "#c9ecdd", "#f3d3e5"};
  double far = 0;
  for (const double v : values)
    if (std::isfinite(v)) far = std::max(far, std::abs(v));
  Html out;
  out.html =
      "<div style=\"font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans "
      "Mono',monospace;line-height:1.7;overflow-wrap:anywhere\">";
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool is_virtual = vocabulary >= 0 && ids[i] >= vocabulary;
    const Chip chip =
        is_virtual ? Chip{{{text('v', ids[i] - vocabulary), false}}, true} : Chip{pieces(tokenizer.bytes(ids[i])), false};
    std::string ground = is_virtual ? "#3a4450" : grounds[i % grounds.size()],
                tip = text(is_virtual ? "virtual token, id " : "id ", ids[i]);
    std::string value;
    if (!values.empty()) {
      value = number(values[i]);
      // At most 60 % of the full colour: the words on it are dark.
      if (!is_virtual) ground = colour_of(far > 0 ? values[i] / far * 0.6 : std::isfinite(values[i]) ? 0 : values[i]).str();
      tip += ": " + value;
    }
    out.html += html_of(chip, tip, ground);
    out.text += (i ? " " : "") + ("[" + chip.text() + "]") + value;
  }
  out.html += "</div>\n";
  out.text += "\n";
  return out;
}

}  // namespace graft::show
