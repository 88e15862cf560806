// Stopping a long computation from outside, where it can stop without harm: a notebook's "interrupt". backward() and generate() ask
// before each pass, so a training that is interrupted keeps what it has learned.
#pragma once
#include "autograd/errors.h"

namespace graft {

struct Interrupted : Error {
  using Error::Error;
  ~Interrupted() override;
};

/// From now on `asked` says whether to stop; null: nobody is asked. Of the whole process, and asked from any thread.
void interrupt_when(bool (*asked)());
bool interrupt_requested();
/// Errors: Interrupted if one is requested: "WHERE: interrupted; what was done so far is kept"
void heed_interrupt(const char* where);

}  // namespace graft
