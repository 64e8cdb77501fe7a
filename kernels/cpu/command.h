// Command: a part of a replay.
#pragma once

#include <memory>
#include <utility>

#include "../calls.h"

namespace levin::inline v0::cpu {

class Command {
 public:
  virtual ~Command() = default;
  /// Null, or what is wrong, as the functions of Backend.
  virtual const char* run() noexcept = 0;
};

/// A command that runs f().
template <class F>
std::unique_ptr<Command> command(F f) {
  class Function final : public Command {
   public:
    explicit Function(F&& function) : f_(std::move(function)) {}
    const char* run() noexcept override { return f_(); }

   private:
    F f_;
  };
  return std::make_unique<Function>(std::move(f));
}

/// Where an operand lies in a block that may move. Null where there is none.
template <class T>
class Place {
 public:
  explicit Place(const Arg& arg)
      : data_(arg.block ? &arg.block->data : nullptr), offset_(data_ ? arg.layout->offset : 0) {}
  T* get() const { return data_ ? static_cast<T*>(*data_) + offset_ : nullptr; }

 private:
  void* const* data_;
  int64_t offset_;
};

/// A call as a command that has found out what the call's layouts decide. Null where that is not
/// worth while (large ones): those are issued as they are.
std::unique_ptr<Command> prepare(const MatmulCall& call);
std::unique_ptr<Command> prepare(const ReduceCall& call);
std::unique_ptr<Command> prepare(const MseCall& call);
std::unique_ptr<Command> prepare(const MseBackwardCall& call);
std::unique_ptr<Command> prepare(const OptimizerStep& step);

}  // namespace levin::inline v0::cpu
