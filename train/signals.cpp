#include "signals.h"

#include <atomic>
#include <csignal>
#include <mutex>

namespace levin::inline v0 {
namespace {

constinit std::mutex mutex;
constinit int guards = 0;
struct sigaction old_interrupt, old_terminate;
constinit std::atomic<int> caught_signal = 0;
static_assert(std::atomic<int>::is_always_lock_free);  // so that a handler may set it

// The second signal ends the process, whatever the handlers of before would do.
extern "C" void note_signal(int number) {
  if (caught_signal.exchange(number) == 0) return;
  std::signal(number, SIG_DFL);
  std::raise(number);
}

}  // namespace

SignalGuard::SignalGuard() {
  const std::lock_guard lock(mutex);
  if (guards++ > 0) return;
  caught_signal = 0;
  struct sigaction action = {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;  // the host's system calls go on
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &old_interrupt);
  sigaction(SIGTERM, &action, &old_terminate);
}

SignalGuard::~SignalGuard() {
  const std::lock_guard lock(mutex);
  if (--guards > 0) return;
  sigaction(SIGINT, &old_interrupt, nullptr);
  sigaction(SIGTERM, &old_terminate, nullptr);
}

int SignalGuard::caught() const { return caught_signal; }

}  // namespace levin::inline v0
