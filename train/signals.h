// SignalGuard: while a fit runs, SIGINT and SIGTERM end it in good order.
#pragma once

#include <csignal>

namespace levin::inline v0 {

/// Handles the signals for the whole process from its construction to its end, when the handlers of
/// before come back. The first signal is noted, the second one acts as it would without a guard. One
/// guard at a time: a second fit that handles signals at once throws std::logic_error.
class SignalGuard {
 public:
  SignalGuard();
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  /// The number of the signal that came; 0: none.
  int caught() const;

 private:
  struct sigaction old_interrupt_, old_terminate_;
};

}  // namespace levin::inline v0
