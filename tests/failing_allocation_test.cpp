// Memory that runs out at every place in turn: an error, nothing lost, nothing half changed, and the
// same call afterwards gives the right bits.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/files/checkpoint.h>
#include <levin/train/files/text.h>

#include <cstdlib>
#include <new>

#include "recorder.h"
#include "scratch.h"

namespace {

// Calls of operator new that still succeed; negative: all do.
int64_t calls_left = -1;
int64_t live_objects = 0;
std::size_t largest = 0;

void* allocated(std::size_t bytes, std::size_t alignment) noexcept {
  if (calls_left == 0) return nullptr;
  if (calls_left > 0) --calls_left;
  void* memory = std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
  if (memory) ++live_objects;
  largest = std::max(largest, bytes);
  return memory;
}

void* not_null(void* memory) { return memory ? memory : throw std::bad_alloc(); }

void freed(void* memory) {
  if (memory) --live_objects;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t bytes) { return not_null(allocated(bytes, 16)); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return allocated(bytes, 16);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return not_null(allocated(bytes, static_cast<std::size_t>(alignment)));
}
void operator delete(void* memory) noexcept { freed(memory); }
void operator delete(void* memory, std::size_t) noexcept { freed(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { freed(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { freed(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { freed(memory); }

namespace levin {
namespace {

// The CPU, of which blocks of memory can be had `left` times; then `failures` times not.
class FailingBlocks : public StepRecorder {
 public:
  FailingBlocks(int left, int failures) : left_(left), failures_(failures) {}
  const char* allocate(std::size_t bytes, void** memory) noexcept override {
    if (left_-- > 0 || failures_-- <= 0) return StepRecorder::allocate(bytes, memory);
    return "none is left";
  }

 private:
  int left_, failures_;
};

enum class What { objects, blocks };

// Runs the action with the n-th allocation, and all after it, failing. Whether it succeeded.
template <class Action>
bool succeeds(What what, int n, Action action) {
  release_memory();  // no cache helps
  try {
    if (what == What::blocks) {
      FailingBlocks cpu(n, 1 << 30);
      const BackendOverride instead(&cpu);
      action();
    } else {
      calls_left = n;
      action();
      calls_left = -1;
    }
    return true;
  } catch (const std::bad_alloc&) {
    calls_left = -1;
    EXPECT_EQ(what, What::objects);
  } catch (const std::runtime_error& error) {
    calls_left = -1;
    EXPECT_EQ(what, What::blocks) << error.what();
    EXPECT_NE(std::string(error.what()).find("out of memory on cpu"), std::string::npos);
  }
  return false;
}

struct Used {
  Used() {
    release_memory();
    objects = live_objects;
    blocks = memory_taken();
    files = std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                          std::filesystem::directory_iterator());
  }
  bool operator==(const Used&) const = default;

  int64_t objects;
  std::size_t blocks;
  std::ptrdiff_t files;
};

std::ostream& operator<<(std::ostream& out, const Used& used) {
  return out << used.objects << " objects, " << used.blocks << " bytes, " << used.files << " files";
}

// ---- One training step

using Bits = std::vector<std::vector<double>>;

enum class Kind { sgd, adam };

struct Training {
  explicit Training(Kind rule = Kind::sgd) {
    manual_seed(1);
    net = nn::Sequential(nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2));
    const std::vector<Tensor> parameters = net.parameters();
    // One with gaps, and two groups: each is updated in its own way.
    gapped = randn({4, 4}).narrow(1, 0, 2).detach().requires_grad_();
    const std::vector<Tensor> first = {parameters[0], parameters[1]},
                              second = {parameters[2], parameters[3], gapped};
    if (rule == Kind::sgd)
      optimizer = optim::SGD({{first, {.lr = 0.1, .momentum = 0.9}},
                              {second, {.lr = 0.2, .momentum = 0.5, .nesterov = true}}});
    else
      optimizer = optim::Adam({{first, {.lr = 0.1}}, {second, {.lr = 0.2, .amsgrad = true}}});
    x = randn({5, 3});
    target = randn({5, 2});
  }

  void step() {
    optimizer->zero_grad();
    const Tensor y = net(x) + net(x).matmul(gapped.narrow(0, 0, 2)).relu();
    mse_loss(y, target).backward();
    optimizer->step();
  }

  Bits bits() const {
    Bits all;
    for (int group = 0; group < 2; ++group)
      for (const Tensor& p : optimizer->parameters(group)) all.push_back(p.to_vector<double>());
    return all;
  }

  nn::Sequential net;
  Tensor gapped, x, target;
  optim::AnyOptimizer optimizer;
};

class FailingStep : public testing::TestWithParam<std::tuple<What, int, Kind>> {};

// The first step makes the state, the second one has it.
TEST_P(FailingStep, LeavesAllOrNothing) {
  const auto [what, done, rule] = GetParam();
  Bits expected[4];
  {
    Training training(rule);
    for (Bits& bits : expected) {
      bits = training.bits();
      training.step();
    }
  }
  int n = 0;
  for (bool passed = false; !passed; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n));
    const Used before;
    {
      Training training(rule);
      for (int i = 0; i < done; ++i) training.step();
      passed = succeeds(what, n, [&] { training.step(); });
      const Bits after = training.bits();
      ASSERT_TRUE(after == expected[done + 1] || (!passed && after == expected[done]));
      if (after == expected[done]) training.step();
      ASSERT_EQ(training.bits(), expected[done + 1]);
      training.step();
      ASSERT_EQ(training.bits(), expected[done + 2]);
    }
    ASSERT_EQ(Used(), before);
    ASSERT_LT(n, 10000);
  }
  EXPECT_GT(n, 10);
  std::cout << n << " allocations failed\n";
}

INSTANTIATE_TEST_SUITE_P(, FailingStep,
                         testing::Combine(testing::Values(What::objects, What::blocks),
                                          testing::Values(0, 1),
                                          testing::Values(Kind::sgd, Kind::adam)));

// What is only short for a moment is found once caches are given back.
TEST(FailingAllocation, OneRefusalIsNoError) {
  Training training, other;
  training.step();
  for (int n = 0; n < 12; ++n) {
    Training fresh;
    release_memory();
    FailingBlocks cpu(n, 1);
    const BackendOverride instead(&cpu);
    EXPECT_NO_THROW(fresh.step());
    EXPECT_EQ(fresh.bits(), training.bits());
  }
}

// ---- Readers and writers

// Every allocation of the action fails in turn; then its result is `expected`.
template <class Action>
void expect_clean(const char* name, Action action, const std::string& expected) {
  EXPECT_EQ(action(), expected);  // and what is made once is there
  for (const What what : {What::objects, What::blocks}) {
    int n = 0;
    for (bool passed = false; !passed; ++n) {
      SCOPED_TRACE(name + std::string(": allocation ") + std::to_string(n));
      const Used before;
      {
        std::string result;
        passed = succeeds(what, n, [&] { result = action(); });
        if (!passed) result = action();
        ASSERT_EQ(result, expected);
      }
      ASSERT_EQ(Used(), before);
      ASSERT_LT(n, 10000);
    }
    std::cout << name << ": " << n << (what == What::objects ? " objects" : " blocks")
              << " failed\n";
  }
}

SafetensorsFile two_tensors() {
  return {{{"a name that is long enough for the heap", arange(0, 6, 1, kFloat32).reshape({2, 3})},
           {"b", ones({3}, kInt64)}},
          {{"key", "a text that is long enough for the heap"}}};
}

TEST(FailingAllocation, Readers) {
  const Scratch folder;
  const std::string path = folder / "a file whose name is long enough for the heap";
  const std::string bytes = to_safetensors(two_tensors()), npy = to_npy(ones({2, 3}));
  write_whole(path + ".safetensors", bytes);
  write_whole(path + ".npy", npy);
  write_whole(path + ".csv", "1.0,2.0\n3.0,4.0\n");
  const auto csv_bits = [](const Tensor& x) { return x.text(); };
  const std::string csv = csv_bits(data::read_csv(path + ".csv"));
  const std::string json = R"({"a key that is long enough": [1, null, {"b": "c"}], "d": 1.5})";
  const Checkpoint checkpoint{from_json(json, "json"), two_tensors().tensors};
  save_checkpoint_file(path + ".ckpt", checkpoint);
  const std::string checkpoint_text = checkpoint_bytes(load_checkpoint_file(path + ".ckpt"));

  expect_clean(
      "from_safetensors", [&] { return to_safetensors(from_safetensors(bytes, "it")); }, bytes);
  expect_clean(
      "load_safetensors", [&] { return to_safetensors(load_safetensors(path + ".safetensors")); },
      bytes);
  expect_clean(
      "load_npy", [&] { return to_npy(load_npy(path + ".npy")); }, npy);
  expect_clean(
      "read_csv", [&] { return csv_bits(data::read_csv(path + ".csv")); }, csv);
  expect_clean(
      "from_json", [&] { return to_json(from_json(json, "it"), -1, NonFinite::text); }, json);
  expect_clean(
      "load_checkpoint_file",
      [&] { return checkpoint_bytes(load_checkpoint_file(path + ".ckpt")); }, checkpoint_text);
}

// The old file stays, and no draft is left.
TEST(FailingAllocation, Writers) {
  const Scratch folder;
  const std::string path = folder / "a file whose name is long enough for the heap";
  const SafetensorsFile file = two_tensors();
  const std::string bytes = to_safetensors(file);
  const auto look = [&] {
    EXPECT_FALSE(std::filesystem::exists(path + ".draft"));
    const std::string now = read_whole(path);
    EXPECT_TRUE(now == "old" || now == bytes) << now.size();
  };
  write_whole(path, "old");
  for (const What what : {What::objects, What::blocks})
    for (int n = 0; !succeeds(what, n, [&] { save_safetensors(path, file); }); ++n) {
      look();
      write_whole(path, "old");
    }
  look();
  const Tensor turned = ones({3, 2}, kFloat64).t();
  for (const What what : {What::objects, What::blocks})
    for (int n = 0; !succeeds(what, n, [&] { save_npy(path + "npy", turned); }); ++n)
      EXPECT_FALSE(std::filesystem::exists(path + "npy.draft"));
  EXPECT_EQ(load_npy(path + "npy").shape(), (Shape{2, 3}));
}

TEST(FailingAllocation, FromBlobsDeleter) {
  float numbers[4] = {};
  int calls = 0;
  for (int n = 0;; ++n) {
    calls = 0;
    const bool passed = succeeds(What::objects, n, [&] {
      from_blob(numbers, {4}, kFloat32, [&, kept = std::string(100, 'x')](void*) { ++calls; });
    });
    EXPECT_EQ(calls, passed ? 1 : 0) << n;
    if (passed) break;
  }
}

// Neither the file nor a tensor stands in memory twice.
TEST(FailingAllocation, TensorFilesAreStreamed) {
  const Scratch folder;
  const Tensor large = zeros({8, 1 << 20});  // 32 MiB
  largest = 0;
  save_safetensors(folder / "a", {{{"x", large}}, {}});
  save_npy(folder / "b", large);
  EXPECT_EQ(load_safetensors(folder / "a").tensors[0].second.numel(), large.numel());
  EXPECT_EQ(load_npy(folder / "b").numel(), large.numel());
  EXPECT_LT(largest, std::size_t{2} << 20);
}

}  // namespace
}  // namespace levin
