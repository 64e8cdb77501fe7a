// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): random
// numbers from a key and a counter, so that element i's number depends on nothing else.
#pragma once

#include <array>
#include <cstdint>

namespace levin::inline v0 {

/// Counter and key, least significant word first, to four random words.
constexpr std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter,
                                         std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

/// levin's word layout: the block of elements, the stream, and the call's counter; the key is the
/// seed.
constexpr std::array<uint32_t, 4> philox_block(uint64_t seed, uint32_t stream, uint64_t call,
                                               uint32_t block) {
  return philox({block, stream, static_cast<uint32_t>(call), static_cast<uint32_t>(call >> 32)},
                {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
}

}  // namespace levin::inline v0
