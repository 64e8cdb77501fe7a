#include "group.h"

#include <algorithm>
#include <cstring>

#include "../formulas.h"
#include "../pool.h"
#include "pairwise.h"

namespace levin::inline v0::cpu {
namespace {

ComputeType index_of(DType compute) {
  return compute == kFloat32 ? kComputeF32 : compute == kFloat64 ? kComputeF64 : kComputeI64;
}

bool is_whole_sum(const ReduceCall& call) {
  const Layout &in = *call.in.layout, &out = *call.out.layout;
  return (call.kind == Reduction::sum || call.kind == Reduction::mean) &&
         call.dims == (1u << in.dim()) - 1 && (in.dtype == kFloat32 || in.dtype == kFloat64) &&
         out.dtype == in.dtype && in.contiguous();
}

}  // namespace

int64_t Group::elements_of(const Call& call) {
  if (const auto* c = std::get_if<ElementwiseCall>(&call)) return c->out.layout->numel();
  if (const auto* c = std::get_if<CopyCall>(&call)) return c->out.layout->numel();
  if (const auto* c = std::get_if<ReduceCall>(&call))
    if (is_whole_sum(*c)) return c->in.layout->numel();
  return -1;
}

// ---- Planning

Group::Group(int64_t n, const std::vector<const Call*>& calls,
             const std::vector<const Block*>& temporaries)
    : n_(n), blocks_((n + kSumBlock - 1) / kSumBlock) {
  for (const Block* block : temporaries) make_local(block, calls);
  for (const Call* call : calls) add(*call);
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
    step.tile =
        isa().tiles[static_cast<int>(c->op)][static_cast<int>(c->part)][index_of(c->compute)];
    std::copy_n(c->numbers, 4, step.numbers);
    step.compute = c->compute;
    step.result = is_predicate(c->op) ? kBool : c->compute;
    for (int i = 0; i < 4; ++i)
      step.in[i] = c->number_mask >> i & 1 ? constant(c->numbers[3 - i], c->compute)
                                           : source(c->in[i], c->compute);
    step.out = source(c->out, step.result);
  } else if (const auto* c = std::get_if<CopyCall>(&call)) {
    step.kind = Step::convert;
    // Whole numbers become what they are copied to in one step.
    const DType from = c->in.layout->dtype;
    step.compute = step.result = compute_type(is_floating(from) ? from : c->out.layout->dtype);
    step.in[0] = source(c->in, step.compute);
    step.out = source(c->out, step.result);
  } else {
    const auto& sum = std::get<ReduceCall>(call);
    step.kind = Step::sum;
    step.compute = step.result = sum.in.layout->dtype;
    step.in[0] = source(sum.in, step.compute);
    step.out = source(sum.out, step.result);
    step.mean = sum.kind == Reduction::mean;
    step.number = sums_++;
  }
  steps_.push_back(step);
}

Group::Operand Group::source(const Arg& arg, DType compute) const {
  Operand operand;
  if (!arg.block) return operand;
  const Layout& layout = *arg.layout;
  operand.block = arg.block;
  operand.dtype = layout.dtype;
  operand.offset = layout.offset;
  const auto local = locals_.find(arg.block);
  operand.from_local = local != locals_.end();
  if (operand.from_local) operand.slot = local->second.slot;
  if (layout.dtype == compute && layout.contiguous())
    operand.place = operand.from_local ? Operand::local : Operand::in_place;
  else
    operand.place = layout.repeats_one() ? Operand::repeated : Operand::gathered;
  operand.walk = Walk(layout);
  return operand;
}

Group::Operand Group::constant(double value, DType compute) {
  Operand operand;
  operand.place = Operand::constant;
  with_compute_type(compute, [&](auto zero) {
    using T = decltype(zero);
    const int64_t count = std::min(n_, kTile);
    char* numbers = constants_.emplace_back(new char[count * sizeof(T)]).get();
    std::fill_n(reinterpret_cast<T*>(numbers), count, convert_to<T>(value));
    operand.numbers = numbers;
  });
  return operand;
}

// ---- Running

// What one piece of the work writes for itself.
struct Group::Scratch {
  alignas(64) char tiles[kSlots + kBuffers][kTile * 8];
  alignas(64) double lanes[kMaxSums][kLanes];  // a sum's, of the block that it is in
  char* buffer(int number) { return tiles[kSlots + number]; }
};

const char* Group::run() noexcept {
  parallel_for(n_, kGrain, [this](int64_t begin, int64_t end) {
    Scratch scratch;
    for (int64_t at = begin; at < end; at += kTile)
      for (const Step& step : steps_) run_step(step, at, std::min(kTile, end - at), scratch);
  });
  for (const Step& step : steps_)
    if (step.kind == Step::sum) finish_sum(step);
  return nullptr;
}

// Elements [at, at + count) of an operand, contiguous and of the compute type.
const void* Group::bring(const Operand& from, DType compute, int64_t at, int64_t count, int buffer,
                         Scratch& scratch) const {
  const auto* data = from.from_local ? scratch.tiles[from.slot]
                     : from.block    ? static_cast<const char*>(from.block->data)
                                     : nullptr;
  switch (from.place) {
    case Operand::absent:
      return nullptr;
    case Operand::constant:
      return from.numbers;
    case Operand::local:
      return data;
    case Operand::in_place:
      return data + (from.offset + at) * item_size(from.dtype);
    case Operand::repeated:
    case Operand::gathered:
      break;
  }
  char* const to = scratch.buffer(buffer);
  with_compute_type(compute, [&](auto zero) {
    using T = decltype(zero);
    if (from.place == Operand::repeated)
      std::fill_n(reinterpret_cast<T*>(to), count, element_as<T>(data, from.offset, from.dtype));
    else
      gather_tile(from.walk, from.dtype, data, from.from_local ? 0 : at, count,
                  reinterpret_cast<T*>(to));
  });
  return to;
}

void Group::run_step(const Step& step, int64_t at, int64_t count, Scratch& scratch) {
  const void* in[4];
  for (int i = 0; i < 4; ++i) in[i] = bring(step.in[i], step.compute, at, count, i, scratch);
  if (step.kind == Step::sum) return add_sum(step, in[0], at, count, scratch);
  const Operand& out = step.out;
  char* data = out.from_local ? scratch.tiles[out.slot] : static_cast<char*>(out.block->data);
  if (out.place == Operand::in_place) data += (out.offset + at) * item_size(out.dtype);
  const bool direct = out.place == Operand::in_place || out.place == Operand::local;
  void* const results = direct ? data : scratch.buffer(4);
  if (step.kind == Step::formula)
    step.tile(in, results, step.numbers, count);
  else
    std::memcpy(results, in[0], count * item_size(step.compute));
  if (direct) return;
  const int64_t from = out.from_local ? 0 : at;
  if (step.result == kBool) {
    auto* widened = reinterpret_cast<int64_t*>(scratch.buffer(5));
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
    T* partial = reinterpret_cast<T*>(partials_.get()) + step.number * blocks_ + block;
    if (end - start < kFewElements) {
      *partial = row_loops<T>().sum_block(x, count);
      return;
    }
    if (at == start) std::fill_n(lanes, kLanes, T(0));
    row_loops<T>().add_to_lanes(x, count, lanes);
    if (at + count == end) *partial = row_loops<T>().fold_lanes(lanes);
  };
  step.compute == kFloat64 ? add(double{}) : add(float{});
}

void Group::finish_sum(const Step& step) {
  const auto finish = [&](auto zero) {
    using T = decltype(zero);
    T* partials = reinterpret_cast<T*>(partials_.get()) + step.number * blocks_;
    const T sum = combine_pairwise(partials, blocks_, [](T a, T b) { return a + b; });
    T* out = static_cast<T*>(step.out.block->data) + step.out.offset;
    *out = step.mean ? sum / static_cast<T>(n_) : sum;
  };
  step.compute == kFloat64 ? finish(double{}) : finish(float{});
}

}  // namespace levin::inline v0::cpu
