// Is history recorded on this thread?
#pragma once

#include "../kernels/thread_state.h"

namespace levin::inline v0 {

/// No history is recorded on this thread while it lives.
class NoGrad {
 public:
  NoGrad() : before_(thread_state().grad_enabled) { thread_state().grad_enabled = false; }
  ~NoGrad() { thread_state().grad_enabled = before_; }
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// History is recorded again, inside a NoGrad.
class EnableGrad {
 public:
  EnableGrad() : before_(thread_state().grad_enabled) { thread_state().grad_enabled = true; }
  ~EnableGrad() { thread_state().grad_enabled = before_; }
  EnableGrad(const EnableGrad&) = delete;
  EnableGrad& operator=(const EnableGrad&) = delete;

 private:
  bool before_;
};

inline bool is_grad_enabled() { return thread_state().grad_enabled; }

}  // namespace levin::inline v0
