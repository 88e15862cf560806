#include "cli/report/report.h"

#include <nlohmann/json.hpp>

#include "autograd/errors.h"
#include "cli/report/page.h"
#include "cli/report/plain.h"
#include "formats/file.h"

namespace graft::cli {
namespace {

/// JSON that is safe inside <script>: HTML searches for "</script" and "<!--" before JavaScript sees a string, and U+2028 and
/// U+2029 end a line in JavaScript before 2019. In JSON all of these occur only in strings, where \uXXXX means the same.
std::string script(const nlohmann::json& data) {
  const std::string plain = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string out;
  out.reserve(plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (plain[i] == '<') out += "\\u003c";
    else if (plain.compare(i, 3, "\xe2\x80\xa8") == 0) out += "\\u2028", i += 2;
    else if (plain.compare(i, 3, "\xe2\x80\xa9") == 0) out += "\\u2029", i += 2;
    else out += plain[i];
  }
  return out;
}

}  // namespace

void write_report(const nlohmann::json& data, const std::string& path) {
  expect<ValueError>(data.is_object(), "write_report: the data is of type ", data.type_name(),
                     "; give an object with title, base and tasks (cli/report/data.md)");
  const std::string_view all = page();
  const auto find = [&](std::string_view place) {
    const std::size_t at = all.find(place);
    expect<Error>(at != all.npos, "write_report: the page has no ", place, "; put it back into cli/report/page.html");
    return at;
  };
  constexpr std::string_view still = "/*PLAIN*/", live = "/*DATA*/null";
  const std::size_t first = find(still), second = find(live);
  std::string text(all.substr(0, first));
  text += plain_report(data);
  text += all.substr(first + still.size(), second - first - still.size());
  text += script(data);
  text += all.substr(second + live.size());
  formats::write_text(path, text);
}

}  // namespace graft::cli
