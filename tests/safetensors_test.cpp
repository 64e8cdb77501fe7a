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

std::string raw(const std::string& header, std::size_t data_size = 0) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + std::string(data_size, '\0');
}

std::string tensor_entry(const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
  return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

// A file of one tensor "x".
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets,
                std::size_t data_size) {
  return raw("{\"x\":" + tensor_entry('"' + dtype + '"', shape, offsets) + "}", data_size);
}

std::string two(const std::string& first, const std::string& second, std::size_t data_size) {
  return raw("{\"x\":" + tensor_entry("\"U8\"", "[4]", first) +
                 ",\"y\":" + tensor_entry("\"U8\"", "[4]", second) + "}",
             data_size);
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

struct Malformed {
  std::string bytes;
  const char* error;  // after "memory: "
};

std::vector<Malformed> malformed_files() {
  std::vector<Malformed> files = {
      {"", "not a safetensors file: shorter than 8 bytes"},
      {std::string(7, '\0'), "not a safetensors file: shorter than 8 bytes"},
      {std::string(8, '\0'), "not a safetensors file: its header does not begin with {"},
      {std::string(8, '\xff'), "not a safetensors file: its header would pass 100 MB"},
      {std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10), "its header would pass 100 MB"},
      {std::string("\0\xe1\xf5\x05\0\0\0\0{}", 10), "its header ends after the file"},
      {std::string("\x03\0\0\0\0\0\0\0{}", 10), "its header ends after the file"},
      {raw(" {}"), "its header does not begin with {"},
      {raw("[]"), "its header does not begin with {"},
      {raw("\xef\xbb\xbf{}"), "its header does not begin with {"},
      {raw(std::string("{}\0evil", 7)), "its header holds a NUL"},
      {raw("{"), "no valid JSON at byte"},
      {raw("{} {}"), "no valid JSON at byte"},
      {raw("{\"x\xff\":1}"), "no valid JSON at byte"},
      {raw("{/**/}"), "no valid JSON at byte"},
      {raw("{\"x\":}"), "no valid JSON at byte"},
      {raw("{\"x\":NaN}"), "no valid JSON at byte"},
  };
  const std::vector<Malformed> structure = {
      {raw("{\"x\":1}"), "\"x\": a number stands where none may be"},
      {raw("{\"x\":\"y\"}"), "\"x\": a text stands where none may be"},
      {raw("{\"x\":[]}"), "\"x\": a list stands where none may be"},
      {raw("{\"x\":null}"), "\"x\": null stands where it may not be"},
      {raw("{\"x\":true}"), "\"x\": true or false stands where it may not be"},
      {raw("{\"x\":{}}"), "\"x\": dtype, shape and data_offsets are needed"},
      {raw(R"({"x":{"dtype":"U8","shape":[0]}})"), "\"x\": dtype, shape and data_offsets are"},
      {raw(R"({"x":{"dtype":{}}})"), "\"x\": an object stands where none may be"},
      {raw(R"({"x":{"dtype":"U8","dtype":"U8"}})"), "\"x\": the key \"dtype\" comes twice"},
      {raw(R"({"x":{"kind":1}})"), "\"x\": the key \"kind\" is not one of dtype, shape"},
      {raw("{\"x\":" + tensor_entry("\"U8\"", "[0]", "[0,0]") +
           ",\"x\":" + tensor_entry("\"U8\"", "[0]", "[0,0]") + "}"),
       "the key \"x\" comes twice"},
      {raw(R"({"__metadata__":{"a":1}})"), "\"__metadata__\": a number stands where none may be"},
      {raw(R"({"__metadata__":{"a":"1","a":"2"}})"), "the key \"a\" comes twice"},
      {raw(R"({"__metadata__":{"a":{}}})"), "\"__metadata__\": an object stands where none"},
      {raw(R"({"__metadata__":{"a":["b"]}})"), "\"__metadata__\": a list stands where none"},
      {raw(R"({"__metadata__":"a"})"), "\"__metadata__\": a text stands where none may be"},
      {raw(R"({"__metadata__":{},"__metadata__":{}})"), "\"__metadata__\" comes twice"},
      {raw("{\"" + std::string(200, 'n') + "\":1}"), "nnn...\": a number stands"},
      {raw("{\"n" + repeated("\u00e4", 100) + "\":1}"), "\u00e4...\": a number stands"},
      {raw("{\"\\u0007\\n\":1}"), "\"??\": a number stands where none may be"},
  };
  const std::vector<Malformed> values = {
      {one("F8", "[1]", "[0,1]", 1), "\"x\": the dtype \"F8\" is not known"},
      {one("u8", "[1]", "[0,1]", 1), "\"x\": the dtype \"u8\" is not known"},
      {one("U8", "4", "[0,4]", 4), "\"x\": a number stands where none may be"},
      {one("U8", "\"4\"", "[0,4]", 4), "\"x\": a text stands where none may be"},
      {one("U8", "[[4]]", "[0,4]", 4), "\"x\": a list stands where none may be"},
      {one("U8", "[-4]", "[0,4]", 4), "\"x\": a negative number"},
      {one("U8", "[4.0]", "[0,4]", 4), "\"x\": a number that is not natural"},
      {one("U8", "[1e1]", "[0,10]", 10), "\"x\": a number that is not natural"},
      {one("U8", "[9223372036854775808]", "[0,4]", 4), "\"x\": a number that passes 2^63 - 1"},
      {one("U8", "[36893488147419103232]", "[0,4]", 4), "\"x\": a number that is not natural"},
      {one("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]", 1), "\"x\": more than 8 dimensions"},
      {one("U8", "[4294967296,4294967296]", "[0,0]", 0), "\"x\": its shape has too many"},
      {one("F64", "[2305843009213693952]", "[0,0]", 0), "\"x\": its shape has too many elements"},
      {one("U8", "[0,4294967296,4294967296]", "[0,0]", 0), "\"x\": its shape has too many"},
      {one("U8", "[4]", "[0]", 4), "\"x\": data_offsets needs two numbers"},
      {one("U8", "[4]", "[0,4,4]", 4), "\"x\": data_offsets needs two numbers"},
      {one("U8", "[4]", "[4,0]", 4), "\"x\": data_offsets [4, 0] do not lie in the file's 4 bytes"},
      {one("U8", "[4]", "[0,4]", 3), "\"x\": data_offsets [0, 4] do not lie in the file's 3 bytes"},
      {one("F32", "[4]", "[0,4]", 4), "\"x\": data_offsets span 4 bytes, dtype and shape need 16"},
      {one("U8", "[]", "[0,0]", 0), "\"x\": data_offsets span 0 bytes, dtype and shape need 1"},
      {one("U8", "[4]", "[1,5]", 5), "\"x\": its data begin at 1, not where the data before end"},
      {two("[0,4]", "[2,6]", 6), "\"y\": its data begin at 2, not where the data before end: at 4"},
      {two("[0,4]", "[0,4]", 4), "its data begin at 0, not where the data before end: at 4"},
      {two("[5,9]", "[0,4]", 9), "\"x\": its data begin at 5, not where the data before end: at 4"},
      {two("[0,4]", "[4,8]", 9), "9 bytes of data, the tensors have 8"},
      {raw("{}", 1), "1 bytes of data, the tensors have 0"},
      {one("BOOL", "[1]", "[0,1]", 0) + "\x02", "\"x\": a BOOL is 0 or 1"},
  };
  files.insert(files.end(), structure.begin(), structure.end());
  files.insert(files.end(), values.begin(), values.end());
  return files;
}

TEST(Safetensors, MalformedFilesAreNamed) {
  for (const Malformed& file : malformed_files()) {
    const std::string error =
        error_of<std::runtime_error>([&] { from_safetensors(file.bytes, "memory"); });
    EXPECT_EQ(error.rfind("memory: ", 0), 0u) << error;
    EXPECT_NE(error.find(file.error), std::string::npos) << error << "\nnot: " << file.error;
  }
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
