// Rows and columns at memory speed: sums, softmax with cross entropy, layer norm and mean squared
// error, each beside the loop that a person would write for it.
#include <levin/autograd/losses.h>
#include <levin/autograd/ops.h>
#include <levin/kernels/pool.h>
#include <levin/nn/layer_norm.h>

#include <cmath>
#include <functional>
#include <string>

#include "rows_by_hand.h"
#include "workload.h"

namespace {

using namespace levin;

constexpr int64_t kRows = 4096, kColumns = 1024, kClasses = 1000;

void add_benchmark(const std::string& name, std::function<void(benchmark::State&)> run) {
  add_workload(name, run, Threads::one_and_two);
}

template <class Step>
void time_step(benchmark::State& state, Step step) {
  measure(state, [&] { benchmark::DoNotOptimize(step()); });
}

// By hand the work is cut in as many parts as there are threads.
template <class Part>
int in_parts(int64_t count, Part part) {
  parallel_for(count, (count + num_threads() - 1) / num_threads(), part);
  return 0;
}

float* data(const Tensor& t) { return t.data<float>(); }

void add_sums() {
  const auto x = randn({kRows, kColumns});
  const auto out = empty({kRows});
  const auto levin = [=](const char* name, const Shape& dims) {
    add_benchmark(name, [=](auto& state) { time_step(state, [&] { return x.sum(dims); }); });
  };
  levin("sum_axis0_4096x1024/levin", {0});
  levin("sum_axis1_4096x1024/levin", {1});
  levin("sum_all_4096x1024/levin", {});
  add_benchmark("sum_axis0_4096x1024/by_hand", [=](auto& state) {
    time_step(state, [&] {
      return in_parts(kColumns, [&](int64_t begin, int64_t end) {
        by_hand::sum_columns(data(x) + begin, kRows, kColumns, end - begin, data(out) + begin);
      });
    });
  });
  const auto rows_by_hand = [=](const char* name, int64_t rows, int64_t n) {
    add_benchmark(name, [=](auto& state) {
      time_step(state, [&] {
        return in_parts(rows, [&](int64_t begin, int64_t end) {
          by_hand::sum_rows(data(x) + begin * n, end - begin, n, data(out) + begin);
        });
      });
    });
  };
  rows_by_hand("sum_axis1_4096x1024/by_hand", kRows, kColumns);
  rows_by_hand("sum_all_4096x1024/by_hand", 2, kRows * kColumns / 2);
  const auto few = randn({100}), matrix = randn({10, 10});
  add_benchmark("mean_of_100/levin",
                [=](auto& state) { time_step(state, [&] { return few.mean(); }); });
  add_benchmark("sum_axis0_10x10/levin",
                [=](auto& state) { time_step(state, [&] { return matrix.sum({0}); }); });
}

void add_cross_entropy() {
  const auto x = randn({kRows, kClasses}), slopes = empty({kRows, kClasses});
  const auto target = randint(0, kClasses, {kRows});
  const auto losses = empty({2});
  const auto by_hand = [=](float* to) {
    return in_parts(kRows, [&](int64_t begin, int64_t end) {
      data(losses)[begin != 0] = by_hand::cross_entropy(
          data(x) + begin * kClasses, target.data<int64_t>() + begin, end - begin, kClasses,
          1.0f / kRows, to ? to + begin * kClasses : nullptr);
    });
  };
  add_benchmark("softmax_cross_entropy_4096x1000_forward/levin",
                [=](auto& state) { time_step(state, [&] { return cross_entropy(x, target); }); });
  add_benchmark("softmax_cross_entropy_4096x1000_forward/by_hand",
                [=](auto& state) { time_step(state, [&] { return by_hand(nullptr); }); });
  add_benchmark("softmax_cross_entropy_4096x1000_forward_backward/levin", [=](auto& state) {
    const Tensor leaf = x.clone().requires_grad_();
    time_step(state, [&] {
      leaf.zero_grad();
      const Tensor loss = cross_entropy(leaf, target);
      loss.backward();
      return loss;
    });
  });
  add_benchmark("softmax_cross_entropy_4096x1000_forward_backward/by_hand",
                [=](auto& state) { time_step(state, [&] { return by_hand(data(slopes)); }); });
}

void add_layer_norm() {
  const auto x = randn({kRows, kColumns}), g = randn({kRows, kColumns}), y = empty_like(x),
             dx = empty_like(x);
  const auto weight = rand({kColumns}), bias = rand({kColumns}), kept = empty({2, kRows});
  const auto sums = empty({2, 2, kColumns});
  const auto forward = [=](int64_t begin, int64_t end) {
    by_hand::layer_norm(data(x) + begin * kColumns, data(weight), data(bias), end - begin, kColumns,
                        data(kept) + begin, data(kept) + kRows + begin, data(y) + begin * kColumns);
  };
  const auto backward = [=](int64_t begin, int64_t end) {
    float* own = data(sums) + (begin != 0) * 2 * kColumns;
    std::fill(own, own + 2 * kColumns, 0.0f);
    by_hand::layer_norm_backward(data(x) + begin * kColumns, data(weight), data(kept) + begin,
                                 data(kept) + kRows + begin, data(g) + begin * kColumns,
                                 end - begin, kColumns, data(dx) + begin * kColumns, own,
                                 own + kColumns);
  };
  add_benchmark("layer_norm_4096x1024_forward/levin", [=](auto& state) {
    const nn::LayerNorm norm(Shape{kColumns});
    const NoGrad no_grad;
    time_step(state, [&] { return layer_norm(x, {kColumns}, norm.weight, norm.bias); });
  });
  add_benchmark("layer_norm_4096x1024_forward/by_hand",
                [=](auto& state) { time_step(state, [&] { return in_parts(kRows, forward); }); });
  add_benchmark("layer_norm_4096x1024_forward_backward/levin", [=](auto& state) {
    const nn::LayerNorm norm(Shape{kColumns});
    const Tensor leaf = x.clone().requires_grad_();
    time_step(state, [&] {
      for (const Tensor& t : {leaf, norm.weight, norm.bias}) t.zero_grad();
      const Tensor out = layer_norm(leaf, {kColumns}, norm.weight, norm.bias);
      out.backward(g);
      return out;
    });
  });
  add_benchmark("layer_norm_4096x1024_forward_backward/by_hand", [=](auto& state) {
    time_step(state, [&] { return in_parts(kRows, forward) + in_parts(kRows, backward); });
  });
}

void add_mse(int64_t n) {
  const std::string name = "mse_" + std::to_string(n) + "_forward_backward/";
  const auto x = randn({n}), target = randn({n}), slope = empty({n});
  add_benchmark(name + "levin", [=](auto& state) {
    const Tensor leaf = x.clone().requires_grad_();
    time_step(state, [&] {
      leaf.zero_grad();
      const Tensor loss = mse_loss(leaf, target);
      loss.backward();
      return loss;
    });
  });
  add_benchmark(name + "by_hand", [=](auto& state) {
    time_step(state, [&] {
      const float loss = by_hand::mse(data(x), data(target), n);
      by_hand::mse_backward(data(x), data(target), 2.0f / static_cast<float>(n), n, data(slope));
      return loss;
    });
  });
}

[[maybe_unused]] const bool added = [] {
  add_sums();
  add_cross_entropy();
  add_layer_norm();
  add_mse(100);
  add_mse(1'000'000);
  return true;
}();

}  // namespace
