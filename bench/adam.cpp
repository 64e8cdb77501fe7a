// Adam alone, over the parameters of W3's network.
#include <levin/autograd/ops.h>
#include <levin/optim/adam.h>
#include <levin/tensor/factories.h>

#include "adam_by_hand.h"
#include "workload.h"

namespace {

using namespace levin;

constexpr double kRate = 1e-3;

struct Update {
  std::vector<Tensor> parameters, copies, gradients, means, squares;
  optim::Adam optimizer;
  int step = 0;

  Update() : parameters(make_parameters()), optimizer(parameters, {.lr = kRate}) {
    for (const Tensor& p : parameters) {
      copies.push_back(p.detach().clone());
      gradients.push_back(randn(p.shape()));
      p.set_grad(gradients.back());
      means.push_back(zeros(p.shape())), squares.push_back(zeros(p.shape()));
    }
  }

  static std::vector<Tensor> make_parameters() {
    std::vector<Tensor> made;
    for (const Shape& shape : {Shape{1024, 1024}, Shape{1024}, Shape{1024, 1024}, Shape{1024},
                               Shape{1024, 1024}, Shape{1024}, Shape{10, 1024}, Shape{10}})
      made.push_back(randn(shape).requires_grad_());
    return made;
  }

  void by_hand() {
    ++step;
    const auto at = [](const Tensor& x) { return x.data<float>(); };
    for (std::size_t i = 0; i < copies.size(); ++i)
      adam_by_hand(at(copies[i]), at(gradients[i]), at(means[i]), at(squares[i]), copies[i].numel(),
                   float(kRate), step);
  }

  // Both must do the same work, or the figures say nothing.
  bool same_results() {
    for (int i = 0; i < 3; ++i) optimizer.step(), by_hand();
    for (std::size_t i = 0; i < copies.size(); ++i)
      if ((parameters[i].detach() - copies[i]).abs().max().item() > 1e-6) return false;
    return true;
  }
};

Update* checked() {
  static Update update;
  static const bool same = update.same_results();
  return same ? &update : nullptr;
}

// measure_step(state, update) times a step.
template <class MeasureStep>
void add(const std::string& name, MeasureStep measure_step) {
  const auto run = [measure_step](benchmark::State& state) {
    Update* const update = checked();
    if (!update) return state.SkipWithError("the results differ from those by hand");
    measure_step(state, *update);
  };
  add_workload(name, run, Threads::one_and_two);
}

const bool added = [] {
  add("adam/levin", [](benchmark::State& state, Update& update) {
    measure(state, [&] { update.optimizer.step(); });
  });
  add("adam/captured", [](benchmark::State& state, Update& update) {
    CapturedStep captured;
    measure_captured(state, captured, [&] { captured.run({}, [&] { update.optimizer.step(); }); });
  });
  add("adam/by_hand",
      [](benchmark::State& state, Update& update) { measure(state, [&] { update.by_hand(); }); });
  return true;
}();

}  // namespace
