// What Eigen alone reaches on this machine: the three products of `linear` at its shapes, into memory that is already
// allocated, with the library's flags and threads. The yardstick for graft's linear; uses none of graft's kernels.
// By itself it prints a table; "eigen_peak serve" is driven by bench/compare.
#include <Eigen/Core>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "autograd/threads.h"
#include "bench/cases.h"
#include "bench/serve.h"

namespace {

#ifdef EIGEN_USE_BLAS
constexpr const char* products_by = "products by BLAS";
#else
constexpr const char* products_by = "own products";
#endif

using Matrix = Eigen::Matrix<graft::real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// y = x·Wᵀ, ∂x = ∂y·W, ∂W = ∂yᵀ·x.
struct Products {
  Matrix x, W, y, dx, dW;

  Products(graft::Index rows, graft::Index in, graft::Index out)
      : x(Matrix::Random(rows, in)),
        W(Matrix::Random(out, in)),
        y(Matrix::Random(rows, out)),
        dx(rows, in),
        dW(out, in) {}

  void nt() { y.noalias() = x * W.transpose(); }
  void nn() { dx.noalias() = y * W; }
  void tn() { dW.noalias() = y.transpose() * x; }
  double flops() const { return 2.0 * static_cast<double>(x.rows()) * static_cast<double>(x.cols()) * W.rows(); }
};

/// The best of several tries of about 50 ms, in GFLOP/s.
double best_rate(double flops, const std::function<void()>& product) {
  const auto run = [&](bool) { product(); };
  run(false);
  const long count = std::max(1L, static_cast<long>(0.05 / std::max(1e-9, bench::seconds_for(run, false, 1).wall)));
  double best = 1e30;
  for (int i = 0; i < 5; ++i) {
    best = std::min(best, bench::seconds_for(run, false, count).wall / static_cast<double>(count));
  }
  return flops / best / 1e9;
}

void print_row(const char* name, graft::Index rows, graft::Index in, graft::Index out) {
  Products p(rows, in, out);
  std::printf("%-26s %8.1f", name, best_rate(p.flops(), [&] { p.nt(); }));
  std::printf(" %8.1f", best_rate(p.flops(), [&] { p.nn(); }));
  std::printf(" %8.1f\n", best_rate(p.flops(), [&] { p.tn(); }));
  std::fflush(stdout);
}

void print_table() {
  std::printf("Eigen %d.%d.%d, %s, %s, %d threads, %s; GFLOP/s, the best of 5\n", EIGEN_WORLD_VERSION,
              EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION, products_by, Eigen::SimdInstructionSetsInUse(),
              Eigen::nbThreads(), bench::compiler().c_str());
  std::printf("%-26s %8s %8s %8s\n", "rows/in/out", "x*Wt", "dy*W", "dyt*x");
  for (const std::string& name : bench::names()) {
    if (bench::words(name)[0] != "linear") continue;
    const bench::Numbers n = bench::shape_of(name, 3);
    print_row(name.c_str(), n[0], n[1], n[2]);
  }
  print_row("square/1024", 1024, 1024, 1024);
  print_row("square/2048", 2048, 2048, 2048);
}

}  // namespace

int main(int argc, char** argv) {
  Eigen::setNbThreads(graft::threads());
  if (argc < 2 || std::strcmp(argv[1], "serve") != 0) {
    print_table();
    return 0;
  }
  std::unique_ptr<Products> now;
  bench::Side side;
  side.use = [&](const std::string& name) {
    now.reset();
    const bench::Numbers n = bench::shape_of(name, 3);
    now = std::make_unique<Products>(n[0], n[1], n[2]);
  };
  side.run = [&](bool step) {
    now->nt();
    if (step) now->nn(), now->tn();
  };
  side.about = [] {
    return graft::text("threads=", Eigen::nbThreads(), ";eigen=", EIGEN_WORLD_VERSION, '.', EIGEN_MAJOR_VERSION, '.',
                       EIGEN_MINOR_VERSION, ' ', products_by, ";isa=", Eigen::SimdInstructionSetsInUse());
  };
  return bench::serve(side);
}
