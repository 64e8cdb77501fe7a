// What the tests of class metrics share.
#pragma once

#include <levin/levin.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace levin {

inline constexpr Device kCuda{Device::cuda, 0};

// Every class metric for `classes` classes, on a device.
inline std::vector<std::shared_ptr<CoreMetric>> all_metrics(int64_t classes, Device device = kCPU) {
  const std::vector<std::string> names(classes, "class");
  return {std::make_shared<MultiClassAccuracy>(classes, device),
          std::make_shared<MultiClassF1Score>(classes, device),
          std::make_shared<MultiClassConfusionMatrix>(classes, device),
          std::make_shared<MeanIoU>(names, MeanIoUOptions{.device = device}),
          std::make_shared<MeanIoU>(names, MeanIoUOptions{.mode = "samplewise", .device = device})};
}

inline void take(CoreMetric& metric, const Tensor& y, const Tensor& gt) {
  metric.batch_update(metric.forward(y, gt), 7);  // classes count by themselves, not by a weight
}

// Scores whose largest are the labels.
inline Tensor scores_of(const Tensor& labels, int64_t classes) {
  return one_hot(labels, classes).to(kFloat32);
}

inline Tensor guess() { return tensor({{1, 2, 0}}); }
inline Tensor truth() { return tensor({{1, 0, 0}}); }

// Random scores and truths of batch number i.
inline std::pair<Tensor, Tensor> batch(int i) {
  Generator generator(i + 1);
  return {randn({2 + i % 2, 5, 4}, generator), randint(0, 4, {2 + i % 2, 5}, generator)};
}

}  // namespace levin
