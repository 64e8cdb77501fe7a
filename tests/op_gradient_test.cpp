// Derivatives of every operation in the table: against differences, of first and second order, and
// the same on every path that leads to them.
#include <levin/autograd/gradcheck.h>
#include <levin/kernels/pool.h>

#include <algorithm>
#include <iostream>

#include "op_sample.h"

namespace levin {
namespace {

// f for every sample of every row that has a derivative.
void for_each_sample(const std::function<void(const OpCase&, const Sample&)>& f) {
  for_each_row([&](const OpCase& row) {
    if (!row.differentiable) return;
    for (const Sample& sample : row.samples) {
      SCOPED_TRACE(sample[0].shape.text());
      f(row, sample);
    }
  });
}

// Fixed gradients for the outputs that have one.
struct Roots {
  Tensors outputs, upstream;
};

Roots roots_of(const Tensors& outputs) {
  Roots roots;
  Generator generator(5);
  for (const Tensor& output : outputs) {
    if (!output.requires_grad()) continue;
    roots.outputs.push_back(output);
    roots.upstream.push_back(randn(output.shape(), generator, kFloat64).to(output.dtype()));
  }
  return roots;
}

// Gradients of the values, zeros where there are none.
Arrays gradients(const Tensors& outputs, const Tensors& values, bool create_graph) {
  const Roots roots = roots_of(outputs);
  Tensors grads(values.size());
  if (!roots.outputs.empty())
    grads = grad(roots.outputs, values, roots.upstream, false, create_graph, true);
  Arrays arrays;
  for (std::size_t i = 0; i < values.size(); ++i)
    arrays.push_back(grads[i].defined() ? read(grads[i]) : read(zeros_like(values[i])));
  return arrays;
}

Arrays gradients_of(const OpCase& row, const Sample& sample, DType dtype, Arrangement arrangement,
                    bool create_graph = false) {
  const Tensors inputs =
      leaves(row, sample, draw(row, sample, dtype, arrangement), dtype, arrangement);
  return gradients(run_on_copy(row, inputs, row.call), values_of(sample, inputs), create_graph);
}

void expect_same_bits(const Arrays& a, const Arrays& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(same_bits(a[i], b[i])) << "gradient " << i << ": " << difference(a[i], b[i], 0, 0);
}

void expect_near(const Arrays& a, const Arrays& b, double rtol, double atol) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_EQ(difference(a[i], b[i], rtol, atol), "") << "gradient " << i;
}

TEST(OpGradients, FirstAndSecondOrderAgainstDifferences) {
  int first = 0, second = 0;
  const GradcheckOptions options{.eps = 1e-6, .atol = 1e-6, .rtol = 1e-5};
  for_each_sample([&](const OpCase& row, const Sample& sample) {
    const Tensors inputs = leaves(row, sample, draw(row, sample, kFloat64), kFloat64);
    const auto f = [&](const Tensors& x) { return run_on_copy(row, x, row.call); };
    EXPECT_EQ(gradcheck(f, inputs, options), "");
    EXPECT_EQ(gradgradcheck(f, inputs, options), "");
    ++first, ++second;
  });
  std::cout << first << " gradchecks, " << second << " gradgradchecks\n";
}

// The one-kernel derivative, the recorded one, that of other layouts and of float32.
TEST(OpGradients, EveryPathGivesTheSame) {
  int comparisons = 0;
  for_each_sample([&](const OpCase& row, const Sample& sample) {
    const Arrays fused = gradients_of(row, sample, kFloat64, Arrangement::contiguous);
    expect_near(gradients_of(row, sample, kFloat64, Arrangement::contiguous, true), fused, 1e-12,
                1e-13);
    expect_near(gradients_of(row, sample, kFloat32, Arrangement::contiguous), fused,
                1e-5 * row.slack, 1e-5 * row.slack);
    for (const Arrangement arrangement : arrangements(row)) {
      SCOPED_TRACE(name_of(arrangement));
      if (arrangement == Arrangement::expanded)
        expect_near(gradients_of(row, sample, kFloat64, arrangement, true),
                    gradients_of(row, sample, kFloat64, arrangement), 1e-12, 1e-13);
      else
        expect_same_bits(gradients_of(row, sample, kFloat64, arrangement), fused);
      ++comparisons;
    }
    comparisons += 2;
  });
  std::cout << comparisons << " gradients compared with the fused one\n";
}

// backward() gives what grad() gives; a second one adds; after zero_grad the memory is used again.
TEST(OpGradients, LeavesCollectThem) {
  for_each_sample([&](const OpCase& row, const Sample& sample) {
    const Arrays expected = gradients_of(row, sample, kFloat64, Arrangement::contiguous);
    const Tensors inputs = leaves(row, sample, draw(row, sample, kFloat64), kFloat64);
    const Tensors values = values_of(sample, inputs);
    const auto backward = [&] {
      const Roots roots = roots_of(run_on_copy(row, inputs, row.call));
      for (std::size_t o = 0; o < roots.outputs.size(); ++o)
        roots.outputs[o].backward(roots.upstream[o], o + 1 < roots.outputs.size());
    };
    const auto collected = [&] {
      Arrays arrays;
      for (const Tensor& value : values)
        arrays.push_back(value.grad().defined() ? read(value.grad()) : read(zeros_like(value)));
      return arrays;
    };
    backward();
    expect_same_bits(collected(), expected);
    backward();
    Arrays twice;
    for (const Array& array : expected) twice.push_back(map(array, [](double g) { return g + g; }));
    expect_same_bits(collected(), twice);
    for (const Tensor& value : values) value.zero_grad();
    backward();
    expect_same_bits(collected(), expected);
  });
}

bool shares_memory(const Tensor& x, const Tensors& others) {
  return std::any_of(others.begin(), others.end(), [&](const Tensor& other) {
    return other.impl().block.get() == x.impl().block.get();
  });
}

// Arguments and results overwritten after the call: the gradient is right or refused, never wrong.
class Overwriting {
 public:
  Overwriting(const OpCase& row, const Sample& sample)
      : row_(row),
        sample_(sample),
        arrays_(draw(row, sample, kFloat64)),
        expected_(gradients_of(row, sample, kFloat64, Arrangement::contiguous)) {}

  // Gives choose(arguments, outputs) to `overwrite` between the call and its backward.
  template <class Choose, class Overwrite>
  void check(Choose choose, Overwrite overwrite) {
    const Tensors inputs = leaves(row_, sample_, arrays_, kFloat64);
    Tensors arguments;
    for (const Tensor& input : inputs) arguments.push_back(input.clone());
    const Tensors outputs = row_.call.run(arguments);
    const Tensor& victim = choose(arguments, outputs);
    // What returns its argument itself has no place of its own in the graph.
    const bool passed_on = !row_.in_place && outputs[0].is_same(arguments[0]);
    if (victim.layout().overlaps_itself() || passed_on) return;
    const uint32_t history = victim.impl().block->history;
    overwrite(victim);
    // Views follow what is recorded: tests/in_place_views_test.cpp.
    if (victim.impl().block->history != history && shares_memory(victim, outputs)) return;
    try {
      expect_same_bits(gradients(outputs, values_of(sample_, inputs), false), expected_);
      ++right;
    } catch (const std::logic_error& error) {
      EXPECT_NE(std::string(error.what()).find("changed in place by"), std::string::npos)
          << error.what();
      ++refused;
    }
  }

  static inline int right = 0, refused = 0;

 private:
  const OpCase& row_;
  const Sample& sample_;
  const Arrays arrays_, expected_;
};

TEST(OpGradients, OverwrittenTensorsGiveTheRightGradientOrAnError) {
  const auto fill = [](const Tensor& victim) {
    NoGrad no_grad;
    victim.fill_(1);
  };
  const auto double_recorded = [](const Tensor& victim) { victim.mul_(2); };
  for_each_sample([&](const OpCase& row, const Sample& sample) {
    Overwriting test(row, sample);
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const auto argument = [=](const Tensors& x, const Tensors&) { return x[i]; };
      test.check(argument, fill);
      const bool is_output = row.in_place && i == 0;
      if (sample[i].kind == Input::value && !is_output) test.check(argument, double_recorded);
    }
    test.check([](const Tensors&, const Tensors& y) { return y[0]; }, fill);
    if (row.result == Result::with_index)
      test.check([](const Tensors&, const Tensors& y) { return y[1]; }, fill);
  });
  std::cout << Overwriting::right << " gradients right though a tensor was overwritten, "
            << Overwriting::refused << " refused\n";
}

TEST(OpGradients, SameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  int calls = 0;
  for_each_row([&](const OpCase& row) {
    if (row.large.empty() || !row.differentiable) return;
    set_num_threads(1);
    const Arrays one = gradients_of(row, row.large, kFloat32, Arrangement::contiguous);
    for (const auto& [threads, arrangement] : kManyThreads) {
      SCOPED_TRACE(std::to_string(threads) + " threads");
      set_num_threads(threads);
      expect_same_bits(gradients_of(row, row.large, kFloat32, arrangement), one);
      ++calls;
    }
  });
  set_num_threads(before);
  std::cout << calls << " gradients with 2, 3 and 8 threads had the bits of one\n";
}

}  // namespace
}  // namespace levin
