// Elementwise functions of 100 and of 1e6 numbers, and broadcast, transposed and 16-bit operands.
#include <levin/autograd/ops.h>

#include <map>

#include "functions_by_hand.h"
#include "workload.h"

namespace {

using namespace levin;

struct Numbers {
  Tensor x, z, y;  // y: room for the results by hand
};

const Numbers& numbers(int64_t n) {
  static std::map<int64_t, Numbers> made;
  const auto [at, is_new] = made.try_emplace(n);
  if (is_new) at->second = {randn({n}), randn({n}), zeros({n})};
  return at->second;
}

constexpr std::pair<const char*, int64_t> kSizes[] = {{"_100", 100}, {"_1e6", 1000000}};

Threads threads_for(int64_t n) { return n < 1000000 ? Threads::one : Threads::one_and_two; }

using Function = Tensor (*)(const Numbers&);
using ByHand = void (*)(const Numbers&, int64_t n);

// Where the results differ by more than rounding, the figures say nothing.
void add_by_hand_of(const std::string& workload, int64_t n, Function function, ByHand by_hand) {
  const auto run = [=](benchmark::State& state) {
    const Numbers& all = numbers(n);
    by_hand(all, n);
    if ((all.y - function(all)).abs().max().item() > 1e-4)
      return state.SkipWithError("the results differ from those by hand");
    measure(state, [&] { by_hand(all, n); });
  };
  add_workload(workload + "/by_hand", run, threads_for(n));
}

void add_function(const std::string& name, Function function, ByHand by_hand = nullptr) {
  for (const auto& [size, n] : kSizes) {
    const auto make = [function, n = n] {
      return [function, &all = numbers(n)] { return function(all); };
    };
    add_eager_and_captured(name + size, make, threads_for(n));
    if (by_hand) add_by_hand_of(name + size, n, function, by_hand);
  }
}

// x + z of [1000, 1000].
void add_operands(const std::string& name, const Shape& z_shape, DType dtype = kFloat32,
                  bool transposed = false) {
  add_eager_and_captured(name + "_1e6", [=] {
    const Tensor z = randn(z_shape).to(dtype);
    return [x = randn({1000, 1000}).to(dtype), z = transposed ? z.t() : z] { return x + z; };
  });
}

float* at(const Tensor& x) { return x.data<float>(); }

const bool added = [] {
  using N = const Numbers&;
  add_function(
      "exp", [](N a) { return exp(a.x); },
      [](N a, int64_t n) { exp_by_hand(at(a.x), at(a.y), n); });
  add_function(
      "tanh", [](N a) { return tanh(a.x); },
      [](N a, int64_t n) { tanh_by_hand(at(a.x), at(a.y), n); });
  add_function(
      "gelu", [](N a) { return gelu(a.x); },
      [](N a, int64_t n) { gelu_by_hand(at(a.x), at(a.y), n); });
  add_function(
      "add", [](N a) { return a.x + a.z; },
      [](N a, int64_t n) { add_by_hand(at(a.x), at(a.z), at(a.y), n); });
  add_function("log1p", [](N a) { return log1p(a.x); });
  add_function("sigmoid", [](N a) { return sigmoid(a.x); });
  add_function("sin", [](N a) { return sin(a.x); });
  add_function("erf", [](N a) { return erf(a.x); });
  add_function("relu", [](N a) { return relu(a.x); });
  add_operands("add_row", {1000});
  add_operands("add_column", {1000, 1});
  add_operands("add_transposed", {1000, 1000}, kFloat32, true);
  add_operands("add_bfloat16", {1000, 1000}, kBFloat16);
  return true;
}();

}  // namespace
