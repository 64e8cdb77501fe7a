#include <gtest/gtest.h>
#include <levin/autograd/node.h>
#include <levin/autograd/ops.h>
#include <pthread.h>

#include <functional>
#include <stdexcept>

namespace {

using namespace levin;

Tensor leaf(std::initializer_list<double> numbers) {
  return from_vector(std::vector<double>(numbers)).requires_grad_();
}

std::vector<double> numbers_of(const Tensor& x) { return x.to_vector<double>(); }

TEST(Engine, SecondBackwardIsRefusedBeforeAnythingIsAdded) {
  const Tensor x = leaf({2, 3});
  const Tensor shared = x * x;
  const Tensor loss = shared.sum();
  loss.backward();
  EXPECT_THROW(loss.backward(), std::logic_error);
  EXPECT_THROW((x + shared).sum().backward(), std::logic_error);
  EXPECT_EQ(numbers_of(x.grad()), (std::vector<double>{4, 6}));
}

TEST(Engine, RetainedGraphRunsAgain) {
  const Tensor x = leaf({2, 3});
  const Tensor loss = (x * x).sum();
  loss.backward({}, true);
  loss.backward();
  EXPECT_EQ(numbers_of(x.grad()), (std::vector<double>{8, 12}));
}

TEST(Engine, ErrorInAnOperationLeavesTheGraphUsable) {
  const Tensor x = leaf({2, 3});
  const Tensor square = x * x;
  bool broken = true;
  const Tensor same =
      record("same", square.detach(), {&square}, [&broken](const Tensor& g, Grads& grads) {
        if (broken) throw std::runtime_error("broken");
        grads.set(0, g);
      });
  const Tensor loss = (same + square).sum();
  EXPECT_THROW(loss.backward({}, true), std::runtime_error);
  broken = false;
  x.zero_grad();
  loss.backward();
  EXPECT_EQ(numbers_of(x.grad()), (std::vector<double>{8, 12}));
}

// y = tanh(x w) w + x, recomputed inside the derivative: a backward inside a backward.
Tensor layer(const Tensor& x, const Tensor& w) { return (x * w).tanh() * w + x; }

Tensor checkpointed(const Tensor& x, const Tensor& w) {
  const NoGrad no_grad;
  const Tensor y = layer(x, w);
  const EnableGrad enable_grad;
  return record("checkpointed", y, {&x, &w},
                [x = Saved(x), w = Saved(w)](const Tensor& g, Grads& grads) {
                  const EnableGrad enable_grad;
                  const Tensor a = x.tensor(grads).detach().requires_grad_();
                  const Tensor b = w.tensor(grads).detach().requires_grad_();
                  layer(a, b).backward(g);
                  grads.set(0, a.grad());
                  grads.set(1, b.grad());
                });
}

TEST(Engine, BackwardInsideBackward) {
  const auto gradients = [](Tensor (*step)(const Tensor&, const Tensor&)) {
    const Tensor x = leaf({0.1, -0.4}), w = leaf({0.7, 1.3});
    Tensor y = x;
    for (int i = 0; i < 4; ++i) y = step(y, w);
    (y * y).sum().backward();
    std::vector<double> both = numbers_of(x.grad());
    for (const double number : numbers_of(w.grad())) both.push_back(number);
    return both;
  };
  const std::vector<double> recomputed = gradients(checkpointed), kept = gradients(layer);
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_NEAR(recomputed[i], kept[i], 1e-12);
}

TEST(Engine, InnerRunThroughTheOuterGraphGivesItsStampsBack) {
  const Tensor x = leaf({2, 3}), w = leaf({5, 7});
  const Tensor side = (x * w).sum(), square = x * x;
  const Tensor y =
      record("outer", square.detach(), {&square}, [side, x](const Tensor& g, Grads& grads) {
        grads.set(0, g * grad({side}, {x}, {}, true)[0]);
      });
  (y.sum() + side).backward({}, true);
  EXPECT_EQ(numbers_of(x.grad()), (std::vector<double>{2 * 2 * 5 + 5, 2 * 3 * 7 + 7}));
}

// An inner run that fails gives its stamps back too: the outer one goes on.
TEST(Engine, AnInnerRunMayFail) {
  const Tensor x = leaf({2, 3}), square = x * x;
  const Tensor broken = record("broken", square.detach(), {&square},
                               [](const Tensor&, Grads&) { throw std::runtime_error("broken"); });
  const Tensor inner = (broken + square).sum();
  const Tensor y =
      record("outer", square.detach(), {&square}, [inner](const Tensor& g, Grads& grads) {
        EXPECT_THROW(inner.backward({}, true), std::runtime_error);
        grads.set(0, g * 10);
      });
  (y + square).sum().backward({}, true);
  EXPECT_EQ(numbers_of(x.grad()), (std::vector<double>{2 * 2 * 11, 2 * 3 * 11}));
}

TEST(Engine, RunsNestAsDeepAsTheyLike) {
  // f_n(x) = x^2 whose backward asks f_(n-1) for its gradient.
  const std::function<Tensor(const Tensor&, int)> nested = [&](const Tensor& x, int depth) {
    if (depth == 0) return x * x;
    return record("nested", x.detach().square(), {&x},
                  [&nested, depth, x = Saved(x)](const Tensor& g, Grads& grads) {
                    const EnableGrad enable_grad;
                    const Tensor again = x.tensor(grads);
                    grads.set(0, grad({nested(again, depth - 1)}, {again}, {g}, true)[0]);
                  });
  };
  const Tensor w = leaf({2, 3}), x = w * 1;
  nested(x, 30).sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (std::vector<double>{4, 6}));
}

// On a stack of 1 MiB: neither running nor destroying a graph may recurse.
void on_a_small_stack(void* (*run)(void*)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::size_t{1} << 20);
  pthread_t thread;
  ASSERT_EQ(pthread_create(&thread, &attributes, run, nullptr), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

constexpr int kDeep = 300000;

TEST(Engine, DeepChains) {
  on_a_small_stack([](void*) -> void* {
    const Tensor x = leaf({1});
    Tensor y = x;
    for (int i = 0; i < kDeep; ++i) y = y + 1;
    y.backward();
    EXPECT_EQ(x.grad().item(), 1);
    for (int i = 0; i < kDeep; ++i) y = y + x;
    y = {};
    return nullptr;
  });
}

TEST(Engine, DeepChainsThatKeepTensors) {
  on_a_small_stack([](void*) -> void* {
    const Tensor x = leaf({1}), w = leaf({1});
    Tensor y = x;
    for (int i = 0; i < kDeep; ++i) y = i % 2 ? y * w : y.sqrt();
    y.backward({}, true);
    EXPECT_EQ(x.grad().item(), 0);  // 2^-150000
    EXPECT_EQ(w.grad().item(), 2);
    y = {};
    return nullptr;
  });
}

TEST(Engine, DeepChainsOfSecondOrder) {
  on_a_small_stack([](void*) -> void* {
    const Tensor x = leaf({1});
    Tensor y = x;
    for (int i = 0; i < kDeep / 10; ++i) y = y * x;
    const Tensor slope = grad({y}, {x}, {}, false, true)[0];
    slope.backward();
    const double n = kDeep / 10 + 1;
    EXPECT_EQ(x.grad().item(), n * (n - 1));
    return nullptr;
  });
}

TEST(Engine, GradientsOfInnerTensors) {
  const Tensor a = leaf({2, 3}), b = leaf({5, 7}), c = leaf({1, 1});
  const Tensor m = a * b, n = m + a;
  const std::vector<Tensor> both = grad({n.sum(), m.sum()}, {m, a}, {}, true);
  EXPECT_EQ(numbers_of(both[0]), (std::vector<double>{2, 2}));
  EXPECT_EQ(numbers_of(both[1]), (std::vector<double>{11, 15}));
  const std::vector<Tensor> twice = grad({m.sum()}, {a, a, b}, {}, true);
  EXPECT_EQ(numbers_of(twice[0]), numbers_of(twice[1]));
  EXPECT_EQ(numbers_of(twice[2]), numbers_of(a));
  EXPECT_FALSE(a.grad().defined());
  EXPECT_THROW(grad({n.sum()}, {c}), std::logic_error);
}

}  // namespace
