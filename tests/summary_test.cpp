// Tables of a model's layers. The first ones were printed by torchinfo 1.8.0 and Lightning 2.5.2.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/callbacks/model_summary.h>
#include <levin/train/console/summary.h>

#include <sstream>

#include "scratch.h"
#include "seed_model.h"

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

TEST(LayerTable, IsWhatTorchinfoPrinted) {
  const std::string printed = read_whole(LEVIN_TEST_DIR "/reference/lme/facts/printed.txt");
  LME linear(nn::Linear(5, 10)), two(nn::Sequential{nn::Linear(2, 3), nn::Linear(3, 1)});
  std::string expected = linear.summary() + "\n\n" + two.summary() + "\n\n";
  two.requires_grad_(false);
  expected += two.summary() + "\n\n" + LME(Deep()).summary() + "\n\n";
  EXPECT_TRUE(printed.starts_with(expected));
}

// From here on by the rules of torchinfo's formatting.py: 25 characters a column.
TEST(LayerTable, WithAnExampleHasShapes) {
  nn::Sequential model{nn::Linear(5, 300), nn::ReLU(), nn::Dropout(0.5), nn::Linear(300, 1)};
  const std::string table = layer_table(model, ones({4, 5}));
  EXPECT_EQ(
      table,
      R"(===================================================================================================================
Layer (type:depth-idx)                   Input Shape               Output Shape              Param #
===================================================================================================================
Sequential                               [4, 5]                    [4, 1]                    --
├─Linear: 1-1                            [4, 5]                    [4, 300]                  1,800
├─ReLU: 1-2                              [4, 300]                  [4, 300]                  --
├─Dropout: 1-3                           [4, 300]                  [4, 300]                  --
├─Linear: 1-4                            [4, 300]                  [4, 1]                    301
===================================================================================================================
Total params: 2,101
Trainable params: 2,101
Non-trainable params: 0
===================================================================================================================)");
}

struct Drawing : nn::Module {
  nn::Linear used{2, 2}, unused{2, 2};
  bool fails = false, recorded = false;
  void members(nn::Members& m) override { m("used", used)("unused", unused); }
  Tensor forward(const Tensor& x) override {
    const Tensor y = used(used(x + rand({1, 2})));
    recorded |= y.requires_grad() || is_training() || used.is_training();
    if (fails) fail({"no"});
    return y.sum();
  }
};

TEST(LayerTable, TheExampleChangesNothing) {
  Drawing model;
  model.unused.eval();
  manual_seed(3);
  const auto counters = default_generator().counters();
  for (const bool fails : {false, true}) {
    model.fails = fails;
    std::string table;
    const std::string error = error_of<std::invalid_argument>([&] {
      table = layer_table(model, ones({3, 2}));
    });
    if (fails) {
      EXPECT_NE(error.find("no"), std::string::npos);
    } else {
      EXPECT_NE(
          table.find("\nDrawing                                  [3, 2]                    --  "),
          std::string::npos)
          << table;
      EXPECT_NE(table.find("├─Linear: 1-2                            --                        --"),
                std::string::npos)
          << table;
    }
    EXPECT_TRUE(model.is_training() && model.used.is_training() && !model.unused.is_training());
    EXPECT_EQ(default_generator().counters(), counters);
    EXPECT_FALSE(model.recorded);
    EXPECT_FALSE(model.used.weight.grad().defined());
  }
  model.fails = false;
  model(ones({3, 2}));  // nobody listens any more
}

TEST(ModelSummary, IsLightningsWithoutTheCriterion) {
  EXPECT_EQ(model_summary_table(LME(nn::Linear(5, 10))),
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
  LME model(nn::Sequential{nn::Linear(100, 100), nn::ReLU()});
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

// Rows of the table, without rules, head and sums.
std::vector<std::string> rows_of(const LME& model, int max_depth) {
  std::istringstream table(model_summary_table(model, max_depth));
  std::vector<std::string> rows;
  int rules = 0;
  for (std::string line; std::getline(table, line);)
    if (line.starts_with("---"))
      ++rules;
    else if (rules == 1)
      rows.push_back(line);
  return rows;
}

struct WithOwnParameters : LME {
  Tensor scale = ones({1500}).requires_grad_();
  nn::Linear head{1, 1};
  WithOwnParameters() : LME(in(in(nn::Linear(2, 2)))) {}
  void members(nn::Members& m) override {
    LME::members(m);
    m("scale", scale)("head", head);
  }
};

TEST(ModelSummary, DepthsAndOtherParameters) {
  using Rows = std::vector<std::string>;
  WithOwnParameters model;
  model.head.eval();
  EXPECT_EQ(rows_of(model, 1), (Rows{"0 | base_model   | Sequential | 6      | train",
                                     "1 | head         | Linear     | 2      | eval ",
                                     "  | other params | n/a        | 1.5 K  | n/a  "}));
  EXPECT_EQ(rows_of(model, 2), (Rows{"0 | base_model   | Sequential | 6      | train",
                                     "1 | base_model.0 | Sequential | 6      | train",
                                     "2 | head         | Linear     | 2      | eval ",
                                     "  | other params | n/a        | 1.5 K  | n/a  "}));
  EXPECT_EQ(rows_of(model, -1).at(2), "2 | base_model.0.0 | Linear     | 6      | train");
  EXPECT_EQ(rows_of(model, 9), rows_of(model, -1));
  EXPECT_NE(model_summary_table(model, 1).find("\n3         Modules in train mode\n1  "),
            std::string::npos);
  EXPECT_EQ(error_of<std::invalid_argument>([&] { model_summary_table(model, -2); }),
            "`max_depth` can be -1, 0 or > 0, got -2.");
  EXPECT_EQ(error_of<std::invalid_argument>([] { ModelSummary({.max_depth = -2}); }),
            "`max_depth` can be -1, 0 or > 0, got -2.");
}

TEST(ModelSummary, MayBeOff) {
  static std::string logged;
  set_log_sink([](LogLevel, std::string_view text) { logged += text; });
  LME model(in(nn::Linear(2, 2)));
  Trainer trainer({.max_epochs = 1, .logger = false});
  ModelSummary({.max_depth = 0}).on_fit_start(trainer, model);
  EXPECT_EQ(logged, "");
  ModelSummary({.max_depth = 2}).on_fit_start(trainer, model);
  set_log_sink(nullptr);
  EXPECT_TRUE(logged.starts_with("the model:\n  | Name         | Type ")) << logged;
  EXPECT_FALSE(logged.ends_with("\n"));
}

TEST(ModelSummary, OfAUserStandsForTheDefaultOne) {
  static int tables = 0;
  tables = 0;
  set_log_sink([](LogLevel, std::string_view text) { tables += text.starts_with("the model:"); });
  LME model(nn::Linear(2, 1));
  make_seed(model);
  for (const bool by_model : {false, true}) {
    const std::vector<AnyCallback> mine = {ModelSummary({.max_depth = 2})};
    if (by_model) model.callbacks = mine;
    Trainer({.max_epochs = 1,
             .logger = false,
             .callbacks = by_model ? std::vector<AnyCallback>{} : mine,
             .enable_checkpointing = false,
             .enable_progress_bar = false})
        .fit(model, normal_loader(3, 2, 1, {.batch_size = 3}));
  }
  set_log_sink(nullptr);
  EXPECT_EQ(tables, 2);
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
