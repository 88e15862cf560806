#include "cli/interrupt.h"

namespace graft::cli {
namespace {

volatile std::sig_atomic_t note = 0;
extern "C" void graft_cli_note(int signal) { note = signal; }

}  // namespace

CatchSignals::CatchSignals(std::initializer_list<int> signals) {
  note = 0;
  struct sigaction action {};
  action.sa_handler = graft_cli_note;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : signals) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;
    sigaction(signal, &action, nullptr);
    before_.emplace_back(signal, before);
  }
}
CatchSignals::~CatchSignals() {
  for (const auto& [signal, before] : before_) sigaction(signal, &before, nullptr);
}

int CatchSignals::caught() { return note; }

}  // namespace graft::cli
