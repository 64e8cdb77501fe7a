// How an operation writes in place. Without history it writes straight into the memory; with it, the
// result is computed by the ordinary operation on what was there before, and then takes its place.
#pragma once

#include <initializer_list>

#include "launch.h"

namespace levin::inline v0 {

/// The other tensors of an in-place operation; null where there is none.
using Others = std::initializer_list<const Tensor*>;

/// Throws where x repeats itself in memory, shares part of it with one of `others`, or is a leaf.
void check_writable(const char* name, const Tensor& x, Others others);
/// Throws where a recorded operation must not write to x because it is a view.
void check_recordable(const char* name, const Tensor& x);
/// Counts a write, and remembers its name.
void wrote(const char* name, const Tensor& x);
/// x takes the value and the history of `result`.
void take_place(const char* name, const Tensor& x, const Tensor& result);

/// `direct()` writes into x; `recorded(old)` gives the new value from the old as an operation.
/// `needs_old`: that operation keeps x for its derivative, so it gets a copy.
template <class Direct, class Recorded>
const Tensor& in_place(const char* name, const Tensor& x, Others others, bool needs_old,
                       Direct direct, Recorded recorded) {
  check_writable(name, x, others);
  bool history = recording(x);
  for (const Tensor* other : others) history |= other && recording(*other);
  if (!history) {
    direct();
    wrote(name, x);
    return x;
  }
  check_recordable(name, x);
  Tensor old = x;
  if (needs_old) {
    NoGrad no_grad;
    old = x.clone();
    old.impl().node = x.impl().node;
  }
  take_place(name, x, recorded(old));
  return x;
}

}  // namespace levin::inline v0
