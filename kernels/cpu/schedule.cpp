#include "schedule.h"

#include <algorithm>

namespace levin::inline v0::cpu {
namespace {

bool contiguous_at(const Layout& a, const Layout& b) {
  return a.dtype == b.dtype && a.offset == b.offset && a.contiguous() && b.contiguous();
}

// Must `call` come after the item?
bool depends(const Call& call, const Item& item) {
  bool found = false;
  each_operand(call, [&](const Arg& mine, Use my_use) {
    each_operand(item, [&](const Arg& theirs, Use use, bool) {
      found |= mine.block == theirs.block && (my_use != Use::read || use != Use::read);
    });
  });
  return found;
}

// May `call` run in tiles with the item's? Where one writes what the other uses, both must use the
// same elements in the same order, and no sum's result, which is there only afterwards.
bool fits(const Call& call, const Item& item) {
  if (Group::is_sum(call) && item.sums == Group::kMaxSums) return false;
  bool ok = true;
  each_operand(call, [&](const Arg& mine, Use my_use) {
    const bool my_sum = my_use != Use::read && Group::is_sum(call);
    each_operand(item, [&](const Arg& theirs, Use use, bool sum) {
      if (mine.block != theirs.block || (my_use == Use::read && use == Use::read)) return;
      ok &= !sum && !my_sum && contiguous_at(*mine.layout, *theirs.layout);
    });
  });
  return ok;
}

}  // namespace

std::vector<Item> schedule(const std::vector<const Call*>& calls) {
  constexpr std::size_t kFarthest = 32;
  std::vector<Item> items;
  for (const Call* one : calls) {
    const Call& call = *one;
    const int64_t elements = Group::elements_of(call);
    Item* joined = nullptr;
    for (std::size_t back = 1; elements > 0 && back <= std::min(items.size(), kFarthest); ++back) {
      Item& item = items[items.size() - back];
      if (item.elements == elements && fits(call, item)) {
        joined = &item;
        break;
      }
      if (depends(call, item)) break;
    }
    if (!joined) joined = &items.emplace_back(Item{{}, elements});
    joined->calls.push_back(&call);
    joined->sums += elements >= 0 && Group::is_sum(call);
  }
  return items;
}

}  // namespace levin::inline v0::cpu
