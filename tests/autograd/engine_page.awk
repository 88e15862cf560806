# Turns the pages of docs/ and the READMEs into tests: awk -v out=FILE.cpp -f engine_page.awk PAGE.md ...
# A ```cpp fence after the line <!-- run --> becomes a TEST of its own; a ```text fence after <!-- printed --> is what the
# snippet before it must have written to `out`. docs_test.cpp checks everything else. Plain awk; Debian's mawk is enough.

function begin_test() {
  end_test()
  printf "TEST(Pages, %s_%d) {\n  std::ostringstream out;\n", name, FNR + 1 > out
  printf "#line %d \"%s\"\n", FNR + 1, page > out
  open = 1
}

function end_test() {
  if (!open) return
  if (!printed) print "  EXPECT_EQ(out.str(), \"\") << \"printed, but not shown on the page\";" > out
  print "}\n" > out
  open = 0
  printed = 0
}

BEGIN {
  print "// Made by engine_page.awk from the snippets of the pages. Errors are reported at the page's own lines." > out
  print "#include \"tests/autograd/engine_page.h\"\n" > out
  print "#define check(...) EXPECT_TRUE((__VA_ARGS__))\n" > out
  print "using namespace graft;\n" > out
}

FNR == 1 {
  end_test()
  inside = ""
  before = ""
  page = FILENAME
  name = FILENAME
  gsub(/[^A-Za-z0-9]/, "_", name)
}

inside == "" && /^```/ {
  inside = "other"
  if ($0 == "```cpp" && before == "<!-- run -->") {
    inside = "run"
    begin_test()
  } else if ($0 == "```text" && before == "<!-- printed -->") {
    inside = "printed"
    printed = 1
    print "  expect_printed(out.str(), R\"page(" > out
  }
  next
}

inside != "" && /^```/ {
  if (inside == "printed") print ")page\");" > out
  inside = ""
  before = ""
  next
}

inside == "run" || inside == "printed" { print > out }

{ before = $0 }

END { end_test() }
