// Rows and columns at memory speed: sums, softmax with cross entropy, layer norm, mean squared
// error, and Adam's step, each beside the loop that a person would write for it.
#include <levin/autograd/losses.h>
#include <levin/autograd/ops.h>
#include <levin/kernels/pool.h>
#include <levin/nn/layer_norm.h>
#include <levin/optim/adam.h>

#include <cmath>

#include "allocations.h"
#include "rows_by_hand.h"

namespace {

using namespace levin;

constexpr int64_t kRows = 4096, kColumns = 1024, kClasses = 1000;

// One or two threads while it lives.
class Threads {
 public:
  explicit Threads(int count) : before_(num_threads()) { set_num_threads(count); }
  ~Threads() { set_num_threads(before_); }

 private:
  int before_;
};

// NAME and NAME/2: with one thread and with two.
void add_benchmark(const std::string& name, std::function<void(benchmark::State&)> run) {
  for (const int threads : {1, 2})
    benchmark::RegisterBenchmark((threads == 1 ? name : name + "/2").c_str(),
                                 [run, threads](benchmark::State& state) {
                                   const Threads set(threads);
                                   run(state);
                                 })
        ->UseRealTime();
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

// W3's parameters: three layers of 1024 x 1024, one of 10 x 1024, and biases.
void add_adam() {
  std::vector<Tensor> parameters;
  for (const int64_t out : {1024, 1024, 1024, 10}) {
    parameters.push_back(randn({out, 1024}).requires_grad_());
    parameters.push_back(randn({out}).requires_grad_());
  }
  for (const Tensor& p : parameters) (p * 0.5).sum().backward();
  add_benchmark("adam_w3/levin", [=](auto& state) {
    optim::Adam adam(parameters, {.lr = 1e-3});
    time_step(state, [&] {
      adam.step();
      return 0;
    });
  });
  add_benchmark("adam_w3/by_hand", [=](auto& state) {
    struct Own {
      Tensor p, g, m, v;
    };
    std::vector<Own> own;
    for (const Tensor& p : parameters)
      own.push_back({p.detach().clone(), p.grad().clone(), zeros_like(p), zeros_like(p)});
    double t = 0;
    time_step(state, [&] {
      t += 1;
      const auto corrected = [t](double beta) { return 1 - std::pow(beta, t); };
      const by_hand::Adam rule{0.9f, 0.999f, 1e-8f, static_cast<float>(1e-3 / corrected(0.9)),
                               static_cast<float>(1 / std::sqrt(corrected(0.999)))};
      for (const Own& o : own)
        in_parts(o.p.numel(), [&](int64_t begin, int64_t end) {
          by_hand::adam(rule, data(o.g) + begin, end - begin, data(o.p) + begin, data(o.m) + begin,
                        data(o.v) + begin);
        });
      return 0;
    });
  });
}

[[maybe_unused]] const bool added = [] {
  add_sums();
  add_cross_entropy();
  add_layer_norm();
  add_mse(100);
  add_mse(1'000'000);
  add_adam();
  return true;
}();

}  // namespace
