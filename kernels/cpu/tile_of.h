// Which loop an elementwise call runs.
#pragma once

#include <algorithm>

#include "isa.h"

namespace levin::inline v0::cpu {

/// Null where the formula does not take the type.
inline TileFunction tile_of(const ElementwiseCall& call) {
  static_assert(kComputeF32 == static_cast<int>(kFloat32) &&
                kComputeF64 == static_cast<int>(kFloat64) &&
                kComputeI64 < static_cast<int>(kInt64));
  const int type = std::min<int>(static_cast<int>(call.compute), kComputeI64);
  return isa().tiles[static_cast<int>(call.op)][static_cast<int>(call.part)][type];
}

template <bool if_equal>
void compare_bytes(const void* const* in, void* out, const double*, int64_t n) {
  const auto *x = static_cast<const char*>(in[0]), *y = static_cast<const char*>(in[1]);
  auto* result = static_cast<char*>(out);
  for (int64_t i = 0; i < n; ++i) result[i] = static_cast<char>((x[i] != y[i]) ^ if_equal);
}

/// Whether two bools (or other bytes) are equal shows without a wider type: the loop for that where
/// the call asks it of contiguous operands, else null.
inline TileFunction byte_comparison(const ElementwiseCall& call) {
  if ((call.op != Op::eq && call.op != Op::ne) || call.number_mask) return nullptr;
  const Layout &a = *call.in[0].layout, &b = *call.in[1].layout;
  if (a.dtype != b.dtype || item_size(a.dtype) != 1 || !a.contiguous() || !b.contiguous())
    return nullptr;
  return call.op == Op::eq ? compare_bytes<true> : compare_bytes<false>;
}

}  // namespace levin::inline v0::cpu
