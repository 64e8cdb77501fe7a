// Optimizers, schedules, clipping and averages against PyTorch's (tests/reference/optim).
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "optim_cases.h"

namespace levin {
namespace {

struct Reference {
  Json json = reference_json("optimizers.json");
  SafetensorsFile file = load_safetensors(LEVIN_TEST_DIR "/reference/optim/optimizers.safetensors");

  Tensor tensor(const std::string& name) const {
    for (const auto& [own, tensor] : file.tensors)
      if (own == name) return tensor;
    throw std::runtime_error("the reference has no " + name);
  }
  Tensors start(DType dtype) const {
    Tensors parameters;
    for (const std::string name : json["start"])
      parameters.push_back(tensor(name).to(dtype).clone().requires_grad_());
    return parameters;
  }
  // Four gradients for each of 100 steps, which no parameter changes.
  std::vector<Tensors> gradients(DType dtype) const {
    std::vector<Tensors> steps(100);
    for (const std::string name : json["grads"]) {
      const Tensor all = tensor(name).to(dtype);
      for (int64_t step = 0; step < 100; ++step) steps[step].push_back(all[step].clone());
    }
    return steps;
  }
};

void set_gradients(const Tensors& parameters, const Tensors& gradients) {
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].set_grad(gradients[i].clone());
}

void expect_near(const Tensor& got, const Tensor& wanted, double tolerance,
                 const std::string& what) {
  const auto a = got.to_vector<double>(), b = wanted.to_vector<double>();
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_LE(std::fabs(a[i] - b[i]), tolerance * (1 + std::fabs(b[i]))) << what;
}

TEST(OptimReference, OptimizersFollowPyTorch) {
  const Reference reference;
  int compared = 0, cases = 0;
  for (const DType dtype : {kFloat64, kFloat32}) {
    const std::string type = name_of(dtype);
    const std::vector<Tensors> gradients = reference.gradients(dtype);
    for (const Json& one : reference.json["cases"]) {
      const Tensors parameters = reference.start(dtype);
      std::vector<CaseGroup> groups;
      for (const Json& group : one["groups"])
        groups.push_back({group["params"].get<std::vector<int>>(), group["lr"]});
      const optim::AnyOptimizer optimizer =
          make_optimizer(one["optimizer"], one["options"], parameters, groups);
      if (!optimizer) continue;
      ++cases;
      for (int step = 1; step <= 100; ++step) {
        set_gradients(parameters, gradients[step - 1]);
        optimizer->step();
        const auto kept = one[type].find(std::to_string(step));
        if (kept == one[type].end()) continue;
        for (std::size_t i = 0; i < parameters.size(); ++i, ++compared)
          expect_near(parameters[i], reference.tensor((*kept)[i]), one["tolerance"][type],
                      one["id"].get<std::string>() + " " + type + " step " + std::to_string(step));
      }
    }
  }
  EXPECT_EQ(cases, 2 * (7 + 5 + 4 + 3 + 3 + 2 + 4 + 2 + 2 + 2)) << "all but ASGD";
  EXPECT_EQ(compared, cases * 6 * 4);
  std::cout << compared << " parameters of " << cases << " trajectories as PyTorch's\n";
}

TEST(OptimReference, ClippingIsPyTorchs) {
  const Reference reference;
  const Tensors gradients = reference.gradients(kFloat64)[0];
  for (const Json& one : reference.json["clip"]) {
    const Tensors parameters = reference.start(kFloat64);
    set_gradients(parameters, gradients);
    const Json& options = one["options"];
    if (one["function"] == "clip_grad_norm_") {
      double norm_type = 2;
      if (options.contains("norm_type"))
        norm_type = options["norm_type"].is_string() ? INFINITY : double(options["norm_type"]);
      const Tensor norm = optim::clip_grad_norm_(parameters, options["max_norm"], norm_type);
      EXPECT_NEAR(norm.item<double>(), one["returns"], 1e-12);
    } else {
      optim::clip_grad_value_(parameters, options["clip_value"]);
    }
    for (std::size_t i = 0; i < parameters.size(); ++i)
      expect_near(parameters[i].grad(), reference.tensor(one["after"][i]), 1e-12, one.dump());
  }
}

TEST(OptimReference, AveragesArePyTorchs) {
  const Reference reference;
  const Tensor start = reference.tensor("start.0"), moves = reference.tensor("grads.0");
  for (const Json& one : reference.json["average"]) {
    const Tensor weight = start.clone().requires_grad_();
    optim::AveragedModelOptions options;
    if (one.contains("decay")) options.decay = one["decay"];
    optim::AveragedModel average({weight}, options);
    for (int t = 0; t < 20; ++t) {
      {
        const NoGrad no_grad;
        weight.copy_(start + moves[t] * t);
      }
      average.update_parameters();
      if (one["after_update"].contains(std::to_string(t)))
        expect_near(average.averages()[0], reference.tensor(one["after_update"][std::to_string(t)]),
                    1e-12, one["kind"]);
    }
    EXPECT_EQ(average.n_averaged(), 20);
  }
}

TEST(OptimReference, SchedulesArePyTorchs) {
  const Json reference = reference_json("schedulers.json");
  int compared = 0;
  for (const Json& one : reference["cases"]) {
    const Tensors p = {zeros({1}).requires_grad_(), zeros({1}).requires_grad_()};
    const optim::AnyOptimizer optimizer =
        make_optimizer("SGD", {{"momentum", 0.9}}, p, {{{0}, 0.1}, {{1}, 0.02}});
    const optim::AnyScheduler scheduler =
        make_scheduler(one["scheduler"], one["options"], optimizer);
    ASSERT_TRUE(static_cast<bool>(scheduler)) << one["id"];
    EXPECT_EQ(scheduler->type_name(), one["scheduler"]);
    for (int t = 0; t < 60; ++t, ++compared) {
      for (int group = 0; group < 2; ++group) {
        const double lr = one["lr"][t][group];
        ASSERT_NEAR(optimizer->lr(group), lr, 1e-12) << one["id"] << " at " << t;
        ASSERT_EQ(scheduler->get_last_lr()[group], optimizer->lr(group)) << one["id"];
        if (one.contains("momentum")) {
          const double momentum = one["momentum"][t][group];
          ASSERT_NEAR(*optimizer->momentum(group), momentum, 1e-12) << one["id"] << " at " << t;
        }
      }
      EXPECT_EQ(scheduler->last_epoch(), t) << one["id"];
      if (t < 59) scheduler->step(reference["metric"][t].get<double>());
    }
  }
  EXPECT_EQ(compared, 38 * 60);
}

}  // namespace
}  // namespace levin
