// write_report_page DATA.json REPORT.html: the report of made-up data, for tests/browser/report_test.py.
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/report/report.h"
#include "formats/file.h"

int main(int count, char** words) {
  try {
    if (count != 3) throw std::runtime_error("write_report_page: takes a file of data and the report's name");
    graft::cli::write_report(nlohmann::json::parse(graft::formats::read_text(words[1])), words[2]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
