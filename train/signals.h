// SignalGuard: while a fit runs, SIGINT and SIGTERM end it in good order.
#pragma once

namespace levin::inline v0 {

/// Handles the signals for the whole process while there is a guard; the handlers of before come back
/// with the end of the last one. The first signal is noted, and all guards see it; the second one, also
/// of the other kind, ends the process at once. Guards may be made in several threads.
class SignalGuard {
 public:
  SignalGuard();
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  /// The number of the signal that came; 0: none.
  int caught() const;
};

}  // namespace levin::inline v0
