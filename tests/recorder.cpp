#include "recorder.h"

#include <algorithm>
#include <sstream>

namespace levin {
namespace {

// The operands of each kind of call, those that it writes last.
struct FillCall {
  double value;
  Arg out;
};
struct CopyCall {
  Arg in, out;
};
struct OptimizerStep {
  Rule rule;
  const double* numbers;
  std::vector<Span> spans;
};

struct Operands {
  std::vector<Arg*> read, written;
};
Operands operands_of(FillCall& c) { return {{}, {&c.out}}; }
Operands operands_of(CopyCall& c) { return {{&c.in}, {&c.out}}; }
Operands operands_of(ElementwiseCall& c) {
  return {{&c.in[0], &c.in[1], &c.in[2], &c.in[3]}, {&c.out}};
}
Operands operands_of(ReduceCall& c) { return {{&c.in}, {&c.out}}; }
Operands operands_of(ScanCall& c) { return {{&c.x, &c.a}, {&c.out}}; }
Operands operands_of(SortCall& c) { return {{&c.x}, {&c.index}}; }
Operands operands_of(LinalgCall& c) { return {{&c.a, &c.b}, {&c.out}}; }
Operands operands_of(MseCall& c) { return {{&c.x, &c.target}, {&c.out}}; }
Operands operands_of(MatmulCall& c) { return {{&c.a, &c.b, &c.bias}, {&c.c}}; }
Operands operands_of(SoftmaxCall& c) { return {{&c.x_or_y, &c.g}, {&c.out}}; }
Operands operands_of(IndexCall& c) { return {{&c.source, &c.index}, {&c.out}}; }
Operands operands_of(RandomCall& c) { return {{}, {&c.out}}; }
Operands operands_of(AccumulateCall& c) { return {{&c.value}, {&c.sums, &c.counts}}; }
Operands operands_of(OptimizerStep& c) {
  Operands operands;
  for (Span& span : c.spans) {
    operands.read.push_back(&span.g);
    operands.written.push_back(&span.p);
    for (Arg& state : span.state) operands.written.push_back(&state);
  }
  return operands;
}

std::string text_of(double number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

std::string text_of(const Layout& layout) {
  std::string text = name_of(layout.dtype) + layout.shape.text();
  if (layout.offset) text += " from " + std::to_string(layout.offset);
  if (!layout.contiguous()) text += " strides " + Shape(layout.strides, layout.dim()).text();
  return text;
}

// Alive, but not owned: see Block::recorded.
std::shared_ptr<Block> kept(Block* block) {
  ++block->refs;
  ++block->recorded;
  return {block, [](Block* released) {
            --released->recorded;
            Ref<Block>::adopt(released);
          }};
}

}  // namespace

Recorder::Recorder() : cpu_(backend(kCPU)), first_serial_(Block::make(0, kCPU)->serial) {}

template <class C, class Run>
const char* Recorder::record(std::string what, C call, Run run) {
  Call& entry = calls_.emplace_back();
  entry.what = std::move(what);
  const auto keep = [&](const Arg& arg, bool is_output) {
    Operand& operand = entry.operands.emplace_back();
    operand.is_output = is_output;
    if (!arg.block) return;
    operand.block = kept(arg.block);
    operand.layout = *arg.layout;
  };
  const Operands operands = operands_of(call);
  for (const Arg* arg : operands.read) keep(*arg, false);
  for (const Arg* arg : operands.written) keep(*arg, true);
  const char* error = run(cpu_, call);
  entry.run = [call, run](Backend& on, const std::vector<Operand>& kept) mutable {
    Operands operands = operands_of(call);
    operands.read.insert(operands.read.end(), operands.written.begin(), operands.written.end());
    for (std::size_t i = 0; i < kept.size(); ++i)
      *operands.read[i] = kept[i].block ? Arg{kept[i].block.get(), &kept[i].layout} : Arg{};
    return run(on, call);
  };
  return error;
}

std::string Recorder::text() const {
  std::vector<const Block*> inside, outside;
  const auto name = [&](const Block* block) {
    auto& list = is_inside(*block) ? inside : outside;
    auto at = std::find(list.begin(), list.end(), block);
    if (at == list.end()) at = list.insert(at, block);
    std::string text = is_inside(*block) ? "t" : "p";
    return text.append(std::to_string(at - list.begin()));
  };
  std::string text;
  for (const Call& call : calls_) {
    std::string read, written;
    for (const Operand& operand : call.operands) {
      std::string& part = operand.is_output ? written : read;
      if (!operand.block) continue;
      part +=
          (part.empty() ? "" : ", ") + name(operand.block.get()) + " " + text_of(operand.layout);
    }
    text += written + " = " + call.what + "(" + read + ")\n";
  }
  return text;
}

std::vector<const Block*> Recorder::outside() const {
  std::vector<const Block*> blocks;
  for (const Call& call : calls_)
    for (const Operand& operand : call.operands)
      if (operand.block && !is_inside(*operand.block) &&
          std::find(blocks.begin(), blocks.end(), operand.block.get()) == blocks.end())
        blocks.push_back(operand.block.get());
  return blocks;
}

bool Recorder::complete() const {
  std::vector<const Block*> written;
  for (const Call& call : calls_) {
    for (const Operand& operand : call.operands) {
      if (!operand.block || !is_inside(*operand.block)) continue;
      const Block* block = operand.block.get();
      const bool known = std::find(written.begin(), written.end(), block) != written.end();
      if (!known && !operand.is_output) return false;
      if (!known) written.push_back(block);
    }
  }
  return true;
}

void Recorder::replay() {
  for (Call& call : calls_)
    if (const char* error = call.run(cpu_, call.operands)) obstacle_ = error;
}

const char* Recorder::allocate(std::size_t bytes, void** memory) noexcept {
  return cpu_.allocate(bytes, memory);
}
void Recorder::deallocate(void* memory, std::size_t bytes) noexcept {
  cpu_.deallocate(memory, bytes);
}
const char* Recorder::read(const Block& from, std::size_t offset, void* to,
                           std::size_t bytes) noexcept {
  obstacle_ = "the host reads a value";
  return cpu_.read(from, offset, to, bytes);
}
const char* Recorder::write(const void* from, Block& to, std::size_t offset,
                            std::size_t bytes) noexcept {
  obstacle_ = "the host writes a value";
  return cpu_.write(from, to, offset, bytes);
}

const char* Recorder::fill(double value, Arg out) noexcept {
  return record("fill " + text_of(value), FillCall{value, out},
                [](Backend& on, const FillCall& c) { return on.fill(c.value, c.out); });
}
const char* Recorder::copy(Arg in, Arg out) noexcept {
  return record("copy", CopyCall{in, out},
                [](Backend& on, const CopyCall& c) { return on.copy(c.in, c.out); });
}
const char* Recorder::elementwise(const ElementwiseCall& call) noexcept {
  static const char* const parts[] = {"f", "d0", "d1", "d2"};
  std::string what = std::string(name_of(call.op)) + "." + parts[static_cast<int>(call.part)];
  what += " numbers";
  for (const double number : call.numbers) what += " " + text_of(number);
  what += " mask " + std::to_string(call.number_mask);
  return record(what, call,
                [](Backend& on, const ElementwiseCall& c) { return on.elementwise(c); });
}
const char* Recorder::reduce(const ReduceCall& call) noexcept {
  static const char* const kinds[] = {"sum", "prod", "mean",   "var",
                                      "max", "min",  "argmax", "argmin"};
  return record(std::string(kinds[static_cast<int>(call.kind)]) + " dims " +
                    std::to_string(call.dims) + " correction " + text_of(call.correction),
                call, [](Backend& on, const ReduceCall& c) { return on.reduce(c); });
}
const char* Recorder::scan(const ScanCall& call) noexcept {
  return record("scan", call, [](Backend& on, const ScanCall& c) { return on.scan(c); });
}

const char* Recorder::sort(const SortCall& call) noexcept {
  return record("sort", call, [](Backend& on, const SortCall& c) { return on.sort(c); });
}

const char* Recorder::linalg(const LinalgCall& call) noexcept {
  return record("linalg", call, [](Backend& on, const LinalgCall& c) { return on.linalg(c); });
}

const char* Recorder::mse(const MseCall& call) noexcept {
  return record(call.mean ? "mse mean" : "mse sum", call,
                [](Backend& on, const MseCall& c) { return on.mse(c); });
}
const char* Recorder::matmul(const MatmulCall& call) noexcept {
  return record("matmul alpha " + text_of(call.alpha) + " beta " + text_of(call.beta), call,
                [](Backend& on, const MatmulCall& c) { return on.matmul(c); });
}
const char* Recorder::softmax(const SoftmaxCall& call) noexcept {
  return record(
      std::string(call.log ? "log_softmax" : "softmax") + (call.backward ? " backward" : ""), call,
      [](Backend& on, const SoftmaxCall& c) { return on.softmax(c); });
}
const char* Recorder::index(const IndexCall& call) noexcept {
  static const char* const kinds[] = {"gather", "scatter", "scatter_add"};
  return record(
      std::string(kinds[static_cast<int>(call.kind)]) + " dim " + std::to_string(call.dim), call,
      [](Backend& on, const IndexCall& c) { return on.index(c); });
}
const char* Recorder::random(const RandomCall& call) noexcept {
  static const char* const kinds[] = {"uniform", "normal", "integers"};
  return record(std::string(kinds[static_cast<int>(call.kind)]) + " stream " +
                    std::to_string(call.stream) + " " + text_of(call.a) + " " + text_of(call.b),
                call, [](Backend& on, const RandomCall& c) { return on.random(c); });
}
const char* Recorder::accumulate(const AccumulateCall& call) noexcept {
  return record("accumulate weight " + text_of(call.weight), call,
                [](Backend& on, const AccumulateCall& c) { return on.accumulate(c); });
}
const char* Recorder::optimizer(const OptimizerCall& call) noexcept {
  return record("optimizer rule " + std::to_string(static_cast<int>(call.rule)),
                OptimizerStep{call.rule, call.numbers, {call.spans, call.spans + call.count}},
                [](Backend& on, const OptimizerStep& c) {
                  const auto count = static_cast<int64_t>(c.spans.size());
                  return on.optimizer({c.rule, c.numbers, c.spans.data(), count});
                });
}

}  // namespace levin
