// Anomaly detection: the operation that made the first NaN is named.
#include <gtest/gtest.h>
#include <levin/autograd/anomaly.h>

#include <cmath>
#include <thread>

#include "graph.h"

namespace levin {
namespace {

// sqrt'(0) * 0
Tensor zero_times_infinity(const Tensor& x) { return (x.sqrt() * 0).sum(); }

TEST(Anomaly, NamesTheDerivativeThatGaveNaN) {
  const Tensor x = leaf({0, 4});
  const AnomalyMode mode;
  const Tensor y = zero_times_infinity(x);
  EXPECT_EQ(error_of([&] { y.backward(); }),
            "backward of sqrt gave NaN for input 0 of shape [2]; no operation that was recorded in "
            "AnomalyMode had NaN in its output");
  EXPECT_FALSE(x.grad().defined());
}

TEST(Anomaly, NamesTheFirstOperationWhoseOutputHeldNaN) {
  const Tensor x = leaf({-1, 4}), w = leaf({2, 3, 4});
  const AnomalyMode mode;
  const Tensor logs = x.log(), y = logs.exp().unsqueeze(1) * w;  // [2, 3]
  EXPECT_EQ(
      error_of([&] { y.sum().backward(); }),
      "backward: the tensor of shape [] to start from holds NaN; the first NaN is in the output "
      "of shape [2] of log, from inputs of shapes [2]");
  const Tensor hidden = where(y > 1, y, 0);  // the NaN is not seen in it, but in w's gradient
  EXPECT_EQ(error_of([&] { hidden.sum().backward(); }),
            "backward of mul gave NaN for input 1 of shape [3]; the first NaN is in the output of "
            "shape [2] of log, from inputs of shapes [2]");
}

TEST(Anomaly, NaNThatNoGradientMeetsIsNone) {
  const Tensor x = leaf({-1, 4});
  const AnomalyMode mode;
  const Tensor y = where(x.detach() > 0, x.log(), 0).sum();
  y.backward();
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{0, 0.25}));
}

TEST(Anomaly, IsOffUnlessAskedForAndBelongsToItsThread) {
  const Tensor x = leaf({0, 4});
  zero_times_infinity(x).backward();
  EXPECT_TRUE(std::isnan(numbers_of(x.grad())[0]));
  EXPECT_FALSE(is_anomaly_enabled());
  {
    const AnomalyMode mode;
    const AnomalyMode off(false);
    EXPECT_FALSE(is_anomaly_enabled());
  }
  set_detect_anomaly(true);
  bool other = true;
  std::thread([&] { other = is_anomaly_enabled(); }).join();
  EXPECT_FALSE(other);
  EXPECT_TRUE(is_anomaly_enabled());
  set_detect_anomaly(false);
}

}  // namespace
}  // namespace levin
