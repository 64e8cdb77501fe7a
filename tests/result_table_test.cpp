// The table of test() and validate(). Texts are those of Lightning 2.5.2's own code.
#include <gtest/gtest.h>
#include <levin/tensor/file.h>
#include <levin/train/console/result_table.h>
#include <stdlib.h>

#include <cmath>

#include "scratch.h"

namespace levin {
namespace {

TEST(ResultTable, IsLightnings) {
  const std::string printed = read_whole(LEVIN_TEST_DIR "/reference/lme/facts/printed.txt");
  const std::string table =
      result_table("Test", {{{"loss", 1.3738417625427246}, {"l1", 0.9492102265357971}}}, 120);
  EXPECT_TRUE(printed.ends_with("\n\n" + table)) << table;
}

TEST(ResultTable, OfEightyColumns) {
  EXPECT_EQ(result_table("Test", {{{"metric1", 0.8374}, {"loss", 1.0593180656433105}}}, 80),
            R"(────────────────────────────────────────────────────────────────────────────────
       Test metric             DataLoader 0
────────────────────────────────────────────────────────────────────────────────
          loss              1.0593180656433105
         metric1                  0.8374
────────────────────────────────────────────────────────────────────────────────
)");
}

TEST(ResultTable, LoadersThatDoNotFitStandBelow) {
  EXPECT_EQ(result_table("Validate",
                         {{{"val_loss", 1}, {"größe", 1e-5}},
                          {{"val_loss", NAN}, {"a", 123456789.25}},
                          {{"val_loss", 3}}},
                         80),
            R"(────────────────────────────────────────────────────────────────────────────────
     Validate metric           DataLoader 0             DataLoader 1
────────────────────────────────────────────────────────────────────────────────
            a                                           123456789.25
          größe                    1e-05
        val_loss                    1.0                      nan
────────────────────────────────────────────────────────────────────────────────
────────────────────────────────────────────────────────────────────────────────
     Validate metric           DataLoader 2
────────────────────────────────────────────────────────────────────────────────
            a
          größe
        val_loss                    3.0
────────────────────────────────────────────────────────────────────────────────
)");
}

TEST(ResultTable, LongNamesGoOnInTheNextLine) {
  EXPECT_EQ(result_table("Test", {{{"a_metric_with_a_name_of_forty_four_characters", 0.5}}}, 60),
            R"(────────────────────────────────────────────────────────────
         Test metric                   DataLoader 0
────────────────────────────────────────────────────────────
a_metric_with_a_name_of_forty_             0.5
       four_characters
────────────────────────────────────────────────────────────
)");
}

TEST(ResultTable, AnyWidthWillDo) {
  EXPECT_EQ(result_table("Test", {}, 80), "");
  EXPECT_EQ(result_table("Test", {{}, {}}, 80), "");
  for (int columns = -1; columns < 60; ++columns)
    EXPECT_NE(result_table("Test", {{{"größe", 1}}, {{"b", 2}}}, columns), "");
}

TEST(ResultTable, IsAsWideAsColumnsSays) {
  const auto printed = [] {
    testing::internal::CaptureStdout();
    print_result_table("Test", {{{"loss", 1}}});
    return testing::internal::GetCapturedStdout();
  };
  unsetenv("COLUMNS");
  EXPECT_EQ(printed(), result_table("Test", {{{"loss", 1}}}, 120));
  setenv("COLUMNS", "90", 1);
  EXPECT_EQ(printed(), result_table("Test", {{{"loss", 1}}}, 90));
  setenv("COLUMNS", "x", 1);
  EXPECT_EQ(printed(), result_table("Test", {{{"loss", 1}}}, 120));
  unsetenv("COLUMNS");
}

}  // namespace
}  // namespace levin
