#include "recorder.h"

#include <cstring>
#include <new>
#include <type_traits>

#include "check.h"
#include "thread_state.h"

namespace levin::inline v0 {
Recording::Recording() : first_serial_(thread_state().next_serial) {
  thread_state().made_in_step = nullptr;
}

Recording::~Recording() {
  for (const auto& [block, kept] : blocks) let_go(block);
}

void Recording::let_go(const Block* block) {
  Kept& kept = blocks.at(block);
  if (!kept.is_alive) return;
  kept.is_alive = false;
  auto* released = const_cast<Block*>(block);
  --released->recorded;
  Ref<Block>::adopt(released);
}

void Recording::add(Call call) {
  each_operand(call, [&](Arg& arg, Use use) { keep(arg, use); });
  if (const auto* random = std::get_if<RandomCall>(&call)) drawn.push_back(*random->counter);
  calls.push_back(std::move(call));
}

void Recording::keep(Arg& arg, Use use) {
  Block& block = *arg.block;
  arg.layout = &layouts_.emplace_back(*arg.layout);
  if (blocks.empty()) device = block.device;
  if (block.device != device && obstacle.empty()) obstacle = "it computes on several devices";
  if (blocks.contains(&block)) return;
  // Other threads' blocks have numbers far above or below.
  const bool inside = block.serial >= first_serial_ && block.serial < thread_state().next_serial;
  blocks.emplace(&block, Kept{static_cast<int>(blocks.size()), inside});
  ++block.refs;
  ++block.recorded;
  if (inside && use == Use::read && obstacle.empty())
    obstacle = "it uses a value that did not come from an operation (from_blob(), data())";
}

void Recording::end() {
  for (auto& [block, kept] : blocks)
    kept.is_output = kept.is_inside && block->refs.load() > block->recorded.load();
  made = thread_state().made_in_step;
}

const char* Recorder::note(Call call) noexcept {
  const char* error =
      std::visit([&](const auto& c) { return issue(below_, c); }, std::as_const(call));
  try {
    recording_.add(std::move(call));
  } catch (const std::bad_alloc&) {
    object("there was no memory to record it");
  }
  return error;
}

void Recorder::object(const char* obstacle) noexcept {
  try {
    if (recording_.obstacle.empty()) recording_.obstacle = obstacle;
  } catch (const std::bad_alloc&) {
    recording_.obstacle = "no memory";  // short enough to need none
  }
}

const char* Recorder::read(const Block& from, std::size_t offset, void* to,
                           std::size_t bytes) noexcept {
  object("the host reads a value in it (item(), data(), printing, to another device)");
  return below_.read(from, offset, to, bytes);
}

const char* Recorder::write(const void* from, Block& to, std::size_t offset,
                            std::size_t bytes) noexcept {
  object("the host writes values in it (from_vector(), data())");
  return below_.write(from, to, offset, bytes);
}

// ---- difference()

namespace {

// All that a call consists of, as lists.
struct Parts {
  std::vector<uint64_t> numbers;
  std::string text;  // of the numbers, but for addresses
  std::vector<Arg> operands;

  template <class Number>
  void number(const Number& number) {
    uint64_t bits = 0;
    std::memcpy(&bits, &number, sizeof(number));
    numbers.push_back(bits);
    if constexpr (std::is_floating_point_v<Number>)
      Part(" ").append_to(&text), Part(number).append_to(&text);
    else if constexpr (!std::is_pointer_v<Number>)
      Part(" ").append_to(&text), Part(static_cast<int64_t>(number)).append_to(&text);
  }
  void operand(Arg& arg, Use) { operands.push_back(arg); }
};

Parts parts_of(const Call& call) {
  Parts parts;
  Call copy = call;
  std::visit([&](auto& c) { visit(c, parts); }, copy);
  return parts;
}

// `shift`: how far b's memory lies behind a's.
bool same_layout(const Layout& a, const Layout& b, int64_t shift) {
  if (a.dtype != b.dtype || a.offset + shift != b.offset || !(a.shape == b.shape)) return false;
  for (int d = 0; d < a.dim(); ++d)
    if (a.strides[d] != b.strides[d]) return false;
  return true;
}

std::string text_of(const Layout& layout) {
  std::string text = name_of(layout.dtype);
  return text + layout.shape.text();
}

// Do two blocks have the same part in the two recordings?
class SameRole {
 public:
  SameRole(const Recording& before, const std::vector<InputPlace>& inputs_before,
           const Recording& now, const std::vector<InputPlace>& inputs_now)
      : before_(before), now_(now) {
    for (std::size_t i = 0; i < inputs_before.size(); ++i) {
      counterpart_[inputs_before[i].block] = inputs_now[i].block;
      shift_[inputs_before[i].block] = inputs_now[i].offset - inputs_before[i].offset;
    }
  }

  /// How far an input has moved in its block.
  int64_t shift(const Block* before) const {
    const auto found = shift_.find(before);
    return found == shift_.end() ? 0 : found->second;
  }

  bool operator()(const Block* before, const Block* now) {
    if (!before || !now) return before == now;
    const auto [at, is_new] = counterpart_.try_emplace(before, now);
    if (!is_new) return at->second == now;
    const Recording::Kept &a = before_.blocks.at(before), &b = now_.blocks.at(now);
    if (!a.is_inside && !b.is_inside) return before == now;
    return a.is_inside == b.is_inside && a.number == b.number && a.is_output == b.is_output;
  }

 private:
  const Recording &before_, &now_;
  std::unordered_map<const Block*, const Block*> counterpart_;
  std::unordered_map<const Block*, int64_t> shift_;
};

std::string difference(const Call& before, const Call& now, SameRole& same_role) {
  const std::string name = name_of(before);
  if (before.index() != now.index() || name != name_of(now))
    return name + " was " + name_of(now) + " the next time";
  const Parts a = parts_of(before), b = parts_of(now);
  if (a.operands.size() != b.operands.size()) return name + " had another number of operands";
  for (std::size_t i = 0; i < a.operands.size(); ++i) {
    const Arg &x = a.operands[i], &y = b.operands[i];
    if (x.block && y.block && !same_layout(*x.layout, *y.layout, same_role.shift(x.block)))
      return name + " of " + text_of(*x.layout) + " was of " + text_of(*y.layout) +
             " the next time";
    if (!same_role(x.block, y.block))
      return name +
             " used other memory the next time: a tensor that is made anew outside the step, or "
             "kept from the step before";
  }
  if (a.numbers != b.numbers)
    return name + " had the numbers" + a.text + ", and" + b.text + " the next time";
  return "";
}

}  // namespace

std::string name_of(const Call& call) {
  static constexpr const char* kNames[] = {"fill",
                                           "copy",
                                           "",
                                           "",
                                           "scan",
                                           "sort",
                                           "mse",
                                           "backward of mse",
                                           "cross_entropy",
                                           "backward of cross_entropy",
                                           "layer_norm",
                                           "backward of layer_norm",
                                           "matmul",
                                           "linalg",
                                           "softmax",
                                           "index",
                                           "random",
                                           "optimizer",
                                           "accumulate"};
  static_assert(std::size(kNames) == std::variant_size_v<Call>);
  static constexpr const char* kParts[] = {"", ".d0", ".d1", ".d2"};
  static constexpr const char* kReductions[] = {"sum", "prod", "mean",   "var",
                                                "max", "min",  "argmax", "argmin"};
  if (const auto* c = std::get_if<ElementwiseCall>(&call))
    return std::string(name_of(c->op)) + kParts[static_cast<int>(c->part)];
  if (const auto* c = std::get_if<ReduceCall>(&call)) return kReductions[static_cast<int>(c->kind)];
  return kNames[call.index()];
}

std::string numbers_of(const Call& call) { return parts_of(call).text; }

std::string difference(const Recording& before, const std::vector<InputPlace>& inputs_before,
                       const Recording& now, const std::vector<InputPlace>& inputs_now) {
  if (now.made) return std::string("it makes ") + now.made;
  SameRole same_role(before, inputs_before, now, inputs_now);
  const std::size_t count = std::min(before.calls.size(), now.calls.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string found = difference(before.calls[i], now.calls[i], same_role);
    if (!found.empty()) return "operation " + std::to_string(i) + ", " + found;
  }
  for (std::size_t i = 0; i < std::min(before.drawn.size(), now.drawn.size()); ++i)
    if (before.drawn[i] == now.drawn[i])
      return "it drew the same random numbers the next time: from a generator that it makes or "
             "seeds";
  if (before.calls.size() == now.calls.size()) return "";
  return "it had " + std::to_string(before.calls.size()) + " operations, and " +
         std::to_string(now.calls.size()) + " the next time";
}

}  // namespace levin::inline v0
