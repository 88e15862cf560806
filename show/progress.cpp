#include "show/progress.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>

#include "autograd/sizes.h"
#include "show/plot.h"
#include "show/table.h"

namespace graft::show {
namespace {

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Shared {
  std::mutex mutex;
  Progress::Screen screen;
};
Shared& shared() {
  static Shared one;
  return one;
}
Progress::Screen screen_now() {
  const std::lock_guard<std::mutex> lock(shared().mutex);
  return shared().screen;
}

std::string next_id() {
  static std::atomic<int> made{0};
  return text("graft-progress-", ++made);
}

}  // namespace

Progress::Progress(std::string title, Index steps, double seconds_between)
    : title_(std::move(title)),
      id_(next_id()),
      steps_(steps),
      between_(seconds_between),
      began_(seconds()),
      now_(began_) {
  expect<ValueError>(steps > 0, "Progress: ", steps, " steps; there must be one at least");
}

void Progress::screen(const Screen& screen) {
  const std::lock_guard<std::mutex> lock(shared().mutex);
  shared().screen = screen;
}

void Progress::operator()(Index step, double loss) {
  now_ = seconds();
  const bool first = losses_.empty() || step <= at_;
  if (first) {
    if (!losses_.empty()) began_ = now_;
    losses_.clear();
  }
  at_ = step;
  losses_.push_back(loss);
  const Screen screen = screen_now();
  const bool stop = interrupt_requested();
  if (first || stop || step + 1 >= steps_ || now_ - drawn_ >= between_) draw(screen);
  expect<Interrupted>(!stop, title_, ": interrupted at step ", step + 1, " of ", steps_, "; what was trained so far is kept");
}

void Progress::draw(const Screen& screen) {
  const bool again = drawn_ >= 0;
  if (screen.draw) screen.draw(picture(), id_, again);
  drawn_ = seconds();
}

Picture Progress::picture() const {
  char took[32];
  std::snprintf(took, sizeof took, "%.1f s", now_ - began_);
  Axes axes;
  axes.x_end = static_cast<double>(steps_ - 1);  // one sees how far it is
  axes.title = title_.empty() ? "" : title_ + ": ";
  axes.title += losses_.empty() ? text("no step of ", steps_, " yet")
                                : text("step ", at_ + 1, " of ", steps_, ", loss ", number(losses_.back()), ", ", took);
  // Who calls it for every tenth step has a point for every tenth.
  const double every =
      losses_.size() > 1 ? static_cast<double>(std::max<Index>(1, at_)) / static_cast<double>(losses_.size() - 1) : 1;
  return plot({{"", losses_, every}}, axes);
}

}  // namespace graft::show
