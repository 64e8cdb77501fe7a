// The workloads in LibTorch, PyTorch's C++ library (NAME/libtorch). Requests and answers are those of
// serve.py.
#include <torch/torch.h>

#include <chrono>
#include <ctime>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>

namespace {

using torch::Tensor;
using Step = std::function<void()>;

// A step, and how many operations it stands for.
struct Work {
  Step step;
  double operations = 1;
};
using Makers = std::map<std::string, std::function<Work()>>;

double seconds_of(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// As samples_of in serve.py.
std::vector<double> samples_of(const Step& step, double seconds, int count, clockid_t clock) {
  const auto run = [&](int64_t steps) {
    const double begin = seconds_of(clock);
    for (int64_t i = 0; i < steps; ++i) step();
    return seconds_of(clock) - begin;
  };
  run(2);
  int64_t steps = 1;
  for (double took; (took = run(steps)) < seconds / 2;)
    steps = std::max(2 * steps, static_cast<int64_t>(static_cast<double>(steps) *
                                                     std::min(100.0, seconds / (took + 1e-9))));
  std::vector<double> samples;
  for (int i = 0; i < count; ++i) samples.push_back(run(steps) / static_cast<double>(steps));
  return samples;
}

Work seed_step(bool as_written) {
  const Tensor x = torch::rand({10, 5}), gt = torch::rand({10, 10});
  torch::nn::Linear model(5, 10);
  auto optimizer = std::make_shared<torch::optim::SGD>(model->parameters(), 0.01);
  return {[=]() mutable {
    optimizer->zero_grad();
    const Tensor y = model(x);
    const Tensor loss = as_written ? (y - gt).pow(2).mean() : torch::mse_loss(y, gt);
    if (as_written) {
      torch::NoGradGuard no_grad;
      const Tensor l1 = (y - gt).abs().mean();
      const Tensor accuracy_like = ((y > 0.5) == (gt > 0.5)).to(torch::kFloat32).mean();
    }
    loss.backward();
    optimizer->step();
  }};
}

template <class Optimizer, class Options>
Work mlp(const std::vector<int64_t>& widths, int64_t batch, const Options& options,
         torch::ScalarType dtype) {
  torch::nn::Sequential model;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    if (i > 0) model->push_back(torch::nn::ReLU());
    model->push_back(torch::nn::Linear(widths[i], widths[i + 1]));
  }
  model->to(dtype);
  const Tensor x = torch::randn({batch, widths.front()}, dtype);
  const Tensor target = torch::randint(widths.back(), {batch}, torch::kInt64);
  auto optimizer = std::make_shared<Optimizer>(model->parameters(), options);
  return {[=]() mutable {
    optimizer->zero_grad();
    torch::nn::functional::cross_entropy(model->forward(x), target).backward();
    optimizer->step();
  }};
}

Work adam() {
  std::vector<Tensor> parameters;
  for (const auto& size : std::vector<std::vector<int64_t>>{
           {1024, 1024}, {1024}, {1024, 1024}, {1024}, {1024, 1024}, {1024}, {10, 1024}, {10}}) {
    parameters.push_back(torch::randn(size).requires_grad_());
    parameters.back().mutable_grad() = torch::randn(size);
  }
  auto optimizer = std::make_shared<torch::optim::Adam>(parameters, 1e-3);
  return {[=] { optimizer->step(); }};
}

Work chain(int64_t n, bool backward) {
  std::vector<Tensor> in;
  for (int i = 0; i < 4; ++i) in.push_back(torch::randn({n}).requires_grad_(backward));
  return {[=]() mutable {
    for (Tensor& x : in) x.mutable_grad().reset();
    const Tensor sum = (torch::relu(in[0] * in[1] + in[2]) * in[3]).sum();
    if (backward) sum.backward();
  }};
}

constexpr int kOperations = 1000;

Tensor sum_of_many(const Tensor& start, const Tensor& number) {
  Tensor y = start;
  for (int i = 0; i < kOperations; ++i) y = y + number;
  return y;
}

// function(x), with the gradients of x and of what else it reads where `backward`.
Work of_input(const std::vector<int64_t>& shape, bool backward,
              const std::function<Tensor(const Tensor&)>& function) {
  const Tensor x = torch::randn(shape).requires_grad_(backward);
  return {[=] {
    x.mutable_grad().reset();
    const Tensor y = function(x);
    if (backward) y.backward();
  }};
}

Work layer_norm(bool backward) {
  const Tensor slope = torch::randn({4096, 1024});
  std::vector<Tensor> in = {torch::randn({4096, 1024}), torch::ones({1024}), torch::zeros({1024})};
  for (Tensor& x : in) x.requires_grad_(backward);
  return {[=]() mutable {
    for (Tensor& x : in) x.mutable_grad().reset();
    const Tensor y = torch::layer_norm(in[0], {1024}, in[1], in[2]);
    if (backward) y.backward(slope);
  }};
}

void add_small(Makers* makers) {
  (*makers)["seed_step"] = [] { return seed_step(false); };
  (*makers)["seed_step_as_written"] = [] { return seed_step(true); };
  (*makers)["add"] = [] {
    return Work{[a = torch::rand({1}), b = torch::rand({1})] { const Tensor c = a + b; }};
  };
  (*makers)["add_recorded"] = [] {
    return Work{
        [a = torch::rand({1}).requires_grad_(), b = torch::rand({1})] { sum_of_many(a, b); },
        kOperations};
  };
  for (const auto& [size, n] : {std::pair{"1e3", 1000}, {"1e6", 1000000}, {"1e7", 10000000}}) {
    (*makers)[std::string("chain_forward_") + size] = [n = n] { return chain(n, false); };
    (*makers)[std::string("chain_forward_backward_") + size] = [n = n] { return chain(n, true); };
  }
}

void add_mlps(Makers* makers) {
  using namespace torch::optim;
  for (const auto& [suffix, dtype] : {std::pair{"", torch::kFloat32}, {"_f64", torch::kFloat64}}) {
    (*makers)[std::string("mlp_784_128_10") + suffix] = [dtype = dtype] {
      return mlp<SGD>({784, 128, 10}, 64, SGDOptions(0.01).momentum(0.9), dtype);
    };
    (*makers)[std::string("mlp_1024x3_10") + suffix] = [dtype = dtype] {
      return mlp<Adam>({1024, 1024, 1024, 1024, 10}, 256, AdamOptions(1e-3), dtype);
    };
  }
  (*makers)["adam"] = adam;
}

void add_kernels(Makers* makers) {
  for (const int64_t n : {4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048})
    for (const auto& [letter, dtype] : {std::pair{"s", torch::kFloat32}, {"d", torch::kFloat64}})
      (*makers)[letter + ("gemm_" + std::to_string(n))] = [n, dtype = dtype] {
        const Tensor a = torch::randn({n, n}, dtype), b = torch::randn({n, n}, dtype);
        Tensor c = torch::empty({n, n}, dtype);
        return Work{[=]() mutable { torch::mm_out(c, a, b); }};
      };
  for (const bool backward : {false, true}) {
    const std::string suffix = backward ? "forward_backward" : "forward";
    (*makers)["softmax_cross_entropy_4096x1000_" + suffix] = [backward] {
      const Tensor target = torch::randint(1000, {4096}, torch::kInt64);
      return of_input({4096, 1000}, backward, [target](const Tensor& x) {
        return torch::nn::functional::cross_entropy(x, target);
      });
    };
    (*makers)["layer_norm_4096x1024_" + suffix] = [backward] { return layer_norm(backward); };
  }
  const auto add = [&](const char* name, const std::vector<int64_t>& shape,
                       const std::function<Tensor(const Tensor&)>& function) {
    (*makers)[name] = [=] { return of_input(shape, false, function); };
  };
  add("sum_axis0_4096x1024", {4096, 1024}, [](const Tensor& x) { return x.sum(0); });
  add("sum_axis1_4096x1024", {4096, 1024}, [](const Tensor& x) { return x.sum(1); });
  add("sum_all_4096x1024", {4096, 1024}, [](const Tensor& x) { return x.sum(); });
  add("exp_1e6", {1000000}, [](const Tensor& x) { return x.exp(); });
  add("tanh_1e6", {1000000}, [](const Tensor& x) { return x.tanh(); });
  add("gelu_1e6", {1000000}, [](const Tensor& x) { return torch::gelu(x); });
}

// Its backward is timed by itself.
std::vector<double> samples_of_add_backward(int count, clockid_t clock) {
  const Tensor start = torch::rand({1}).requires_grad_(), number = torch::rand({1});
  std::vector<double> samples;
  for (int i = 0; i < count; ++i) {
    double took = 0;
    constexpr int kChains = 10;
    for (int j = 0; j < kChains; ++j) {
      const Tensor y = sum_of_many(start, number);
      const double begin = seconds_of(clock);
      y.backward();
      took += seconds_of(clock) - begin;
    }
    samples.push_back(took / (kChains * kOperations));
  }
  return samples;
}

void serve(const Makers& makers, clockid_t clock) {
  std::map<std::string, Work> made;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string name;
    double seconds = 0;
    int count = 0;
    words >> name >> seconds >> count;
    name = name.substr(0, name.find('/'));
    std::ostringstream answer;
    if (name == "list") {
      for (const auto& maker : makers) answer << maker.first << "/libtorch ";
      answer << "add_backward/libtorch";
    } else {
      if (name != "add_backward" && !made.count(name)) made[name] = makers.at(name)();
      std::vector<double> samples = name == "add_backward"
                                        ? samples_of_add_backward(count, clock)
                                        : samples_of(made[name].step, seconds, count, clock);
      for (const double sample : samples)
        answer << ' ' << sample / (name == "add_backward" ? 1 : made[name].operations);
    }
    std::cout << answer.str() << std::endl;
  }
}

}  // namespace

// `libtorch THREADS` serves; `libtorch THREADS NAME` runs ten steps of one workload and ends.
// `libtorch startup` makes one tensor, as bench/startup.cpp does.
int main(int count, char** words) {
  if (count > 1 && std::string(words[1]) == "startup")
    return (torch::ones({2}) + 1).sum().item<double>() == 4 ? 0 : 1;
  const int threads = count > 1 ? std::atoi(words[1]) : 1;
  torch::set_num_threads(threads);
  Makers makers;
  add_small(&makers);
  add_mlps(&makers);
  add_kernels(&makers);
  if (count <= 2) {
    serve(makers, threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC);
    return 0;
  }
  const std::string name = words[2];
  const Work work = makers.at(name.substr(0, name.find('/')))();
  for (int i = 0; i < 10; ++i) work.step();
}
