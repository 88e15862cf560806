// A training as it goes: one picture, drawn again every half second.
//     show::Progress progress("LoRA", 200);
//     for (Index step = 0; step < 200; ++step) progress(step, loss_of(step));
#pragma once
#include <string>
#include <vector>

#include "autograd/interrupt.h"
#include "autograd/real.h"
#include "show/picture.h"

namespace graft::show {

class Progress {
 public:
  /// seconds: between two pictures. Errors: ValueError unless there is a step at least
  explicit Progress(std::string title, Index steps, double seconds = 0.5);
  /// step counts from 0. Draws at the first step, now and then, and at the last. A step that is not after the one before begins
  /// anew: a loop that runs again draws a new curve into the same picture.
  /// Errors: Interrupted (autograd/interrupt.h), with the step
  void operator()(Index step, double loss);
  const std::vector<double>& losses() const { return losses_; }
  Picture picture() const;  ///< the curve so far

  /// Where pictures go: a notebook's kernel. id names the picture; again: it was drawn before, and is replaced.
  /// Without one, as in a plain program, nothing is drawn; losses() and picture() are there all the same.
  struct Screen {
    void (*draw)(const Picture& picture, const std::string& id, bool again) = nullptr;
  };
  static void screen(const Screen& screen);  ///< of the whole process, from any thread

 private:
  void draw(const Screen& screen);
  std::string title_, id_;
  Index steps_, at_ = -1;
  double between_, drawn_ = -1, began_, now_;
  std::vector<double> losses_;
};

}  // namespace graft::show
