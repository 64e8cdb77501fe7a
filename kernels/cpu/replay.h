// Replay: a recording, made ready to be run again and again on the CPU. What is made and used up
// inside has a place in one block of memory, shared by what is never there at the same time;
// elementwise calls run in groups. Running allocates nothing.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "../recorder.h"
#include "command.h"

namespace levin::inline v0 {

class Replay {
 public:
  /// `inputs`: where they lie; others take their places from run to run. Throws where there is no
  /// memory.
  Replay(std::unique_ptr<Recording> recording, const std::vector<InputPlace>& inputs);
  ~Replay();

  /// Input i lies at `data` from now on.
  void set_input(std::size_t i, void* data) { inputs_[i]->data = data; }
  /// Runs the calls. Null, or what is wrong.
  const char* run() noexcept;
  /// The outputs of a recording that agrees with this one's are written from now on, in place of its
  /// own.
  void take_outputs(const Recording& from);

  const Recording& recording() const { return *recording_; }
  /// Does it write into input i?
  bool writes_input(std::size_t i) const { return inputs_[i]->version != 0; }

 private:
  struct Output {
    int number;  // in the recording
    Block* stand_in;
    Ref<Block> block;
  };
  class Planner;

  std::unique_ptr<Recording> recording_;
  std::deque<Block> stand_ins_;  // for inputs, outputs and what is used up inside
  std::vector<Block*> inputs_;
  std::vector<Output> outputs_;
  std::vector<Block*> written_;  // of the blocks from outside
  Ref<Block> memory_;
  std::deque<Call> calls_;
  std::vector<std::unique_ptr<cpu::Command>> commands_;
};

}  // namespace levin::inline v0
