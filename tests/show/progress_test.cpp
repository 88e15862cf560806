// A training drawn as it goes, and stopped by whoever watches.
#include "show/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <set>
#include <thread>
#include <vector>

#include "autograd/ops.h"
#include "show/graph.h"
#include "tests/show/pictures.h"

namespace {

using namespace graft;
using show::Progress;

struct Drawn {
  show::Picture picture;
  std::string id;
  bool again;
};
std::vector<Drawn> drawn;
int asked = 0, stop_at = -1;

class ProgressTest : public testing::Test {
 protected:
  void SetUp() override {
    drawn.clear(), asked = 0, stop_at = -1;
    Progress::screen({[](const show::Picture& picture, const std::string& id, bool again) {
                        drawn.push_back({picture, id, again});
                      }});
    interrupt_when([] { return asked++ == stop_at; });
  }
  void TearDown() override {
    Progress::screen({});
    interrupt_when(nullptr);
  }
};

TEST_F(ProgressTest, DrawsTheFirstAndTheLastStepIntoOnePicture) {
  Progress progress("LoRA <&>", 50, 1e9);
  for (Index step = 0; step < 50; ++step) progress(step, 50.0 - static_cast<double>(step));
  ASSERT_EQ(drawn.size(), 2u);
  EXPECT_FALSE(drawn[0].again);
  EXPECT_TRUE(drawn[1].again);
  EXPECT_EQ(drawn[0].id, drawn[1].id);
  EXPECT_EQ(asked, 50) << "asked at every step";
  const xml::Element svg = pictures::checked(drawn[1].picture);
  EXPECT_NE(svg.all_text().find("LoRA <&>: step 50 of 50, loss 1, 0."), std::string::npos) << svg.all_text();
  EXPECT_EQ(pictures::points(*svg.all("polyline").at(0)).size(), 50u);
  EXPECT_EQ(progress.losses().size(), 50u);
}

TEST_F(ProgressTest, DrawsNoOftenerThanToldTo) {
  Progress progress("slow", 12, 0.05);
  for (Index step = 0; step < 12; ++step) {
    progress(step, 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(12));
  }
  EXPECT_GE(drawn.size(), 3u);
  EXPECT_LE(drawn.size(), 5u);
  drawn.clear();
  Progress every("each", 5, 0);
  for (Index step = 0; step < 5; ++step) every(step, 1);
  EXPECT_EQ(drawn.size(), 5u);
}

TEST_F(ProgressTest, StopsWhereItIsInterrupted) {
  stop_at = 7;
  Progress progress("LoRA", 50, 1e9);
  Index reached = 0;
  try {
    for (Index step = 0; step < 50; ++step) reached = step, progress(step, 2.5);
    ADD_FAILURE() << "not interrupted";
  } catch (const Interrupted& e) {
    EXPECT_STREQ(e.what(), "LoRA: interrupted at step 8 of 50; what was trained so far is kept");
  }
  EXPECT_EQ(reached, 7);
  EXPECT_EQ(progress.losses().size(), 8u);
  ASSERT_EQ(drawn.size(), 2u) << "where it stopped is shown";
  EXPECT_NE(drawn[1].picture.text.find("step 8 of 50"), std::string::npos);
  progress(8, 2);  // and it can go on
  EXPECT_EQ(progress.losses().size(), 9u);
}

TEST_F(ProgressTest, ALoopThatRunsAgainBeginsANewCurve) {
  Progress progress("twice", 3, 1e9);
  for (int time = 0; time < 2; ++time)
    for (Index step = 0; step < 3; ++step) progress(step, time + 1);
  EXPECT_EQ(progress.losses(), (std::vector<double>{2, 2, 2}));
  ASSERT_EQ(drawn.size(), 4u);
  for (const Drawn& one : drawn) EXPECT_EQ(one.id, drawn[0].id);
  EXPECT_TRUE(drawn[2].again);
}

TEST_F(ProgressTest, PicturesOfTwoTrainingsAreTwo) {
  Progress a("a", 1), b("b", 1);
  a(0, 1), b(0, 1);
  ASSERT_EQ(drawn.size(), 2u);
  EXPECT_NE(drawn[0].id, drawn[1].id);
  EXPECT_FALSE(drawn[1].again);
}

TEST_F(ProgressTest, ALossThatIsNoNumberIsSaid) {
  Progress progress("bad", 2);
  progress(0, 1), progress(1, std::nan(""));
  pictures::checked(drawn.back().picture);
  EXPECT_NE(drawn.back().picture.text.find("loss NaN"), std::string::npos);
}

TEST(Progress, WithoutAScreenKeepsTheLosses) {
  Progress progress("plain", 3);
  pictures::checked(progress.picture());
  for (Index step = 0; step < 3; ++step) progress(step, 1.5);
  EXPECT_EQ(progress.losses().size(), 3u);
  pictures::checked(progress.picture());
  EXPECT_THROW(Progress("none", 0), ValueError);
  EXPECT_THROW(Progress("none", -4), ValueError);
}

TEST(Progress, ScreensMayChangeWhileOthersTrain) {
  static std::atomic<int> count{0};
  std::vector<std::thread> all;
  for (int t = 0; t < 4; ++t)
    all.emplace_back([] {
      Progress progress("thread", 200, 1e9);
      for (Index step = 0; step < 200; ++step) {
        if (step % 10 == 0) Progress::screen({[](const show::Picture&, const std::string&, bool) { ++count; }});
        progress(step, 1);
      }
    });
  for (std::thread& one : all) one.join();
  Progress::screen({});
  EXPECT_EQ(count, 8);
}

TEST(Graph, IsTheHistoryAsAPicture) {
  const Variable x = parameter(Tensor({2, 2}, real(1)), "x<&>");
  const show::Picture picture = show::graph(x);
  const xml::Element svg = xml::parse(picture.svg);
  EXPECT_EQ(svg.children.at(0).children.at(0).name, "title");
  EXPECT_NE(picture.text.find("x<&>"), std::string::npos);
  EXPECT_THROW(show::graph(Variable()), ValueError);
}

/// A letter of the monospace font is 7.3 wide.
TEST(Graph, NoWordsLeaveTheCard) {
  const Variable x = parameter(Tensor({2, 2}, real(1)), "x");
  for (const Variable& y : {x, sum(x * x)}) {
    const xml::Element svg = xml::parse(show::graph(y).svg).children.at(0);
    EXPECT_LT(svg.number("width"), 480) << "a small graph is one for a telephone, too";
    double legend_bottom = 0, boxes_top = 1e9;
    for (const xml::Element* g : svg.all("g")) {
      for (const xml::Element* t : g->all("text")) {
        const double half = 7.3 * static_cast<double>(t->text.size()) / 2;
        if ((*g)["class"] == "legend") {
          EXPECT_LE(t->number("x") + 2 * half, svg.number("width")) << t->text;
          legend_bottom = std::max(legend_bottom, t->number("y"));
        }
        if ((*g)["class"] == "node") boxes_top = std::min(boxes_top, t->number("y") - 17);
      }
    }
    EXPECT_GT(boxes_top, legend_bottom);
  }
}

TEST(Graph, TextOfALongHistoryIsCut) {
  Variable y = parameter(Tensor({1}, real(1)), "x");
  for (int i = 0; i < 100; ++i) y = y + y;
  const std::string text = show::graph(y).text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 61);
  EXPECT_NE(text.find("… and 41 older nodes"), std::string::npos) << text;
}

}  // namespace
