// The small world: what its base knows and does not, that it is the same each time, and that no cache can spoil it.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include <graft.h>

namespace {

using namespace graft;
namespace fs = std::filesystem;

/// A cache of its own for each test.
struct World : testing::Test {
  fs::path cache = fs::path(testing::TempDir()) / ("lesson-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
  World() {
    fs::remove_all(cache);
    fs::create_directories(cache);
    setenv("XDG_CACHE_HOME", cache.c_str(), 1);
  }
  ~World() override { fs::remove_all(cache); }
  std::vector<fs::path> kept() const {
    std::vector<fs::path> all;
    if (fs::exists(cache / "graft" / "lesson"))
      for (const auto& entry : fs::directory_iterator(cache / "graft" / "lesson")) all.push_back(entry.path());
    return all;
  }
};

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

TEST_F(World, TheBaseCountsForwardsAndJudgesButDoesNotCountBackwards) {
  const lesson::World& world = lesson::world();
  const auto base = lesson::base();
  EXPECT_EQ(world.forwards.size(), 25U);
  EXPECT_GE(right(*base, world.forwards), 23);
  EXPECT_LE(right(*base, world.backwards), 2);
  for (const auto* reviews : {&world.reviews, &world.held_out})
    for (const lesson::Review& review : *reviews)
      EXPECT_EQ(lesson::answer(*base, review.text + " all in all"), review.good ? " good" : " bad") << review.text;
}

TEST_F(World, HeldOutReviewsAreOfOtherThingsAndHalfAreGood) {
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

TEST_F(World, EveryBaseIsTheSameBeItTrainedOrLoaded) {
  const auto first = lesson::base();
  ASSERT_EQ(kept().size(), 1U);
  const auto second = lesson::base();
  EXPECT_EQ(numbers(*first), numbers(*second));
  (*first).learn(false);  // what is done to one
  for (const auto& p : second->parameters()) EXPECT_TRUE(p.second->learns()) << p.first;
}

TEST_F(World, ADamagedCacheIsTrainedAgain) {
  const std::vector<real> whole = numbers(*lesson::base());
  ASSERT_EQ(kept().size(), 1U);
  const fs::path weights = kept()[0] / "model.safetensors";
  fs::resize_file(weights, fs::file_size(weights) / 2);
  EXPECT_EQ(numbers(*lesson::base()), whole);
  EXPECT_EQ(kept().size(), 1U);
  std::ofstream(kept()[0] / "config.json") << "{";
  EXPECT_EQ(numbers(*lesson::base()), whole);
}

TEST_F(World, WorksWithoutACache) {
  fs::permissions(cache, fs::perms::none);
  setenv("XDG_CACHE_HOME", "/dev/null", 1);
  EXPECT_EQ(lesson::answer(*lesson::base(), "the soup was rude. all in all"), " bad");
  fs::permissions(cache, fs::perms::owner_all);
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
