// The parts of a picture that can be tested without one: ticks, labels, limits, text.
#include <gtest/gtest.h>
#include <levin/train/plot/figure.h>
#include <levin/train/plot/text.h>
#include <levin/train/plot/ticks.h>

#include <cmath>
#include <random>

namespace levin {
namespace {

using Texts = std::vector<std::string>;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Ticks, AsMatplotlibSetsThem) {
  const Ticks ticks = value_ticks(1.1270, 1.3385, 9);
  EXPECT_EQ(ticks.labels,
            (Texts{"1.150", "1.175", "1.200", "1.225", "1.250", "1.275", "1.300", "1.325"}));
  ASSERT_EQ(ticks.positions.size(), 8u);
  EXPECT_DOUBLE_EQ(ticks.positions[0], 1.15);
  EXPECT_DOUBLE_EQ(ticks.positions[7], 1.325);
  EXPECT_EQ(ticks.scale, "");
}

TEST(Ticks, AroundZero) {
  EXPECT_EQ(value_ticks(-0.055, 0.055, 9).labels,
            (Texts{"−0.04", "−0.02", "0.00", "0.02", "0.04"}));
  EXPECT_EQ(value_ticks(0, 20, 9).labels,
            (Texts{"0.0", "2.5", "5.0", "7.5", "10.0", "12.5", "15.0", "17.5", "20.0"}));
}

TEST(Ticks, PowersOfTenAndSharedDigits) {
  Ticks ticks = value_ticks(0.97e-7, 2.05e-7, 9);
  EXPECT_EQ(ticks.scale, "×10⁻⁷");
  EXPECT_EQ(ticks.labels, (Texts{"1.0", "1.2", "1.4", "1.6", "1.8", "2.0"}));
  ticks = value_ticks(-3e9, 1e9, 4);
  EXPECT_EQ(ticks.scale, "×10⁹");
  EXPECT_EQ(ticks.labels, (Texts{"−3", "−2", "−1", "0", "1"}));
  ticks = value_ticks(1.2339999, 1.2340005, 9);
  EXPECT_EQ(ticks.scale, "×10⁻⁶ + 1.233999");
  ticks = value_ticks(1.234, 1.2340005, 5);
  EXPECT_EQ(ticks.scale, "×10⁻⁷ + 1.234");
  EXPECT_EQ(ticks.labels, (Texts{"0", "1", "2", "3", "4", "5"}));
  ticks = value_ticks(-10000003, -10000000, 3);
  EXPECT_EQ(ticks.scale, "− 10000000");
  EXPECT_EQ(ticks.labels, (Texts{"−3", "−2", "−1", "0"}));
  EXPECT_EQ(value_ticks(99000, 101000, 4).labels,
            (Texts{"99000", "99500", "100000", "100500", "101000"}));
}

// The number that a label and the axis' scale say.
double read(const std::string& label, const std::string& scale) {
  const auto number = [](std::string text) {
    double sign = 1;
    if (text.starts_with("−")) {
      sign = -1;
      text.erase(0, 3);
    }
    std::size_t end = 0;
    double value = sign * std::stod(text, &end);
    text.erase(0, end);
    if (text.empty()) return value;
    EXPECT_TRUE(text.starts_with("×10")) << text;
    text.erase(0, 4);
    int exponent = 0;
    const bool negative = text.starts_with("⁻");
    if (negative) text.erase(0, 3);
    const Texts digits{"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    while (!text.empty())
      for (int digit = 0; digit < 10; ++digit)
        if (text.starts_with(digits[digit])) {
          exponent = 10 * exponent + digit;
          text.erase(0, digits[digit].size());
        }
    return value * std::pow(10.0, negative ? -exponent : exponent);
  };
  const std::size_t plus = scale.find("+ "), minus = scale.find("− ");
  const std::size_t sign = std::min(plus, minus);
  std::string power = scale.substr(0, sign);
  if (power.ends_with(' ')) power.pop_back();
  double value = number(label + power);
  if (plus != std::string::npos) value += number(scale.substr(plus + 2));
  if (minus != std::string::npos) value -= number(scale.substr(minus + 4));
  return value;
}

TEST(Ticks, LabelsSayWhereTheyStandAndFit) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int i = 0; i < 20000; ++i) {
    const double middle = uniform(random) * std::pow(10, 9 * uniform(random));
    const double range = std::abs(middle) * std::pow(10, 5 * uniform(random) - 4) + 1e-12;
    const double low = middle - range, high = middle + range;
    const Ticks ticks = value_ticks(low, high, 9);
    const std::string where = std::to_string(low) + " to " + std::to_string(high);
    ASSERT_GE(ticks.labels.size(), 4u) << where;
    ASSERT_LE(ticks.labels.size(), 10u) << where;
    const auto decimals = [](const std::string& label) {
      const std::size_t point = label.find('.');
      return point == std::string::npos ? 0 : label.size() - point;
    };
    for (std::size_t k = 0; k < ticks.labels.size(); ++k) {
      const std::string& label = ticks.labels[k];
      ASSERT_GE(ticks.positions[k], low - 1e-6 * range) << where;
      ASSERT_LE(ticks.positions[k], high + 1e-6 * range) << where;
      ASSERT_NEAR(read(label, ticks.scale), ticks.positions[k], 1e-5 * range)
          << where << ": " << label << ' ' << ticks.scale;
      ASSERT_EQ(decimals(label), decimals(ticks.labels[0])) << where;
      ASSERT_LE(text_width(label, kTextSize), 70) << where << ": " << label;
    }
  }
}

TEST(Ticks, EpochsAreWholeNumbers) {
  EXPECT_TRUE(epoch_ticks(0).labels.empty());
  EXPECT_EQ(epoch_ticks(1).labels, (Texts{"1"}));
  EXPECT_EQ(epoch_ticks(3).labels, (Texts{"1", "2", "3"}));
  EXPECT_EQ(epoch_ticks(10).labels, (Texts{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}));
  EXPECT_EQ(epoch_ticks(11).labels, (Texts{"2", "4", "6", "8", "10"}));
  EXPECT_EQ(epoch_ticks(21).labels, (Texts{"5", "10", "15", "20"}));
  EXPECT_EQ(epoch_ticks(200).labels, (Texts{"25", "50", "75", "100", "125", "150", "175", "200"}));
  EXPECT_EQ(epoch_ticks(500).positions, (std::vector<double>{100, 200, 300, 400, 500}));
  for (const std::int64_t epochs : {99, 999, 9999, 10000, 90000, 900000, 1000000, 99999999}) {
    const Ticks ticks = epoch_ticks(epochs);
    ASSERT_GE(ticks.labels.size(), 2u);
    const double apart = 450 * (ticks.positions[1] - ticks.positions[0]) / double(epochs);
    EXPECT_GT(apart, text_width(ticks.labels.back(), kTextSize) + 4) << epochs;
  }
}

TEST(Ticks, ValuesInASentence) {
  EXPECT_EQ(value_text(0), "0.00");
  EXPECT_EQ(value_text(1.1368), "1.14");
  EXPECT_EQ(value_text(-0.956), "−0.96");
  EXPECT_EQ(value_text(12345.678), "12345.68");
  EXPECT_EQ(value_text(0.012345), "0.0123");
  EXPECT_EQ(value_text(1.2345e-7), "1.23×10⁻⁷");
  EXPECT_EQ(value_text(-2.5e12), "−2.5×10¹²");
  EXPECT_EQ(value_text(9.999e-6), "1×10⁻⁵");
}

TEST(History, BestEpoch) {
  EXPECT_EQ(best_epoch({"", false, {3, 1, 2}, {}}), 1u);
  EXPECT_EQ(best_epoch({"", true, {3, 1, 2}, {}}), 0u);
  EXPECT_EQ(best_epoch({"", false, {3, 1, 2}, {5, 6, 4}}), 2u) << "validation decides";
  EXPECT_EQ(best_epoch({"", true, {1, 2, 2, 0}, {}}), 1u) << "the first of equals";
  EXPECT_EQ(best_epoch({"", false, {kNaN, 2, -kInfinity, 1, kNaN}, {}}), 3u);
  EXPECT_EQ(best_epoch({"", true, {kNaN, -2e5, kInfinity}, {}}), 1u);
  EXPECT_EQ(best_epoch({"", true, {1, 2}, {kNaN, kNaN}}), std::nullopt);
  EXPECT_EQ(best_epoch({"", true, {}, {}}), std::nullopt);
}

void expect_range(const MetricHistory& history, double low, double high) {
  const Range range = value_range(history);
  EXPECT_DOUBLE_EQ(range.low, low);
  EXPECT_DOUBLE_EQ(range.high, high);
}

TEST(History, RangeOfOrdinaryValuesIsWhole) {
  expect_range({"", false, {3, kNaN, 1}, {2, kInfinity, 5}}, 1, 5);
  expect_range({"", false, {1, 2, 100}, {}}, 1, 100);
  expect_range({"", true, {0, 0, 0, 0, 0, 0, 0, 1}, {}}, 0, 1);
  expect_range({"", true, {0, 0, 0, 0, 0, 0, 0.05, 0.9}, {}}, 0, 0.9);
  expect_range({"", false, {100, 30, 9, 3, 1, 0.3, 0.1, 0.03}, {}}, 0.03, 100);
}

TEST(History, RangeWithoutOutliers) {
  expect_range({"", false, {5, 4, 1e6, 3, 2}, {}}, 2, 5);
  expect_range({"", true, {5, 4, -1e6, 3, 2}, {}}, 2, 5);
  expect_range({"", true, {5, 4, -1e6, 3, 2, 5, 1e9, 4}, {}}, 2, 5);
  expect_range({"", false, {1e6, 4, -1e6, 3, 2, 5, 5, 4}, {}}, 2, 5);
  // On the better side only if they are farther away.
  expect_range({"", false, {5, 4, 63, 3, 2}, {}}, 2, 5);
  expect_range({"", true, {5, 4, 63, 3, 2}, {}}, 2, 63);
}

TEST(History, RangeOfOneValue) {
  expect_range({"", false, {}, {}}, 0, 1);
  expect_range({"", false, {0, 0}, {}}, -0.05, 0.05);
  expect_range({"", false, {-2, -2}, {}}, -2.1, -1.9);
  const Range range = value_range({"", false, {1.7e308, -1.7e308}, {}});
  EXPECT_TRUE(std::isfinite(range.high - range.low));
}

TEST(Text, EveryCharacterHasAGlyph) {
  const auto drawn = [](std::string_view text) {
    Canvas canvas(24, 24);
    draw_text(canvas, text, {4, 18}, 16, kBlack);
    return canvas.pixels();
  };
  const auto missing = drawn("\x01");
  for (char c = '!'; c <= '~'; ++c) EXPECT_NE(drawn(std::string_view(&c, 1)), missing) << c;
  for (const char* text :
       {"↑", "↓", "→", "←", "…", "−", "×", "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹", "⁻"})
    EXPECT_NE(drawn(text), missing) << text;
  EXPECT_EQ(drawn("損"), missing);
  EXPECT_EQ(drawn(" "), drawn(""));
}

TEST(Text, WidthsAreTheFonts) {
  EXPECT_NEAR(text_width("0", 2048), 1303, 0.01);
  EXPECT_NEAR(text_width("00", 1024), 1303, 0.01);
  EXPECT_LT(text_width("AV", 20), text_width("A", 20) + text_width("V", 20)) << "kerning";
}

TEST(Canvas, CoverIsTheShareOfAPixel) {
  Canvas canvas(20, 20);
  canvas.fill_box({2.5, 5, 4, 7}, 0, kBlack);
  const auto red = [&](int x, int y) { return int(canvas.pixels()[(y * 20 + x) * 3]); };
  EXPECT_EQ(red(1, 5), 255);
  EXPECT_EQ(red(2, 5), 128);
  EXPECT_EQ(red(3, 6), 0);
  EXPECT_EQ(red(4, 6), 255);
  EXPECT_EQ(canvas.ink({0, 0, 20, 20}), 4);
  EXPECT_EQ(canvas.ink({-5, -5, 3, 100}), 2);
}

TEST(Canvas, StrokeInksItsJoinsOnce) {
  const Point line[] = {{2, 5}, {8, 5}, {2, 5}, {8.25, 5}};
  Canvas once(12, 10), often(12, 10);
  once.stroke(std::span(line).subspan(2), 1.5, kBlack, {0, 0, 12, 10});
  often.stroke(line, 1.5, kBlack, {0, 0, 12, 10});
  EXPECT_EQ(once.pixels(), often.pixels());
  EXPECT_EQ(once.pixels()[(5 * 12 + 5) * 3], 64);  // a quarter of a pixel beyond the whole one
  Canvas clipped(12, 10);
  clipped.stroke(line, 5, kBlack, {4, 5, 6, 6});
  EXPECT_EQ(clipped.ink({0, 0, 12, 10}), 2);
}

}  // namespace
}  // namespace levin
