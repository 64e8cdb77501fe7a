// A folder for one test, removed with all that is in it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace levin {

/// A folder in memory where there is one: for tests that write so many files that waiting for the
/// disk would take most of their time.
inline std::string memory_dir() {
  return access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : testing::TempDir();
}

class Scratch {
 public:
  explicit Scratch(const std::string& parent = testing::TempDir())
      : path_(parent + "levin_XXXXXX") {
    if (!mkdtemp(path_.data())) throw std::runtime_error("no temporary folder: " + path_);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// The path of a file in it.
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// What the action throws (an E), in words; "" where it throws nothing.
template <class E, class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

}  // namespace levin
