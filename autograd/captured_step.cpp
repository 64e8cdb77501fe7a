#include "captured_step.h"

#include <deque>
#include <exception>
#include <vector>

#include "../kernels/check.h"
#include "../kernels/cpu/cpu_backend.h"
#include "../kernels/replay.h"
#include "../kernels/thread_state.h"
#include "node.h"

namespace levin::inline v0 {
namespace {

constexpr std::size_t kMostCases = 8;
constexpr int kMostAttempts = 5;  // the first steps still make gradients and states
constexpr int kCheckEvery = 1000;

// An input as a recording knows it. Where it begins in its block may change from step to step,
// unless the step uses more of that block.
struct InputKey {
  Layout layout;
  Device device;
  int same_block_as;
  bool moves = true;
};

bool same(const InputKey& key, const Tensor& input, int same_block_as) {
  const Layout &mine = key.layout, &layout = input.layout();
  if (key.device != input.device() || key.same_block_as != same_block_as ||
      mine.dtype != layout.dtype || !(key.moves || mine.offset == layout.offset) ||
      !(mine.shape == layout.shape))
    return false;
  for (int d = 0; d < layout.dim(); ++d)
    if (mine.strides[d] != layout.strides[d]) return false;
  return true;
}

// One behind the last element that a layout reaches.
int64_t end_of(const Layout& layout) {
  int64_t last = layout.offset;
  for (int d = 0; d < layout.dim(); ++d) last += (layout.shape[d] - 1) * layout.strides[d];
  return last + 1;
}

// The first input with this one's block.
int first_with_block(std::span<const Tensor> inputs, std::size_t i) {
  std::size_t first = 0;
  while (inputs[first].impl().block.get() != inputs[i].impl().block.get()) ++first;
  return static_cast<int>(first);
}

}  // namespace

// Leaves whose gradients a step forgot or made, and what it left: a replay leaves the same.
struct TouchedLeaves {
  std::vector<std::pair<Ref<NodeBase>, bool>> fresh;
};

void note_leaf(LeafNode* leaf) {
  auto* touched = static_cast<TouchedLeaves*>(thread_state().touched_leaves);
  for (const auto& [known, fresh] : touched->fresh)
    if (known.get() == leaf) return;
  touched->fresh.emplace_back(Ref<NodeBase>(leaf), false);
}

// All steps with inputs of one kind.
struct CapturedStep::Case {
  uint64_t key;
  bool grad_enabled;
  DType autocast;
  std::vector<InputKey> inputs;

  std::vector<InputPlace> places;  // of the inputs of `last`, or of the replay's recording
  std::unique_ptr<Recording> last;
  std::unique_ptr<Replay> replay;
  TouchedLeaves leaves;
  // Of the thread, when the replay was last known to be right.
  uint64_t doubts = 0;
  void* generator = nullptr;
  int attempts = 0, runs = 0;
  bool check = false;
  std::string why_eager;
  std::unique_ptr<Value> result;  // what the body returned

  bool fits(std::span<const Tensor> given, uint64_t given_key) const {
    if (key != given_key || grad_enabled != is_grad_enabled() ||
        autocast != thread_state().autocast || inputs.size() != given.size())
      return false;
    for (std::size_t i = 0; i < given.size(); ++i)
      if (!same(inputs[i], given[i], first_with_block(given, i))) return false;
    return true;
  }

  // An input whose block is used outside of it too must stay where it is.
  void fix_inputs(const Recording& recording) {
    for (const Call& call : recording.calls)
      each_operand(call, [&](const Arg& arg, Use) {
        for (std::size_t i = 0; i < inputs.size(); ++i) {
          Layout whole = inputs[i].layout;
          whole.offset = places[i].offset;
          if (arg.block == places[i].block &&
              (arg.layout->offset < whole.offset || end_of(*arg.layout) > end_of(whole)))
            inputs[i].moves = false;
        }
      });
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::size_t item = item_size(inputs[i].layout.dtype);
      Layout whole = inputs[i].layout;
      whole.offset = places[i].offset;
      const bool moves = inputs[i].moves && whole.numel() > 0;
      places[i].begin = moves ? whole.offset * item : 0;
      places[i].end = moves ? end_of(whole) * item : places[i].block->bytes;
    }
  }

  bool is_in_doubt() const {
    const ThreadState& thread = thread_state();
    return doubts != thread.doubts || generator != thread.generator;
  }

  void give_up(std::string reason) {
    why_eager = std::move(reason);
    last.reset();
    replay.reset();
    leaves.fresh.clear();
  }
};

struct CapturedStep::State {
  std::vector<std::unique_ptr<Case>> cases;
  Case* now = nullptr;  // the case of the step that runs; null where it is not recorded
  std::string why_eager;
  std::unique_ptr<Value> result;  // of a step that is of no case
  bool all_eager = false, has_replayed = false;

  // Of the step that runs:
  std::unique_ptr<Recording> recording;
  // One for each device.
  std::deque<Recorder> recorders;
  std::deque<BackendOverride> overrides;
  TouchedLeaves leaves;
  std::vector<InputPlace> places;

  Case* find(std::span<const Tensor> inputs, uint64_t key) {
    for (std::size_t i = 0; i < cases.size(); ++i)
      if (cases[i]->fits(inputs, key)) return cases[i].get();
    if (cases.size() == kMostCases) return nullptr;
    auto made = std::make_unique<Case>();
    made->key = key;
    made->grad_enabled = is_grad_enabled();
    made->autocast = thread_state().autocast;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      made->inputs.push_back({inputs[i].layout(), inputs[i].device(), first_with_block(inputs, i)});
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (const auto first = static_cast<std::size_t>(made->inputs[i].same_block_as); first != i)
        made->inputs[i].moves = made->inputs[first].moves = false;
    return cases.emplace_back(std::move(made)).get();
  }

  void record(Device device) {
    recorders.emplace_back(backend(device), *recording);
    overrides.emplace_back(&recorders.back(), device);
  }
  void stop_recording() {
    while (!overrides.empty()) overrides.pop_back();
    recorders.clear();
  }
  void compare(Case& at);
};

CapturedStep::CapturedStep() : state_(std::make_unique<State>()) {}
CapturedStep::~CapturedStep() = default;

void CapturedStep::check_next() {
  for (const auto& at : state_->cases) at->check = true;
}

void CapturedStep::stay_eager(std::string reason) {
  state_->all_eager = true;
  state_->why_eager = std::move(reason);
  state_->cases.clear();
}

const std::string& CapturedStep::why_eager() const {
  return state_->all_eager || !state_->now ? state_->why_eager : state_->now->why_eager;
}

bool CapturedStep::has_replayed() const { return state_->has_replayed; }

std::unique_ptr<CapturedStep::Value>& CapturedStep::result() {
  return state_->now ? state_->now->result : state_->result;
}

bool CapturedStep::replayed(std::span<const Tensor> inputs, uint64_t key) {
  State& state = *state_;
  state.now = nullptr;
  state.has_replayed = false;
  if (state.all_eager) return false;
  for (const Tensor& input : inputs)
    if (input.requires_grad()) {
      state.why_eager = "an input requires a gradient";
      return false;
    }
  ThreadState& thread = thread_state();
  if (thread.cpu != &cpu_backend()) {
    state.why_eager = "it runs inside another captured step";
    return false;
  }
  Case* at = state.find(inputs, key);
  if (!at) {
    state.why_eager = "its inputs came in more than 8 shapes";
    return false;
  }
  state.now = at;
  if (!at->replay || at->check || at->is_in_doubt() || ++at->runs >= kCheckEvery) {
    state.places.clear();
    for (const Tensor& input : inputs)
      state.places.push_back({input.impl().block.get(), input.layout().offset});
    return false;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Block& block = *inputs[i].impl().block;
    const int64_t moved = inputs[i].layout().offset - at->places[i].offset;
    at->replay->set_input(i, block, moved * static_cast<int64_t>(item_size(inputs[i].dtype())));
    if (at->replay->writes_input(i)) ++block.version;
  }
  if (const char* error = at->replay->run()) fail(Fault::world, {"a replayed step ", error});
  for (const auto& [leaf, fresh] : at->leaves.fresh)
    static_cast<LeafNode*>(leaf.get())->fresh = fresh;
  return state.has_replayed = true;
}

void CapturedStep::begin() {
  State& state = *state_;
  if (!state.now || !state.now->why_eager.empty()) return;
  state.recording = std::make_unique<Recording>();
  state.record(kCPU);
  for (int i = 0; i < gpus_loaded(); ++i) state.record({Device::cuda, static_cast<int8_t>(i)});
  thread_state().touched_leaves = &state.leaves;
}

void CapturedStep::end() noexcept {
  State& state = *state_;
  if (thread_state().touched_leaves == &state.leaves) thread_state().touched_leaves = nullptr;
  state.stop_recording();
  state.recording.reset();
  state.leaves.fresh.clear();
}

void CapturedStep::succeeded() {
  State& state = *state_;
  if (!state.recording) return;
  state.recording->end();
  for (auto& [leaf, fresh] : state.leaves.fresh) fresh = static_cast<LeafNode*>(leaf.get())->fresh;
  state.stop_recording();  // what a plan allocates is not the step's
  state.compare(*state.now);
}

// What is to be made of a step that ran as it is written.
void CapturedStep::State::compare(Case& at) {
  if (!recording->obstacle.empty()) return at.give_up(recording->obstacle);
  const Recording* before = at.replay ? &at.replay->recording() : at.last.get();
  const std::string found =
      before ? difference(*before, at.places, *recording, places) : "it ran once";
  const bool changed = at.is_in_doubt();
  at.doubts = thread_state().doubts;
  at.generator = thread_state().generator;
  at.runs = 0;
  at.check = false;
  if (at.replay && found.empty()) {
    at.replay->take_outputs(*recording);
    return;
  }
  if (at.replay && !changed) return at.give_up("it did not do what it had done: " + found);
  at.replay.reset();
  if (changed && !recording->made) at.attempts = 0;  // what it makes each time is no change
  if (before && found.empty()) {
    at.places = places;
    at.fix_inputs(*recording);
    try {
      at.replay = std::make_unique<Replay>(std::move(recording), at.places);
    } catch (const std::exception& error) {
      return at.give_up(error.what());
    }
    at.last.reset();
    at.leaves = leaves;
  } else if (++at.attempts > kMostAttempts) {
    return at.give_up("it does something else each time: " + found);
  } else {
    at.last = std::move(recording);
  }
  at.places = places;
}

}  // namespace levin::inline v0
