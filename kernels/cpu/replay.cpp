#include "replay.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "../check.h"
#include "cpu_backend.h"
#include "group.h"

namespace levin::inline v0 {
namespace {

// A call made ready, or else as it is, by way of the backend.
template <class C>
std::unique_ptr<cpu::Command> command_of(const C& call) {
  if constexpr (requires { cpu::prepare(call); })
    if (auto prepared = cpu::prepare(call)) return prepared;
  return cpu::command([&call, &cpu = cpu_backend()] { return issue(cpu, call); });
}

constexpr std::size_t kMostConstant = 4096;  // bytes

// One command to be: a call, or those of a group.
struct Item {
  std::vector<const Call*> calls;
  int64_t elements;  // of a group; else -1
  int sums = 0;
};

bool contiguous_at(const Layout& a, const Layout& b) {
  return a.dtype == b.dtype && a.offset == b.offset && a.contiguous() && b.contiguous();
}

// Calls f(arg, use, is_result_of_sum) for each operand of an item.
template <class F>
void each_operand(const Item& item, F f) {
  for (const Call* call : item.calls)
    each_operand(*call, [&](const Arg& arg, Use use) {
      f(arg, use, use != Use::read && cpu::Group::is_sum(*call));
    });
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
  if (cpu::Group::is_sum(call) && item.sums == cpu::Group::kMaxSums) return false;
  bool ok = true;
  each_operand(call, [&](const Arg& mine, Use my_use) {
    const bool my_sum = my_use != Use::read && cpu::Group::is_sum(call);
    each_operand(item, [&](const Arg& theirs, Use use, bool sum) {
      if (mine.block != theirs.block || (my_use == Use::read && use == Use::read)) return;
      ok &= !sum && !my_sum && contiguous_at(*mine.layout, *theirs.layout);
    });
  });
  return ok;
}

// Each call joins the last group before it that it fits into and that it may be moved up to.
std::vector<Item> schedule(const std::vector<const Call*>& calls) {
  constexpr std::size_t kFarthest = 32;
  std::vector<Item> items;
  for (const Call* one : calls) {
    const Call& call = *one;
    const int64_t elements = cpu::Group::elements_of(call);
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
    joined->sums += elements >= 0 && cpu::Group::is_sum(call);
  }
  return items;
}

// What is used up inside: when, and whether it is always used whole.
struct Temporary {
  int first, last;  // items
  bool whole = true;
  std::size_t offset = 0;
};
constexpr int kToTheEnd = std::numeric_limits<int>::max();

}  // namespace

class Replay::Planner {
 public:
  Planner(Replay& replay, const std::vector<InputPlace>& inputs) : replay_(replay) {
    for (const InputPlace& input : inputs) replay.inputs_.push_back(stand_in(*input.block));
    for (const auto& [block, kept] : replay.recording_->blocks) place(block, kept);
  }

  void plan() {
    for (const Call& call : replay_.recording_->calls) rebind(replay_.calls_.emplace_back(call));
    find_constants();
    const std::vector<Item> items = schedule(steps_);
    find_temporaries(items);
    for (int i = 0; i < static_cast<int>(items.size()); ++i) add_command(items[i], i);
    give_memory();
    for (const Call* call : constants_) make_constant(*call);
  }

 private:
  Block* stand_in(const Block& block) {
    Block*& found = stand_in_[&block];
    if (found) return found;
    found = &replay_.stand_ins_.emplace_back();
    found->device = block.device;
    found->data = block.data;
    found->bytes = block.bytes;
    return found;
  }

  void place(const Block* block, const Recording::Kept& kept) {
    if (stand_in_.contains(block) || !kept.is_inside) return;
    Block* own = stand_in(*block);
    if (kept.is_output)
      replay_.outputs_.push_back({kept.number, own, Ref<Block>(const_cast<Block*>(block))});
    else
      temporaries_.emplace(own, Temporary{-1, -1});
  }

  void rebind(Call& call) {
    each_operand(call, [&](Arg& arg, Use use) {
      const auto own = stand_in_.find(arg.block);
      const bool is_input = own != stand_in_.end() &&
                            std::count(replay_.inputs_.begin(), replay_.inputs_.end(), own->second);
      if (use != Use::read && is_input) own->second->version = 1;
      if (own != stand_in_.end())
        arg.block = own->second;
      else if (use != Use::read &&
               !std::count(replay_.written_.begin(), replay_.written_.end(), arg.block))
        replay_.written_.push_back(arg.block);
    });
  }

  // Small tensors that depend on nothing but numbers are made once; steps_ are the other calls.
  void find_constants() {
    std::unordered_map<const Block*, int> writes;
    for (const Call& call : replay_.calls_)
      each_operand(call, [&](const Arg& arg, Use use) { writes[arg.block] += use != Use::read; });
    std::unordered_set<const Block*> constant;
    for (const Call& call : replay_.calls_) {
      const bool elementwise = cpu::Group::elements_of(call) > 0 && !cpu::Group::is_sum(call);
      bool known = elementwise || std::holds_alternative<FillCall>(call);
      Block* made = nullptr;
      each_operand(call, [&](const Arg& arg, Use use) {
        if (use != Use::read) made = arg.block;
        known &= use == Use::read ? constant.contains(arg.block)
                                  : temporaries_.contains(arg.block) && writes[arg.block] == 1 &&
                                        arg.block->bytes <= kMostConstant;
      });
      (known ? constants_ : steps_).push_back(&call);
      if (!known) continue;
      constant.insert(made);
      order_.push_back(made);
      temporaries_.at(made) = {0, kToTheEnd, false};
    }
  }

  static void make_constant(const Call& call) {
    const char* error = std::visit([](const auto& c) { return issue(cpu_backend(), c); }, call);
    if (error) fail(Fault::world, {"planning a replay: ", name_of(call), " ", error});
  }

  void find_temporaries(const std::vector<Item>& items) {
    for (int i = 0; i < static_cast<int>(items.size()); ++i)
      each_operand(items[i], [&](const Arg& arg, Use, bool) {
        const auto found = temporaries_.find(arg.block);
        if (found == temporaries_.end()) return;
        Temporary& temporary = found->second;
        if (temporary.first < 0) temporary.first = i, order_.push_back(arg.block);
        temporary.last = std::max(temporary.last, i);
        const Layout& layout = *arg.layout;
        temporary.whole &=
            layout.offset == 0 && layout.contiguous() && layout.numel() == items[i].elements;
      });
  }

  void add_command(const Item& item, int number) {
    if (item.elements < 0) {
      const auto make = [](const auto& call) { return command_of(call); };
      replay_.commands_.push_back(std::visit(make, *item.calls[0]));
      return;
    }
    std::vector<const Block*> inner;
    for (const Block* block : order_) {
      const auto found = temporaries_.find(block);
      if (found == temporaries_.end()) continue;
      const Temporary& temporary = found->second;
      if (temporary.first == number && temporary.last == number && temporary.whole)
        inner.push_back(block);
    }
    auto group = std::make_unique<cpu::Group>(item.elements, item.calls, inner);
    for (const Block* block : inner)
      if (group->is_local(block)) temporaries_.erase(block);
    replay_.commands_.push_back(std::move(group));
  }

  // The largest first, each at the lowest place that is free while it is needed.
  void give_memory() {
    std::vector<Block*> blocks;
    for (Block* block : order_)
      if (temporaries_.contains(block)) blocks.push_back(block);
    std::stable_sort(blocks.begin(), blocks.end(),
                     [](const Block* a, const Block* b) { return a->bytes > b->bytes; });
    std::vector<Block*> placed;  // by their offsets
    std::size_t total = 0;
    for (Block* block : blocks) {
      Temporary& mine = temporaries_.at(block);
      for (const Block* other : placed) {
        const Temporary& theirs = temporaries_.at(other);
        if (theirs.last < mine.first || mine.last < theirs.first) continue;
        if (mine.offset + size_of(*block) <= theirs.offset) break;
        mine.offset = std::max(mine.offset, theirs.offset + size_of(*other));
      }
      const auto at = std::find_if(placed.begin(), placed.end(), [&](const Block* other) {
        return temporaries_.at(other).offset > mine.offset;
      });
      placed.insert(at, block);
      total = std::max(total, mine.offset + size_of(*block));
    }
    replay_.memory_ = Block::make(total, kCPU);
    for (Block* block : placed)
      block->data = static_cast<char*>(replay_.memory_->data) + temporaries_.at(block).offset;
  }

  static std::size_t size_of(const Block& block) { return (block.bytes + 63) / 64 * 64; }

  Replay& replay_;
  std::unordered_map<const Block*, Block*> stand_in_;
  std::unordered_map<const Block*, Temporary> temporaries_;  // by their stand-ins
  std::vector<Block*> order_;
  std::vector<const Call*> constants_, steps_;
};

Replay::Replay(std::unique_ptr<Recording> recording, const std::vector<InputPlace>& inputs)
    : recording_(std::move(recording)) {
  Planner(*this, inputs).plan();
  for (const auto& [block, kept] : recording_->blocks)
    if (kept.is_inside) recording_->let_go(block);
  for (const InputPlace& input : inputs)
    if (recording_->blocks.contains(input.block)) recording_->let_go(input.block);
}

Replay::~Replay() = default;

const char* Replay::run() noexcept {
  for (const auto& command : commands_)
    if (const char* error = command->run()) return error;
  const auto count_write = [](Block& block) {
    ++block.version;
    block.last_write = "a replayed step";
  };
  for (Block* block : written_) count_write(*block);
  for (const Output& output : outputs_) count_write(*output.block);
  return nullptr;
}

void Replay::take_outputs(const Recording& from) {
  for (const auto& [block, kept] : from.blocks)
    for (Output& output : outputs_)
      if (kept.is_output && kept.number == output.number) {
        output.block = Ref<Block>(const_cast<Block*>(block));
        output.stand_in->data = block->data;
      }
}

}  // namespace levin::inline v0
