// Tensor, Shape, Ids and the allocator beneath them.
#include "autograd/tensor.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>

#include "autograd/ops.h"

namespace graft {
namespace {

TEST(Shape, SizesAndStrides) {
  const Shape s{2, 3, 4};
  EXPECT_EQ(s.numel(), 24);
  EXPECT_EQ(s.dim(-1), 4);
  EXPECT_EQ(s.rows(), 6);
  EXPECT_EQ(s.cols(), 4);
  EXPECT_EQ(s.outer(1), 2);
  EXPECT_EQ(s.inner(1), 4);
  EXPECT_EQ(s.with(-1, 7), (Shape{2, 3, 7}));
  EXPECT_EQ(s.without(1), (Shape{2, 4}));
  EXPECT_EQ(s.before(9), (Shape{9, 2, 3, 4}));
  EXPECT_EQ(Shape{}.numel(), 1);
  EXPECT_EQ(Shape{}.cols(), 1);
  EXPECT_TRUE((Shape{3, 4}.is_tail_of(s)));
  EXPECT_FALSE((Shape{2, 3}.is_tail_of(s)));
  EXPECT_TRUE(Shape{}.is_tail_of(s));
  EXPECT_EQ(s.str(), "[2, 3, 4]");
}

TEST(Shape, RefusesWhatNoMemoryHolds) {
  EXPECT_THROW((Shape{-1}), SizeError);
  EXPECT_THROW((Shape{Index(1) << 40, Index(1) << 40}), SizeError);
  EXPECT_THROW((Shape{0, Index(1) << 40, Index(1) << 40}), SizeError);
  EXPECT_THROW((Shape{1, 1, 1, 1, 1, 1}), SizeError);
  EXPECT_THROW(Shape({2, 3}).dim(2), IndexError);
  EXPECT_THROW(Shape({2, 3}).dim(-3), IndexError);
  EXPECT_THROW(Shape{}.dim(0), IndexError);
}

TEST(Tensor, IsAlignedSharedAndCounted) {
  for (const Index n : {1, 7, 100, 5000, 3000000}) {
    const Tensor t(Shape{n});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.data()) % 64, 0u) << n;
  }
  Tensor a(Shape{2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor b = a.reshape({3, 2}), c = a.clone();
  const std::uint32_t version = b.version();
  a.write()[0] = 9;
  EXPECT_EQ(b.at({0, 0}), 9);
  EXPECT_EQ(b.version(), version + 1);
  EXPECT_EQ(c.at({0, 0}), 1);
  EXPECT_TRUE(a.shares(b));
  EXPECT_FALSE(a.shares(c));
  EXPECT_FALSE(a.alone());
  EXPECT_TRUE(c.alone());
}

TEST(Tensor, RefusesWhatDoesNotFit) {
  const Tensor t(Shape{2, 3}, 0);
  EXPECT_THROW(Tensor(Shape{2}, std::vector<real>{1, 2, 3}), ShapeError);
  EXPECT_THROW(t.reshape({4}), ShapeError);
  EXPECT_THROW(t.item(), ShapeError);
  EXPECT_THROW(t.at({2, 0}), IndexError);
  EXPECT_THROW(t.at({0}), IndexError);
  EXPECT_THROW(Tensor().write(), ValueError);
  EXPECT_THROW(Tensor().item(), ValueError);
  EXPECT_THROW(Tensor().at({0}), ValueError);
  const Variable w = parameter(Tensor({2}, 1));  // backward() forgotten: told, not a crash
  for (const Index i : {0, 1}) {
    std::string said;
    try {
      (void)w.grad()[i];
    } catch (const ValueError& e) { said = e.what(); }
    EXPECT_NE(said.find("empty until backward()"), std::string::npos) << said;
  }
  EXPECT_THROW(Ids({2}, {1}), ShapeError);
  EXPECT_EQ(Tensor().data(), nullptr);
}

TEST(Tensor, AskingForMoreThanThereIsThrowsAndLosesNothing) {
  const AllocatorStatistics before = allocator_statistics();
  const std::size_t charged = ledger().total_now;
  EXPECT_THROW(Tensor(Shape{Index(1) << 58}), SizeError);
  EXPECT_EQ(allocator_statistics().live, before.live);
  EXPECT_EQ(ledger().total_now, charged);
}

TEST(Tensor, PrintsShortened) {
  std::ostringstream out;
  out << Tensor(Shape{2, 2}, {1, 2, 3, 4.5}) << Tensor(Shape{100, 100}, 0) << Tensor();
  EXPECT_NE(out.str().find("Tensor [2, 2]\n 1 2\n 3 4.5\n"), std::string::npos);
  EXPECT_NE(out.str().find("..."), std::string::npos);
  EXPECT_LT(out.str().size(), 600u);
}

TEST(Allocator, ATrainingLoopDoesNotGoBackToTheSystem) {
  Rng rng(1);
  Variable W = parameter(normal({300, 200}, 0, 1, rng)), x = normal({64, 200}, 0, 1, rng);
  const auto step = [&] {
    mean(gelu(linear(x, W))).backward();
    W.clear_grad();
  };
  step();
  step();
  const std::size_t calls = allocator_statistics().system_calls;
  for (int i = 0; i < 50; ++i) step();
  EXPECT_EQ(allocator_statistics().system_calls, calls);
}

TEST(Allocator, KindsOfStepsInTurnsAllFindTheirBlocks) {  // bucketed lengths, or training and evaluation
  const auto step = [](Index rows) {
    std::vector<Tensor> alive;
    for (int i = 0; i < 13; ++i) alive.emplace_back(Shape{rows, 1024});
  };
  for (int i = 0; i < 2; ++i) {
    step(2048);
    step(3000);
    step(4000);
  }
  const std::size_t calls = allocator_statistics().system_calls;
  for (int i = 0; i < 4; ++i) {
    step(2048);
    step(3000);
    step(4000);
  }
  EXPECT_EQ(allocator_statistics().system_calls, calls);
}

[[maybe_unused]] double resident() {  // bytes of this process that are in memory
  std::ifstream in("/proc/self/statm");
  double all = 0, pages = 0;
  in >> all >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

TEST(Allocator, BatchesOfManyLengthsNeedLittleMoreThanTheLongest) {
  release_cached();
  Rng rng(1);
  [[maybe_unused]] const double before = resident();
  std::size_t most = 0;
  for (int i = 0; i < 100; ++i) {  // 40 layers of two widths, 64 to 800 KiB and four times that
    const Index length = 16 + rng.below(185);
    std::vector<Tensor> alive;
    std::size_t live = 0;
    for (int layer = 0; layer < 40; ++layer)
      for (const Index width : {1024, 4096}) {
        alive.emplace_back(Shape{length, width}, real(1));
        live += sizeof(real) * static_cast<std::size_t>(alive.back().numel());
      }
    most = std::max(most, live);
  }
  const AllocatorStatistics after = allocator_statistics();
  EXPECT_LT(static_cast<double>(after.cached), 1.6 * static_cast<double>(most) + (64 << 20));
#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed, to see who still uses it
  EXPECT_LT(resident() - before, 1.6 * static_cast<double>(most) + (64 << 20));  // the system sees it, too
  release_cached();
  EXPECT_LT(resident() - before, 16 << 20);
#endif
}

TEST(Allocator, GivesBackWhatItCachesWhenSizesChange) {
  release_cached();
  constexpr Index mega = (1 << 20) / static_cast<Index>(sizeof(real));
  for (Index mb = 20; mb < 200; mb += 7) const Tensor t(Shape{mb * mega});  // 26 sizes, 2.8 GB, each freed at once
  EXPECT_LT(allocator_statistics().cached, std::size_t(400) << 20);
  release_cached();
  EXPECT_EQ(allocator_statistics().cached, 0u);
}

}  // namespace
}  // namespace graft
