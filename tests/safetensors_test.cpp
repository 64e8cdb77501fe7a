#include <gtest/gtest.h>
#include <levin/kernels/backend.h>
#include <levin/tensor/factories.h>
#include <levin/tensor/file.h>
#include <levin/tensor/layout_math.h>
#include <levin/tensor/safetensors.h>

#include <cstring>
#include <random>

#include "scratch.h"

namespace levin {
namespace {

// A tensor whose bytes count up (0 and 1 in turn for bool).
Tensor counting(const Shape& shape, DType dtype) {
  const Tensor tensor = empty(shape, dtype);
  std::string bytes(tensor.numel() * item_size(dtype), '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(dtype == kBool ? i % 2 : i * 7 + 1);
  backend(kCPU).write(bytes.data(), *tensor.impl().block, 0, bytes.size());
  return tensor;
}

std::string bytes_of(const Tensor& tensor) {
  EXPECT_TRUE(tensor.is_contiguous());
  std::string bytes(tensor.numel() * item_size(tensor.dtype()), '\0');
  const std::size_t offset = tensor.layout().offset * item_size(tensor.dtype());
  backend(kCPU).read(*tensor.impl().block, offset, bytes.data(), bytes.size());
  return bytes;
}

void expect_equal(const SafetensorsFile& a, const SafetensorsFile& b) {
  EXPECT_EQ(a.metadata, b.metadata);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    EXPECT_EQ(a.tensors[i].first, b.tensors[i].first);
    EXPECT_EQ(a.tensors[i].second.dtype(), b.tensors[i].second.dtype());
    EXPECT_EQ(a.tensors[i].second.shape(), b.tensors[i].second.shape());
    EXPECT_EQ(bytes_of(a.tensors[i].second), bytes_of(b.tensors[i].second));
  }
}

SafetensorsFile every_kind() {
  SafetensorsFile file;
  file.metadata = {{"z", "first"}, {"a", "\"quoted\", \n, \u00e4, \U0001F600"}, {"", ""}};
  for (int i = kDTypes - 1; i >= 0; --i) {
    const DType dtype = static_cast<DType>(i);
    const std::string name = name_of(dtype);
    file.tensors.emplace_back(name + ".matrix", counting({3, 5}, dtype));
    file.tensors.emplace_back(name + ".number", counting({}, dtype));
    file.tensors.emplace_back(name + ".none", counting({2, 0, 3}, dtype));
  }
  file.tensors.emplace_back("", counting({1, 1, 1, 2, 1, 1, 1, 3}, kFloat32));
  return file;
}

TEST(Safetensors, RoundTripOfEveryType) {
  const SafetensorsFile file = every_kind();
  const std::string bytes = to_safetensors(file);
  expect_equal(from_safetensors(bytes, "memory"), file);
  EXPECT_EQ(to_safetensors(from_safetensors(bytes, "memory")), bytes);
}

TEST(Safetensors, AnEmptyFile) {
  EXPECT_EQ(to_safetensors({}), std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
  EXPECT_TRUE(from_safetensors(to_safetensors({}), "memory").tensors.empty());
}

TEST(Safetensors, OddLayoutsAreWrittenRowMajor) {
  const Tensor base = from_vector<float>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {3, 4});
  const Layout all = base.layout();
  const SafetensorsFile file{
      {{"transposed", make_view(base, transposed(all, 0, 1))},
       {"row", make_view(base, selected(all, 0, 1))},
       {"step", make_view(base, sliced(all, 1, 1, 4, 2))},
       {"repeated", make_view(base, expanded(narrowed(all, 1, 2, 1), {3, 2}))}},
      {}};
  const SafetensorsFile back = from_safetensors(to_safetensors(file), "memory");
  using Numbers = std::vector<float>;
  EXPECT_EQ(back.tensors[0].second.to_vector<float>(),
            (Numbers{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
  EXPECT_EQ(back.tensors[1].second.to_vector<float>(), (Numbers{4, 5, 6, 7}));
  EXPECT_EQ(back.tensors[2].second.to_vector<float>(), (Numbers{1, 3, 5, 7, 9, 11}));
  EXPECT_EQ(back.tensors[3].second.to_vector<float>(), (Numbers{2, 2, 6, 6, 10, 10}));
}

// Whatever the bits are: NaNs keep their payload also where the layout needs a copy.
TEST(Safetensors, KeepsBitsOfNonContiguousTensors) {
  for (int i = 0; i < kDTypes; ++i) {
    const Tensor base = counting({64, 64}, static_cast<DType>(i));
    const Tensor turned = make_view(base, transposed(base.layout(), 0, 1));
    const SafetensorsFile back = from_safetensors(to_safetensors({{{"t", turned}}, {}}), "memory");
    const std::size_t size = item_size(base.dtype());
    const std::string in = bytes_of(base), out = bytes_of(back.tensors[0].second);
    for (std::size_t r = 0; r < 64; ++r)
      for (std::size_t c = 0; c < 64; ++c)
        ASSERT_EQ(in.substr((r * 64 + c) * size, size), out.substr((c * 64 + r) * size, size))
            << name_of(base.dtype());
  }
}

TEST(Safetensors, EveryElementIsAligned) {
  const std::string bytes = to_safetensors({{{"a", counting({3}, kUInt8)},
                                             {"b", counting({2}, kFloat64)},
                                             {"c", counting({1}, kFloat16)}},
                                            {}});
  EXPECT_EQ(bytes.size() % 2, 1u);
  EXPECT_NE(bytes.find(R"("a":{"dtype":"U8","shape":[3],"data_offsets":[18,21]},)"
                       R"("b":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},)"
                       R"("c":{"dtype":"F16","shape":[1],"data_offsets":[16,18]}})"),
            std::string::npos)
      << bytes;
  EXPECT_EQ(static_cast<unsigned char>(bytes[0]) % 8, 0);
}

// Written by Python's safetensors.
TEST(Safetensors, ReadsAndWritesTheReferenceWritersBytes) {
  const std::string path = LEVIN_TEST_DIR "/reference/linear.safetensors";
  const SafetensorsFile file = load_safetensors(path);
  ASSERT_EQ(file.tensors.size(), 2u);
  EXPECT_EQ(file.tensors[0].first, "bias");
  EXPECT_EQ(file.tensors[1].first, "weight");
  EXPECT_EQ(file.tensors[1].second.shape(), (Shape{10, 5}));
  EXPECT_FLOAT_EQ(file.tensors[0].second.to_vector<float>()[0], -0.049189981f);
  EXPECT_EQ(to_safetensors(file), read_whole(path));
}

TEST(Safetensors, SavesAndLoads) {
  const Scratch folder;
  save_safetensors(folder / "a.safetensors", every_kind());
  expect_equal(load_safetensors(folder / "a.safetensors"), every_kind());
  EXPECT_NE(error_of<std::runtime_error>([&] {
              load_safetensors(folder / "b");
            }).find("reading " + (folder / "b")),
            std::string::npos);
}

TEST(Safetensors, RefusesToWriteWhatCannotBeRead) {
  const Tensor one = ones({1});
  const auto error = [&](const SafetensorsFile& file) {
    return error_of<std::invalid_argument>([&] { to_safetensors(file); });
  };
  EXPECT_EQ(error({{{"a", one}, {"a", one}}, {}}), "safetensors: two tensors are called \"a\"");
  EXPECT_EQ(error({{{"__metadata__", one}}, {}}),
            "safetensors: a tensor may not be called __metadata__");
  EXPECT_EQ(error({{}, {{"k", ""}, {"k", ""}}}), "safetensors: the metadata has two texts \"k\"");
  EXPECT_EQ(error({{{"a", Tensor()}}, {}}), "safetensors: the tensor \"a\" is not defined");
  EXPECT_EQ(error({{{"a\xff", one}}, {}}),
            "safetensors: a name or text that is not UTF-8: \"a\\ufffd\"");
  EXPECT_EQ(error({{}, {{"k", "\xc3"}}}),
            "safetensors: a name or text that is not UTF-8: \"\\ufffd\"");
}

TEST(Safetensors, TruncatedAnywhereIsAnError) {
  const std::string bytes = to_safetensors(every_kind());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(from_safetensors(std::string_view(bytes).substr(0, size), "memory"),
                 std::runtime_error);
}

// One random change: bits, bytes that go or come, or a word of the format over what is there.
std::string mutated(std::string bytes, std::mt19937& random) {
  static const char* const words[] = {"{",
                                      "}",
                                      "[",
                                      "]",
                                      ",",
                                      ":",
                                      "\"",
                                      "\"dtype\"",
                                      "\"U8\"",
                                      "-1",
                                      "0",
                                      "1e9",
                                      "18446744073709551615",
                                      "null",
                                      "\"__metadata__\"",
                                      "[0,0]",
                                      "\\ud800",
                                      "\xff"};
  const std::size_t at = random() % bytes.size();
  switch (random() % 5) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
      break;
    case 1:
      bytes.erase(at, 1 + random() % 4);
      break;
    case 2:
      bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 16));
      break;
    case 3:
      bytes.replace(at, random() % 8, words[random() % std::size(words)]);
      break;
    default:
      bytes[random() % 8] = static_cast<char>(random());
  }
  return bytes;
}

TEST(Safetensors, MutatedFilesLoadOrThrow) {
  const std::string bytes = to_safetensors({{{"w", counting({2, 3}, kFloat32)},
                                             {"n", counting({0, 4}, kInt64)},
                                             {"m", counting({5}, kBool)}},
                                            {{"key", "text"}}});
  const std::size_t data_size = 2 * 3 * 4 + 5;
  std::mt19937 random(1);
  int loaded = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string other = bytes;
    for (int change = 1 + static_cast<int>(random() % 3); change > 0 && !other.empty(); --change)
      other = mutated(other, random);
    // Mostly with a header length that is right again, so that the change reaches the reader.
    if (random() % 8 && other.size() > data_size + 8) {
      const std::size_t header = other.size() - data_size - 8;
      for (int i = 0; i < 8; ++i) other[i] = static_cast<char>(header >> (8 * i));
    }
    try {
      const SafetensorsFile file = from_safetensors(other, "memory");
      expect_equal(from_safetensors(to_safetensors(file), "memory"), file);
      ++loaded;
    } catch (const std::runtime_error&) {
    }
  }
  EXPECT_GT(loaded, 1000);
  EXPECT_LT(loaded, 15000) << "changes that change nothing";
}

}  // namespace
}  // namespace levin
