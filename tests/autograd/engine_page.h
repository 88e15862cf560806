// What the snippets of the pages may use besides graft and check(), which asserts a fact. Included by the generated source
// only (see engine_page.awk).
#pragma once
#include <graft.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <sstream>
#include <string>

#include "tests/peft/small.h"

/// What f's error says; a test failure if it throws none of graft's.
template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const graft::Error& e) { return e.what(); }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

/// Spaces at the ends of lines do not count. Pages show float's bytes, so the double build does not compare.
/// `page` begins with the line break after the opening bracket of its string.
inline void expect_printed(const std::string& written, const std::string& page) {
  if (sizeof(graft::real) != sizeof(float)) return;
  static const std::regex trailing(" +\n");
  EXPECT_EQ(std::regex_replace(written, trailing, "\n"), std::regex_replace(page.substr(1), trailing, "\n"));
}
