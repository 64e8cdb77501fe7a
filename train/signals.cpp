#include "signals.h"

#include <atomic>

#include "../kernels/check.h"

namespace levin::inline v0 {
namespace {

std::atomic<bool> guarded_by_one{false};
volatile std::sig_atomic_t caught_signal = 0;

// SA_RESETHAND has put back the default action: the second signal ends the process.
extern "C" void note_signal(int number) { caught_signal = number; }

}  // namespace

SignalGuard::SignalGuard() {
  if (guarded_by_one.exchange(true))
    fail(Fault::order, {"Trainer: another fit of this process handles signals already"});
  caught_signal = 0;
  struct sigaction action = {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &old_interrupt_);
  sigaction(SIGTERM, &action, &old_terminate_);
}

SignalGuard::~SignalGuard() {
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
  guarded_by_one = false;
}

int SignalGuard::caught() const { return caught_signal; }

}  // namespace levin::inline v0
