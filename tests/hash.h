// FNV-1a over the bytes of numbers: promises about bits are tested by comparing hashes.
#pragma once

#include <cstdint>
#include <vector>

namespace levin {

inline constexpr uint64_t kNoBytes = 0xcbf29ce484222325;

inline uint64_t hash_of(const void* data, std::size_t bytes, uint64_t before = kNoBytes) {
  const auto* next = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < bytes; ++i) before = (before ^ next[i]) * 0x100000001b3;
  return before;
}

template <class T>
uint64_t hash_of(const std::vector<T>& numbers, uint64_t before = kNoBytes) {
  return hash_of(numbers.data(), numbers.size() * sizeof(T), before);
}

}  // namespace levin
