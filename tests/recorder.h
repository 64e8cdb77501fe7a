// StepRecorder: a Recorder that can show what it recorded, and repeat it call by call.
#pragma once

#include <levin/kernels/recorder.h>

#include <string>
#include <vector>

namespace levin {

// Before the Recorder, which refers to it.
struct OwnRecording {
  Recording own;
};

class StepRecorder : OwnRecording, public Recorder {
 public:
  StepRecorder() : Recorder(backend(kCPU), own) {}

  /// A line for each call. Blocks are named by their first appearance, those made inside t0, t1, ..,
  /// those from outside p0, p1, ..: two steps that do the same have the same text.
  std::string text() const;
  /// The blocks from outside, in order of appearance.
  std::vector<const Block*> outside() const;
  /// Why the step cannot be replayed; "" where it can.
  const std::string& obstacle() const { return own.obstacle; }
  /// Runs the calls again on the same memory.
  void repeat();
};

}  // namespace levin
