#include <gtest/gtest.h>
#include <levin/train/plot/figure.h>
#include <levin/train/plot/metric_plot.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <tuple>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_ONLY_PNG
#include <stb/stb_image.h>

namespace levin {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Colour kTrain{0x1f, 0x77, 0xb4}, kValidation{0xff, 0x7f, 0x0e}, kBest{0x2c, 0xa0, 0x2c};
constexpr Box kAll{0, 0, 640, 480};

// The decoded picture of a history.
class Picture {
 public:
  explicit Picture(const MetricHistory& history) {
    const std::string png = metric_plot_png(history);
    int width = 0, height = 0, channels = 0;
    pixels_.reset(stbi_load_from_memory(reinterpret_cast<const unsigned char*>(png.data()),
                                        int(png.size()), &width, &height, &channels, 3));
    if (!pixels_ || width != 640 || height != 480 || channels != 3)
      throw std::runtime_error("not a PNG of 640 x 480 in colour");
  }

  // Counts the pixels in the box for which test(red, green, blue) holds.
  template <class Test>
  int count(Box box, Test test) const {
    int found = 0;
    for (int y = int(box.top); y < int(box.bottom); ++y)
      for (int x = int(box.left); x < int(box.right); ++x) {
        const unsigned char* pixel = pixels_.get() + (y * 640 + x) * 3;
        found += test(pixel[0], pixel[1], pixel[2]);
      }
    return found;
  }

  // Counts the pixels of exactly this colour.
  int count(Box box, Colour colour) const {
    return count(box, [=](int red, int green, int blue) {
      return red == colour.red && green == colour.green && blue == colour.blue;
    });
  }

  int count_dark(Box box) const {
    return count(box, [](int red, int green, int blue) { return red + green + blue < 250; });
  }

  int count_coloured(Box box) const {
    return count(box, [](int red, int green, int blue) {
      return std::max({red, green, blue}) - std::min({red, green, blue}) > 40;
    });
  }

  // The smallest box around what is written inside the frame.
  Box note() const {
    Box note{640, 480, 0, 0};
    for (int y = int(kInside.top); y < int(kInside.bottom); ++y)
      for (int x = int(kInside.left); x < int(kInside.right); ++x) {
        const unsigned char* pixel = pixels_.get() + (y * 640 + x) * 3;
        if (std::max({pixel[0], pixel[1], pixel[2]}) > 90) continue;
        note = {std::min<double>(note.left, x), std::min<double>(note.top, y),
                std::max<double>(note.right, x + 1), std::max<double>(note.bottom, y + 1)};
      }
    return note;
  }

 private:
  std::unique_ptr<unsigned char, decltype(&stbi_image_free)> pixels_{nullptr, &stbi_image_free};
};

// The columns inside the frame next to an epoch's.
Box column(double epoch, double epochs, double reach = 2) {
  const double share = epochs > 1 ? (epoch - 1) / (epochs - 1) : 0.5;
  const double x = 80.5 + 496 * (0.05 + share) / 1.1;
  return {std::floor(x - reach), kInside.top, std::ceil(x + reach), kInside.bottom};
}

// The height of a curve in those columns, from 0 (bottom of the frame) to 1; -1: it is not there.
double height_of(const Picture& picture, Box columns, Colour colour) {
  for (double y = columns.top; y < columns.bottom; ++y)
    if (picture.count({columns.left, y, columns.right, y + 1}, colour) > 0)
      return (kInside.bottom - y) / (kInside.bottom - kInside.top);
  return -1;
}

std::vector<double> made(int count, double (*value)(int)) {
  std::vector<double> values(count);
  for (int i = 0; i < count; ++i) values[i] = value(i);
  return values;
}

double noise(int i) { return std::fmod(std::sin(i * 12.9898) * 43758.5453, 1.0); }

MetricHistory loss_of_ten_epochs() {
  return {"loss", false, made(10, [](int i) { return 0.3 + std::exp(-0.3 * i); }),
          made(10, [](int i) { return 0.5 + std::exp(-0.4 * i) + 0.02 * i; })};
}

TEST(Plot, CurvesLieWhereTheirValuesAre) {
  // The axis spans -0.25 to 6: there is room for the note above the best value.
  const Picture picture({"score", true, {0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}});
  for (int i = 0; i < 6; ++i) {
    const Box columns = column(i + 1, 6, 1);
    if (i > 0) {  // epoch 1 is validation's best
      EXPECT_NEAR(height_of(picture, columns, kTrain), (0.25 + i) / 6.25, 0.02) << i;
    }
    EXPECT_NEAR(height_of(picture, columns, i > 0 ? kValidation : kBest), (5.25 - i) / 6.25, 0.025)
        << i;
  }
}

TEST(Plot, FrameTitleAndLegend) {
  const Picture picture(loss_of_ten_epochs());
  for (const Box& line :
       {Box{80, 57, 577, 58}, Box{80, 427, 577, 428}, Box{80, 57, 81, 428}, Box{576, 57, 577, 428}})
    EXPECT_EQ(picture.count(line, kBlack),
              int((line.right - line.left) * (line.bottom - line.top)));
  EXPECT_GT(picture.count({513, 5, 635, 54}, kTrain), 20);
  EXPECT_GT(picture.count({513, 5, 635, 54}, kValidation), 20);
  EXPECT_GT(picture.count_dark({290, 30, 370, 56}), 20) << "the title";
  EXPECT_GT(picture.count_dark({0, 58, 70, 428}), 50) << "labels of values";
  EXPECT_GT(picture.count_dark({81, 433, 577, 450}), 20) << "labels of epochs";
  EXPECT_GT(picture.count_dark({300, 452, 360, 475}), 20) << "Epoch";
}

TEST(Plot, NoValidationNoSecondCurve) {
  const Picture picture({"loss", false, {3, 2, 1}, {}});
  EXPECT_EQ(picture.count(kAll, kValidation), 0);
  EXPECT_GT(picture.count({513, 5, 635, 54}, kTrain), 20);
  EXPECT_GT(picture.count(column(3, 3, 5), kBest), 20);
}

TEST(Plot, NaNAndInfinityLeaveGaps) {
  const Picture picture({"loss", false, {1, 0.9, kNaN, 0.7, kInfinity, 0.5, 0.4}, {}});
  const auto blue = [&](double epoch) { return picture.count(column(epoch, 7), kTrain); };
  EXPECT_GT(blue(1.5), 0);
  EXPECT_EQ(blue(2.5), 0);
  EXPECT_EQ(blue(3), 0);
  EXPECT_GT(blue(4), 9) << "a lone point is to be seen";
  EXPECT_EQ(blue(5), 0);
  EXPECT_GT(blue(6.5), 0);
}

TEST(Plot, OneEpochShowsBothCurves) {
  const Picture picture({"loss", false, {1.2}, {1.5}});
  EXPECT_GT(picture.count(column(1, 1), kTrain), 9);
  EXPECT_GT(picture.count(column(1, 1), kValidation), 9);
  EXPECT_GT(picture.count(column(1, 1, 5), kBest), 9);
}

TEST(Plot, EachOf500EpochsIsDrawn) {
  for (const int peak : {1, 2, 77, 250, 499, 500}) {
    MetricHistory history{"loss", false, std::vector<double>(500, 1.0), {}};
    history.train[peak - 1] = 2;
    const Picture picture(history);
    EXPECT_NEAR(height_of(picture, column(peak, 500), kTrain), 1.05 / 1.1, 0.03) << peak;
  }
}

TEST(Plot, MetricOfZeros) {
  const std::vector<double> zeros(10, 0.0);
  const Picture picture({"accuracy", true, zeros, zeros});
  for (int epoch = 2; epoch <= 10; ++epoch)
    EXPECT_NEAR(height_of(picture, column(epoch, 10), kValidation), 0.5, 0.01) << epoch;
}

// The median of these is 0: data that is clipped by it, as in the original, would be flat.
TEST(Defects, Q3_MostlyZerosAreNotFlattened) {
  const Picture picture({"accuracy", true, {0, 0, 0, 0, 0, 0, 0.1, 0.3}, {}});
  EXPECT_NEAR(height_of(picture, column(7, 8, 1), kTrain), (0.015 + 0.1) / 0.33, 0.1);
  EXPECT_GT(height_of(picture, column(8, 8, 5), kBest), 0.7);
}

TEST(Plot, OutliersLeaveTheFrameWithATriangle) {
  const Picture picture({"mse", false, {5, 4, 3.5, 1e6, 2.9, 2.5, 2.3, 2.2, 2.1, 2.05}, {}});
  EXPECT_GT(height_of(picture, column(1, 10), kTrain), 0.9);
  EXPECT_LT(height_of(picture, column(9, 10), kTrain), 0.2);
  EXPECT_EQ(picture.count({column(4, 10).left, 70, column(4, 10).right, 427}, kTrain), 0);
  EXPECT_GT(picture.count({column(4, 10).left, 58, column(4, 10).right, 66}, kTrain), 10);
  const Picture both({"mse", false, {3, 2, 1e6, 1, 0.9, 0.8}, {3, 2, 1e6, 1, 0.9, 0.8}});
  const Box columns = column(3, 6);
  EXPECT_GT(both.count({columns.left, 58, columns.right, 67}, kTrain), 10);
  EXPECT_GT(both.count({columns.left, 67, columns.right, 76}, kValidation), 10);
}

TEST(Plot, ABestEpochOutsideTheFrameIsMarkedAtItsBorder) {
  const Picture picture({"score", true, {1, 2, 3, 2, 1e9, 1, 2, 3, 2, 2.5}, {}});
  EXPECT_GT(picture.count({column(5, 10).left, 58, column(5, 10).right, 66}, kBest), 10);
}

class NotePlace : public testing::TestWithParam<std::tuple<const char*, MetricHistory>> {};

TEST_P(NotePlace, NoteTouchesNothing) {
  const Picture picture(std::get<1>(GetParam()));
  const Box note = picture.note();
  EXPECT_GT(note.right - note.left, 45);
  EXPECT_LT(note.right - note.left, 140);
  EXPECT_GT(note.bottom - note.top, 24);
  EXPECT_LT(note.bottom - note.top, 34);
  EXPECT_EQ(picture.count_coloured(note), 0) << "it lies on a curve";
  const Box around{note.left - 2, note.top - 2, note.right + 2, note.bottom + 2};
  EXPECT_GE(around.left, kInside.left);
  EXPECT_GE(around.top, kInside.top);
  EXPECT_LE(around.right, kInside.right);
  EXPECT_LE(around.bottom, kInside.bottom);
}

std::vector<std::tuple<const char*, MetricHistory>> note_cases() {
  const auto wild = made(500, noise), tame = made(500, [](int i) { return 0.8 * noise(-i); });
  const auto ending_best = made(10, [](int i) { return 1 - std::exp(-0.3 * i); });
  return {{"falling", loss_of_ten_epochs()},
          {"rising", {"accuracy", true, ending_best, ending_best}},
          {"train_only", {"accuracy", true, ending_best, {}}},
          {"best_first", {"loss", false, {1, 2, 3, 4}, {1, 2, 2, 5}}},
          {"one_epoch", {"loss", false, {1}, {1}}},
          {"zeros", {"f1", true, {0, 0, 0, 0}, {0, 0, 0, 0}}},
          {"tiny", {"mse", false, {3e-7, 2e-7, 1e-7}, {4e-7, 2e-7, 1.5e-7}}},
          {"wild_up", {"accuracy", true, wild, tame}},
          {"wild_down", {"loss", false, wild, tame}},
          {"validation_above",
           {"loss", false, made(300, [](int i) { return 0.05 * noise(i); }),
            made(300, [](int i) { return 1 + 0.4 * noise(i); })}}};
}

INSTANTIATE_TEST_SUITE_P(Plot, NotePlace, testing::ValuesIn(note_cases()),
                         [](const auto& info) { return std::get<0>(info.param); });

TEST(Plot, NothingToDraw) {
  for (const MetricHistory& history :
       {MetricHistory{"loss", false, {}, {}}, MetricHistory{"loss", true, {kNaN, kNaN}, {kNaN}}}) {
    const Picture picture(history);
    EXPECT_EQ(picture.count_coloured(kInside), 0);
    EXPECT_EQ(picture.count({80, 57, 577, 58}, kBlack), 497);
  }
}

TEST(Plot, ExtremeValues) {
  const double least = 5e-324, most = 1.7e308;
  Picture({"loss", false, {most, -most, least, 0, 1}, {-least, most, kInfinity, -kInfinity}});
  Picture({"loss", true, {-most, -most}, {most}});
  Picture({"loss", true, {least, 2 * least}, {}});
}

TEST(Plot, TitleStaysBetweenTheScaleAndTheLegend) {
  const std::string wide(34, 'W');
  const Picture picture({wide, true, {1e-7, 2e-7}, {1e-7, 3e-7}});
  EXPECT_GT(picture.count_dark({140, 30, 500, 56}), 100);
  EXPECT_EQ(picture.count({502, 30, 512, 56}, [](int red, int, int) { return red < 255; }), 0);
}

TEST(Plot, NamesOfAnyBytes) {
  Picture({"", true, {1, 2}, {}});
  Picture({"größe_損失\n\xff\xc3", true, {1, 2}, {}});
  Picture({std::string(1000000, '\x80'), true, {1, 2}, {}});
}

TEST(Plot, LongTitles) {
  const auto title = [](const std::string& name) { return title_of({name, false, {}, {}}); };
  EXPECT_EQ(title_of({"accuracy", true, {}, {}}), "accuracy(↑)");
  EXPECT_EQ(title(std::string(34, 'x')), std::string(34, 'x') + "(↓)");
  EXPECT_EQ(title(std::string(28, 'a') + "1234567"), std::string(25, 'a') + "...1234567(↓)");
  std::string umlauts;
  for (int i = 0; i < 35; ++i) umlauts += "ä";
  EXPECT_EQ(title(umlauts), umlauts.substr(0, 50) + "..." + umlauts.substr(0, 14) + "(↓)");
}

TEST(Plot, TheSameBytesEachTime) {
  const MetricHistory history = loss_of_ten_epochs();
  const std::string png = metric_plot_png(history);
  EXPECT_EQ(png, metric_plot_png(history));
  EXPECT_LT(png.size(), 40000u);
}

}  // namespace
}  // namespace levin
