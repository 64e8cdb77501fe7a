// Replay: a recording, made ready to be run again and again on its device. What is made and used up
// inside has a place in one block of memory, shared by what is never there at the same time; on the
// CPU elementwise calls run in groups, on a GPU all calls are one graph. Running allocates nothing.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "cpu/command.h"
#include "recorder.h"

namespace levin::inline v0 {

class Replay {
 public:
  /// `inputs`: where they lie; others take their places from run to run. Throws where there is no
  /// memory, and what a GPU says against a graph.
  Replay(std::unique_ptr<Recording> recording, const std::vector<InputPlace>& inputs);
  ~Replay();

  /// Input i lies in `block` for the next run, `shift` bytes further on than when it was recorded.
  void set_input(std::size_t i, Block& block, int64_t shift);
  /// Runs the calls. Null, or what is wrong.
  const char* run() noexcept;
  /// The outputs of a recording that agrees with this one's are written from now on, in place of its
  /// own.
  void take_outputs(const Recording& from);

  const Recording& recording() const { return *recording_; }
  /// Does it write into input i?
  bool writes_input(std::size_t i) const { return inputs_[i].stand_in->version != 0; }

 private:
  // A GPU's graph knows addresses: what it reads and writes of an input is copied.
  struct Input {
    Block* stand_in;
    InputPlace place;
    bool is_used;
    Block* given = nullptr;
    int64_t shift = 0;
  };
  struct Output {
    int number;  // in the recording
    Block* stand_in;
    Ref<Block> block;
  };
  class Planner;

  const char* exchange(const Input& input, bool back);

  std::unique_ptr<Recording> recording_;
  Device device_;
  std::deque<Block> stand_ins_;  // for inputs, outputs and what is used up inside
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  std::vector<Block*> written_;  // of the blocks from outside
  std::vector<Ref<Block>> memory_;
  std::deque<Call> calls_;
  std::vector<std::unique_ptr<cpu::Command>> commands_;
};

}  // namespace levin::inline v0
