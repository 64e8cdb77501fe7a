// Batches, datasets, the loader, CSV files.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include <algorithm>
#include <set>
#include <thread>

#include "scratch.h"

namespace levin {
namespace {

using data::Batch;
using data::DataLoader;
using data::TensorDataset;
using Numbers = std::vector<double>;
using std::invalid_argument;
using std::out_of_range;

TEST(Batch, OneTensor) {
  const Batch batch = tensor({1, 2});
  EXPECT_EQ(batch.size(), 1);
  EXPECT_FALSE(batch.has_names());
  EXPECT_TRUE(batch.names().empty());
  EXPECT_TRUE(batch.tensor().is_same(batch[0]));
}

TEST(Batch, APairComesApart) {
  const Tensor one = ones({2}), two = zeros({3});
  const Batch batch = {one, two};
  const auto& [x, gt] = batch;
  EXPECT_TRUE(x.is_same(one));
  EXPECT_TRUE(gt.is_same(two));
}

TEST(Batch, NamedTensors) {
  const Tensor image = ones({2});
  const Batch batch{{"image", image}, {"label", zeros({1})}};
  EXPECT_TRUE(batch.has_names());
  EXPECT_EQ(batch.names(), (Batch::Names{"image", "label"}));
  EXPECT_TRUE(batch["image"].is_same(image));
  EXPECT_TRUE(batch[0].is_same(image));
  const auto& [x, gt] = batch;
  EXPECT_EQ(gt.shape(), Shape({1}));
}

TEST(Batch, ManyTensors) {
  Batch batch{ones({1}), ones({2}), ones({3}), ones({4}), ones({5}), ones({6})};
  int64_t size = 0;
  for (const Tensor& tensor : batch) EXPECT_EQ(tensor.numel(), ++size);
  EXPECT_EQ(size, 6);
  Batch copy = batch;
  const Batch moved = std::move(copy);
  EXPECT_EQ(moved.size(), 6);
  EXPECT_TRUE(moved[5].is_same(batch[5]));
  batch = Batch{ones({2}), ones({3})};
  EXPECT_EQ(batch.size(), 2);
  EXPECT_EQ(moved[5].numel(), 6);
}

int64_t take_apart(const Batch& batch) {
  const auto& [x, gt] = batch;
  return x.numel() + gt.numel();
}

TEST(Batch, WrongUseIsNamed) {
  const Batch three{ones({1}), ones({2}), ones({3})}, none;
  const Batch named{{"a", ones({1})}, {"b", ones({1})}};
  EXPECT_EQ(error_of<out_of_range>([&] { three[3]; }), "batch[3]: it has 3 tensors");
  EXPECT_EQ(error_of<out_of_range>([&] { three[-1]; }), "batch[-1]: it has 3 tensors");
  EXPECT_EQ(error_of<out_of_range>([&] { named["c"]; }),
            "batch[\"c\"]: it has the names ['a', 'b']");
  EXPECT_EQ(error_of<out_of_range>([&] { three["c"]; }), "batch[\"c\"]: it has the names []");
  EXPECT_EQ(error_of<invalid_argument>([&] { three.tensor(); }),
            "batch: it has 3 tensors where one is needed");
  EXPECT_EQ(error_of<invalid_argument>([&] { take_apart(three); }),
            "batch: [x, gt] takes exactly two tensors, it has 3");
  EXPECT_EQ(error_of<invalid_argument>([&] { take_apart(none); }),
            "batch: [x, gt] takes exactly two tensors, it has 0");
  EXPECT_EQ(error_of<invalid_argument>([] {
              Batch{{"a", ones({1})}, {"a", ones({1})}};
            }),
            "batch: the name 'a' comes twice");
}

// Rows of x and gt: 0, 1, 2, .. and 10, 11, 12, ..
TensorDataset counting(int64_t samples) {
  return {arange(samples).to(kFloat32).reshape({samples, 1}), arange(samples) + 10};
}

Numbers numbers_of(const Tensor& tensor) { return tensor.to(kFloat64).to_vector<double>(); }

// Each batch's first tensor.
std::vector<Numbers> batches_of(const DataLoader& loader, int64_t epoch, int64_t position = 0) {
  std::vector<Numbers> batches;
  data::LoaderIterator iterator = loader.epoch(epoch, position);
  while (const Batch* batch = iterator.next()) batches.push_back(numbers_of((*batch)[0]));
  return batches;
}

Numbers joined(const std::vector<Numbers>& batches) {
  Numbers all;
  for (const Numbers& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

TEST(TensorDataset, GivesRows) {
  const TensorDataset dataset = counting(5);
  EXPECT_EQ(dataset.size(), 5);
  Generator generator;
  const Batch sample = dataset.get(3, generator);
  EXPECT_EQ(sample[0].shape(), Shape({1}));
  EXPECT_EQ(sample[1].shape(), Shape({}));
  EXPECT_EQ(sample[1].item<int64_t>(), 13);
  const Batch batch = dataset.get_batch(from_vector<int64_t>({4, 0, 4}, {3}));
  EXPECT_EQ(batch[0].shape(), Shape({3, 1}));
  EXPECT_EQ(numbers_of(batch[1]), (Numbers{14, 10, 14}));
  EXPECT_EQ(batch[1].dtype(), kInt64);
}

// Neighbours are copied together, large batches on several threads.
TEST(TensorDataset, GivesRowsOfAnyTypeAndSize) {
  for (const DType dtype : {kFloat64, kFloat32, kInt64, kUInt8, kBFloat16})
    for (const Shape& shape : {Shape{9}, Shape{9, 1}, Shape{9, 3}, Shape{9, 5, 4000}}) {
      const Tensor rows = arange(shape.numel()).remainder(100).to(dtype).reshape(shape);
      const TensorDataset dataset(Batch{rows});
      const Tensor index = from_vector<int64_t>({3, 4, 5, 0, 8, 7, 8, 0, 1}, {9});
      std::vector<Tensor> expected;
      for (const int64_t row : index.to_vector<int64_t>()) expected.push_back(rows.select(0, row));
      EXPECT_EQ(numbers_of(dataset.get_batch(index).tensor()), numbers_of(stack(expected)));
      const Tensor every_second = dataset.get_batch(index.slice(0, 1, 9, 2)).tensor();
      EXPECT_EQ(numbers_of(every_second[1]), numbers_of(rows.select(0, 0)));
      for (const int64_t wrong : {int64_t{-1}, int64_t{9}, INT64_MAX, INT64_MIN})
        EXPECT_THROW(dataset.get_batch(from_vector<int64_t>({8, wrong, 1}, {3})), out_of_range);
    }
}

TEST(TensorDataset, KeepsNamesAndForgetsGradients) {
  const TensorDataset dataset(Batch{{"x", ones({3, 2}).requires_grad_()}, {"y", ones({3})}});
  const Batch batch = dataset.get_batch(arange(2));
  EXPECT_EQ(batch.names(), (Batch::Names{"x", "y"}));
  EXPECT_FALSE(batch["x"].requires_grad());
}

TEST(TensorDataset, SizesMustFit) {
  EXPECT_EQ(error_of<invalid_argument>([] {
              TensorDataset(ones({3, 1}), ones({4}));
            }),
            "TensorDataset: [3, 1] and [4]: first sizes must be equal, since they count the "
            "samples");
  EXPECT_THROW(TensorDataset(tensor(1.5), ones({4})), invalid_argument);
  EXPECT_THROW(TensorDataset(Batch{}), invalid_argument);
}

TEST(DataLoader, Sizes) {
  const auto sizes = [](int64_t samples, data::LoaderOptions options) {
    const DataLoader loader(counting(samples), options);
    std::vector<std::size_t> sizes;
    for (const Numbers& batch : batches_of(loader, 0)) sizes.push_back(batch.size());
    EXPECT_EQ(loader.size(), static_cast<int64_t>(sizes.size()));
    return sizes;
  };
  using Sizes = std::vector<std::size_t>;
  EXPECT_EQ(sizes(3, {}), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes(10, {.batch_size = 4}), (Sizes{4, 4, 2}));
  EXPECT_EQ(sizes(10, {.batch_size = 4, .drop_last = true}), (Sizes{4, 4}));
  EXPECT_EQ(sizes(8, {.batch_size = 4, .drop_last = true}), (Sizes{4, 4}));
  EXPECT_EQ(sizes(3, {.batch_size = INT64_MAX}), (Sizes{3}));
  EXPECT_EQ(sizes(3, {.batch_size = 4, .drop_last = true}), Sizes());
  EXPECT_EQ(sizes(0, {.batch_size = 4}), Sizes());
  EXPECT_EQ(sizes(0, {.batch_size = 4, .shuffle = true}), Sizes());
}

TEST(DataLoader, WrongUseIsNamed) {
  EXPECT_EQ(error_of<invalid_argument>([] { DataLoader(counting(2), {.batch_size = 0}); }),
            "DataLoader: batch_size 0: at least 1 is needed");
  EXPECT_EQ(error_of<invalid_argument>([] { DataLoader(data::AnyDataset{}); }),
            "DataLoader: no dataset");
  EXPECT_EQ(error_of<invalid_argument>([] { DataLoader(counting(2)).epoch(0, -1); }),
            "DataLoader: position -1: at least 0 is needed");
}

TEST(DataLoader, ABatchStaysUntilTheNext) {
  const DataLoader loader(counting(4), {.batch_size = 2});
  data::LoaderIterator iterator = loader.epoch(0);
  const Batch first = *iterator.next();
  EXPECT_EQ(iterator.position(), 1);
  iterator.next();
  EXPECT_EQ(numbers_of(first[0]), (Numbers{0, 1}));
  EXPECT_EQ(iterator.next(), nullptr);
  EXPECT_EQ(iterator.next(), nullptr);
  EXPECT_EQ(iterator.position(), 2);
}

TEST(DataLoader, ShufflingIsAPermutationForEachSeedAndEpoch) {
  const auto order = [](uint64_t seed, int64_t epoch) {
    return joined(batches_of(
        DataLoader(counting(50), {.batch_size = 7, .shuffle = true, .seed = seed}), epoch));
  };
  std::set<Numbers> orders;
  for (uint64_t seed : {0, 1, 2})
    for (int64_t epoch : {0, 1, 2}) orders.insert(order(seed, epoch));
  EXPECT_EQ(orders.size(), 9u);
  for (Numbers one : orders) {
    EXPECT_FALSE(std::is_sorted(one.begin(), one.end()));
    std::sort(one.begin(), one.end());
    EXPECT_EQ(one, numbers_of(arange(50)));
  }
  EXPECT_EQ(order(1, 2), order(1, 2));
  EXPECT_EQ(joined(batches_of(DataLoader(counting(50), {.batch_size = 7}), 3)),
            numbers_of(arange(50)));
}

TEST(DataLoader, PairsStayTogether) {
  const DataLoader loader(counting(20), {.batch_size = 6, .shuffle = true});
  data::LoaderIterator iterator = loader.epoch(1);
  while (const Batch* batch = iterator.next()) {
    const auto& [x, gt] = *batch;
    EXPECT_EQ(numbers_of(x.reshape({-1}) + 10), numbers_of(gt));
  }
}

TEST(DataLoader, LoadersOfAProgramDifferProgramsDoNot) {
  const auto seeds = [] {
    manual_seed(3);
    const DataLoader one(counting(5)), two(counting(5)), fixed(counting(5), {.seed = 7});
    EXPECT_EQ(fixed.seed(), 7u);
    EXPECT_NE(one.seed(), two.seed());
    return std::pair(one.seed(), two.seed());
  };
  const auto first = seeds();
  EXPECT_EQ(seeds(), first);
  manual_seed(4);
  EXPECT_NE(DataLoader(counting(5)).seed(), first.first);
}

// The sample's number and three random ones, from the generator and from the default one.
struct Noisy : data::Dataset {
  int64_t size() const override { return 11; }
  Batch get(int64_t i, Generator& generator) const override {
    const Tensor own = randn({2}, generator);
    return {cat({tensor({static_cast<double>(i)}).to(kFloat32), own, randn({1})}), tensor(i)};
  }
};

TEST(RandomSamples, DoNotDependOnOrderThreadOrResuming) {
  const DataLoader plain(Noisy(), {.batch_size = 4, .seed = 5});
  const DataLoader shuffled(Noisy(), {.batch_size = 3, .shuffle = true, .seed = 5});
  const std::vector<Numbers> whole = batches_of(plain, 2);
  const Numbers all = joined(whole);

  EXPECT_EQ(batches_of(plain, 2), whole);
  EXPECT_EQ(joined(batches_of(plain, 2, 1)), Numbers(all.begin() + 16, all.end()));
  EXPECT_EQ(batches_of(plain, 2, 3), std::vector<Numbers>());
  std::vector<Numbers> elsewhere;
  std::thread([&] {
    manual_seed(99);
    randn({7});
    elsewhere = batches_of(plain, 2);
  }).join();
  EXPECT_EQ(elsewhere, whole);

  const Numbers mixed = joined(batches_of(shuffled, 2));
  ASSERT_EQ(mixed.size(), all.size());
  for (std::size_t row = 0; row < 11; ++row) {
    const auto sample = static_cast<std::size_t>(mixed[row * 4]);
    for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(mixed[row * 4 + k], all[sample * 4 + k]);
  }
}

TEST(RandomSamples, DifferBetweenSamplesEpochsAndSeeds) {
  std::set<double> numbers;
  for (uint64_t seed : {5, 6})
    for (int64_t epoch : {0, 1}) {
      const Numbers all = joined(batches_of(DataLoader(Noisy(), {.seed = seed}), epoch));
      for (std::size_t i = 0; i < all.size(); ++i)
        if (i % 4 != 0) numbers.insert(all[i]);
    }
  EXPECT_EQ(numbers.size(), 2u * 2 * 11 * 3);
}

TEST(RandomSamples, LeaveTheDefaultGeneratorAlone) {
  const DataLoader loader(Noisy(), {.batch_size = 4, .shuffle = true, .seed = 5});
  manual_seed(1);
  const Numbers expected = numbers_of(randn({3}));
  manual_seed(1);
  batches_of(loader, 0);
  EXPECT_EQ(numbers_of(randn({3})), expected);
}

// A dataset whose samples a function makes.
struct Made : data::Dataset {
  explicit Made(std::function<Batch(int64_t)> make) : make(std::move(make)) {}
  int64_t size() const override { return 3; }
  Batch get(int64_t i, Generator&) const override { return make(i); }
  std::function<Batch(int64_t)> make;
};

TEST(Collate, StacksSamples) {
  const Made dataset([](int64_t i) {
    return Batch{{"x", full({2, 2}, i).transpose(0, 1)}, {"y", tensor(i)}, {"e", ones({0, 2})}};
  });
  const Batch batch = *DataLoader(dataset, {.batch_size = 3}).epoch(0).next();
  EXPECT_EQ(batch.names(), (Batch::Names{"x", "y", "e"}));
  EXPECT_EQ(numbers_of(batch["x"]), (Numbers{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}));
  EXPECT_EQ(batch["y"].dtype(), kInt64);
  EXPECT_EQ(batch["y"].shape(), Shape({3}));
  EXPECT_EQ(batch["e"].shape(), Shape({3, 0, 2}));
}

std::string collate_error(std::function<Batch(int64_t)> make) {
  const DataLoader loader(Made(std::move(make)), {.batch_size = 3});
  return error_of<invalid_argument>([&] { loader.epoch(0).next(); });
}

TEST(Collate, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(collate_error([](int64_t i) { return Batch(ones({i + 2})); }),
            "DataLoader: sample 1 is a float32 tensor of shape [3], the first of its batch float32 "
            "[2]");
  EXPECT_EQ(collate_error([](int64_t i) { return Batch(ones({2}, i ? kInt64 : kFloat32)); }),
            "DataLoader: sample 1 is a int64 tensor of shape [2], the first of its batch float32 "
            "[2]");
  EXPECT_EQ(collate_error([](int64_t i) {
              return i == 2 ? Batch{ones({1}), ones({1})} : ones({1});
            }),
            "DataLoader: sample 2 has 2 tensors, the first of its batch 1; numbers and names must "
            "be equal");
  EXPECT_NE(collate_error([](int64_t i) {
              return i == 1 ? Batch{{"a", ones({1})}, {"b", ones({1})}}
                            : Batch{{"b", ones({1})}, {"a", ones({1})}};
            }),
            "");
  EXPECT_EQ(collate_error([](int64_t) { return Batch(); }), "DataLoader: sample 0 is empty");
  EXPECT_EQ(collate_error([](int64_t) {
              return Batch{ones({1}), Tensor()};
            }),
            "DataLoader: sample 0: tensor 1 is undefined");
}

}  // namespace
}  // namespace levin
