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
  int step = 0;

  Update() {
    for (const Shape& shape : {Shape{1024, 1024}, Shape{1024}, Shape{1024, 1024}, Shape{1024},
                               Shape{1024, 1024}, Shape{1024}, Shape{10, 1024}, Shape{10}}) {
      parameters.push_back(randn(shape).requires_grad_());
      copies.push_back(parameters.back().detach().clone());
      gradients.push_back(randn(shape));
      parameters.back().set_grad(gradients.back());
      means.push_back(zeros(shape)), squares.push_back(zeros(shape));
    }
  }

  void by_hand() {
    ++step;
    const auto at = [](const Tensor& x) { return x.data<float>(); };
    for (std::size_t i = 0; i < copies.size(); ++i)
      adam_by_hand(at(copies[i]), at(gradients[i]), at(means[i]), at(squares[i]), copies[i].numel(),
                   float(kRate), step);
  }
};

// Both must do the same work, or the figures say nothing.
bool same_results() {
  Update update;
  optim::Adam optimizer(update.parameters, {.lr = kRate});
  for (int i = 0; i < 3; ++i) optimizer.step(), update.by_hand();
  for (std::size_t i = 0; i < update.copies.size(); ++i)
    if ((update.parameters[i].detach() - update.copies[i]).abs().max().item() > 1e-6) return false;
  return true;
}

const bool added = [] {
  add_workload(
      "adam/levin",
      [](benchmark::State& state) {
        static const bool same = same_results();
        if (!same) return state.SkipWithError("the results differ from those by hand");
        Update update;
        optim::Adam optimizer(update.parameters, {.lr = kRate});
        measure(state, [&] { optimizer.step(); });
      },
      Threads::one_and_two);
  add_workload(
      "adam/by_hand",
      [](benchmark::State& state) {
        Update update;
        measure(state, [&] { update.by_hand(); });
      },
      Threads::one_and_two);
  return true;
}();

}  // namespace
