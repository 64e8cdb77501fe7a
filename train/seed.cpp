#include "seed.h"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <string>
#include <system_error>

#include "../tensor/generator.h"
#include "console/log.h"

namespace levin::inline v0 {
namespace {

constexpr int64_t kMostSeed = std::numeric_limits<uint32_t>::max();

int64_t out_of_bounds(Part seed) {
  log_warning(
      {seed, " is not in bounds: a seed lies between 0 and ", kMostSeed, ". Seed set to 0"});
  return 0;
}

int64_t seed_of_environment() {
  const char* text = std::getenv("PL_GLOBAL_SEED");
  if (!text) {
    log_warning({"No seed found, seed set to 0"});
    return 0;
  }
  const std::string_view digits = text;
  int64_t seed = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), seed);
  if (error == std::errc::result_out_of_range) return out_of_bounds(digits);
  if (error == std::errc() && end == digits.end()) return seed;
  log_warning({"Invalid seed found: '", digits, "', seed set to 0"});
  return 0;
}

}  // namespace

uint64_t seed_everything(std::optional<int64_t> seed, bool /*workers*/, bool verbose) {
  int64_t chosen = seed ? *seed : seed_of_environment();
  if (chosen < 0 || chosen > kMostSeed) chosen = out_of_bounds(chosen);
  if (verbose) log_info({"Seed set to ", chosen});
  manual_seed(static_cast<uint64_t>(chosen));
  return static_cast<uint64_t>(chosen);
}

std::vector<uint64_t> worker_seeds(uint64_t base_seed, uint64_t worker, uint64_t rank, int count) {
  uint64_t x = base_seed << 32 | worker << 16 | rank;
  std::vector<uint64_t> seeds;
  for (int i = 0; i < count; ++i) seeds.push_back(x = x * 6364136223846793005u + 1);
  return seeds;
}

}  // namespace levin::inline v0
