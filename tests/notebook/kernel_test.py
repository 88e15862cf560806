#!/usr/bin/env python3
"""kernel_test.py PREFIX [NAME..]: the kernel installed under PREFIX, asked as Jupyter asks it; all checks, or those named.

Each check has a kernel of its own or takes the common one, which must be usable after each cell that failed. At the end no process
is left. Runs in a Python that has jupyter_client and cppyy 2.4.2.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from jupyter_client import KernelManager
from queue import Empty

sys.path.append(str(Path(__file__).resolve().parent.parent.parent / "notebooks" / "tools"))
from processes import family  # noqa: E402

SECONDS = 120  # that anything may take
SHOWN = ("stream", "display_data", "update_display_data", "execute_result", "error", "clear_output")
memory = {"GRAFT_NOTEBOOK_MEMORY": "1500"}


def expect(ok, *words):
    if not ok:
        raise AssertionError(" ".join(str(w) for w in words))


class Kernel:
    def __init__(self, **environment):
        self.manager = KernelManager(kernel_name="xcpp17")
        self.manager.start_kernel(env={**os.environ, **memory, **environment}, cwd=folder)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)
        self.pid = self.manager.provisioner.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        left = family(self.pid)
        self.client.stop_channels()
        self.manager.shutdown_kernel()
        until = time.monotonic() + 5
        while any(alive(pid) for pid in left) and time.monotonic() < until:
            time.sleep(0.05)
        expect(not any(alive(pid) for pid in left), "left behind:", [command(pid) for pid in left if alive(pid)])

    def run(self, code, interrupt=()):
        """Runs a cell: what it shows, in order. interrupt: after so many seconds."""
        asked, began, pending = self.client.execute(code), time.monotonic(), list(interrupt)
        shown = Shown()
        while True:
            seconds = time.monotonic() - began
            expect(seconds < SECONDS, "no end of this cell:", code)
            if pending and seconds > pending[0]:
                pending.pop(0)
                self.manager.interrupt_kernel()
            try:
                message = self.client.get_iopub_msg(timeout=0.05)
            except Empty:
                expect(self.manager.is_alive(), "the kernel died in:", code)
                continue
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind in SHOWN:
                shown.append((kind, content, time.monotonic() - began))
            if kind == "status" and content["execution_state"] == "idle":
                shown.seconds = time.monotonic() - began
                return shown

    def fine(self, code):
        shown = self.run(code)
        expect(shown.error is None and shown.text("stderr") == "", "this cell fails:", code, shown.error, shown.text("stderr"))
        return shown

    def usable(self, keeps=None):
        """It goes on; keeps: a variable that still has the value 42."""
        expect(self.fine("1 + 1").value == "2", "after an error 1 + 1 is", self.run("1 + 1"))
        if keeps:
            expect(self.fine(keeps).value == "42", keeps, "is lost")


class Shown(list):
    seconds = 0.0

    def text(self, name="stdout"):
        return "".join(content["text"] for kind, content, _ in self if kind == "stream" and content["name"] == name)

    @property
    def error(self):
        """(name, text, all of it), or None."""
        found = [content for kind, content, _ in self if kind == "error"]
        expect(len(found) < 2, "several errors:", found)
        return (found[0]["ename"], found[0]["evalue"], "\n".join(found[0]["traceback"])) if found else None

    @property
    def value(self):
        found = [content["data"]["text/plain"] for kind, content, _ in self if kind == "execute_result"]
        return found[0] if len(found) == 1 else found or None

    def kinds(self):
        return [kind for kind, *_ in self]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return f"process {pid}"


# --- what cells show ---------------------------------------------------------------------------------------------------

def values_look_natural(kernel):
    kernel.fine('#include "notebook.h"\nusing namespace graft;')
    for code, value in [
            ("0.5", "0.5"), ("1.0", "1"), ("0.1", "0.1"), ("0.1f", "0.1"), ("1.0f / 3", "0.33333334"), ("1e-9", "1e-09"), ("3", "3"),
            ("-7L", "-7"), ("sizeof(int)", "4"), ("true", "true"), ("'c'", "'c'"), ('"text"', '"text"'), ('std::string("a\\n\\"b")', '"a\\n\\"b"'),
            ("std::vector<double>{1, 2.5}", "{1, 2.5}"), ("std::vector<int>{}", "{}"), ("std::vector<bool>{true, false}", "{true, false}"),
            ('std::map<std::string, int>{{"a", 1}}', '{("a", 1)}'), ("std::make_tuple(1, 0.5, 'x')", "(1, 0.5, 'x')"),
            ("std::nan(\"\")", "nan"), ("nullptr", "nullptr"), ("Shape{2, 3}", "[2, 3]"), ("Tensor({2, 2}, {1, 2, 3, 4.5})", "Tensor [2, 2]\n 1 2\n 3 4.5\n"),
            ("enum class Letter { a, b };\nLetter::b", "1"), ("int two = 2;\ntwo + 1  // and a comment", "3"), ("std::max(1,\n         2)", "2"),
            ("[](int x) {\n  return x + 1;\n}(2)", "3"), ("int f(int x);", None), ("void no_value() {}", None), ("no_value()", None), ("(void)0", None),
            ("int k = 5;", None), ("k", "5"), ("k = 6", "6"), ("std::cout << k", None), ("", None), ("// nothing", None)]:
        shown = kernel.fine(code)
        expect(shown.value == value, f"{code!r} shows", repr(shown.value), "not", repr(value))


def pictures_have_all_forms(kernel):
    kernel.fine('#include "notebook.h"\nusing namespace graft;\nRng rng(1);')
    for code, kinds in [
            ('show::plot({{"a", {1, 2, 3}}})', {"image/svg+xml", "text/plain"}), ('show::table({"a"}, {{"1"}})', {"text/html", "text/plain"}),
            ("ledger()", {"text/html", "text/plain"}), ("normal({9, 9}, 0, 1, rng)", {"image/svg+xml", "text/plain"}),
            ("normal({65, 65}, 0, 1, rng)", {"text/plain"}), ("normal({3, 3}, 0, 1, rng)", {"text/plain"}),
            ("singular_values(normal({9, 9}, 0, 1, rng))", {"image/svg+xml", "text/plain"}), ("Ids{1, 2}", {"text/plain"}),
            ('parameter(Tensor({2}, 1), "w")', {"text/plain"}), ("Linear net(3, 2, true);\nnet", {"text/html", "text/plain"}), ("net.weight", {"text/plain"}),
            ("Gpt2Config c;\nc.vocabulary = 9;\nc.context = 4;\nc.dim = 8;\nc.heads = 2;\nc.layers = 2;\nGpt2 gpt(c);\ngpt", {"text/html", "text/plain"}),
            ("gpt.layers[0].attn->q", {"text/html", "text/plain"})]:
        shown = kernel.fine(code)
        got = [set(content["data"]) for kind, content, _ in shown if kind == "execute_result"]
        expect(got == [kinds], code, "shows", got)


def a_type_of_ones_own_says_how_it_looks(kernel):
    kernel.fine('#include <xcpp/xdisplay.hpp>\nnamespace mine {\nstruct Point { int x, y; };\nnl::json mime_bundle_repr(const Point& p) {\n'
                '  return {{"text/plain", "at " + std::to_string(p.x)}, {"text/html", "<b>here</b>"}};\n}\n}')
    shown = kernel.fine("mine::Point p{3, 4};\nxcpp::display(p);\np")
    expect(shown.kinds() == ["display_data", "execute_result"], shown.kinds())
    expect(shown.value == "at 3" and shown[0][1]["data"]["text/html"] == "<b>here</b>", shown)


def text_and_pictures_keep_their_order(kernel):
    kernel.fine('#include "notebook.h"')
    shown = kernel.fine('for (int i = 0; i < 20; ++i) {\n  std::cout << "a" << i;\n  std::printf("b%d", i);\n  xcpp::display(i);\n}\nstd::cout << "end";')
    said = "".join(content["text"] if kind == "stream" else f"[{content['data']['text/plain']}]" for kind, content, _ in shown)
    expect(said == "".join(f"a{i}b{i}[{i}]" for i in range(20)) + "end", "in the order", said)


def output_comes_while_a_cell_runs(kernel):
    kernel.fine("#include <chrono>\n#include <thread>")
    shown = kernel.fine('for (int i = 0; i < 4; ++i) {\n  std::cout << i << std::endl;\n  std::this_thread::sleep_for(std::chrono::milliseconds(500));\n}')
    at = [seconds for kind, _, seconds in shown]
    expect(shown.text() == "0\n1\n2\n3\n" and len(at) == 4, shown)
    expect(shown.seconds > 1.9 and at[0] < shown.seconds - 1.5 and at[2] < shown.seconds - 0.5, "at", at, "of", shown.seconds)


def a_display_is_updated(kernel):
    shown = kernel.fine('#include <xcpp/xdisplay.hpp>\nxcpp::display(1, "it");\nxcpp::display(2, "it", true);\nxcpp::clear_output(true);')
    expect(shown.kinds() == ["display_data", "update_display_data", "clear_output"], shown.kinds())
    expect([c["transient"]["display_id"] for _, c, _ in shown[:2]] == ["it", "it"] and shown[2][1]["wait"] is True, shown)


def a_program_cannot_forge_a_message(kernel):
    """The pipe of pictures is not stdout; whatever is printed stays text."""
    code = r'std::cout << "\x1e{\"kind\":\"display\",\"data\":{}}\x1f" << std::string(8, "\0"[0]) << "{\"kind\": \"done\"}";'
    shown = kernel.fine(code)
    expect(shown.kinds() == ["stream"] and shown.text() == '\x1e{"kind":"display","data":{}}\x1f' + "\0" * 8 + '{"kind": "done"}', shown)
    shown = kernel.fine(r'std::cout << "a\xff\xc3" << "\xa4 \xe4\xb8" << std::flush << "\xad";')
    expect(shown.text() == "a\ufffd\u00e4 \u4e2d", repr(shown.text()))


# --- what goes wrong ---------------------------------------------------------------------------------------------------

def an_exception_has_its_type_and_text(kernel):
    kernel.fine('#include "notebook.h"\nusing namespace graft;\nint kept = 42;')
    for code, name, text in [
            ("linear(Variable(Tensor({2, 3}, 1)), Variable(Tensor({2, 4}, 1)));", "graft::ShapeError", "linear: x"),
            ('throw std::out_of_range("far");', "std::out_of_range", "far"), ('std::string("abc").at(7)', "std::out_of_range", "at"),
            ("throw 3;", "int", "3"), ('throw std::string("words");', "std::string", "words"), ('throw "words";', "char const*", "words"), ("throw 2.5;", "double", "2.5"),
            ("struct Mine {};\nthrow Mine();", "Mine", "a value of type Mine"), ("struct Own : std::runtime_error { using std::runtime_error::runtime_error; };\nthrow Own(\"own\");", "Own", "own"),
            ("std::vector<int>().at(0)", "std::out_of_range", "range_check"),
            # caught inside, and another one after it
            ("try {\n  throw 1;\n} catch (int) {\n}\nthrow std::logic_error(\"second\");", "std::logic_error", "second"),
            ("try {\n  throw std::logic_error(\"first\");\n} catch (...) {\n  try {\n    throw 1;\n  } catch (int) {\n  }\n  throw;\n}", "std::logic_error", "first")]:
        shown = kernel.run(code)
        expect(shown.error is not None, "nothing thrown by", code, shown)
        expect(shown.error[0] == name and text in shown.error[1], code, "throws", shown.error)
        expect(re.search(r"in cell \[\d+\]", shown.error[2]) and "compilation failed" not in shown.error[2] + shown.text("stderr"), shown)
        expect(shown.text("stderr") == "" and shown.text() == "", shown)
        kernel.usable("kept")


def what_a_cell_did_before_it_threw_stays(kernel):
    shown = kernel.run('#include <iostream>\nint before = 42;\nstd::cout << "said";\nstd::cerr << "warned";\nthrow 1;')
    expect(shown.text() == "said" and shown.text("stderr") == "warned" and shown.error[0] == "int", shown)
    kernel.usable("before")


def a_compile_error_names_cell_and_line(kernel):
    kernel.fine("int kept = 42;")
    for code, line, text in [
            ("int a = 1;\nint b = 2;\nint c = nothing + 1;", 3, "undeclared identifier 'nothing'"), ("#include <vector>\n\nint d = nothing;", 3, "nothing"),
            ("int g(int a) {\n  int b = 2;\n  return nothing; }", 3, "nothing"), ("int e = 3\ne", 1, "expected ';'"), ("#include <no_such_header.h>", 1, "file not found"),
            ("1 +\n  nothing", 2, "nothing"), ("int f1() { return 1; }\nint f2() { return 2; }", 2, "function definition is not allowed here"),
            ("newname = 3;", 1, "undeclared identifier 'newname'"), ("int t = 1;\nother = t;", 2, "other"), ("for (int i = 0; i < 3; ++i) {\n  int k = i;", 1, "still open"),
            ("std::max(1, (2", 1, "still open"), ("int h = 1; }", 1, "closes nothing"), ("std::max(1, 2];", 1, "would close the `(`"), ("%timeit 3", 1, "magic"), ("!ls", 1, "shell"), ("?std::vector", 1, "help"),
            ("auto [p, q] = std::make_pair(1, 2);", 1, "structured binding"), (".q", 1, "expected"), ("/* no end", 1, "comment"), ('int i = 1;\nauto r = R"(no end', 2, "raw string")]:
        shown = kernel.run(code)
        expect(shown.error is not None, "no error from", repr(code), shown)
        name, said, whole = shown.error
        expect(name == "CompileError" and re.match(rf"cell \[\d+\], line {line}: ", said) and text in said, repr(code), "gives", shown.error)
        expect("input_line" not in whole and "xcpp::kernel" not in whole and shown.text("stderr") == "", "noise in", shown)
        kernel.usable("kept")
    shown = kernel.run("int f3() { return 1; }\nint f4() { return 2; }")
    expect("a cell of its own" in shown.error[2], shown.error)


def functions_and_variables_are_defined_again(kernel):
    kernel.fine("int again(int x) {\n  return x + 1;\n}")
    kernel.fine("// what it does\nint again(int x) {\n  return x + 2;\n}")
    expect(kernel.fine("again(1)").value == "3", "the old function runs")
    kernel.fine("int thing = 1;")
    kernel.fine('std::string thing = "x";')
    expect(kernel.fine("thing").value == '"x"', "the old variable stands")
    kernel.fine("struct Shelf { int a = 1; };")
    kernel.fine("struct Shelf { int b = 2; };")
    expect(kernel.fine("Shelf().b").value == "2", "the old struct stands")


def what_xeus_cling_takes_is_taken(kernel):
    for code in ["namespace n {\nint a() { return 1; }\nint b() { return a(); }\n}", "struct A { int f() { return 1; } };\nstruct B : A {};\nB b;",
                 "template <class T>\nT twice(T x) {\n  return 2 * x;\n}", "#define TWICE(x) (2 * (x))\nint m = TWICE(2);", "if (true) {\n} else {\n}",
                 "for (auto [a, b] : std::map<int, int>{{1, 2}}) std::cout << a << b;", "using Words = std::vector<std::string>;", "auto g = [](auto x) { return x; };",
                 'auto raw = R"x(} { ) " %)x";', "char brace = '{';", "int million = 1'000'000;", "#include <vector>\n// and\n#include <map>\nint last = 1;",
                 "extern int declared;", "static int here = 1;", "{\n  int inside = 1;\n}", "int x{3};", "switch (x) {\n  case 3: break;\n}", "while (false) {\n}", "x += 1;"]:
        kernel.fine(code)


def null_is_dereferenced(kernel):
    crash(kernel, "int* nowhere = nullptr;\n*nowhere = 3;", "SIGSEGV")


def recursion_has_no_end(kernel):
    kernel.fine("int deeper(int x) {\n  volatile int big[1000] = {};\n  return deeper(x + 1) + big[x % 1000];\n}")
    crash(kernel, "deeper(0)", "SIGSEGV")


def abort_is_called(kernel):
    crash(kernel, '#include <cstdlib>\nstd::cout << "before" << std::flush;\nstd::abort();', "SIGABRT", "before")


def a_thread_throws(kernel):
    crash(kernel, "#include <thread>\nstd::thread([] { throw 3; }).join();", "SIGABRT")


def exit_is_called(kernel):
    shown = crash(kernel, "#include <cstdlib>\nstd::exit(3);", "exit(3)")
    expect(shown.error[0] == "Exit", shown.error)


def it_is_killed(kernel):
    crash(kernel, "#include <csignal>\nstd::raise(SIGKILL);", "memory ran out")


def crash(kernel, code, why, said=""):
    kernel.fine("int before_the_crash = 42;")
    shown = kernel.run(code)
    expect(shown.error is not None and why in shown.error[1] and shown.text() == said, code, "gives", shown)
    expect(re.match(r"cell \[\d+\] ", shown.error[1]) and "first cell" in shown.error[1], "it does not say which cell:", shown.error)
    kernel.usable()
    after = kernel.run("before_the_crash")
    expect(after.error[0] == "CompileError" and "ended the program before" in after.error[1], "it does not say why:", after.error)
    expect(len(family(kernel.pid)) == 2, "processes:", [command(pid) for pid in family(kernel.pid)])
    return shown


def memory_runs_out(kernel):
    kernel.fine("#include <vector>\nint kept = 42;")
    for code in ["std::vector<double> big(std::size_t(1) << 36);", "std::vector<std::vector<char>> many;\nwhile (true) many.emplace_back(1 << 20, 'x');"]:
        shown = kernel.run(code)
        expect(shown.error and shown.error[0] == "std::bad_alloc" and "1.5 GiB" in shown.error[1], code, "gives", shown.error)
        kernel.fine("many = {};" if "many" in code else "1")
        kernel.usable("kept")


def a_hundred_megabytes_are_printed(kernel):
    before = peak(kernel.pid)
    shown = kernel.run("for (int i = 0; i < 1000000; ++i) std::cout << std::string(99, 'x') << '\\n';")
    expect(shown.error is None and 1 << 20 <= len(shown.text()) < (1 << 20) + 500, len(shown.text()), "characters came through")
    expect(re.search(r"98,951,424 bytes more of cell \[\d+\]'s stdout are left out", shown.text()[-200:]), shown.text()[-200:])
    expect(peak(kernel.pid) - before < 30, "the kernel grew by", peak(kernel.pid) - before, "MB")
    kernel.usable()


def a_hundred_megabytes_of_pictures(kernel):
    before = peak(kernel.pid)
    shown = kernel.run('#include <xcpp/xdisplay.hpp>\nstd::string page(1 << 20, \'x\');\nfor (int i = 0; i < 100; ++i) xcpp::display(page);')
    size = sum(len(content["data"]["text/plain"]) for kind, content, _ in shown if kind == "display_data")
    expect(shown.error is None and 60 << 20 < size <= 64 << 20 and re.search(r"\d\d pictures of cell \[\d+\] are left out", shown.text()), size, shown.text())
    shown = kernel.run('std::string all(100 << 20, \'x\');\nxcpp::display(all);')
    expect(shown.error is None and "1 pictures" in shown.text(), shown.text())
    expect(peak(kernel.pid) - before < 300, "the kernel grew by", peak(kernel.pid) - before, "MB")
    kernel.usable()


def peak(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) >> 10


def it_prints_for_ever(kernel):
    shown = kernel.run('while (true) std::cout << "and on ";', interrupt=[1])
    expect(shown.error and shown.error[0] == "Interrupted" and "left out" in shown.text()[-200:], shown.error, shown.text()[-200:])
    kernel.usable()


def it_loops_for_ever(kernel):
    shown = kernel.run("while (true) {}", interrupt=[1])
    expect(shown.error and shown.error[0] == "Interrupted" and re.match(r"cell \[\d+\] did not heed", shown.error[1]), shown.error)
    expect(3.5 < shown.seconds < 7, "it took", shown.seconds)
    kernel.usable()
    shown = kernel.run("while (true) {}", interrupt=[1, 1.5])
    expect(shown.error and shown.error[0] == "Interrupted" and shown.seconds < 3, shown.error, shown.seconds)
    kernel.usable()


def a_training_is_interrupted(kernel):
    kernel.fine('#include "notebook.h"\n#include <chrono>\n#include <thread>\nusing namespace graft;\nint kept = 42;\nshow::Progress progress("loop", 2000);')
    loop = "for (Index step = 0; step < 2000; ++step) {\n  std::this_thread::sleep_for(std::chrono::milliseconds(5));\n  progress(step, 1.0 / (step + 1));\n}"
    shown = kernel.run(loop, interrupt=[2])
    expect(shown.error and shown.error[0] == "Interrupted" and "loop" in shown.error[1], shown)
    expect(shown.seconds < 4, "it took", shown.seconds)
    expect(shown.kinds()[0] == "display_data" and shown.kinds().count("update_display_data") >= 3, shown.kinds())
    kernel.usable("kept")
    expect(100 < int(kernel.fine("progress.losses().size()").value) < 500, "its losses are lost")
    shown = kernel.run(loop.replace("2000", "20"))  # again: the old interrupt is forgotten, and the picture is this cell's
    expect(shown.error is None and shown.kinds()[0] == "display_data", shown)


def a_mistake_costs_nothing(kernel):
    """Of templates in a text that did not compile Cling keeps half: corrected, it failed or ran with that half."""
    kernel.fine('#include "notebook.h"\nusing namespace graft;\nshow::Axes axes{"loss"};')
    for right, wrong, why in [
            ('std::vector<show::Curve> curves;\nfor (double a : {0.25, 4., 64.}) curves.push_back({text("a ", a), {a, a}});\nshow::plot(curves, axes)',
             ("axes", "axis"), "undeclared identifier 'axis'"),
            ("Tensor S = singular_values(Tensor({2, 2}, {2, 0, 0, 1})).S;\nstd::vector<double> two{S.data(), S.data() + S.numel()};\ntwo",
             ("numel", "size"), "no member named 'size'"),
            ("auto sized = [](const Tensor& t) { return largest_difference(t, Tensor(t.shape(), 0)); };\nlesson::check(\"size\", sized(Tensor({2}, 1)) <= 1);",
             (";", ""), "expected ';'")]:
        shown = kernel.run(right.replace(*wrong, 1) if wrong[0] != ";" else right[:-1].replace("; };", " };"))
        expect(shown.error and shown.error[0] == "CompileError" and why in shown.error[1], wrong, shown.error)
        shown = kernel.run(right)
        expect(shown.error is None and "unresolved" not in shown.text(), "corrected, it says", shown.error, shown.text())
    for code, value in [  # texts in which Cling makes a function of a part only
            ("struct S1 { template <class T> T f(T x) { return x; } };\nS1 s1;\ns1.f(3)", "3"),
            ("struct S2 { static constexpr int n = 3; };\nint n2 = S2::n;\nn2", "3"),
            ("template <class T> T sq(T x) { return x * x; }\nint nine = sq(3);", None), ("template <class T> using V = std::vector<T>;\nV<int> v3{1};", None),
            ("namespace m4 { struct A { int x = 4; } a; }\nint z4 = m4::a.x;", None), ('extern "C" int puts(const char*);\nint q5 = 1;', None),
            ("int q6 = 0; for (int i = 0; i < 10'000; ++i) { q6 += 1; }\nq6", "10000"), ("/* don't { */ int v7 = 2; v7", "2")]:
        shown = kernel.run(code)
        expect(shown.error is None and (value is None or shown.value == value), code, shown.error, shown.value)
    for code in ['namespace n8 { int v = (std::cout << "ran" << std::endl, 1); }', 'struct S9 { static inline int x = (std::cout << "ran" << std::endl, 1); };',
                 'extern "C" { int e10 = (std::cout << "ran" << std::endl, 1); }', 'int n11 = (std::cout << "ran" << std::endl, 1);']:
        shown = kernel.run(code)
        expect(shown.error is None and shown.text().count("ran") == 1, code, shown.error, shown.text())
    shown = kernel.run('int once = 0;\nstd::cout << "ran" << std::endl;\n++once;')
    expect(shown.text().count("ran") == 1, "it ran more than once:", shown.text())
    expect(kernel.fine("once").value == "1", "it ran more than once")
    shown = kernel.run("int twice(int x, std::vector<int> of = {1, 2}) { return x * int(of.size()); }")
    expect(shown.error is None, shown.error)
    expect(kernel.fine("twice(4)").value == "8", "the function is another")


def a_training_without_a_picture_is_interrupted(kernel):
    kernel.fine('#include "notebook.h"\nusing namespace graft;\nint kept = 42;\nVariable weight = parameter(Tensor({2, 2}, 1), "w");')
    shown = kernel.run("while (true) sum(weight * weight).backward();", interrupt=[1])
    expect(shown.error and shown.error[0] == "Interrupted" and shown.seconds < 3, shown, shown.seconds)
    kernel.usable("kept")
    expect(kernel.run("sum(weight * weight).backward();").error is None, "the interrupt of one cell ends the next")


def an_idle_kernel_is_interrupted(kernel):
    kernel.fine("int kept = 42;")
    for _ in range(2):
        kernel.manager.interrupt_kernel()
    time.sleep(0.3)
    kernel.usable("kept")


def input_is_at_its_end(kernel):
    expect(kernel.fine('std::string word = "none";\nstd::cin >> word;\nstd::cin.eof()').value == "true", "std::cin waits")


# --- kernels as such ---------------------------------------------------------------------------------------------------

def two_at_once_make_one_header(_):
    """Two kernels that start at once without a precompiled header: both work, and nothing half-made is left."""
    python = Path(sys.executable)
    cache = Path(tempfile.mkdtemp(prefix="graft-pch."))
    try:
        with Kernel(GRAFT_NOTEBOOK_CACHE=str(cache)) as one, Kernel(GRAFT_NOTEBOOK_CACHE=str(cache)) as other:
            for kernel in (one, other):
                expect(kernel.fine('#include "notebook.h"\ngraft::Shape{2}').value == "[2]", python)
        expect([file.suffix for file in cache.iterdir()] == [".pch"], list(cache.iterdir()))
    finally:
        shutil.rmtree(cache)


def it_is_killed_from_outside(_):
    """kill -9 of the kernel: its program ends as well, be it idle or busy."""
    for code in ("1;", "while (true) {}"):
        is_killed_while(code)


def is_killed_while(code):
    kernel = Kernel()
    kernel.fine("1")
    kernel.client.execute(code)
    time.sleep(0.5)
    both = family(kernel.pid)
    expect(len(both) == 2, both)
    os.kill(kernel.pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while any(alive(pid) for pid in both[1:]) and time.monotonic() < until:
        time.sleep(0.05)
    expect(not any(alive(pid) for pid in both[1:]), "it lives on:", command(both[1]))
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


def it_is_shut_down_while_a_cell_runs(_):
    with Kernel() as kernel:
        kernel.fine("1")
        kernel.client.execute("while (true) {}")
        time.sleep(0.5)


def what_cells_started_ends_with_the_kernel(_):
    mine = f"sleep {100000 + os.getpid()}"
    with Kernel() as kernel:
        kernel.fine(f'#include <cstdlib>\nstd::system("{mine} &");')
        time.sleep(0.5)
        started = [pid for pid in everybody() if command(pid).strip() == mine]
        expect(len(started) == 1, started)
    expect(not alive(started[0]), "it lives on:", mine)


def everybody():
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]


def it_is_restarted(_):
    with Kernel() as kernel:
        kernel.fine("int kept = 42;")
        kernel.manager.restart_kernel()
        kernel.client.wait_for_ready(timeout=SECONDS)
        kernel.pid = kernel.manager.provisioner.pid
        expect(kernel.run("kept").error[0] == "CompileError", "a variable outlives a restart")


def the_first_picture_is_quick(_):
    began = time.monotonic()
    with Kernel() as kernel:
        kernel.fine('#include "notebook.h"\nusing namespace graft;')
        expect("execute_result" in kernel.fine('show::plot({{"a", {1, 2, 3}}})').kinds(), "no picture")
        took = time.monotonic() - began
        print(f"kernel_test: first picture after {took:.1f} s")
        expect(took < 8, "the first picture came after", took, "s")


def an_interpreter_that_does_not_start_says_why(_):
    broken = Path(tempfile.mkdtemp(prefix="graft-broken."))
    try:
        (broken / "cppyy.py").write_text("raise ImportError('cppyy is broken here')\n")
        with Kernel(PYTHONPATH=str(broken)) as kernel:
            shown = kernel.run("1")
            expect(shown.error and "did not start" in shown.error[1] and "cppyy is broken here" in shown.error[2] and "./run jupyter" in shown.error[1], shown)
    finally:
        shutil.rmtree(broken)


alone = (two_at_once_make_one_header, it_is_killed_from_outside, it_is_shut_down_while_a_cell_runs, what_cells_started_ends_with_the_kernel, it_is_restarted,
         the_first_picture_is_quick, an_interpreter_that_does_not_start_says_why)
together = (values_look_natural, pictures_have_all_forms, a_type_of_ones_own_says_how_it_looks, text_and_pictures_keep_their_order,
            output_comes_while_a_cell_runs, a_display_is_updated, a_program_cannot_forge_a_message, an_exception_has_its_type_and_text,
            what_a_cell_did_before_it_threw_stays, a_compile_error_names_cell_and_line, functions_and_variables_are_defined_again,
            what_xeus_cling_takes_is_taken, null_is_dereferenced, recursion_has_no_end, abort_is_called, a_thread_throws, exit_is_called,
            it_is_killed, memory_runs_out, a_hundred_megabytes_are_printed, a_hundred_megabytes_of_pictures, it_prints_for_ever, it_loops_for_ever,
            a_training_is_interrupted, a_training_without_a_picture_is_interrupted, a_mistake_costs_nothing,
            an_idle_kernel_is_interrupted, input_is_at_its_end)


def main():
    failed, names = 0, sys.argv[2:]
    checks = [(check, check in together) for check in (*together, *alone) if not names or check.__name__ in names]
    common = None
    for number, (check, shares) in enumerate(checks):
        try:
            if shares and common is None:
                common = Kernel()
            check(common)
        except Exception as error:  # noqa: BLE001  a check that fails in any way
            failed += 1
            at = traceback.extract_tb(error.__traceback__)
            line = [frame.lineno for frame in at if frame.name == check.__name__]
            print(f"FAILED {check.__name__}, line {line[-1] if line else '?'}: {str(error)[:1500]}", flush=True)
            if shares and common is not None:  # the next check has a fresh one
                end(common)
                common = None
    if common is not None:
        try:
            end(common)
        except AssertionError as error:
            failed += 1
            print(f"FAILED at the end: {error}")
    print(f"kernel_test: {len(checks) - failed} of {len(checks)} checks passed")
    return 1 if failed else 0


def end(kernel):
    kernel.__exit__()


if __name__ == "__main__":
    os.environ["JUPYTER_PATH"] = str(Path(sys.argv[1]).resolve() / "share" / "jupyter")
    folder = tempfile.mkdtemp(prefix="graft-cells.")
    try:
        sys.exit(main())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
