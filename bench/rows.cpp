// W6: rows and columns at memory speed: sums, softmax with cross entropy, layer norm and mean squared
// error, each beside the loop that a person would write for it.
#include <levin/autograd/losses.h>
#include <levin/autograd/ops.h>

#include <algorithm>
#include <memory>
#include <string>

#include "rows_by_hand.h"
#include "workload.h"

namespace {

using namespace levin;

constexpr int64_t kRows = 4096, kColumns = 1024, kClasses = 1000;

float* at(const Tensor& x) { return x.data<float>(); }

bool alike(const Tensor& a, const Tensor& b, double tolerance = 1e-4) {
  return (a - b).abs().max().item() <= tolerance * std::max(1.0, b.abs().max().item());
}

// By hand the work is cut in as many parts as there are threads; part(begin, end, which).
template <class Part>
void in_parts(int64_t count, Part part) {
  const int64_t grain = (count + num_threads() - 1) / num_threads();
  parallel_for(count, grain,
               [&](int64_t begin, int64_t end) { part(begin, end, begin == 0 ? 0 : 1); });
}

// Each piece of work has levin(), by_hand() and same(): do both give the same results?

struct Sum {
  Shape dims;  // {0}, {1}; none: all
  Tensor x = randn({kRows, kColumns});
  Tensor sums = zeros(dims.empty() ? Shape{2} : Shape{dims[0] == 0 ? kColumns : kRows});

  Tensor levin() { return x.sum(dims); }

  float by_hand() {
    if (!dims.empty() && dims[0] == 0)
      in_parts(kColumns, [&](int64_t begin, int64_t end, int) {
        by_hand::sum_columns(at(x) + begin, kRows, kColumns, end - begin, at(sums) + begin);
      });
    else
      in_parts(sums.numel(), [&](int64_t begin, int64_t end, int) {
        const int64_t n = x.numel() / sums.numel();
        by_hand::sum_rows(at(x) + begin * n, end - begin, n, at(sums) + begin);
      });
    return at(sums)[0] + at(sums)[1];
  }

  bool same() {
    const Tensor expected = levin();
    const float first_two = by_hand();
    if (dims.empty()) return near(first_two, expected.item(), 0.1);
    return alike(sums, expected);
  }
};

struct CrossEntropy {
  bool backward;
  Tensor x = randn({kRows, kClasses}).requires_grad_(backward);
  Tensor target = randint(0, kClasses, {kRows});
  Tensor slopes = zeros({kRows, kClasses});

  Tensor levin() {
    x.zero_grad();
    const Tensor loss = cross_entropy(x, target);
    if (backward) loss.backward();
    return loss;
  }

  float by_hand() {
    float losses[2] = {};
    const float* const in = x.const_data<float>();
    in_parts(kRows, [&](int64_t begin, int64_t end, int part) {
      losses[part] = by_hand::cross_entropy(
          in + begin * kClasses, target.const_data<int64_t>() + begin, end - begin, kClasses,
          1.0f / kRows, backward ? at(slopes) + begin * kClasses : nullptr);
    });
    return (losses[0] + losses[1]) / kRows;
  }

  bool same() {
    const double expected = levin().item();
    return near(by_hand(), expected, 1e-4) && (!backward || alike(slopes, x.grad(), 1e-7));
  }
};

struct LayerNorm {
  bool backward;
  Tensor x = randn({kRows, kColumns}).requires_grad_(backward);
  Tensor weight = rand({kColumns}).requires_grad_(backward);
  Tensor bias = rand({kColumns}).requires_grad_(backward);
  Tensor g = randn({kRows, kColumns});
  // By hand: results, means and scales of rows, slopes; each thread sums its own weight's and bias's.
  Tensor y = zeros({kRows, kColumns}), kept = zeros({2, kRows}), dx = zeros({kRows, kColumns});
  Tensor sums = zeros({2, 2, kColumns});

  Tensor levin() {
    for (const Tensor& t : {x, weight, bias}) t.zero_grad();
    const Tensor out = layer_norm(x, {kColumns}, weight, bias);
    if (backward) out.backward(g);
    return out;
  }

  float by_hand() {
    const float *in = x.const_data<float>(), *w = weight.const_data<float>();
    float *means = at(kept), *scales = means + kRows;
    in_parts(kRows, [&](int64_t begin, int64_t end, int) {
      by_hand::layer_norm(in + begin * kColumns, w, bias.const_data<float>(), end - begin, kColumns,
                          means + begin, scales + begin, at(y) + begin * kColumns);
    });
    if (!backward) return at(y)[0];
    std::fill_n(at(sums), sums.numel(), 0.0f);
    in_parts(kRows, [&](int64_t begin, int64_t end, int part) {
      float* const own = at(sums) + part * 2 * kColumns;
      by_hand::layer_norm_backward(in + begin * kColumns, w, means + begin, scales + begin,
                                   at(g) + begin * kColumns, end - begin, kColumns,
                                   at(dx) + begin * kColumns, own, own + kColumns);
    });
    if (num_threads() > 1)
      for (int64_t i = 0; i < 2 * kColumns; ++i) at(sums)[i] += at(sums)[2 * kColumns + i];
    return at(sums)[0];
  }

  bool same() {
    const Tensor expected = levin();
    by_hand();
    if (!alike(y, expected.detach())) return false;
    return !backward || (alike(dx, x.grad()) && alike(sums[0][0], weight.grad()) &&
                         alike(sums[0][1], bias.grad()));
  }
};

struct Mse {
  int64_t n;
  Tensor x = randn({n}).requires_grad_(), target = randn({n}), slope = zeros({n});

  Tensor levin() {
    x.zero_grad();
    const Tensor loss = mse_loss(x, target);
    loss.backward();
    return loss;
  }

  float by_hand() {
    float sums[2] = {};
    const float *const in = x.const_data<float>(), *const to = target.const_data<float>();
    const float scale = 2.0f / static_cast<float>(n);
    in_parts(n, [&](int64_t begin, int64_t end, int part) {
      sums[part] = by_hand::mse(in + begin, to + begin, end - begin);
      by_hand::mse_backward(in + begin, to + begin, scale, end - begin, at(slope) + begin);
    });
    return (sums[0] + sums[1]) / static_cast<float>(n);
  }

  bool same() {
    const double expected = levin().item();
    return near(by_hand(), expected, 1e-4) && alike(slope, x.grad(), 1e-7);
  }
};

// make() gives the work.
template <class Make>
void add(const std::string& workload, Make make, Threads threads = Threads::one_and_two) {
  const auto make_step = [make] {
    return [work = std::make_shared<decltype(make())>(make())] { return work->levin(); };
  };
  add_eager_and_captured(workload, make_step, threads);
  const auto checked = made_once([make] {
    auto work = std::make_unique<decltype(make())>(make());
    return work->same() ? std::move(work) : nullptr;
  });
  const auto by_hand = [checked](benchmark::State& state) {
    const auto& work = checked();
    if (!work) return state.SkipWithError("the results differ from those by hand");
    measure(state, [&] { benchmark::DoNotOptimize(work->by_hand()); });
  };
  add_workload(workload + "/by_hand", by_hand, threads);
}

const bool added = [] {
  add("sum_axis0_4096x1024", [] { return Sum{{0}}; });
  add("sum_axis1_4096x1024", [] { return Sum{{1}}; });
  add("sum_all_4096x1024", [] { return Sum{{}}; });
  for (const bool backward : {false, true}) {
    const std::string what = backward ? "_forward_backward" : "_forward";
    add("softmax_cross_entropy_4096x1000" + what, [=] { return CrossEntropy{backward}; });
    add("layer_norm_4096x1024" + what, [=] { return LayerNorm{backward}; });
  }
  add(
      "mse_100_forward_backward", [] { return Mse{100}; }, Threads::one);
  add("mse_1000000_forward_backward", [] { return Mse{1000000}; });
  add_eager_and_captured("mean_of_100", [] { return [x = randn({100})] { return x.mean(); }; });
  add_eager_and_captured("sum_axis0_10x10", [] {
    return [x = randn({10, 10})] { return x.sum({0}); };
  });
  return true;
}();

}  // namespace
