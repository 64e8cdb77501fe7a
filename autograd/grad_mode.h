// Is history recorded on this thread?
#pragma once

#include "../kernels/thread_state.h"

namespace levin::inline v0 {

/// History is recorded on this thread while it lives, or it is not.
class GradMode {
 public:
  explicit GradMode(bool on) : before_(thread_state().grad_enabled) {
    thread_state().grad_enabled = on;
  }
  ~GradMode() { thread_state().grad_enabled = before_; }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};

/// No history is recorded on this thread while it lives.
struct NoGrad : GradMode {
  NoGrad() : GradMode(false) {}
};

/// History is recorded again, inside a NoGrad.
struct EnableGrad : GradMode {
  EnableGrad() : GradMode(true) {}
};

inline bool is_grad_enabled() { return thread_state().grad_enabled; }

}  // namespace levin::inline v0
