// write_report_page DATA.json PAGE.html: the report of made-up data, for tests/browser/report_test.py.
#include <fstream>
#include <iostream>

#include "cli/report/report.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "write_report_page DATA.json PAGE.html\n";
    return 2;
  }
  std::ifstream in(argv[1]);
  graft::cli::write_report(nlohmann::json::parse(in), argv[2]);
  return 0;
}
