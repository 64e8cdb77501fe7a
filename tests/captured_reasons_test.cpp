// Why a captured step is not replayed.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include <functional>

namespace levin {
namespace {

// Runs a step that returns nothing. Was it replayed?
template <class Body>
bool replays(CapturedStep& captured, std::initializer_list<Tensor> inputs, Body body) {
  captured.run(inputs, body);
  return captured.has_replayed();
}

TEST(CapturedStep, NamesWhatKeepsItEager) {
  const Tensor x = rand({4}), other = rand({4});
  Tensor kept = rand({4}), y;
  const Tensor w = rand({4}).requires_grad_();
  int count = 0;
  const std::vector<std::pair<const char*, std::function<void()>>> steps = {
      {"host reads", [&] { y = x * x.sum().item(); }},
      {"host reads", [&] { (x * 2).text(); }},
      {"host writes",
       [&] {
         y = x + tensor({1., 2., 3., 4.}).to(kFloat32);
       }},
      {"had the numbers", [&] { y = x * ++count; }},
      {"mul was add", [&] { y = ++count % 2 ? x * other : x + other; }},
      {"operations, and",
       [&] {
         y = x * other;
         if (++count % 2) x + other;
       }},
      {"other memory", [&] { kept = kept * 0.5 + x; }},
      {"makes an optimizer",
       [&] {
         w.mul(x).sum().backward();
         optim::SGD(std::vector{w}, {.lr = 0.1 / ++count}).step();
         w.zero_grad();
       }},
      {"same random numbers",
       [&] {
         Generator generator(7);
         y = rand({4}, generator) * x;
       }},
  };
  for (const auto& [reason, step] : steps) {
    CapturedStep captured;
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(replays(captured, {x}, step)) << reason;
    EXPECT_NE(captured.why_eager().find(reason), std::string::npos) << captured.why_eager();
  }
}

TEST(CapturedStep, NoticesAtACheckThatTheStepHasChanged) {
  const Tensor x = rand({4});
  Tensor y;
  bool squared = false;
  CapturedStep captured;
  const auto step = [&] { y = squared ? x * x : x + x; };
  for (int i = 0; i < 5; ++i) captured.run({x}, step);
  squared = true;
  EXPECT_TRUE(replays(captured, {x}, step)) << "its code does not run, so nothing is noticed yet";
  captured.check_next();
  EXPECT_FALSE(replays(captured, {x}, step));
  EXPECT_EQ(y.to_vector<float>(), (x * x).to_vector<float>());
  EXPECT_NE(captured.why_eager().find("it did not do what it had done"), std::string::npos);
  EXPECT_FALSE(replays(captured, {x}, step));
}

TEST(CapturedStep, RefusesInputsThatRequireAGradient) {
  const Tensor x = rand({3}).requires_grad_();
  CapturedStep captured;
  for (int i = 0; i < 5; ++i)
    EXPECT_FALSE(replays(captured, {x}, [&] { (x * 2).sum().backward(); }));
  EXPECT_EQ(captured.why_eager(), "an input requires a gradient");
}

}  // namespace
}  // namespace levin
