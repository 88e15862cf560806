#include "cli/report/report.h"

#include "autograd/errors.h"
#include "formats/file.h"

namespace graft::cli {

extern const unsigned char report_page[];  // page.html, by CMake
extern const std::size_t report_page_size;

std::string inside_script(const nlohmann::json& data) {
  const std::string json = data.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);  // ASCII only
  std::string safe;
  for (const char c : json) {
    if (c == '<') safe += "\\u003c";  // so that "</script>" cannot stand there
    else safe += c;
  }
  return safe;
}

void write_report(const nlohmann::json& data, const std::string& path) {
  std::string page(reinterpret_cast<const char*>(report_page), report_page_size);
  const std::string place = "/*DATA*/null";
  const std::size_t at = page.find(place);
  expect<FormatError>(at != std::string::npos, "the report's page has no place for its data");
  page.replace(at, place.size(), inside_script(data));
  formats::write_text(path, page);
}

}  // namespace graft::cli
