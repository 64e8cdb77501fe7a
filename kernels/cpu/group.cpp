#include "group.h"

#include <algorithm>
#include <cstring>

#include "../formulas.h"
#include "../pool.h"
#include "pairwise.h"
#include "tile_of.h"

namespace levin::inline v0::cpu {
namespace {

bool is_whole_sum(const ReduceCall& call) {
  const Layout &in = *call.in.layout, &out = *call.out.layout;
  return (call.kind == Reduction::sum || call.kind == Reduction::mean) &&
         call.dims == (1u << in.dim()) - 1 && (in.dtype == kFloat32 || in.dtype == kFloat64) &&
         out.dtype == in.dtype && in.contiguous();
}

}  // namespace

int64_t Group::elements_of(const Call& call) {
  int64_t elements = 0;
  if (const auto* c = std::get_if<ElementwiseCall>(&call)) elements = c->out.layout->numel();
  if (const auto* c = std::get_if<CopyCall>(&call)) elements = c->out.layout->numel();
  if (const auto* c = std::get_if<ReduceCall>(&call))
    if (is_whole_sum(*c)) elements = c->in.layout->numel();
  return elements > 0 ? elements : -1;
}

// ---- Planning

Group::Group(int64_t n, const std::vector<const Call*>& calls,
             const std::vector<const Block*>& temporaries)
    : n_(n), blocks_((n + kSumBlock - 1) / kSumBlock) {
  for (const Block* block : temporaries) make_local(block, calls);
  for (const Call* call : calls) add(*call);
  note_streams();
  partials_ = std::make_unique<char[]>(sums_ * blocks_ * sizeof(double));
}

// A block stays in a tile where one is free from its first use to its last.
void Group::make_local(const Block* block, const std::vector<const Call*>& calls) {
  Local local{0, -1, 0};
  for (int i = 0; i < static_cast<int>(calls.size()); ++i)
    each_operand(*calls[i], [&](const Arg& arg, Use) {
      if (arg.block != block) return;
      if (local.first < 0) local.first = i;
      local.last = i;
    });
  uint32_t taken = 0;
  for (const auto& [other, theirs] : locals_)
    if (theirs.first <= local.last && local.first <= theirs.last) taken |= 1u << theirs.slot;
  while (taken >> local.slot & 1) ++local.slot;
  if (local.slot < kSlots) locals_.emplace(block, local);
}

void Group::add(const Call& call) {
  Step step;
  if (const auto* c = std::get_if<ElementwiseCall>(&call)) {
    step.tile = tile_of(*c);
    std::copy_n(c->numbers, 4, step.numbers);
    step.compute = c->compute;
    step.result = is_predicate(c->op) ? kBool : c->compute;
    if (const TileFunction compare = byte_comparison(*c)) {
      step.compute = c->in[0].layout->dtype;
      step.tile = compare;
    }
    for (int i = 0; i < 4; ++i)
      if (c->number_mask >> i & 1)
        add_input(step, i, constant(c->numbers[3 - i], c->compute));
      else if (c->in[i].block)
        add_input(step, i, operand(c->in[i], step.compute));
    step.out = operand(c->out, step.result);
  } else if (const auto* c = std::get_if<CopyCall>(&call)) {
    add_conversion(*c, step);
  } else {
    const auto& sum = std::get<ReduceCall>(call);
    step.kind = Step::sum;
    step.compute = step.result = sum.in.layout->dtype;
    add_input(step, 0, operand(sum.in, step.compute));
    step.out = operand(sum.out, step.result);
    step.mean = sum.kind == Reduction::mean;
    step.number = sums_++;
  }
  steps_.push_back(step);
}

// Whole numbers become what they are copied to in one step.
void Group::add_conversion(const CopyCall& call, Step& step) const {
  const DType from = call.in.layout->dtype;
  step.kind = Step::convert;
  step.compute = step.result = compute_type(is_floating(from) ? from : call.out.layout->dtype);
  if (step.compute == kFloat32 && from != kFloat32 && call.in.layout->contiguous())
    step.widen = isa().widen[static_cast<int>(from)];
  add_input(step, 0, operand(call.in, step.widen ? from : step.compute));
  step.out = operand(call.out, step.result);
}

void Group::add_input(Step& step, int place, Operand operand) {
  step.place[step.operands] = static_cast<uint8_t>(place);
  step.in[step.operands++] = std::move(operand);
}

Group::Operand Group::operand(const Arg& arg, DType wanted) const {
  Operand operand;
  const Layout& layout = *arg.layout;
  const bool direct = layout.dtype == wanted && layout.contiguous();
  const auto size = static_cast<int64_t>(item_size(layout.dtype));
  operand.dtype = layout.dtype;
  if (const auto local = locals_.find(arg.block); local != locals_.end()) {
    operand.base = nullptr;
    operand.start = local->second.slot * kTileBytes;
  } else {
    operand.base = &arg.block->data;
    if (direct) operand.start = layout.offset * size, operand.size = size;
  }
  if (direct) return operand;
  operand.kind = layout.repeats_one() ? Operand::repeated : Operand::gathered;
  operand.offset = layout.offset;
  operand.walk = Walk(layout);
  return operand;
}

Group::Operand Group::constant(double value, DType compute) {
  Operand operand;
  with_compute_type(compute, [&](auto zero) {
    using T = decltype(zero);
    auto* numbers = reinterpret_cast<T*>(constants_.emplace_back(std::min(n_, kTile)).data());
    std::fill_n(numbers, std::min(n_, kTile), convert_to<T>(value));
    operand.base = &constant_data_.emplace_back(numbers);
  });
  return operand;
}

// Short tiles, so that with those of the next they have room in the first-level cache.
void Group::note_streams() {
  const auto note = [this](const Operand& operand, bool is_written) {
    if (operand.kind != Operand::direct || !operand.base || operand.size == 0) return;
    for (const Stream& known : streams_)
      if (known.base == operand.base && known.start == operand.start) return;
    streams_.push_back({operand.base, operand.start, operand.size, is_written});
  };
  for (const Step& step : steps_) {
    for (int i = 0; i < step.operands; ++i) note(step.in[i], false);
    if (step.kind != Step::sum) note(step.out, true);
  }
  int64_t bytes = 0;
  for (const Stream& stream : streams_) bytes += n_ * stream.size;
  if (bytes > kInCache)
    tile_ = kShortTile;
  else
    streams_.clear();
}

// ---- Running

// What one piece of the work writes for itself.
struct Group::Scratch {
  alignas(64) char tiles[(kSlots + kBuffers) * kTileBytes];
  alignas(64) double lanes[kMaxSums][kLanes];  // a sum's, of the block that it is in
  char* buffer(int number) { return tiles + (kSlots + number) * kTileBytes; }
  char* of(const Group::Operand& operand) {
    return operand.base ? static_cast<char*>(*operand.base) : tiles;
  }
};

// A step reads one or two operands, of which too few lines would be on their way from memory at once. So
// each step asks for its share of all operands' next tile, and computes meanwhile. (Inlined: gcc takes
// a function that only prefetches for one without effect, and leaves out its calls.)
[[gnu::always_inline]] inline void Group::fetch_ahead(int64_t at, int64_t share,
                                                      int64_t shares) const {
  constexpr int64_t kLine = 64;
  for (const Stream& stream : streams_) {
    const char* tile = static_cast<char*>(*stream.base) + stream.start + at * stream.size;
    const int64_t bytes = tile_ * stream.size, each = (bytes / shares / kLine + 1) * kLine;
    const int64_t end = std::min(bytes, (share + 1) * each);
    for (int64_t byte = share * each; byte < end; byte += kLine)
      if (stream.is_written)
        __builtin_prefetch(tile + byte, 1);
      else
        __builtin_prefetch(tile + byte);
  }
}

const char* Group::run() noexcept {
  const auto steps = static_cast<int64_t>(steps_.size());
  parallel_for(n_, kGrain, [this, steps](int64_t begin, int64_t end) {
    Scratch scratch;
    for (int64_t at = begin; at < end; at += tile_)
      for (int64_t i = 0; i < steps; ++i) {
        if (at + tile_ < end) fetch_ahead(at + tile_, i, steps);
        run_step(steps_[i], at, std::min(tile_, end - at), scratch);
      }
  });
  for (const Step& step : steps_)
    if (step.kind == Step::sum) finish_sum(step);
  return nullptr;
}

void Group::run_step(const Step& step, int64_t at, int64_t count, Scratch& scratch) {
  const Operand& out = step.out;
  const bool direct = out.kind == Operand::direct;
  void* const results =
      direct ? scratch.of(out) + out.start + at * out.size : scratch.buffer(kBuffers - 2);
  const void* in[4] = {};
  for (int i = 0; i < step.operands; ++i) {
    const Operand& from = step.in[i];
    in[step.place[i]] = from.kind == Operand::direct
                            ? scratch.of(from) + from.start + at * from.size
                            : bring(from, step.compute, at, count, scratch,
                                    step.kind == Step::convert ? results : scratch.buffer(i));
  }
  if (step.kind == Step::sum) return add_sum(step, in[0], at, count, scratch);
  if (step.kind == Step::formula)
    step.tile(in, results, step.numbers, count);
  else if (step.widen)
    step.widen(in[0], static_cast<float*>(results), count);
  else if (in[0] != results)
    std::memcpy(results, in[0], count * item_size(step.compute));
  if (!direct) scatter(step, results, at, count, scratch);
}

// Copies elements [at, at + count) of an operand, contiguous and of the compute type.
const void* Group::bring(const Operand& from, DType compute, int64_t at, int64_t count,
                         Scratch& scratch, void* to) const {
  const char* data = scratch.of(from) + from.start;
  with_compute_type(compute, [&](auto zero) {
    using T = decltype(zero);
    if (from.kind == Operand::repeated)
      std::fill_n(static_cast<T*>(to), count, element_as<T>(data, from.offset, from.dtype));
    else
      gather_tile(from.walk, from.dtype, data, from.base ? at : 0, count, static_cast<T*>(to));
  });
  return to;
}

// Results that the tile function could not write where they belong.
void Group::scatter(const Step& step, const void* results, int64_t at, int64_t count,
                    Scratch& scratch) const {
  const Operand& out = step.out;
  char* data = scratch.of(out) + out.start;
  const int64_t from = out.base ? at : 0;
  if (step.result == kBool) {
    auto* widened = reinterpret_cast<int64_t*>(scratch.buffer(kBuffers - 1));
    std::copy_n(static_cast<const bool*>(results), count, widened);
    return scatter_tile(out.walk, out.dtype, data, from, count, widened);
  }
  with_compute_type(step.compute, [&](auto zero) {
    scatter_tile(out.walk, out.dtype, data, from, count,
                 static_cast<const decltype(zero)*>(results));
  });
}

// A tile of a sum: in the lanes and blocks of reduce.cpp, so with its bits.
void Group::add_sum(const Step& step, const void* tile, int64_t at, int64_t count,
                    Scratch& scratch) {
  const auto add = [&](auto zero) {
    using T = decltype(zero);
    const auto* x = static_cast<const T*>(tile);
    auto* lanes = reinterpret_cast<T*>(scratch.lanes[step.number]);
    const int64_t block = at / kSumBlock, start = block * kSumBlock;
    const int64_t end = std::min(start + kSumBlock, n_);
    T* partial = partials_of<T>(step) + block;
    if (end - start < kFewElements) {
      *partial = row_loops<T>().sum_block(x, count);
      return;
    }
    if (at == start) std::fill_n(lanes, kLanes, T(0));
    row_loops<T>().add_to_lanes(x, count, lanes);
    if (at + count == end) *partial = row_loops<T>().sum_of_lanes(lanes);
  };
  step.compute == kFloat64 ? add(double{}) : add(float{});
}

void Group::finish_sum(const Step& step) {
  const auto finish = [&](auto zero) {
    using T = decltype(zero);
    T* partials = partials_of<T>(step);
    const T sum = combine_pairwise(partials, blocks_, [](T a, T b) { return a + b; });
    auto* out = static_cast<char*>(*step.out.base) + step.out.start;
    *reinterpret_cast<T*>(out) = step.mean ? sum / static_cast<T>(n_) : sum;
  };
  step.compute == kFloat64 ? finish(double{}) : finish(float{});
}

}  // namespace levin::inline v0::cpu
