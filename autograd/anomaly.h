// Anomaly detection: which operation made the first NaN?
#pragma once

#include "node.h"

namespace levin::inline v0 {

/// On: every operation that this thread records looks for NaN in its output, and backward() and
/// grad() look into every gradient. A NaN in a gradient, or in what backward() starts from, is a
/// std::logic_error that names the operation of the gradient, and the recorded one whose output was
/// the first to hold NaN, with shapes. A NaN that no gradient meets (where() left it out) is none.
/// Slow: each look waits for the value. Off (the start value): one test for each operation.
void set_detect_anomaly(bool on);
inline bool is_anomaly_enabled() { return thread_state().detect_anomaly; }

/// Detection is on (or off) on this thread while it lives.
class AnomalyMode {
 public:
  explicit AnomalyMode(bool on = true) : before_(is_anomaly_enabled()) { set_detect_anomaly(on); }
  ~AnomalyMode() { set_detect_anomaly(before_); }
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

 private:
  bool before_;
};

void find_nan(const char* operation, const Tensor& root);
void find_nan(Node* node, Grads& grads);

/// For the engine: looks at what backward starts from, and at what a node gave.
inline void check_root(const char* operation, const Tensor& root) {
  if (thread_state().detect_anomaly) [[unlikely]]
    find_nan(operation, root);
}
inline void check_gradients(Node* node, Grads& grads) {
  if (thread_state().detect_anomaly) [[unlikely]]
    find_nan(node, grads);
}

}  // namespace levin::inline v0
