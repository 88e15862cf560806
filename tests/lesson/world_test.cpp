// The small world: what its base knows and does not, that it is the same each time, and what its training gives.
#include <gtest/gtest.h>

#include <cmath>

#include <graft.h>

namespace {

using namespace graft;

std::vector<real> numbers(Gpt2& model) {
  std::vector<real> all;
  for (const auto& p : model.parameters()) {
    const std::vector<real> some = p.second->value().values();
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

int right(Gpt2& model, const std::vector<std::string>& lines) {  // "after f comes g.": does it say " g"?
  int hits = 0;
  for (const std::string& line : lines)
    hits += lesson::answer(model, line.substr(0, line.size() - 3)) == line.substr(line.size() - 3, 2);
  return hits;
}

TEST(World, TheBaseCountsForwardsAndJudgesButDoesNotCountBackwards) {
  const lesson::World& world = lesson::world();
  const auto base = lesson::base();
  EXPECT_EQ(world.forwards.size(), 25U);
  EXPECT_EQ(right(*base, world.forwards), 25);
  EXPECT_EQ(right(*base, world.backwards), 0);
  for (const auto* reviews : {&world.reviews, &world.held_out})
    for (const lesson::Review& review : *reviews)
      EXPECT_EQ(lesson::answer(*base, review.text + " all in all"), review.good ? " good" : " bad") << review.text;
}

TEST(World, HeldOutReviewsAreOfOtherThingsAndHalfAreGood) {
  const lesson::World& world = lesson::world();
  EXPECT_EQ(world.reviews.size(), 48U);
  EXPECT_EQ(world.held_out.size(), 16U);
  const auto thing = [](const lesson::Review& r) { return r.text.substr(0, r.text.find(" was ")); };
  for (const lesson::Review& held : world.held_out)
    for (const lesson::Review& read : world.reviews) EXPECT_NE(thing(held), thing(read));
  const Ids classes = lesson::classes(world.reviews);
  EXPECT_EQ(std::count(classes.begin(), classes.end(), 1), 24);
  EXPECT_EQ(lesson::texts(world.reviews)[0], world.reviews[0].text);
  for (std::size_t i = 0; i < world.reviews.size(); ++i)
    EXPECT_EQ(lesson::verdicts(world.reviews)[i], world.reviews[i].good ? " all in all good." : " all in all bad.");
}

TEST(World, EveryBaseIsTheSameAndOnesOwn) {
  const auto first = lesson::base(), second = lesson::base();
  const std::vector<real> before = numbers(*second);
  EXPECT_EQ(numbers(*first), before);
  train::steps(*first, 1, 1e-2, [&] { return language_loss(*first, train::batch(lesson::world().tokenizer, lesson::world().backwards)); });
  EXPECT_NE(numbers(*first), before);
  EXPECT_EQ(numbers(*second), before);
}

TEST(World, TheTrainingThatTheBaseComesFromTeachesTheSame) {
  const lesson::World& world = lesson::world();
  const auto trained = lesson::trained_base();
  EXPECT_GE(right(*trained, world.forwards), 23);
  EXPECT_LE(right(*trained, world.backwards), 2);
  const auto loss = [&](Gpt2& model) { return static_cast<double>(language_loss(model, train::batch(world.tokenizer, world.lines)).item()); };
  EXPECT_NEAR(loss(*trained), loss(*lesson::base()), 0.02);
}

TEST(Check, SaysWhatHoldsAndThrowsWhatDoesNot) {
  testing::internal::CaptureStdout();
  lesson::check("loss", 0.5, 0.4, 0.2);
  lesson::check("rank", 4, 4);
  lesson::check("same", true);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "✓ loss: 0.5 (0.4 ± 0.2)\n✓ rank: 4\n✓ same\n");
  EXPECT_THROW(lesson::check("loss", 0.61, 0.4, 0.2), lesson::CheckFailed);
  EXPECT_THROW(lesson::check("loss", std::nan(""), 0.4, 0.2), lesson::CheckFailed);
  EXPECT_THROW(lesson::check("loss", 0.4, 0.4, std::nan("")), lesson::CheckFailed);
  EXPECT_THROW(lesson::check("loss", INFINITY, INFINITY, 0.1), lesson::CheckFailed);
  EXPECT_THROW(lesson::check("same", false), lesson::CheckFailed);
}

}  // namespace
