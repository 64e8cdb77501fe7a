// Numbers, dates and texts as Python writes them. Expected texts were made by Python 3.11.
#include <gtest/gtest.h>
#include <levin/train/files/text.h>
#include <stdlib.h>
#include <time.h>

#include <bit>
#include <cmath>
#include <limits>

#include "hash.h"

namespace levin {
namespace {

struct Repr {
  double number;
  const char* text;
};

constexpr Repr kReprs[] = {
    {0x0.0p+0, "0.0"},
    {-0x0.0p+0, "-0.0"},
    {0x1.0000000000000p+0, "1.0"},
    {-0x1.0000000000000p+0, "-1.0"},
    {0x1.999999999999ap-4, "0.1"},
    {0x1.5555555555555p-2, "0.3333333333333333"},
    {0x1.9000000000000p+6, "100.0"},
    {0x1.a36e2eb1c432dp-14, "0.0001"},
    {0x1.a36e2eb1c432ep-14, "0.00010000000000000002"},
    {0x1.a36e2eb1c432cp-14, "9.999999999999999e-05"},
    {0x1.4f8b588e368f1p-17, "1e-05"},
    {-0x1.4f8b588e368f1p-17, "-1e-05"},
    {0x1.f75104d551d69p-17, "1.5e-05"},
    {0x1.ad7f29abcaf48p-24, "1e-07"},
    {0x1.c6bf526340000p+49, "1000000000000000.0"},
    {0x1.c12218377de6bp+46, "123456789012345.67"},
    {0x1.0000000000000p+53, "9007199254740992.0"},
    {0x1.1c37937e07fffp+53, "9999999999999998.0"},
    {0x1.1c37937e08000p+53, "1e+16"},
    {0x1.aa535d3d0c000p+53, "1.5e+16"},
    {0x1.0f0cf064dd592p+73, "1e+22"},
    {0x1.249ad2594c37dp+332, "1e+100"},
    {-0x1.17f7d4ed8c33ep-331, "-2.5e-100"},
    {0x0.0000000000001p-1022, "5e-324"},
    {0x1.0000000000000p-1022, "2.2250738585072014e-308"},
    {0x1.fffffffffffffp+1023, "1.7976931348623157e+308"},
    {INFINITY, "inf"},
    {-INFINITY, "-inf"},
    {NAN, "nan"},
    {0.624f, "0.6240000128746033"},
    {0.1f, "0.10000000149011612"},
    {1e-05f, "9.999999747378752e-06"},
    {1e+16f, "1.0000000272564224e+16"},
    {123456789.0f, "123456792.0"},
    {3.4028234663852886e+38f, "3.4028234663852886e+38"},
    {1e-45f, "1.401298464324817e-45"},
};

TEST(PythonRepr, IsPythons) {
  for (const auto& [number, text] : kReprs) EXPECT_EQ(python_repr(number), text);
}

uint64_t mixed(uint64_t i) {  // splitmix64
  uint64_t z = (i + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

TEST(PythonRepr, OfManyNumbersIsPythons) {
  constexpr double kScales[] = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0,  1e1,
                                1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17};
  uint64_t hash = kNoBytes;
  const auto add = [&](double number) {
    if (!std::isfinite(number)) return;
    const std::string line = python_repr(number) + "\n";
    hash = hash_of(line.data(), line.size(), hash);
  };
  for (uint64_t i = 0; i < 50000; ++i) {
    const uint64_t bits = mixed(i);
    add(std::bit_cast<double>(bits));
    add(static_cast<double>(bits >> 11) * 0x1p-53 * kScales[i % 24]);
    add(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  EXPECT_EQ(hash, 0x1b22968d7395f115);
}

TEST(Text, FixedDigits) {
  EXPECT_EQ(fixed_text(1.19249, 3), "1.192");
  EXPECT_EQ(fixed_text(2.5, 0), "2");
  EXPECT_EQ(fixed_text(-0.0, 2), "-0.00");
  EXPECT_EQ(fixed_text(1e22, 1), "10000000000000000000000.0");
  EXPECT_EQ(fixed_text(1.7976931348623157e308, 20).size(), 309u + 21);
  EXPECT_EQ(fixed_text(NAN, 3), "nan");
  EXPECT_EQ(fixed_text(-std::numeric_limits<double>::quiet_NaN(), 3), "nan");
  EXPECT_EQ(fixed_text(INFINITY, 3), "inf");
  EXPECT_EQ(fixed_text(-INFINITY, 3), "-inf");
}

TEST(Text, Commas) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(-999), "-999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(-1000), "-1,000");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
  EXPECT_EQ(with_commas(INT64_MIN), "-9,223,372,036,854,775,808");
}

TEST(Text, PythonList) {
  EXPECT_EQ(python_list({}), "[]");
  EXPECT_EQ(python_list({"a"}), "['a']");
  EXPECT_EQ(python_list({"a", "b"}), "['a', 'b']");
}

TEST(Text, ReadsUTF8) {
  std::string_view text = "a↑é😀";
  for (const char32_t wanted : {U'a', U'↑', U'é', U'😀'}) EXPECT_EQ(next_character(text), wanted);
  EXPECT_TRUE(text.empty());
}

TEST(Text, WhatIsNotUTF8IsReplacedByteByByte) {
  // A lone byte, a cut character, an overlong quote, a surrogate, one beyond U+10FFFF.
  for (const std::string_view bad :
       {"\xff", "\xe2\x82", "\xc0\xa2", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8"}) {
    std::string_view text = bad;
    for (std::size_t i = 0; i < bad.size(); ++i) EXPECT_EQ(next_character(text), U'\uFFFD');
    EXPECT_TRUE(text.empty());
  }
  std::string_view cut = std::string_view("↑").substr(0, 2);
  EXPECT_EQ(next_character(cut), U'\uFFFD') << "the third byte is not the text's";
}

TEST(Duration, IsPythonsTimedelta) {
  EXPECT_EQ(duration_text(0), "0:00:00");
  EXPECT_EQ(duration_text(5), "0:00:05");
  EXPECT_EQ(duration_text(1.938213), "0:00:01.938213");
  EXPECT_EQ(duration_text(0.0000004), "0:00:00");
  EXPECT_EQ(duration_text(59.9999999), "0:01:00");
  EXPECT_EQ(duration_text(86399.5), "23:59:59.500000");
  EXPECT_EQ(duration_text(86403.5), "1 day, 0:00:03.500000");
  EXPECT_EQ(duration_text(10 * 86400.0 + 3661), "10 days, 1:01:01");
  EXPECT_EQ(duration_text(-1), "-1 day, 23:59:59");
  EXPECT_EQ(duration_text(-86400.25), "-2 days, 23:59:59.750000");
}

TEST(Date, IsLocalTimeWithMicroseconds) {
  const char* before = getenv("TZ");
  const std::string zone = before ? before : "";
  setenv("TZ", "UTC-2", 1);  // two hours east
  tzset();
  EXPECT_EQ(date_text(1727178567.912991), "2024-09-24 13:49:27.912991");
  EXPECT_EQ(date_text(1727178567), "2024-09-24 13:49:27");
  EXPECT_EQ(date_text(0.000001), "1970-01-01 02:00:00.000001");
  EXPECT_EQ(date_text(-0.5), "1970-01-01 01:59:59.500000");
  before ? setenv("TZ", zone.c_str(), 1) : unsetenv("TZ");
  tzset();
}

TEST(Date, NowIsAfter2020) { EXPECT_GT(seconds_now(), 1577836800); }

}  // namespace
}  // namespace levin
