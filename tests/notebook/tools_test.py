#!/usr/bin/env python3
"""tools_test.py [--kernel]: what notebooks/tools/ must see, on small pages and notebooks that are wrong, and what it must let pass.

With --kernel also a page that is run, by a Python that has the kernel (./run notebooks).
"""
import socket
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "notebooks/tools"))
import compare
import compile as compiling
import make
import notebook
import one_program
import page
import run

ENGLISH = "# A\n\n[other](02-b.md#c), [page](../docs/a.md)\n\n```cpp\nint a = 1;\n\na\n```\n\nText.\n\n<!-- cell raises -->\n```cpp\nf();\n```\nEnd\n"
CHINESE = "# 甲\n\n[另](02-b.zh.md)\n\n```cpp\n```\n\n字。\n```cpp\nold();\n```\n完\n"


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": [text]}


def shown(text, kind="text/plain"):
    return {"output_type": "execute_result", "metadata": {}, "data": {kind: text}}


class Pages(unittest.TestCase):
    def test_a_page_becomes_cells(self):
        found = page.cells(ENGLISH)
        self.assertEqual([(c.kind, c.text, c.raises) for c in found],
                         [("markdown", "# A\n\n[other](02-b.md#c), [page](../docs/a.md)", False), ("code", "int a = 1;\n\na", False),
                          ("markdown", "Text.", False), ("code", "f();", True), ("markdown", "End", False)])
        self.assertEqual([c.line for c in page.code(found)], [6, 15])

    def test_pages_that_are_none(self):
        for bad, where in [("```cpp\na;\n", "line 1"), ("a\n```text\nb\n```\n", "line 2"), ("<!-- cell raises -->\n\n```cpp\na;\n```\n", "line 2"),
                           ("```cpp \na;\n```\n", "line 1"), ("a\n<!-- cell raises -->", "line 2")]:
            with self.assertRaisesRegex(page.BadPage, where, msg=bad):
                page.cells(bad)

    def test_the_chinese_page_gets_the_code(self):
        full = page.filled(ENGLISH, CHINESE)
        self.assertEqual([(c.text, c.raises) for c in page.code(page.cells(full))], [(c.text, c.raises) for c in page.code(page.cells(ENGLISH))])
        self.assertEqual([c.text for c in page.cells(full) if c.kind == "markdown"], ["# 甲\n\n[另](02-b.zh.md)", "字。", "完"])
        self.assertEqual(page.filled(ENGLISH, full), full)
        with self.assertRaisesRegex(page.BadPage, "1 cells of code, the English page 2"):
            page.filled(ENGLISH, "```cpp\n```\n")

    def test_making_is_repeatable_and_keeps_outputs_of_the_same_code(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            (folder / "01-a.md").write_text(ENGLISH)
            (folder / "01-a.zh.md").write_text(CHINESE)
            self.assertFalse(make.make("01-a", folder))
            self.assertIn("02-b.ipynb#c", (folder / "01-a.ipynb").read_text())
            self.assertIn("02-b.zh.ipynb", (folder / "01-a.zh.ipynb").read_text())
            outputs, hashes = [[shown("1")], [{"output_type": "error", "ename": "E", "evalue": "e", "traceback": []}]], {"page": "1"}
            self.assertTrue(make.make("01-a", folder, outputs, hashes))
            before = {path.name: path.read_bytes() for path in folder.iterdir()}
            self.assertTrue(make.make("01-a", folder))
            self.assertEqual(before, {path.name: path.read_bytes() for path in folder.iterdir()})
            (folder / "01-a.md").write_text(ENGLISH.replace("Text.", "Words."))
            self.assertTrue(make.make("01-a", folder))
            self.assertIn("Words.", (folder / "01-a.ipynb").read_text())
            (folder / "01-a.md").write_text(ENGLISH.replace("a = 1", "a = 2"))
            self.assertFalse(make.make("01-a", folder), "outputs of other code are not kept")
            self.assertNotIn('"text/plain"', (folder / "01-a.zh.ipynb").read_text())
            (folder / "01-a.ipynb").write_text("{")
            self.assertFalse(make.make("01-a", folder), "a file that is no notebook is made afresh")

    def test_equal_cells_have_ids_of_their_own(self):
        book = notebook.made(page.cells("```cpp\na\n```\n```cpp\na\n```\n"))
        self.assertEqual(len({cell["id"] for cell in book["cells"]}), 2)


SVG = '<svg xmlns="http://www.w3.org/2000/svg"><title>loss of 3</title><path d="M{0} 1"/><text>step</text><text>{0}</text></svg>'


class Comparing(unittest.TestCase):
    def same(self, a, b):
        self.assertEqual(compare.differences([a], [b]), [])

    def other(self, a, b):
        found = compare.differences([a], [b])
        self.assertEqual(len(found), 1, (a, b))
        self.assertEqual(found[0][0], 1)
        self.assertRegex(found[0][1], "(?m)^[-+]")

    def test_what_differs_by_machine(self):
        for a, b in [("loss 0.25, 3e-07", "loss -1.5e+10, 0.1"), ("took 980 ms", "took 1.2 s"), ("| 1 |    2.50 |", "| 10 | 2.5 |"), ("a ▁▂█", "a ▂▂▁▁"),
                     ("-----", "---"), ("147,456 of 2", "1 of 2")]:
            self.same([stream(a)], [stream(b)])
        self.same([stream("a 1"), stream("b 2\n")], [stream("a 3b 4\n")])
        self.same([shown(SVG.format(3), "image/svg+xml")], [shown(SVG.format(4), "image/svg+xml")])
        self.same([shown("<td style='color:#f00'>1.5</td>", "text/html")], [shown("<td style='color:#fff'>2</td>", "text/html")])

    def test_what_does_not(self):
        for a, b in [("1 nan", "1 2"), ("-inf", "-1"), ("after f comes g", "after f comes h"), ("W1", "W2"), ("a", ""), ("1 2", "1 2 3"), ("true", "false")]:
            self.other([stream(a)], [stream(b)])
        self.other([stream("a")], [stream("a", "stderr")])
        self.other([stream("a")], [shown("a")])
        self.other([shown("a")], [])
        svg = lambda text: [shown(text, "image/svg+xml")]
        self.other(svg(SVG), svg(SVG.replace("loss of", "cost of")))
        self.other(svg(SVG), svg(SVG.replace("<text>step</text>", "")))
        self.other(svg(SVG), svg(SVG.replace("<path", "<g/><path")))
        self.other(svg(SVG), svg(SVG[:-3]))
        html = lambda text: [shown(text, "text/html")]
        self.other(html("<tr><td>1</td></tr>"), html("<tr><td>1</td><td>2</td></tr>"))
        self.other(html("<b>loss</b>"), html("<b>cost</b>"))
        error = lambda name: [{"output_type": "error", "ename": name, "evalue": "v", "traceback": []}]
        self.other(error("ShapeError"), error("ValueError"))

    def test_what_is_said(self):
        said = run.others("01-a", Faults.CODE, [[stream("a 1")], [stream("loss 3\nb")]], [[stream("a 2")], [stream("cost 4\nb")]])
        self.assertEqual(len(said), 1)
        self.assertRegex(said[0], r"cell 2 \(01-a.md, line 15\) (?s:.*)\n-loss #\n\+cost #\n b$")
        self.assertRegex(run.others("01-a", Faults.CODE, None, [[], []])[0], "--write 01-a")


class Faults(unittest.TestCase):
    CODE = page.code(page.cells(ENGLISH))
    ERROR = {"output_type": "error", "ename": "ShapeError", "evalue": "two shapes", "traceback": []}

    def faults(self, stem="01-a", **changed):
        result = {"outputs": [[stream("a")], [self.ERROR]], "cells": [{"cpu": 1, "mb": 200}, {"cpu": 2, "mb": 210}], "cpu": 5, "mb": 210, "failed": None}
        return run.faults(stem, self.CODE, {**result, **changed})

    def test_a_good_run(self):
        self.assertEqual(self.faults(), [])
        self.assertEqual(self.faults("10-all", cpu=59), [])

    def test_bad_ones(self):
        for words, changed in [
            ("cell 2 .*line 15.* is to raise", {"outputs": [[], []]}),
            ("cell 1 .*line 6.*ShapeError: two shapes", {"outputs": [[self.ERROR], [self.ERROR]]}),
            ("cell 1 .*stderr: w", {"outputs": [[stream("w", "stderr")], [self.ERROR]]}),
            ("cell 2 .*stderr: w", {"outputs": [[], [stream("w", "stderr"), self.ERROR]]}),
            ("26.0 CPU seconds; the limit is 25. cell 2 .*2.0 s", {"cpu": 26}),
            ("61.0 CPU seconds; the limit is 60", {"cpu": 61, "stem": "10-all"}),
            ("301 MB; the limit is 300. cell 2", {"mb": 301}),
            ("(?s)cell 1 .*line 6.*died.*int a = 1", {"failed": {"cell": 1, "what": "the kernel died in it"}}),
            ("did not run: no kernel", {"failed": {"cell": None, "what": "no kernel"}}),
        ]:
            found = self.faults(**changed)
            self.assertEqual(len(found), 1, found)
            self.assertRegex(found[0], words)


def programs(*cells, raises=False):
    marker = "<!-- cell raises -->\n" if raises else ""
    return one_program.program(page.cells("".join(f"x\n{marker}```cpp\n{cell}\n```\n" for cell in cells)), "a.md")


class OneProgram(unittest.TestCase):
    """By both compilers; notebook.h is the standard library here."""

    GOOD = [
        ["int a = 1;\na = 2;", "int f() {\n  return a;\n}", "f()"],
        ["int a = 1;", 'std::string a = "x";\na += "y";', "a.size()  // of it"],  # defined again
        ["int f() { return 1; }", "f()", "double f() { return 2; }", "double b = f() / 2, c(3);\nb = c;"],
        ["struct A { int v; };\nstruct B { int v; };\nA a{4};\nB b{a.v};", "struct A { double w; };\nA c{1.5};\nc.w"],
        ["for (int i = 0; i < 3; ++i) std::cout << i;\nif (true) {\n  std::cout << 1;\n} else {\n  std::cout << 2;\n}\nif (false) std::cout << 3; else std::cout << 4;"],
        ["try {\n  throw 1;\n} catch (int i) {\n  std::cout << i;\n}\ndo { std::cout << 1; } while (false);", "while (false) {}\n{ int k = 3; std::cout << k; }"],
        ["std::map<std::string, std::vector<int>> m{{\"a\", {1}}}, n = m;\nfor (const auto& [k, v] : m) std::cout << k << v.size();\nn[\"b\"] = {2};"],
        ["double s = 2;\nauto f = [&](double x) { auto g = [&] { return x * s; }; return g(); };\nauto h = [s, t = s](int i) { return f(i + t) + s; };\nh(1)"],
        ["#define TWICE(x) \\\n  ((x) + (x))\nint a = TWICE(2);", "#include <set>\nstd::set<int> all{a};", "using Row = std::vector<int>;\nRow row{1};\nrow"],
        ["template <class T> T f(T x) { return x; }\ntemplate <class T> struct S { T x; };", "f(S<int>{1}.x)", "enum class E { a, b };\nE e = E::b;"],
        ["namespace x { int f() { return 1; } }", "x::f();", "// only words", "std::vector<int> v = [] {\n  std::vector<int> w{3};\n  return w;\n}();"],
        ["int* p = nullptr;\nconst std::string& text = *new std::string(\"a;b}\");\nchar c = '\"';", "void g(int n = 3) {\n  std::cout << n << text;\n}", "g()"],
    ]
    BAD = [
        (["x = 3;"], "x"),  # what ROOT's Cling takes
        (["int a = 1;", "b = a;"], "b"),
        (["for (int i = 0; i < 3; ++i) std::cout << k;"], "k"),
        (["int f() {\n}"], "return"),  # -Wall
        (["auto [a, b] = std::make_pair(1, 2);", "c"], "c"),
        (["int f(auto x) { return x; }\nf(1)"], "auto"),
        (["std::string s;\ns.starts_with(\"a\")"], "starts_with"),
        (["{\n  int forgotten = 3;\n}"], "forgotten"),
    ]

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        include = Path(cls.folder.name) / "include"
        include.mkdir()
        (include / "notebook.h").write_text("#pragma once\n" + "".join(f"#include <{name}>\n" for name in ("iostream", "map", "string", "vector")))
        every = {f"good_{i}": programs(*cells) for i, cells in enumerate(cls.GOOD)}
        every |= {f"bad_{i}": programs(*cells) for i, (cells, _) in enumerate(cls.BAD)}
        every["raising"] = programs("nonsense", raises=True)
        cls.compilers = ["g++", "clang++"]
        cls.said = compiling.complaints(every, cls.compilers, ["-isystem", include], cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_good_notebooks_are_taken(self):
        for i in range(len(self.GOOD)):
            for compiler in self.compilers:
                self.assertNotIn((f"good_{i}", compiler), self.said, self.said.get((f"good_{i}", compiler), "") + programs(*self.GOOD[i]))
        self.assertNotIn(("raising", "g++"), self.said)

    def test_bad_ones_are_not(self):
        for i, (cells, word) in enumerate(self.BAD):
            for compiler in self.compilers:
                self.assertIn((f"bad_{i}", compiler), self.said, cells)
                self.assertIn(word, self.said[f"bad_{i}", compiler])

    def test_messages_lead_to_the_page(self):
        text = "# A\n\n```cpp\nint a = 1;\n\nint b = 2;\nb = unknown;\n```\n"
        at = one_program.program(page.cells(text), "01-a.md").split("\n")
        self.assertEqual(at[at.index("b = unknown;") - 1], '#line 7 "01-a.md"')


RUNS = """
```cpp
#include <cstdlib>
#include <iostream>
#include <stdexcept>
std::cout << "out" << std::endl;
std::cerr << "a warning" << std::endl;
```
<!-- cell raises -->
```cpp
int fine = 1;
```
<!-- cell raises -->
```cpp
throw std::runtime_error("wanted");
```
```cpp
std::system("python3 -c 'import socket; socket.create_connection((\\"127.0.0.1\\", PORT), 5)' 2>/dev/null") == 0
```
```cpp
throw std::runtime_error("not wanted");
```
```cpp
int never = 1;
```
"""


class Kernel(unittest.TestCase):
    def test_a_page_that_does_everything_wrong(self):
        server = socket.create_server(("127.0.0.1", 0))
        cells = page.cells(RUNS.replace("PORT", str(server.getsockname()[1])))
        before = run.without_network()
        with tempfile.TemporaryDirectory() as scratch:
            result = run.executed("01-a", cells, before, scratch)
        server.close()
        found = "\n".join(run.faults("01-a", page.code(cells), result))
        self.assertRegex(found, r"cell 5 .*not wanted")
        del result["failed"]
        result = {**result, "failed": None}
        found = "\n".join(run.faults("01-a", page.code(cells), result))
        self.assertRegex(found, "cell 1 .*stderr: a warning")
        self.assertRegex(found, "cell 2 .*is to raise, and does not")
        self.assertNotRegex(found, "cell 3 ")
        self.assertNotIn("cell 6", found)
        if before:
            self.assertEqual(result["outputs"][3][-1]["data"]["text/plain"], "false", "there is a network in it")
        self.assertGreater(result["mb"], 50)
        self.assertEqual(len(result["cells"]), 5)

    def test_a_kernel_that_falls(self):
        cells = page.cells("```cpp\nint a = 1;\n```\nx\n```cpp\n*(volatile int*)0 = 1;\n```\n```cpp\na\n```\n")
        with tempfile.TemporaryDirectory() as scratch:
            result = run.executed("01-a", cells, [], scratch)
        self.assertIn("cell 2", "\n".join(run.faults("01-a", page.code(cells), result)))


if __name__ == "__main__":
    if "--kernel" in sys.argv:
        sys.argv.remove("--kernel")
    else:
        del Kernel
    unittest.main()
