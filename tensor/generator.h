// Generator: random numbers from a seed, in named streams that do not disturb each other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace levin::inline v0 {

/// Philox4x32-10 keyed by (seed, stream name, call counter, element). The library's streams: "main"
/// (rand, randn, ..), "init" (layers), "loader" (shuffling), "dataset" (samples), "dropout",
/// "plots". Copying copies seed and counters.
class Generator {
 public:
  explicit Generator(uint64_t seed = 0) : seed_(seed) {}

  uint64_t seed() const { return seed_; }
  /// A new seed; every stream starts again.
  void manual_seed(uint64_t seed);
  /// One of up to 8 streams by its name (at most 15 characters, else std::invalid_argument): its
  /// number, and how many calls it has served, to be advanced by whoever draws from it.
  struct Stream {
    char name[16] = {};
    uint32_t id = 0;
    uint64_t counter = 0;
  };
  Stream& stream(const char* name);
  /// A generator of its own for one item, the same whenever it is asked for: keyed by the seed, an
  /// epoch and an index.
  Generator keyed(uint64_t epoch, uint64_t index) const;
  /// The same for a part of a program: keyed by the seed and a name, whatever was drawn before.
  Generator fork(std::string_view name) const;

  /// All that is needed to go on from here: counters by stream name.
  std::vector<std::pair<std::string, uint64_t>> counters() const;
  void set_counters(const std::vector<std::pair<std::string, uint64_t>>& counters);

 private:
  static constexpr int kMostStreams = 8;
  uint64_t seed_;
  int streams_ = 0;
  Stream stream_[kMostStreams];
};

/// The generator that this thread draws from where none is given; each thread has its own, seeded 0
/// at first.
Generator& default_generator();
/// Seeds this thread's default generator.
void manual_seed(uint64_t seed);

/// While it lives, `generator` is this thread's default one.
class GeneratorGuard {
 public:
  explicit GeneratorGuard(Generator& generator);
  ~GeneratorGuard();
  GeneratorGuard(const GeneratorGuard&) = delete;
  GeneratorGuard& operator=(const GeneratorGuard&) = delete;

 private:
  void* outer_;
};

}  // namespace levin::inline v0
