#include "replay.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "check.h"
#include "cpu/cpu_backend.h"
#include "cpu/schedule.h"
#include "graph.h"

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
    for (const InputPlace& input : inputs)
      replay.inputs_.push_back(
          {stand_in(*input.block), input, replay.recording_->blocks.contains(input.block)});
    for (const auto& [block, kept] : replay.recording_->blocks) place(block, kept);
  }

  void plan() {
    for (const Call& call : replay_.recording_->calls) rebind(replay_.calls_.emplace_back(call));
    is_on_gpu() ? plan_graph() : plan_commands();
  }

 private:
  bool is_on_gpu() const { return replay_.device_.type != Device::cpu; }

  void plan_graph() {
    std::vector<cpu::Item> items;
    for (const Call& call : replay_.calls_) items.push_back({{&call}});
    find_temporaries(items);
    give_memory();
    for (const Input& input : replay_.inputs_) {
      if (!input.is_used) continue;
      Ref<Block>& own =
          replay_.memory_.emplace_back(Block::make(input.stand_in->bytes, replay_.device_));
      input.stand_in->data = own->data;
    }
    replay_.commands_.push_back(std::make_unique<Graph>(replay_.device_, replay_.calls_));
    for (const Output& output : replay_.outputs_) output.block->in_graph = true;
  }

  void plan_commands() {
    find_constants();
    const std::vector<cpu::Item> items = cpu::schedule(steps_);
    find_temporaries(items);
    for (int i = 0; i < static_cast<int>(items.size()); ++i) add_command(items[i], i);
    give_memory();
    for (const Call* call : constants_) make_constant(*call);
  }

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
      const auto is_own = [&](const Input& input) { return input.stand_in == own->second; };
      const bool is_input = own != stand_in_.end() &&
                            std::any_of(replay_.inputs_.begin(), replay_.inputs_.end(), is_own);
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

  void find_temporaries(const std::vector<cpu::Item>& items) {
    for (int i = 0; i < static_cast<int>(items.size()); ++i)
      cpu::each_operand(items[i], [&](const Arg& arg, Use, bool) {
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

  void add_command(const cpu::Item& item, int number) {
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
    Ref<Block>& memory = replay_.memory_.emplace_back(Block::make(total, replay_.device_));
    for (Block* block : placed)
      block->data = static_cast<char*>(memory->data) + temporaries_.at(block).offset;
  }

  static std::size_t size_of(const Block& block) { return (block.bytes + 63) / 64 * 64; }

  Replay& replay_;
  std::unordered_map<const Block*, Block*> stand_in_;
  std::unordered_map<const Block*, Temporary> temporaries_;  // by their stand-ins
  std::vector<Block*> order_;
  std::vector<const Call*> constants_, steps_;
};

Replay::Replay(std::unique_ptr<Recording> recording, const std::vector<InputPlace>& inputs)
    : recording_(std::move(recording)), device_(recording_->device) {
  Planner(*this, inputs).plan();
  for (const auto& [block, kept] : recording_->blocks)
    if (kept.is_inside) recording_->let_go(block);
  for (const InputPlace& input : inputs)
    if (recording_->blocks.contains(input.block)) recording_->let_go(input.block);
}

Replay::~Replay() = default;

void Replay::set_input(std::size_t i, Block& block, int64_t shift) {
  if (device_.type == Device::cpu) {
    inputs_[i].stand_in->data = static_cast<char*>(block.data) + shift;
  } else {
    inputs_[i].given = &block;
    inputs_[i].shift = shift;
  }
}

// Copies what a step may use of an input to its stand-in, or back.
const char* Replay::exchange(const Input& input, bool back) {
  if (!input.is_used) return nullptr;
  const auto bytes = static_cast<int64_t>(input.place.end - input.place.begin);
  Layout given = Layout::of({bytes}, kUInt8), own = given;
  own.offset = static_cast<int64_t>(input.place.begin);
  given.offset = own.offset + input.shift;
  const Arg outer{input.given, &given}, inner{input.stand_in, &own};
  return back ? backend(device_).copy(inner, outer) : backend(device_).copy(outer, inner);
}

const char* Replay::run() noexcept {
  const bool is_on_gpu = device_.type != Device::cpu;
  for (std::size_t i = 0; is_on_gpu && i < inputs_.size(); ++i)
    if (const char* error = exchange(inputs_[i], false)) return error;
  for (const auto& command : commands_)
    if (const char* error = command->run()) return error;
  for (std::size_t i = 0; is_on_gpu && i < inputs_.size(); ++i)
    if (writes_input(i))
      if (const char* error = exchange(inputs_[i], true)) return error;
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
        output.block->in_graph = device_.type != Device::cpu;
      }
}

}  // namespace levin::inline v0
