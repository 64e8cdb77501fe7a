#include "generator.h"

#include <cstring>

#include "../kernels/check.h"
#include "../kernels/philox.h"
#include "../kernels/thread_state.h"

namespace levin::inline v0 {
namespace {

// FNV-1a.
uint32_t hash_of(std::string_view name) {
  uint32_t hash = 2166136261u;
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619u;
  return hash;
}
uint64_t long_hash_of(std::string_view name) {
  uint64_t hash = 14695981039346656037u;
  for (const char letter : name)
    hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211u;
  return hash;
}

}  // namespace

void Generator::manual_seed(uint64_t seed) {
  doubt_captured_steps();
  seed_ = seed;
  streams_ = 0;
}

Generator::Stream& Generator::stream(const char* name) {
  for (int i = 0; i < streams_; ++i)
    if (std::strcmp(stream_[i].name, name) == 0) return stream_[i];
  check(streams_ < kMostStreams,
        {"generator: stream '", name, "' would be the 9th: at most 8 are possible"});
  check(std::strlen(name) < sizeof stream_[0].name,
        {"generator: stream name '", name, "' is longer than 15 characters"});
  Stream& added = stream_[streams_++];
  added = {};
  std::strcpy(added.name, name);
  added.id = hash_of(name);
  return added;
}

Generator Generator::keyed(uint64_t epoch, uint64_t index) const {
  const auto low = philox_block(seed_, hash_of("keyed"), index, static_cast<uint32_t>(epoch));
  const auto mixed = philox_block(uint64_t{low[1]} << 32 | low[0], hash_of("epoch"), epoch,
                                  static_cast<uint32_t>(index >> 32));
  return Generator(uint64_t{mixed[1]} << 32 | mixed[0]);
}

Generator Generator::fork(std::string_view name) const {
  const auto mixed = philox_block(seed_, hash_of("fork"), long_hash_of(name), 0);
  return Generator(uint64_t{mixed[1]} << 32 | mixed[0]);
}

std::vector<std::pair<std::string, uint64_t>> Generator::counters() const {
  std::vector<std::pair<std::string, uint64_t>> counters;
  for (int i = 0; i < streams_; ++i) counters.emplace_back(stream_[i].name, stream_[i].counter);
  return counters;
}

void Generator::set_counters(const std::vector<std::pair<std::string, uint64_t>>& counters) {
  streams_ = 0;
  for (const auto& [name, counter] : counters) stream(name.c_str()).counter = counter;
}

Generator& default_generator() {
  ThreadState& thread = thread_state();
  if (!thread.generator) {
    auto* own = new Generator;
    thread.own_generator = thread.generator = own;
    thread.free_generator = [](void* generator) { delete static_cast<Generator*>(generator); };
  }
  return *static_cast<Generator*>(thread.generator);
}

void manual_seed(uint64_t seed) { default_generator().manual_seed(seed); }

GeneratorGuard::GeneratorGuard(Generator& generator) : outer_(&default_generator()) {
  thread_state().generator = &generator;
}

GeneratorGuard::~GeneratorGuard() { thread_state().generator = outer_; }

}  // namespace levin::inline v0
