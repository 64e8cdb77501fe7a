// Numbers from CSV files.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>

#include <cmath>

#include "scratch.h"

namespace levin {
namespace {

using Numbers = std::vector<double>;

Numbers numbers_of(const Tensor& tensor) { return tensor.to_vector<double>(); }

// What read_csv makes of a file with this text, or its error without the path.
Tensor read(const std::string& text, int skip_lines = 0) {
  const Scratch folder;
  write_whole(folder / "x.csv", text);
  return data::read_csv(folder / "x.csv", skip_lines);
}

std::string csv_error(const std::string& text, int skip_lines = 0) {
  const std::string error = error_of<std::runtime_error>([&] { read(text, skip_lines); });
  const std::size_t at = error.find("x.csv: ");
  return at == std::string::npos ? error : error.substr(at + 7);
}

TEST(ReadCsv, Numbers) {
  const Tensor table = read("1,2.5,-3e2\n 4 , 5,+6\n");
  EXPECT_EQ(table.dtype(), kFloat64);
  EXPECT_EQ(table.shape(), Shape({2, 3}));
  EXPECT_EQ(numbers_of(table), (Numbers{1, 2.5, -300, 4, 5, 6}));
  EXPECT_EQ(numbers_of(read("0.1")), (Numbers{0.1}));
  EXPECT_EQ(numbers_of(read("5e-324,1.7976931348623157e308")),
            (Numbers{5e-324, 1.7976931348623157e308}));
  EXPECT_TRUE(std::isnan(numbers_of(read("nan\n"))[0]));
  EXPECT_EQ(numbers_of(read("inf,-inf\n")), (Numbers{INFINITY, -INFINITY}));
}

TEST(ReadCsv, Lines) {
  for (const char* text :
       {"1,2\n3,4\n", "1,2\n3,4", "1,2\r\n3,4\r\n", "1,2\r\n3,4", "\n1,2\n\n\r\n3,4\n\n"})
    EXPECT_EQ(numbers_of(read(text)), (Numbers{1, 2, 3, 4})) << text;
  EXPECT_EQ(numbers_of(read("a,b\nc\n3,4\n", 2)), (Numbers{3, 4}));
}

TEST(ReadCsv, ErrorsNameLineAndColumn) {
  EXPECT_EQ(csv_error("1,2\n3,x\n"), "line 2, column 2: 'x' is not a number");
  EXPECT_EQ(csv_error("h\n\n1,,2\n", 1), "line 3, column 2: '' is not a number");
  EXPECT_EQ(csv_error("1,2,\n"), "line 1, column 3: '' is not a number");
  EXPECT_EQ(csv_error("1;2\n"), "line 1, column 1: '1;2' is not a number");
  EXPECT_EQ(csv_error("1 2\n"), "line 1, column 1: '1 2' is not a number");
  EXPECT_EQ(csv_error("0x10\n"), "line 1, column 1: '0x10' is not a number");
  EXPECT_EQ(csv_error("1e999\n"), "line 1, column 1: '1e999' is not a number");
  for (const char* text : {"+-1", "++1", "+", "-", "1..2", "\"1\"",
                           "\xef\xbb\xbf"
                           "1"})
    EXPECT_TRUE(csv_error(text).ends_with(" is not a number")) << text;
  EXPECT_EQ(csv_error(std::string(1000, 'y')),
            "line 1, column 1: '" + std::string(40, 'y') + "' is not a number");
  EXPECT_EQ(csv_error("1,2\n\n3\n"), "line 3 has 1 columns, the first one 2");
  EXPECT_EQ(csv_error(""), "there are no numbers in it");
  EXPECT_EQ(csv_error("\n\r\n"), "there are no numbers in it");
  EXPECT_EQ(csv_error("a,b\n", 1), "there are no numbers in it");
  EXPECT_TRUE(error_of<std::runtime_error>([] {
                data::read_csv("/none/x.csv");
              }).ends_with("/none/x.csv: No such file or directory"));
}

}  // namespace
}  // namespace levin
