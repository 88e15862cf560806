// largest_difference, argmax and accuracy on numbers that can be read off.
#include "autograd/compare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"

namespace {

using namespace graft;
const real nan = std::nanf("");

TEST(Compare, LargestDifference) {
  EXPECT_EQ(largest_difference(Tensor({2, 2}, {1, 2, 3, 4}), Tensor({2, 2}, {1, 4, 2, 4})), 2);
  EXPECT_EQ(largest_difference(Tensor({1}, -3), Tensor({1}, -3)), 0);
  EXPECT_TRUE(std::isnan(largest_difference(Tensor({3}, {5, nan, 0}), Tensor({3}, {0, 0, 9}))));
  EXPECT_TRUE(std::isnan(largest_difference(Tensor({1}, real(INFINITY)), Tensor({1}, real(INFINITY)))));
  EXPECT_THROW(largest_difference(Tensor({2}, {1, 2}), Tensor({1, 2}, {1, 2})), ShapeError);
}

TEST(Compare, Argmax) {
  const Ids at = argmax(Tensor({2, 3}, {1, 5, 5, -1, -3, -2}));
  EXPECT_EQ(at.shape(), (Shape{2}));
  EXPECT_EQ(at.values(), (std::vector<Id>{1, 0}));
  EXPECT_EQ(argmax(Tensor({3}, {1, 2, 3})).values(), std::vector<Id>{2});
  EXPECT_THROW(argmax(Tensor({2}, {nan, 1})), ValueError);
  EXPECT_THROW(argmax(Tensor(Shape{}, 1)), ShapeError);
  EXPECT_THROW(argmax(Tensor({2, 0}, 1)), ShapeError);
}

TEST(Compare, Accuracy) {
  const Tensor scores({4, 2}, {1, 0, 0, 1, 1, 0, 0, 1});  // 0 1 0 1
  EXPECT_EQ(accuracy(scores, Ids{0, 1, 1, 1}), 0.75);
  EXPECT_EQ(accuracy(scores, Ids{0, ignored, 1, ignored}), 0.5);
  EXPECT_THROW(accuracy(scores, Ids{0, 1}), ShapeError);
  EXPECT_THROW(accuracy(scores, Ids{0, 1, 2, 0}), IndexError);
  EXPECT_THROW(accuracy(scores, Ids{ignored, ignored, ignored, ignored}), ValueError);
}

TEST(Compare, IdsOfOneRowAndBack) {
  const Ids row = Ids::row({3, 1, 2});
  EXPECT_EQ(row.shape(), (Shape{1, 3}));
  EXPECT_EQ(row.values(), (std::vector<Id>{3, 1, 2}));
  EXPECT_TRUE(Ids().values().empty());
}

}  // namespace
