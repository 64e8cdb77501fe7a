// A checkpoint of any moment of a run leads to the same end.
#include "saved_run.h"

namespace levin {
namespace {

class ResumeAnywhere : public testing::TestWithParam<std::string> {};

TEST_P(ResumeAnywhere, EveryStepLeadsToTheSameEnd) {
  const Silent silent;
  const Scratch folder(memory_dir()), other(memory_dir());
  WholeRunOptions options{.folder = folder.path(),
                          .adam = GetParam() == "Adam",
                          .many_callbacks = GetParam() == "Callbacks"};
  const SavedRun saved = saved_everywhere(options);
  expect_equal(saved.result, finished(options), "saving changes nothing");
  EXPECT_GT(saved.checkpoints.size(), 90);
  options.folder = other.path();
  for (const std::string& checkpoint : saved.checkpoints) {
    expect_equal(resumed(options, checkpoint), saved.result, checkpoint);
    if (HasFailure()) return;
  }
  std::printf("%zu checkpoints led to the same end, bit for bit\n", saved.checkpoints.size());
}

INSTANTIATE_TEST_SUITE_P(With, ResumeAnywhere, testing::Values("Adam", "SGD", "Callbacks"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace levin
