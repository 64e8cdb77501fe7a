// A captured step gives the bits of a step that runs as it is written.
#include <gtest/gtest.h>
#include <levin/kernels/pool.h>
#include <levin/levin.h>

#include <functional>

namespace levin {
namespace {

using Numbers = std::vector<double>;

void append(const Tensor& tensor, Numbers* numbers) {
  for (const double number : tensor.to(kFloat64).to_vector<double>()) numbers->push_back(number);
}

// Runs a step that returns nothing. Was it replayed?
template <class Body>
bool replays(CapturedStep& captured, std::initializer_list<Tensor> inputs, Body body) {
  captured.run(inputs, body);
  return captured.has_replayed();
}

bool equal(const Tensor& a, const Tensor& b) {
  Numbers x, y;
  append(a, &x), append(b, &y);
  return x == y;
}

// A network, its optimizer, and what a step of it leaves.
struct Training {
  nn::AnyModule model;
  optim::AnyOptimizer optimizer;
  Tensor loss;
  std::vector<Tensor> metrics;
  CapturedStep captured;

  Numbers state() const {
    Numbers numbers;
    append(loss, &numbers);
    for (const Tensor& metric : metrics) append(metric, &numbers);
    for (const Tensor& p : model->parameters()) append(p, &numbers), append(p.grad(), &numbers);
    for (const auto& [name, tensor] : optimizer->state_dict().tensors) append(tensor, &numbers);
    for (const auto& [name, number] : optimizer->state_dict().numbers) numbers.push_back(number);
    return numbers;
  }
};

using Step = std::function<void(Training&, const Tensor& x, const Tensor& gt)>;
using Make = std::function<void(Training&)>;

void seed_step(Training& t, const Tensor& x, const Tensor& gt) {
  t.optimizer->zero_grad();
  const Tensor y = (*t.model)(x);
  t.loss = (y - gt).pow(2).mean();
  t.metrics.clear();
  {
    const NoGrad no_grad;
    t.metrics.push_back((y - gt).abs().mean());
    t.metrics.push_back(((y > 0.5) == (gt > 0.5)).to(kFloat32).mean());
  }
  t.loss.backward();
  t.optimizer->step();
}

void classify_step(Training& t, const Tensor& x, const Tensor& gt) {
  t.optimizer->zero_grad();
  t.loss = cross_entropy((*t.model)(x), gt.argmax(1));
  t.loss.backward();
  t.optimizer->step();
}

// Trains twice with the same data, once captured, and compares all that there is after each step.
void expect_same(const Make& make, const Step& step, int64_t in, int64_t out) {
  constexpr int steps = 12;
  Training eager, captured;
  Generator own[2] = {Generator(7), Generator(7)};
  {
    const GeneratorGuard guard(own[0]);
    make(eager);
  }
  {
    const GeneratorGuard guard(own[1]);
    make(captured);
  }
  Generator data(3);
  int replayed = 0;
  for (int i = 0; i < steps; ++i) {
    const Tensor x = randn({10, in}, data), gt = randn({10, out}, data);
    {
      const GeneratorGuard guard(own[0]);
      step(eager, x, gt);
    }
    {
      const GeneratorGuard guard(own[1]);
      replayed += replays(captured.captured, {x, gt}, [&] { step(captured, x, gt); });
    }
    ASSERT_EQ(captured.state(), eager.state()) << "step " << i;
  }
  EXPECT_EQ(captured.captured.why_eager(), "");
  EXPECT_GT(replayed, steps / 3);
}

template <class Optimizer, class Options>
Make linear_with(const Options& options) {
  return [options](Training& t) {
    t.model = nn::Linear(5, 10);
    t.optimizer = Optimizer(t.model->parameters(), options);
  };
}

TEST(CapturedStep, GivesTheBitsOfTheSeedsStep) {
  expect_same(linear_with<optim::SGD>(optim::SGDOptions{.lr = 0.01}), seed_step, 5, 10);
  expect_same(linear_with<optim::SGD>(optim::SGDOptions{.lr = 0.01, .momentum = 0.9}), seed_step, 5,
              10);
  expect_same(linear_with<optim::Adam>(optim::AdamOptions{}), seed_step, 5, 10);
}

TEST(CapturedStep, HasARecordingAndAResultForEachShape) {
  const Tensor w = rand({5}).requires_grad_(), data = rand({10, 5});
  CapturedStep captured;
  int replayed = 0;
  for (int i = 0; i < 30; ++i) {
    const Tensor x = data.slice(0, 0, i % 3 + 1);
    const Tensor& sum = captured.run({x}, [&] {
      w.zero_grad();
      const Tensor sum = (x * w).sum();
      sum.backward();
      return sum;
    });
    replayed += captured.has_replayed();
    EXPECT_EQ(sum.item(), (x * w).sum().item()) << i;
    EXPECT_TRUE(equal(w.grad(), x.sum({0}))) << i;
  }
  EXPECT_EQ(replayed, 30 - 3 - 2 - 2) << "the very first step makes the gradient";
}

TEST(CapturedStep, GivesTheBitsOfAClassifierWithDropoutAndNormalisation) {
  const Make make = [](Training& t) {
    t.model = nn::Sequential(nn::Linear(20, 33), nn::ReLU(), nn::Dropout(0.3),
                             nn::LayerNorm(Shape{33}), nn::Linear(33, 7), nn::Tanh());
    t.optimizer = optim::AdamW(t.model->parameters());
  };
  expect_same(make, classify_step, 20, 7);
}

TEST(CapturedStep, SeesANewLearningRateAndChangedTensors) {
  Training eager, captured;
  for (Training* t : {&eager, &captured}) {
    manual_seed(7);
    linear_with<optim::SGD>(optim::SGDOptions{.lr = 0.01, .momentum = 0.9})(*t);
  }
  const Tensor x = rand({10, 5}), gt = rand({10, 10});
  int replayed = 0;
  for (int i = 0; i < 12; ++i) {
    for (Training* t : {&eager, &captured}) t->optimizer->set_lr(0, 0.1 / (i + 1));
    if (i == 8)
      for (Training* t : {&eager, &captured}) {
        const NoGrad no_grad;
        t->model->parameters()[0].mul_(0.5);
      }
    seed_step(eager, x, gt);
    replayed += replays(captured.captured, {x, gt}, [&] { seed_step(captured, x, gt); });
    ASSERT_EQ(captured.state(), eager.state()) << "step " << i;
  }
  EXPECT_GE(replayed, 8);
}

// Groups: long and short, strided and broadcast operands, other types, sums of both, in place.
TEST(CapturedStep, GivesTheBitsOfElementwiseChains) {
  for (const int64_t n : {1, 7, 100, 255, 256, 1000, 4096, 4097, 70000, 300001}) {
    for (const DType dtype : {kFloat32, kFloat64, kBFloat16}) {
      const auto body = [&](const Tensor& a, const Tensor& b, std::vector<Tensor>* out) {
        const Tensor row = b.slice(0, 0, 1), mask = a > b;
        const Tensor z = (a * b + row).relu() * b.tanh();
        const Tensor part = (mask.to(dtype) + 1).exp() * 0.5 - z;
        const Tensor whole = where(mask, z, part);
        *out = {z,
                whole,
                z.sum(),
                whole.mean(),
                (whole * whole).to(kFloat64).mean(),
                part.square().sum()};
        whole.add_(1);
        out->push_back(whole.to(kInt32));
        out->push_back(z.reshape({1, -1}).sum({0}).to(kFloat32).abs());
      };
      CapturedStep captured;
      std::vector<Tensor> eager, outputs;
      Generator data(5);
      int replayed = 0;
      for (int i = 0; i < 4; ++i) {
        const Tensor a = randn({n}, data).to(dtype), b = randn({n}, data).to(dtype);
        body(a, b, &eager);
        replayed += replays(captured, {a, b}, [&] { body(a, b, &outputs); });
        for (std::size_t j = 0; j < eager.size(); ++j)
          ASSERT_TRUE(equal(eager[j], outputs[j]))
              << n << " elements, output " << j << ", step " << i;
      }
      EXPECT_EQ(replayed, 2) << captured.why_eager();
    }
  }
}

TEST(CapturedStep, DoesNotDependOnTheThreads) {
  const int before = num_threads();
  Numbers results[2];
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    Generator data(5);
    const Tensor a = randn({300000}, data).requires_grad_(), b = randn({300000}, data);
    CapturedStep captured;
    for (int i = 0; i < 4; ++i)
      captured.run({b}, [&] {
        a.zero_grad();
        (a * b).sigmoid().sum().backward();
      });
    append(a.grad(), &results[threads == 3]);
  }
  set_num_threads(before);
  EXPECT_EQ(results[0], results[1]);
}

TEST(CapturedStep, DrawsFreshNumbers) {
  Tensor mask;
  CapturedStep captured;
  const Tensor x = ones({1000});
  manual_seed(1);
  std::vector<Numbers> drawn;
  for (int i = 0; i < 5; ++i) {
    captured.run({x}, [&] { mask = dropout(x, 0.5); });
    append(mask, &drawn.emplace_back());
  }
  manual_seed(1);
  for (int i = 0; i < 5; ++i) {
    Numbers expected;
    append(dropout(x, 0.5), &expected);
    EXPECT_EQ(drawn[i], expected) << i;
  }
}

TEST(CapturedStep, FollowsSlicesOfOneTensor) {
  const Tensor data = rand({40, 3});
  CapturedStep captured;
  Tensor sum;
  int replayed = 0;
  for (int i = 0; i < 10; ++i) {
    const Tensor x = data.slice(0, 4 * i, 4 * i + 4);
    replayed += replays(captured, {x}, [&] { sum = (x * 2).sum(); });
    EXPECT_EQ(sum.item(), (x * 2).sum().item());
  }
  EXPECT_EQ(replayed, 8);
}

// One that uses more of the tensor than its slice must not move with it.
TEST(CapturedStep, KeepsApartWhatASliceIsASliceOf) {
  const Tensor data = rand({40, 3});
  CapturedStep captured;
  Tensor sum;
  for (int i = 0; i < 10; ++i) {
    const Tensor x = data.slice(0, 4 * i, 4 * i + 4);
    captured.run({x}, [&] { sum = (x - data.mean()).sum(); });
    EXPECT_EQ(sum.item(), (x - data.mean()).sum().item()) << i;
  }
}

TEST(CapturedStep, AllocatesNothingInAReplay) {
  Training t;
  linear_with<optim::Adam>(optim::AdamOptions{})(t);
  const Tensor x = rand({10, 5}), gt = rand({10, 10});
  const auto step = [&] { return replays(t.captured, {x, gt}, [&] { seed_step(t, x, gt); }); };
  for (int i = 0; i < 6; ++i) step();
  const std::size_t before = memory_taken();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(step());
  EXPECT_EQ(memory_taken(), before);
}

TEST(CapturedStep, RunsEveryThousandthStep) {
  const Tensor x = rand({4});
  Tensor y;
  int ran = 0;
  CapturedStep captured;
  for (int i = 0; i < 2500; ++i) captured.run({x}, [&] { y = x + x, ++ran; });
  EXPECT_EQ(ran, 2 + 2);
}

TEST(CapturedStep, RecordsAnewWhatAChangeOfModeChanges) {
  nn::Sequential model(nn::Linear(4, 4), nn::Dropout(0.5));
  const Tensor x = rand({2, 4});
  Tensor y;
  CapturedStep captured;
  const auto run = [&] { return replays(captured, {x}, [&] { y = model(x); }); };
  for (int i = 0; i < 4; ++i) run();
  EXPECT_TRUE(run());
  model.eval();
  EXPECT_FALSE(run());
  EXPECT_EQ(y.to_vector<float>(), model(x).to_vector<float>());
  for (int i = 0; i < 3; ++i) run();
  EXPECT_TRUE(run());
  EXPECT_EQ(y.to_vector<float>(), model(x).to_vector<float>());
}

// zero_grad() and step() outside, backward() inside.
TEST(CapturedStep, LeavesGradientsThatOthersUse) {
  const Tensor w = rand({3}).requires_grad_(), x = rand({3});
  CapturedStep captured;
  for (int i = 0; i < 6; ++i) {
    w.zero_grad();
    EXPECT_FALSE(w.grad().defined());
    captured.run({x}, [&] { (w * x).sum().backward(); });
    ASSERT_TRUE(w.grad().defined());
    EXPECT_TRUE(equal(w.grad(), x));
  }
}

TEST(CapturedStep, CountsAsAWrite) {
  const Tensor w = rand({3}).requires_grad_(), x = rand({3});
  Tensor loss;
  CapturedStep captured;
  const auto run = [&] {
    return replays(captured, {x}, [&] {
      const NoGrad no_grad;
      w.add_(x);
    });
  };
  for (int i = 0; i < 3; ++i) run();
  const Tensor y = (w * w).sum();
  EXPECT_TRUE(run());
  EXPECT_THROW(y.backward(), std::logic_error) << "w was changed since it was saved";
}

TEST(CapturedStep, IsNotBrokenByAnException) {
  const Tensor x = rand({3});
  Tensor y;
  CapturedStep captured;
  for (int i = 0; i < 6; ++i) {
    if (i == 1) {
      EXPECT_THROW(captured.run({x}, [&] { throw std::runtime_error("mine"); }),
                   std::runtime_error);
    }
    captured.run({x}, [&] { y = x + 1; });
    EXPECT_TRUE(equal(y, x + 1));
  }
  EXPECT_TRUE(replays(captured, {x}, [&] { y = x + 1; }));
}

}  // namespace
}  // namespace levin
