#!/usr/bin/env python3
"""cling_test.py PREFIX: the library installed under PREFIX, used as a C++ notebook uses it.

Runs in a Python that has cppyy 2.4.2, whose wheel carries Cling on Clang 9.0.1: the parser generation of xeus-cling, the
kernel of the labs. Cells are compiled without the library's processor flags, as there. What it does not cover: the kernel
itself, its display protocol, and its own choice of system headers. Exit code 1 and the failing cell on any failure.
"""
import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

# name, code, what stdout must contain. One cell is one input of Cling; a function definition stands alone in its cell.
CELLS = [
    ("record a small graph and go back", r"""
        graft::Variable x = graft::parameter(graft::Tensor({2, 3}, {1, -2, 3, 0.5, 4, -1}), "x");
        graft::Variable W = graft::parameter(graft::Tensor({1, 3}, {2, 1, -1}), "W");
        graft::Variable loss = graft::sum(graft::linear(x * x, W));
        loss.backward();
        """, []),
    # loss = sum over rows i and columns j of x[i][j]^2 W[j], so dx = 2 x W and dW[j] = sum over i of x[i][j]^2.
    ("gradients are those of the closed form", r"""
        {
          const std::vector<double> X{1, -2, 3, 0.5, 4, -1}, w{2, 1, -1};
          bool same = true;
          for (int j = 0; j < 3; ++j) {
            for (int i = 0; i < 2; ++i) same = same && x.grad().at({i, j}) == 2 * X[3 * i + j] * w[j];
            same = same && W.grad()[j] == X[j] * X[j] + X[3 + j] * X[3 + j];
          }
          std::cout << (same ? "gradients agree" : "gradients differ") << std::endl;
        }
        """, ["gradients agree"]),
    ("an error of the library is caught by its type", r"""
        try {
          graft::linear(x, graft::Variable(graft::Tensor({2, 4}, 1)));
        } catch (const graft::IndexError&) {
          std::cout << "the wrong type" << std::endl;
        } catch (const graft::ShapeError& e) {
          std::cout << "ShapeError: " << e.what() << std::endl;
        }
        """, ["ShapeError: linear"]),
    ("an error that passes through a cell's lambda and comes back as std::exception", r"""
        try {
          auto f = [] { graft::Tensor(graft::Shape{-1}); };
          f();
        } catch (const std::exception& e) {
          std::cout << "std::exception: " << e.what() << std::endl;
        }
        """, ["std::exception: "]),
    # An op of the reader's own: y = x^3, dx = dy 3 x^2.
    ("a function that records an own op", r"""
        graft::Variable cube(const graft::Variable& x) {
          graft::Tensor y(x.shape());
          graft::real* to = y.write();
          for (graft::Index i = 0; i < y.numel(); ++i) to[i] = x.value()[i] * x.value()[i] * x.value()[i];
          return graft::record("cube", y, graft::Edge{x, [X = x.value()](const graft::Tensor& dy) {
            graft::Tensor dx(X.shape());
            graft::real* out = dx.write();
            for (graft::Index i = 0; i < X.numel(); ++i) out[i] = dy[i] * 3 * X[i] * X[i];
            return dx;
          }});
        }
        """, []),
    ("the own op's gradient", r"""
        graft::Variable z = graft::parameter(graft::Tensor({3}, {1, -2, 3}));
        graft::sum(cube(z)).backward();
        std::cout << (z.grad().values() == std::vector<graft::real>{3, 12, 27} ? "cube agrees" : "cube differs") << std::endl;
        """, ["cube agrees"]),
    ("the big kernels run: threads, attention, cross-entropy, and no history under NoGrad", r"""
        {
          graft::Rng rng(1);
          graft::Variable Q = graft::parameter(graft::normal({1, 2, 33, 16}, 0, 1, rng));
          graft::Variable O = graft::causal_attention(Q, Q, Q);
          graft::mean(O).backward();
          graft::Variable E = graft::parameter(graft::normal({101, 64}, 0, 1, rng));
          graft::linear_cross_entropy(graft::Variable(graft::normal({5, 64}, 0, 1, rng)), E, graft::Ids{1, 2, 3, 4, 100}).backward();
          bool finite = true;
          for (graft::real g : Q.grad().values()) finite = finite && g - g == 0;
          for (graft::real g : E.grad().values()) finite = finite && g - g == 0;
          graft::NoGrad pause;
          std::cout << (finite && !(Q * Q).learns() ? "kernels run" : "kernels fail") << std::endl;
        }
        """, ["kernels run"]),
    ("a tensor, a variable and the ledger print", r"""
        std::cout << "x is " << x.value() << std::endl << x << std::endl << graft::ledger() << std::endl;
        """, ["x is ", "[2, 3]", "trainable weights"]),
    ("a graph prints", r"""
        std::cout << graft::graph_text(graft::sum(graft::linear(x * x, W))) << std::endl;
        """, ["sum", "mul"]),
]

CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGBUS)


def programs():
    """The functions of install/fine_tune.cpp, which docs/tune.md shows: name, body."""
    source = (Path(__file__).resolve().parent.parent / "install" / "fine_tune.cpp").read_text()
    return re.findall(r"^void (\w+)\(\) \{\n(.*?)^\}$", source, re.M | re.S)


def headers(prefix):
    """Every public header but the opt-in one for Eigen, and the umbrella."""
    root = prefix / "include" / "graft"
    found = sorted(str(h.relative_to(root)) for h in root.rglob("*.h"))
    return [h for h in found if h not in ("autograd/eigen.h", "notebook.h")]  # notebook.h needs a kernel: kernel_test.py


def in_child(prefix):
    """Cling's own process: a crash in a cell ends this one, and the parent tells."""
    import cppyy
    for s in CRASHES:
        signal.signal(s, signal.SIG_DFL)
    interpreter = cppyy.gbl.gInterpreter

    def cell(name, code, wanted):
        print(f"  cell: {name}", file=sys.stderr, flush=True)
        error = ctypes.c_int(0)
        with tempfile.TemporaryFile() as out:
            before = os.dup(1)
            os.dup2(out.fileno(), 1)
            try:
                interpreter.ProcessLine(code.strip(), ctypes.pointer(error))
                interpreter.ProcessLine("std::cout.flush();")
            finally:
                os.dup2(before, 1)
                os.close(before)
            out.seek(0)
            said = out.read().decode(errors="replace")
        if error.value != 0:
            sys.exit(f"cling_test: this cell does not compile, or threw: {name}\n{said}")
        for word in wanted:
            if word not in said:
                sys.exit(f"cling_test: \"{word}\" is missing from what this cell printed: {name}\n{said}")

    cell("Cling is on Clang 9, in C++17", '#include <iostream>\nstd::cout << __clang_major__ << " " << __cplusplus << std::endl;',
         ["9 201703"])
    cell("the include path", f'#pragma cling add_include_path("{prefix / "include" / "graft"}")', [])
    library = next(prefix.rglob("libgraft.so"))
    cell("the library path", f'#pragma cling add_library_path("{library.parent}")', [])
    cell("the library", '#pragma cling load("libgraft")', [])
    for header in headers(prefix):
        cell(f"#include {header}", f'#include "{header}"', [])
    for name, code, wanted in CELLS:
        cell(name, code, wanted)
    cell("names without graft::", "using namespace graft;", [])
    for name, body in programs():  # the first body as it stands on the page, at the top level of a cell
        cell(f"{name} of fine_tune.cpp", body if name == "classes" else "{\n" + body + "}",
             {"classes": ["1\n", "singular values"], "use": ["bad 0.9"]}.get(name, []))
    print("all cells ran", flush=True)


def each_header_alone(prefix, environment):
    """A header that leans on what another one included first fails here: Cling's parser, one fresh process per header."""
    for header in headers(prefix):
        code = (f"import cppyy, sys; cppyy.add_include_path({str(prefix / 'include' / 'graft')!r}); "
                f"sys.exit(0 if cppyy.gbl.gInterpreter.Declare('#include \"{header}\"') else 1)")
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            sys.exit(f"cling_test: {header} does not compile alone in Cling\n{done.stdout}{done.stderr}")


def main():
    prefix, here = Path(sys.argv[1]).resolve(), Path(__file__).resolve()
    # Cling's language is fixed by its precompiled header and must be chosen before cppyy is imported. Its default flags say
    # -march=native; a notebook's kernel does not.
    environment = dict(os.environ, EXTRA_CLING_ARGS="-O2 -std=c++17",
                       CLING_STANDARD_PCH=os.path.join(sys.prefix, "graft-std17.pch"))
    if len(headers(prefix)) < 10:
        sys.exit(f"cling_test: there are only {len(headers(prefix))} headers under {prefix}")
    os.chdir(prefix)  # Cling looks in the working folder first; the source tree there would hide the installed headers
    child = subprocess.run([sys.executable, here, str(prefix), "child"], env=environment, capture_output=True, text=True,
                           timeout=900)
    if child.returncode != 0 or child.stdout.strip().splitlines()[-1:] != ["all cells ran"]:
        died = f"cling_test: Cling died of {signal.Signals(-child.returncode).name}" if child.returncode < 0 else ""
        sys.exit(f"{child.stdout}{child.stderr}{died}")
    each_header_alone(prefix, environment)
    print(f"cling_test: {len(headers(prefix))} headers and {len(CELLS) + len(programs())} cells passed in Cling on Clang 9")


if __name__ == "__main__":
    if sys.argv[2:] == ["child"]:
        in_child(Path(sys.argv[1]))
    else:
        main()
