// seed_everything: one number for all that is random in a program.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace levin::inline v0 {

/// Seeds this thread's default generator, from which weights, shuffling and samples get theirs, and
/// says so in the log unless `verbose` is false. Without a seed the environment variable
/// PL_GLOBAL_SEED counts, else 0, with a warning; what lies outside [0, 2^32 - 1] becomes 0 with a
/// warning. Returns the seed. Lightning also sets PL_GLOBAL_SEED and PL_SEED_WORKERS for child
/// processes; this does not, a library should leave the environment alone. `workers` changes
/// nothing: samples are keyed by epoch and index, whichever worker loads them.
uint64_t seed_everything(std::optional<int64_t> seed = {}, bool workers = false,
                         bool verbose = true);

/// Lightning's seeds for a worker of a loader: `count` numbers of the generator x * 6364136223846793005
/// + 1 mod 2^64 (Knuth's MMIX with increment 1) from (base_seed << 32 | worker << 16 | rank) on.
std::vector<uint64_t> worker_seeds(uint64_t base_seed, uint64_t worker, uint64_t rank, int count);

}  // namespace levin::inline v0
