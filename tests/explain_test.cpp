// The recorded program as text.
#include <gtest/gtest.h>
#include <levin/autograd/explain.h>
#include <levin/nn/linear.h>

#include "graph.h"

namespace levin {
namespace {

TEST(Explain, ASmallNetwork) {
  nn::Linear hidden(5, 8), out(8, 3);
  const Tensor x = zeros({10, 5}), target = zeros({10, 3});
  const Tensor loss = mse_loss(out(hidden(x).tanh()), target);
  EXPECT_EQ(explain(loss), R"(%0 = leaf  float32 [8, 5]
%1 = leaf  float32 [8]
%2 = leaf  float32 [3, 8]
%3 = leaf  float32 [3]
%4 = linear(constant, %0, %1)  float32 [10, 8]  keeps a constant float32 [10, 5], 200 bytes; %0
%5 = tanh(%4)  float32 [10, 8]  keeps its output, 320 bytes
%6 = linear(%5, %2, %3)  float32 [10, 3]  keeps %5, counted above; %2
%7 = mse_loss(%6, constant)  float32 []  keeps %6, 120 bytes; a constant float32 [10, 3], 120 bytes
leaves: 4, operations: 4; they keep 760 bytes besides the leaves
)");
}

TEST(Explain, NumbersParametersAndMemoryThatIsKeptTwice) {
  const Tensor x = leaf({1, 2});
  const Tensor y = x.exp(), z = (2 - y * y).leaky_relu(0.1).sum(0);
  EXPECT_EQ(explain(z), R"(%0 = leaf  float64 [2]
%1 = exp(%0)  float64 [2]  keeps its output, 16 bytes
%2 = mul(%1, %1)  float64 [2]  keeps %1, counted above; %1, counted above
%3 = sub(2, %2)  float64 [2]
%4 = leaky_relu(%3, 0.1)  float64 [2]  keeps %3, 16 bytes
%5 = sum(%4)  float64 []
leaves: 1, operations: 5; they keep 32 bytes besides the leaves
)");
  z.backward();
  EXPECT_EQ(explain(z), R"(%0 = sum  float64 []  (was run backwards)
leaves: 0, operations: 1; they keep 0 bytes besides the leaves
)");
}

TEST(Explain, WithoutHistory) {
  EXPECT_EQ(explain(zeros({2, 3})), "float32 [2, 3] without history\n");
}

}  // namespace
}  // namespace levin
