// Command: a part of a replay.
#pragma once

namespace levin::inline v0::cpu {

class Command {
 public:
  virtual ~Command() = default;
  /// Null, or what is wrong, as the functions of Backend.
  virtual const char* run() noexcept = 0;
};

}  // namespace levin::inline v0::cpu
