// In-place operations on views and bases, recorded: a view's history follows its base's and the other
// way round, as in PyTorch.
#include <gtest/gtest.h>
#include <levin/autograd/gradcheck.h>
#include <levin/autograd/node.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <random>

#include "graph.h"

namespace levin {
namespace {

Numbers gradient_of(const Tensor& y, const Tensor& by) {
  return numbers_of(grad({y}, {by}, {}, true)[0]);
}

TEST(InPlaceViews, TheBaseHasTheViewsHistory) {
  const Tensor w = leaf({2, 3, 5}), x = w * 1;
  x[1].mul_(w[0]);
  EXPECT_EQ(numbers_of(x), (Numbers{2, 6, 5}));
  EXPECT_EQ(gradient_of(x.sum(), w), (Numbers{4, 2, 1}));
  EXPECT_EQ(gradient_of((x * x).sum(), w), (Numbers{4 + 36, 24, 10}));
  x[{Slice(0, 2)}].mul_(x[2].clone());
  EXPECT_EQ(gradient_of(x.sum(), w), (Numbers{5 + 15, 10, 1 + 2 + 6}));
}

TEST(InPlaceViews, AViewFollowsItsBase) {
  const Tensor w = leaf({2, 3, 5}), x = w * 1;
  const Tensor view = x.slice(0, 1, 3), part = view[1];
  x.mul_(2);
  x.mul_(w);
  EXPECT_EQ(numbers_of(view), (Numbers{18, 50}));
  EXPECT_EQ(gradient_of(view.sum(), w), (Numbers{0, 12, 20}));
  EXPECT_EQ(gradient_of(part * 3, w), (Numbers{0, 0, 60}));
}

TEST(InPlaceViews, AStaleViewIsRenewedByBackwardToo) {
  const Tensor w = leaf({2, 3}), x = w * 1;
  const Tensor view = x[0];
  x.mul_(2);
  view.backward({}, true);
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{2, 0}));
  EXPECT_NE(error_of([&] {
              const Tensor other = x[1], y = other * 3;
              x.mul_(2);
              grad({y}, {other});
            }).find("do not depend on input 0"),
            std::string::npos)
      << "the view is what it has become, on which y does not depend";
}

TEST(InPlaceViews, OverlappingViewsSeeEachOther) {
  const Tensor w = leaf({1, 2, 3, 4}), x = w.view({2, 2}) * 1;
  const Tensor row = x[0], column = x.select(1, 1), diagonal = x.diagonal();
  row.mul_(2);                 // 2 4 | 3 4
  column.mul_(row.clone());    // 2 8 | 3 16
  diagonal.add_(row.clone());  // 4 8 | 3 24
  EXPECT_EQ(numbers_of(x), (Numbers{4, 8, 3, 24}));
  EXPECT_EQ(numbers_of(row), (Numbers{4, 8}));
  // Of w = a b c d: 4a 4ab | c 2bd + 4ab.
  EXPECT_EQ(gradient_of(row.sum(), w), (Numbers{12, 4, 0, 0}));
  EXPECT_EQ(gradient_of(x.sum(), w), (Numbers{20, 16, 1, 4}));
}

// Each part that split and unbind give is a view like any other.
TEST(InPlaceViews, PartsOfASplit) {
  const Tensor w = leaf({1, 2, 3, 4, 5}), x = w * 1;
  const std::vector<Tensor> parts = x.split(2);
  parts[0].mul_(2);
  parts[2].mul_(parts[0][1].clone());
  parts[1].zero_();
  EXPECT_EQ(numbers_of(x), (Numbers{2, 4, 0, 0, 20}));
  EXPECT_EQ(gradient_of(x.sum(), w), (Numbers{2, 2 + 10, 0, 0, 4}));
  for (const Tensor& one : x.unbind()) one.mul_(3);
  EXPECT_EQ(gradient_of(x.sum(), w), (Numbers{6, 36, 0, 0, 12}));
}

TEST(InPlaceViews, APlainBaseGetsHistory) {
  const Tensor w = leaf({2, 3}), plain = zeros({3}, kFloat64);
  const Tensor before = plain.slice(0, 0, 2);
  plain[1].copy_(w[0]);
  plain.slice(0, 1, 3).mul_(w[1]);
  EXPECT_EQ(numbers_of(plain), (Numbers{0, 6, 0}));
  EXPECT_TRUE(plain.requires_grad());
  EXPECT_EQ(gradient_of(plain.sum(), w), (Numbers{3, 2}));
  EXPECT_EQ(gradient_of((before * before).sum(), w), (Numbers{36, 24}));
}

TEST(InPlaceViews, WhatIsOverwrittenHasNoGradient) {
  const Tensor w = leaf({2, 3}), x = w * w;
  x[0].fill_(7);
  EXPECT_EQ(gradient_of(x.sum(), w), (Numbers{0, 6}));
  const Tensor infinite = (leaf({0, 4})).sqrt();
  infinite[0].zero_();
  EXPECT_EQ(infinite.sum().item(), 2);
}

TEST(InPlaceViews, SavedPartsAreGuarded) {
  const Tensor w = leaf({2, 3}), x = w * 1;
  const Tensor y = x[0] * x[0];
  x[1].add_(1);
  EXPECT_NE(error_of([&] { y.backward(); }).find("changed in place by add_"), std::string::npos);
}

TEST(InPlaceViews, WhatIsRefused) {
  const Tensor w = leaf({2, 3});
  EXPECT_EQ(error_of([&] { w[0].mul_(2); }),
            "mul_: a view of shape [] of a leaf cannot be changed in place where a gradient is "
            "recorded: put the parts together with cat, stack or where");
  const Tensor x = w * 1;
  Tensor hidden;
  {
    NoGrad no_grad;
    hidden = x[0];
  }
  EXPECT_NE(error_of([&] { hidden.add_(w[1]); }).find("cannot be changed in place"),
            std::string::npos)
      << "made where no gradients flow";
  EXPECT_NE(error_of([&] { x.detach().add_(w); }).find("cannot be changed in place"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              x.unsqueeze(0).expand({3, 2}).add_(w);
            }).find("expanded"),
            std::string::npos);
  const Tensor wide = x.unsqueeze(0).expand({3, 2}), constant = x.detach();
  x.mul_(2);
  EXPECT_NE(error_of([&] { wide * 2; }).find("make the view again"), std::string::npos);
  EXPECT_NE(error_of([&] { constant* w; }).find("make the view again"), std::string::npos);
  EXPECT_NE(error_of([&] { hidden* w; }).find("make the view again"), std::string::npos);
}

TEST(InPlaceViews, IntegersCannotTakeAGradient) {
  const Tensor w = leaf({2, 3}), counts = zeros({2}, kInt64);
  EXPECT_EQ(error_of([&] { counts.add_(w); }),
            "add_: a float64 result cannot be put into a int64 tensor");
  EXPECT_FALSE(counts.requires_grad());
  counts.copy_(w);
  EXPECT_EQ(numbers_of(counts), (Numbers{2, 3}));
}

// A view keeps its base's history, but none that was not recorded.
TEST(InPlaceViews, NothingIsKeptAlive) {
  const Tensor w = leaf({2, 3});
  Tensor kept;
  {
    const Tensor x = w * 1;
    NoGrad no_grad;
    kept = x[0];
  }
  EXPECT_FALSE(kept.impl().base);
  EXPECT_FALSE((w * 1).detach().impl().base);
}

// A program of random views and in-place operations on what is there, drawn from `seed`. What is
// refused is left out.
class Program {
 public:
  Program(uint32_t seed, const Tensor& w) : random_(seed), w_(w), tensors_{w.view({3, 4}) * 1} {
    for (int left = 3 + draw(12); left > 0; --left) attempt([&] { step(); });
  }

  /// A number that depends on all that is there.
  Tensor result() {
    Tensor sum = w_.sum();
    for (const Tensor& tensor : tensors_)
      attempt([&] { sum = sum * 1.1 + (tensor * tensor.sigmoid()).sum(); });
    return sum;
  }

  static inline int done = 0, refused = 0;

 private:
  int draw(int count) { return static_cast<int>(random_() % count); }
  Tensor any() { return tensors_[draw(static_cast<int>(tensors_.size()))]; }
  void add(const Tensor& tensor) {
    if (tensor.numel() > 0) tensors_.push_back(tensor);
  }
  void add_all(const std::vector<Tensor>& tensors) {
    for (const Tensor& tensor : tensors) add(tensor);
  }

  void attempt(const std::function<void()>& f) {
    try {
      f();
      ++done;
    } catch (const std::logic_error&) {
      ++refused;
    }
  }

  void step() { draw(2) ? look(any()) : change(any()); }

  void look(const Tensor& x) {
    const int last = std::max(x.dim() - 1, 0);
    if (x.dim() == 0) return add(draw(2) ? x.unsqueeze(0) : x * 1.5);
    switch (draw(8)) {
      case 0:
        return add(x.slice(draw(last + 1), draw(2), 4, 1 + draw(2)));
      case 1:
        return add(x[draw(static_cast<int>(x.size(0)))]);
      case 2:
        return add(x.transpose(0, last));
      case 3:
        return add(x.dim() > 1 ? x.diagonal(draw(3) - 1) : x.unsqueeze(-1));
      case 4:
        return add_all(draw(2) ? x.split(2, last) : x.unbind(last));
      case 5:
        return add(x.reshape({-1, 1}).slice(1, 0, 1));
      case 6:
        return add(x.unsqueeze(0).expand(x.dim() == 1 ? Shape{2, -1} : Shape{1, -1, -1}));
      default:
        return add(x * 1.5);
    }
  }

  void change(const Tensor& x) {
    Tensor hidden = x.detach();
    if (draw(2)) {
      NoGrad no_grad;
      hidden = x.unsqueeze(0);
    }
    switch (draw(7)) {
      case 0:
        return void(x.mul_(w_[draw(12)]));
      case 1:
        return void(x.mul_(any().sum().tanh()));
      case 2:
        return void(x.tanh_());
      case 3:
        return void(x.copy_(any()));
      case 4:
        return void(x.fill_(0.5));
      case 5:
        return void(hidden.add_(w_[0]));
      default:
        return void(x.add_(any(), 0.3));
    }
  }

  std::mt19937 random_;
  const Tensor w_;
  std::vector<Tensor> tensors_;
};

TEST(InPlaceViews, RandomProgramsHaveTheRightGradientOrAnError) {
  int right = 0, refused = 0;
  for (uint32_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Generator generator(seed);
    const Tensor w = rand({12}, generator, kFloat64).requires_grad_();
    const auto f = [seed](const std::vector<Tensor>& x) {
      return std::vector<Tensor>{Program(seed, x[0]).result()};
    };
    try {
      EXPECT_EQ(gradcheck(f, {w}, {.eps = 1e-6, .atol = 1e-6, .rtol = 1e-5}), "");
      if (seed % 8 == 0) {
        EXPECT_EQ(gradgradcheck(f, {w}, {.eps = 1e-6, .atol = 1e-5, .rtol = 1e-4}), "");
      }
      ++right;
    } catch (const std::logic_error&) {
      ++refused;
    }
  }
  EXPECT_GT(right, 200);
  std::cout << right << " programs with the right gradient, " << refused << " refused by backward; "
            << Program::done << " steps done, " << Program::refused << " refused\n";
}

TEST(InPlaceViews, OneMadeUnderNoGradMayOnlyBeChangedThere) {
  const Tensor w = leaf({1, 2, 3}), c = w * 1;
  Tensor part;
  {
    const NoGrad no_grad;
    part = c.slice(0, 0, 2).slice(0, 0, 1);
    part.mul_(1);
  }
  EXPECT_THROW(part.mul_(2), std::logic_error);
  EXPECT_EQ(gradient_of(c.sum(), w), (Numbers{1, 1, 1}));
}

}  // namespace
}  // namespace levin
