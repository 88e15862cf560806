#include "show/table.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "autograd/errors.h"
#include "autograd/text.h"
#include "show/inside/cells.h"
#include "show/inside/words.h"

namespace graft::show {
namespace {

/// A number, and maybe a unit of at most five letters.
bool numeric(const std::string& words) {
  std::size_t i = words.find_first_not_of("+-") == std::string::npos ? words.size() : words.find_first_not_of("+-");
  if (i > 1 || i == words.size()) return words == "NaN" || words == "inf" || words == "-inf";
  if (!std::isdigit(static_cast<unsigned char>(words[i]))) return words.substr(i) == "inf" || words == "NaN";
  i = words.find_first_not_of("0123456789.,eE+-", i);
  if (i == std::string::npos) return true;
  return columns(words.substr(i)) <= 5 && words.find_first_of("[]()", i) == std::string::npos;
}

/// Does it hold numbers and nothing else? Blanks and dashes are as good as numbers.
bool to_the_right(const std::vector<std::vector<Cell>>& rows, std::size_t column) {
  bool any = false;
  for (const auto& row : rows) {
    const std::string& words = row[column].words;
    if (words.empty() || words == "-" || words == "–" || words == "—") continue;
    if (!numeric(words)) return false;
    any = true;
  }
  return any;
}

std::string element(const char* name, const std::string& style, const Cell& cell) {
  const std::string tip = cell.tip.empty() ? "" : text(" title=\"", escaped(cell.tip), '"');
  return text('<', name, tip, " style=\"", style, "\">", cell.html.empty() ? escaped(cell.words) : cell.html, "</", name, '>');
}

}  // namespace

Html table_of(const std::vector<std::string>& header, const std::vector<std::vector<Cell>>& rows, std::size_t strong) {
  std::vector<bool> rightwards;
  for (std::size_t c = 0; c < header.size(); ++c) rightwards.push_back(to_the_right(rows, c));
  const auto style = [&](std::size_t column, const std::string& words, const char* more) {
    return text("padding:2px 10px;vertical-align:top;text-align:", rightwards[column] ? "right" : "left",
                columns(words) <= 40 ? ";white-space:nowrap" : "", more);
  };
  Html out;
  out.html =
      "<div style=\"overflow-x:auto\"><table style=\"border-collapse:collapse;font-variant-numeric:tabular-nums\"><thead><tr>";
  for (std::size_t c = 0; c < header.size(); ++c)
    out.html += element("th", style(c, header[c], ";border-bottom:1px solid #8888;font-weight:600"), {header[c], "", ""});
  out.html += "</tr></thead><tbody>\n";
  std::vector<std::vector<std::string>> lines{header};
  for (std::string& words : lines[0]) words = plain(words);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    lines.emplace_back();
    out.html += "<tr>";
    const char* more = r == strong ? ";border-top:1px solid #8888;font-weight:600" : r > strong ? ";font-weight:600" : "";
    for (std::size_t c = 0; c < header.size(); ++c) {
      out.html += element("td", style(c, rows[r][c].words, more), rows[r][c]);
      lines.back().push_back(plain(rows[r][c].words));
    }
    out.html += "</tr>\n";
  }
  out.html += "</tbody></table></div>\n";
  out.text = aligned(lines, rightwards);
  return out;
}

Html table(const Row& header, const std::vector<Row>& rows) {
  std::vector<std::vector<Cell>> cells;
  for (const Row& row : rows) {
    expect<ValueError>(row.size() == header.size(), "table: row ", cells.size(), " has ", row.size(),
                       " cells, but the header has ", header.size(), "; give each row one cell for each column");
    cells.emplace_back();
    for (const std::string& words : row) cells.back().push_back({words, "", ""});
  }
  return table_of(header, cells);
}

std::string bytes(std::size_t n) { return short_bytes(static_cast<double>(n)); }

std::string number(double x) {
  if (std::isnan(x)) return "NaN";
  if (std::isinf(x)) return x < 0 ? "-inf" : "inf";
  if (x == 0) return "0";
  char out[64];
  const bool whole = std::abs(x) >= 1e4 || x == std::floor(x);
  std::snprintf(out, sizeof out, std::abs(x) < 1e7 && whole ? "%.0f" : "%.4g", x);
  return out;
}

}  // namespace graft::show
