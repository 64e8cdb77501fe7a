// The files of data/npy are NumPy's (make.py there).
#include <gtest/gtest.h>
#include <levin/kernels/backend.h>
#include <levin/tensor/factories.h>
#include <levin/tensor/file.h>
#include <levin/tensor/layout_math.h>
#include <levin/tensor/npy.h>

#include <cmath>

#include "scratch.h"

namespace levin {
namespace {

const std::string kFolder = LEVIN_TEST_DIR "/data/npy/";

using Numbers = std::vector<double>;

Numbers counting(int count) {
  Numbers numbers(count);
  for (int i = 0; i < count; ++i) numbers[i] = i;
  return numbers;
}

TEST(Npy, ReadsAndWritesNumPysBytes) {
  for (int i = 0; i < kDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (dtype == kBFloat16) continue;
    static const char* const names[] = {"f4", "f8", "", "f2", "i8", "i4", "i1", "u1", "b1"};
    const std::string path = kFolder + names[i] + ".npy";
    const Tensor read = load_npy(path);
    EXPECT_EQ(read.dtype(), dtype);
    EXPECT_EQ(read.shape(), (Shape{2, 3}));
    EXPECT_EQ(read.to_vector<double>(), dtype == kBool ? (Numbers{0, 1, 1, 1, 1, 1}) : counting(6));
    EXPECT_EQ(to_npy(read), read_whole(path)) << path;
  }
}

TEST(Npy, ReadsAndWritesEveryShape) {
  EXPECT_EQ(load_npy(kFolder + "number.npy").shape(), Shape());
  EXPECT_EQ(load_npy(kFolder + "number.npy").item(), 1.5);
  EXPECT_EQ(load_npy(kFolder + "vector.npy").to_vector<double>(), (Numbers{1.5, -2, INFINITY}));
  EXPECT_EQ(load_npy(kFolder + "empty.npy").shape(), (Shape{2, 0, 3}));
  EXPECT_EQ(load_npy(kFolder + "eight.npy").shape(), (Shape{1, 1, 1, 2, 1, 1, 1, 3}));
  for (const char* name : {"number", "vector", "empty", "eight"})
    EXPECT_EQ(to_npy(load_npy(kFolder + name + ".npy")), read_whole(kFolder + name + ".npy"));
}

TEST(Npy, ReadsBigEndianAndNewerFormats) {
  const std::string plain = read_whole(kFolder + "f4.npy");
  for (const char* name : {"big_f4", "version2", "version3"})
    EXPECT_EQ(to_npy(load_npy(kFolder + name + ".npy")), plain) << name;
  EXPECT_EQ(to_npy(load_npy(kFolder + "big_i8.npy")), read_whole(kFolder + "i8.npy"));
  EXPECT_EQ(to_npy(load_npy(kFolder + "big_f2.npy")), read_whole(kFolder + "f2.npy"));
}

TEST(Npy, ColumnMajorFilesKeepTheirOrderInMemory) {
  const Tensor read = load_npy(kFolder + "fortran.npy");
  EXPECT_EQ(read.shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(read.stride(0), 1);
  EXPECT_EQ(read.stride(1), 2);
  EXPECT_EQ(read.stride(2), 6);
  EXPECT_EQ(read.to_vector<double>(), counting(24));
}

TEST(Npy, OddLayoutsAreWrittenRowMajor) {
  const Tensor base = from_vector(counting(12), {3, 4});
  const Tensor turned = make_view(base, transposed(base.layout(), 0, 1));
  const Tensor row = make_view(base, selected(base.layout(), 0, 1));
  EXPECT_EQ(from_npy(to_npy(turned), "memory").to_vector<double>(),
            (Numbers{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
  EXPECT_EQ(from_npy(to_npy(row), "memory").to_vector<double>(), (Numbers{4, 5, 6, 7}));
}

// More than one piece, and not a whole number of them.
TEST(Npy, SavesAndLoads) {
  const Scratch folder;
  const Tensor large = arange(0, 700001, 1, kFloat64);
  save_npy(folder / "a.npy", large);
  EXPECT_EQ(load_npy(folder / "a.npy").to_vector<double>(), large.to_vector<double>());
  EXPECT_EQ(read_whole(folder / "a.npy"), to_npy(large));
  EXPECT_EQ(error_of<std::runtime_error>([&] { load_npy(folder / "b"); }),
            "reading " + (folder / "b") + ": No such file or directory");
}

TEST(Npy, RefusesToWriteWhatNumPyDoesNotHave) {
  const Scratch folder;
  EXPECT_EQ(
      error_of<std::invalid_argument>([&] { save_npy(folder / "a.npy", ones({2}, kBFloat16)); }),
      "npy: a bfloat16 tensor: NumPy has no such type, use to(kFloat32)");
  EXPECT_THROW(to_npy(Tensor()), std::invalid_argument);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

// ---- Files that break the format's rules

std::string raw(const std::string& header, int data_size = 0, const char* version = "\1") {
  const std::string line = header + "\n";
  std::string start = std::string("\x93NUMPY") + version[0] + '\0';
  start += static_cast<char>(line.size());
  start += static_cast<char>(line.size() >> 8);
  return start + line + std::string(data_size, '\0');
}

std::string of(const std::string& type, const std::string& shape) {
  return "{'descr': " + type + ", 'fortran_order': False, 'shape': " + shape + "}";
}

struct Malformed {
  std::string bytes;
  const char* error;
};

std::vector<Malformed> bad_frames() {
  const std::string good = raw(of("'<f4'", "(1,)"), 4);
  return {
      {"", "not an npy file: it does not begin with \\x93NUMPY"},
      {"PK\3\4 a zip archive", "not an npy file: it does not begin with \\x93NUMPY"},
      {good.substr(0, 6), "not an npy file: format 0.0 is not known"},
      {raw("{}", 0, "\4"), "not an npy file: format 4.0 is not known"},
      {std::string("\x93NUMPY\1\1\0\0", 10), "not an npy file: format 1.1 is not known"},
      {good.substr(0, 9), "not an npy file: it ends before its header"},
      {std::string("\x93NUMPY\2\0\0\0\0", 11), "not an npy file: it ends before its header"},
      {good.substr(0, 40), "not an npy file: its header ends after the file"},
      {std::string("\x93NUMPY\2\0\xff\xff\xff\xff{}", 14), "its header ends after the file"},
      {raw("{}" + std::string(20000, ' ')), "its header would pass 10000 bytes"},
      {std::string("\x93NUMPY\1\0\2\0{}", 12), "its header does not end with a new line"},
      {std::string("\x93NUMPY\1\0\0\0", 10), "its header does not end with a new line"},
      {good.substr(0, good.size() - 1), "npy: 3 bytes of elements, shape [1] of float32 needs 4"},
      {good + "1", "npy: 5 bytes of elements, shape [1] of float32 needs 4"},
      {raw(of("'|b1'", "(1,)")) + "\2", "npy: a bool is 0 or 1"},
  };
}

std::vector<Malformed> bad_dicts() {
  return {
      {raw(""), "npy header: '{' is missing"},
      {raw("[]"), "npy header: '{' is missing"},
      {raw("{"), "npy header: a text in quotes is missing"},
      {raw("{descr"), "npy header: a text in quotes is missing"},
      {raw("{'descr"), "npy header: a text does not end"},
      {raw("{'descr'"), "npy header: ':' is missing"},
      {raw("{'descr': '<f4' 'shape'"), "npy header: ',' or '}' is missing"},
      {raw("{'descr': '<f4'"), "npy header: ',' or '}' is missing"},
      {raw("{}"), "npy header: descr, fortran_order and shape are needed"},
      {raw("{'descr': '<f4', 'shape': ()}", 4), "descr, fortran_order and shape are needed"},
      {raw("{'descr': '<f4', 'descr': '<f4'}"), "npy header: the key 'descr' comes twice"},
      {raw("{'shape': (), 'shape': ()}"), "npy header: the key 'shape' comes twice"},
      {raw("{'fortran_order': True, 'fortran_order': True}"), "'fortran_order' comes twice"},
      {raw("{'kind\1': 1}"), "npy header: the key 'kind?' is not one of descr, fortran_order"},
      {raw("{'fortran_order': 1}"), "npy header: fortran_order must be True or False"},
      {raw("{'fortran_order': Truer}"), "npy header: ',' or '}' is missing"},
      {raw(of("'<f4'", "()") + " evil()", 4), "npy header: something stands after the }"},
      {raw("{,}"), "npy header: a text in quotes is missing"},
      {raw("{'shape': (),,}"), "npy header: a text in quotes is missing"},
  };
}

std::vector<Malformed> bad_values() {
  return {
      {raw(of("[('a', '<f4')]", "()")), "descr is a list: structured types are not read"},
      {raw(of("'<u2'", "()"), 2), "npy header: the type '<u2' is none that levin has"},
      {raw(of("'|O'", "()"), 8), "npy header: the type '|O' is none that levin has"},
      {raw(of("'|V2'", "()"), 2), "npy header: the type '|V2' is none that levin has"},
      {raw(of("'f4'", "()"), 4), "npy header: the type 'f4' is none that levin has"},
      {raw(of("'=f4'", "()"), 4), "npy header: the type '=f4' is none that levin has"},
      {raw(of("'|f4'", "()"), 4), "npy header: the type '|f4' is none that levin has"},
      {raw(of("''", "()"), 4), "npy header: the type '' is none that levin has"},
      {raw(of("4", "()"), 4), "npy header: a text in quotes is missing"},
      {raw(of("'<f4'", "3")), "npy header: '(' is missing"},
      {raw(of("'<f4'", "(3)"), 12), "npy header: shape must be a tuple: (3,)"},
      {raw(of("'<f4'", "(2 3)")), "npy header: ',' or ')' is missing in shape"},
      {raw(of("'<f4'", "(,)")), "npy header: shape holds what is no natural number"},
      {raw(of("'<f4'", "(-1,)")), "npy header: shape holds what is no natural number"},
      {raw(of("'<f4'", "(1.0,)")), "npy header: ',' or ')' is missing in shape"},
      {raw(of("'<f4'", "(0x1,)")), "npy header: ',' or ')' is missing in shape"},
      {raw(of("'<f4'", "(03,)")), "npy header: a number in shape begins with 0"},
      {raw(of("'<f4'", "(9223372036854775808,)")), "a size in shape passes 2^63 - 1"},
      {raw(of("'<f4'", "(99999999999999999999,)")), "a size in shape passes 2^63 - 1"},
      {raw(of("'<f4'", "(1,1,1,1,1,1,1,1,1)"), 4), "npy header: more than 8 dimensions"},
      {raw(of("'<f4'", "(4294967296, 4294967296)")), "too many elements"},
      {raw(of("'<f4'", "(0, 4294967296, 4294967296)")), "too many elements"},
      {raw(of("'<f8'", "(2305843009213693952,)")), "too many elements"},
      {raw(of("'<f8'", "(1000000000000,)")), "npy: 0 bytes of elements, shape [1000000000000] of"},
  };
}

void expect_named(const std::vector<Malformed>& files) {
  for (const Malformed& file : files) {
    const std::string error = error_of<std::runtime_error>([&] { from_npy(file.bytes, "memory"); });
    EXPECT_EQ(error.rfind("memory: ", 0), 0u) << error;
    EXPECT_NE(error.find(file.error), std::string::npos) << error << "\nnot: " << file.error;
  }
}

TEST(Npy, MalformedFilesAreNamed) {
  expect_named(bad_frames());
  expect_named(bad_dicts());
  expect_named(bad_values());
}

TEST(Npy, AcceptsOtherSpellingsOfTheHeader) {
  for (const char* header :
       {"{'descr':'<f4','fortran_order':False,'shape':(2,1)}",
        "{\"shape\": (2, 1,), \"descr\": \"<f4\", \"fortran_order\": False, }   \n"})
    EXPECT_EQ(from_npy(raw(header, 8), "memory").shape(), (Shape{2, 1})) << header;
}

TEST(Npy, TruncatedAnywhereIsAnError) {
  const std::string bytes = read_whole(kFolder + "f4.npy");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(from_npy(std::string_view(bytes).substr(0, size), "memory"), std::runtime_error);
}

}  // namespace
}  // namespace levin
