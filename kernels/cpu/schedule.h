// Which calls of a recording run together, tile by tile, and in which order.
#pragma once

#include <vector>

#include "../calls.h"
#include "group.h"

namespace levin::inline v0::cpu {

/// One command to be: a call, or those of a group.
struct Item {
  std::vector<const Call*> calls;
  int64_t elements = -1;  ///< of a group; else -1
  int sums = 0;
};

/// Calls f(arg, use, is_result_of_sum) for each operand of an item.
template <class F>
void each_operand(const Item& item, F f) {
  for (const Call* call : item.calls)
    levin::each_operand(*call, [&](const Arg& arg, Use use) {
      f(arg, use, use != Use::read && Group::is_sum(*call));
    });
}

/// Each call joins the last group before it that it fits into and that it may be moved up to.
std::vector<Item> schedule(const std::vector<const Call*>& calls);

}  // namespace levin::inline v0::cpu
