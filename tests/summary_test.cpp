// Tables of a model's layers. The first ones were printed by torchinfo 1.8.0 and Lightning 2.5.2.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/train/summary.h>

#include "scratch.h"

namespace levin {
namespace {

TEST(LayerTable, OfOneLayer) {
  EXPECT_EQ(LME(nn::Linear(5, 10)).summary(),
            R"(=================================================================
Layer (type:depth-idx)                   Param #
=================================================================
Linear                                   60
=================================================================
Total params: 60
Trainable params: 60
Non-trainable params: 0
=================================================================)");
}

TEST(LayerTable, OfSeveral) {
  LME model(nn::Sequential{nn::Linear(2, 3), nn::Linear(3, 1)});
  EXPECT_EQ(model.summary(),
            R"(=================================================================
Layer (type:depth-idx)                   Param #
=================================================================
Sequential                               --
├─Linear: 1-1                            9
├─Linear: 1-2                            4
=================================================================
Total params: 13
Trainable params: 13
Non-trainable params: 0
=================================================================)");
  model.base_model().requires_grad_(false);
  EXPECT_EQ(model.summary(),
            R"(=================================================================
Layer (type:depth-idx)                   Param #
=================================================================
Sequential                               --
├─Linear: 1-1                            (9)
├─Linear: 1-2                            (4)
=================================================================
Total params: 13
Trainable params: 0
Non-trainable params: 13
=================================================================)");
}

// A part by itself in a Sequential of its own: braces alone would copy a Sequential.
nn::AnyModule in(nn::AnyModule part) { return nn::Sequential{std::move(part)}; }

struct Deep : nn::Module {
  Tensor own = ones({1234}).requires_grad_();
  nn::Sequential first{in(in(nn::Linear(100, 100)))};
  nn::Linear second{4, 4}, third = second;
  nn::ReLU relu;
  void members(nn::Members& m) override {
    m("own", own)("first", first)("second", second)("third", third)("relu", relu);
  }
};

TEST(LayerTable, OfNestedAndSharedLayers) {
  EXPECT_EQ(LME(Deep()).summary(),
            R"(=================================================================
Layer (type:depth-idx)                   Param #
=================================================================
Deep                                     1,234
├─Sequential: 1-1                        --
│    └─Sequential: 2-1                   --
│    │    └─Sequential: 3-1              10,100
├─Linear: 1-2                            20
├─Linear: 1-3                            (recursive)
├─ReLU: 1-4                              --
=================================================================
Total params: 11,354
Trainable params: 11,354
Non-trainable params: 0
=================================================================)");
}

TEST(LayerTable, FrozenPartsAtTheDeepestLevel) {
  Deep deep;
  deep.first.requires_grad_(false);
  const std::string table = layer_table(deep);
  EXPECT_NE(table.find("│    │    └─Sequential: 3-1              (10,100)\n"), std::string::npos);
  EXPECT_NE(table.find("\nTrainable params: 1,254\nNon-trainable params: 10,100\n"),
            std::string::npos);
}

// From here on made by the rules of torchinfo's source: the column widens in steps of 5 once
// name + 5 * depth + 1 reaches 40.
struct ANameOfThirtyOneCharactersInAll : nn::Module {
  Tensor weight = ones({2}).requires_grad_();
  void members(nn::Members& m) override { m("weight", weight); }
};

struct NameOf28CharactersAltogether : ANameOfThirtyOneCharactersInAll {};

template <class Part>
std::string table_of(std::size_t width) {
  const std::string table = layer_table(nn::Sequential{Part()});
  EXPECT_EQ(table.find('\n'), width);
  return table;
}

TEST(LayerTable, LongNamesWidenTheColumn) {
  table_of<NameOf28CharactersAltogether>(65);
  const std::string table = table_of<ANameOfThirtyOneCharactersInAll>(70);
  EXPECT_NE(table.find("\n├─ANameOfThirtyOneCharactersInAll: 1-1        2\n"), std::string::npos)
      << table;
}

TEST(ModelSummary, IsLightningsWithoutTheCriterion) {
  EXPECT_EQ(model_summary_table(nn::Linear(5, 10)),
            "  | Name       | Type   | Params | Mode \n"
            "----------------------------------------------\n"
            "0 | base_model | Linear | 60     | train\n"
            "----------------------------------------------\n"
            "60        Trainable params\n"
            "0         Non-trainable params\n"
            "60        Total params\n"
            "0.000     Total estimated model params size (MB)\n"
            "1         Modules in train mode\n"
            "0         Modules in eval mode\n");
}

TEST(ModelSummary, CountsPartsAndBytes) {
  nn::Sequential model{nn::Linear(100, 100), nn::ReLU()};
  model.requires_grad_(false);
  model.eval();
  model.to(kFloat64);
  const std::string table = model_summary_table(model);
  EXPECT_NE(table.find("0 | base_model | Sequential | 10.1 K | eval\n"), std::string::npos)
      << table;
  EXPECT_NE(table.find("0         Trainable params\n10.1 K    Non-trainable params\n"),
            std::string::npos);
  EXPECT_NE(table.find("0.081     Total estimated"), std::string::npos) << table;
  EXPECT_NE(table.find("0         Modules in train mode\n3         Modules in eval mode\n"),
            std::string::npos);
}

TEST(ShortCount, IsLightnings) {
  EXPECT_EQ(short_count(0), "0  ");
  EXPECT_EQ(short_count(999), "999  ");
  EXPECT_EQ(short_count(1000), "1.0 K");
  EXPECT_EQ(short_count(1234), "1.2 K");
  EXPECT_EQ(short_count(12345), "12.3 K");
  EXPECT_EQ(short_count(99960), "100.0 K");
  EXPECT_EQ(short_count(123999), "123 K");
  EXPECT_EQ(short_count(999999), "999 K");
  EXPECT_EQ(short_count(4500000), "4.5 M");
  EXPECT_EQ(short_count(7000000000), "7.0 B");
  EXPECT_EQ(short_count(1500000000000), "1.5 T");
  EXPECT_EQ(short_count(1234567000000000), "1,234 T");
}

}  // namespace
}  // namespace levin
