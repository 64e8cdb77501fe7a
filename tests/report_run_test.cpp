// HtmlReport in a run: when the page is written and what it says.
#include <gtest/gtest.h>

#include "report_page.h"

namespace levin {
namespace {

namespace fs = std::filesystem;

TEST(HtmlReport, HoldsTheRowsOfMetricsCsv) {
  ReportedRun run;
  run.fit();
  const Value data = data_of_page(run.page());
  expect_csv(data, run.log_dir);
  EXPECT_EQ(column_of(data, "odd"), (Value::List{"nan", 2.0, "inf", 1.0, nullptr, 3.0}));
  EXPECT_EQ(column_of(data, "lr-SGD"), Value::List(6, 0.01));
  EXPECT_EQ(column_of(data, "seconds").size(), 6);
  EXPECT_FALSE(fs::exists(run.log_dir + "/report.html.draft"));
}

TEST(HtmlReport, NothingIsAddedWithoutTheCallback) {
  ReportedRun run;
  run.callbacks = {};
  run.fit();
  EXPECT_FALSE(fs::exists(run.log_dir + "/report.html"));
}

TEST(HtmlReport, SaysWhatWasTrained) {
  ReportedRun run;
  run.fit();
  const std::string page = run.page();
  for (const char* text :
       {"<h1>Sequential</h1>", ">finished</p>", "<dt>seed</dt><dd>3</dd>",
        "<dt>train samples</dt><dd>40</dd>", "<dt>validation samples</dt><dd>20</dd>",
        "<dt>type</dt><dd>SGD</dd>", "<dt>momentum</dt><dd>0</dd>", "<dt>max_epochs</dt><dd>6</dd>",
        "<dt>levin</dt><dd>" LEVIN_VERSION "</dd>", "<td>weight [4, 5]  bias [4]</td>",
        "<td>total</td><td></td><td></td><td class=\"n\">74</td><td class=\"n\">74</td>",
        "<td>val_loss</td>", "<dt>command</dt>"})
    EXPECT_NE(page.find(text), std::string::npos) << text;
}

struct ThrowAt : Callback {
  explicit ThrowAt(int64_t epoch) : epoch(epoch) {}
  void on_train_epoch_start(Trainer& trainer, LME&) override {
    if (trainer.current_epoch() == epoch) throw std::runtime_error("no <data>");
  }
  int64_t epoch;
};

TEST(HtmlReport, AFailedRunHasOneWithTheReason) {
  ReportedRun run;
  run.callbacks = {HtmlReport(1e9), ThrowAt(2)};
  EXPECT_THROW(run.fit(), std::runtime_error);
  const std::string page = run.page();
  EXPECT_NE(page.find(">failed</p>"), std::string::npos);
  EXPECT_NE(page.find("no &lt;data&gt;"), std::string::npos);
  expect_csv(data_of_page(page), run.log_dir);
}

TEST(HtmlReport, AFailureBeforeTheFirstEpochEndsIsAPageToo) {
  ReportedRun run;
  run.callbacks = {HtmlReport(), ThrowAt(0)};
  EXPECT_THROW(run.fit(), std::runtime_error);
  EXPECT_NE(run.page().find("No epoch has ended."), std::string::npos);
}

// What stands on the disk when an epoch begins.
struct Reader : Callback {
  explicit Reader(std::vector<std::string>* pages) : pages(pages) {}
  void on_train_epoch_start(Trainer& trainer, LME&) override {
    const std::string path = trainer.log_dir() + "/report.html";
    pages->push_back(fs::exists(path) ? read_whole(path) : "");
  }
  std::vector<std::string>* pages;
};

TEST(HtmlReport, IsWrittenBetweenEpochsOnceInAnInterval) {
  for (const double interval : {0.0, 1e9}) {
    ReportedRun run;
    std::vector<std::string> pages;
    run.callbacks = {HtmlReport(interval), Reader(&pages)};
    run.fit();
    ASSERT_EQ(pages.size(), 6);
    EXPECT_EQ(pages[0], "");
    if (interval > 0) {
      EXPECT_EQ(pages[5], "");
    } else {
      EXPECT_NE(pages[1].find(">running</p>"), std::string::npos);
      EXPECT_EQ(data_of_page(pages[1]).at("epochs"), Value(1));
    }
    EXPECT_EQ(data_of_page(run.page()).at("epochs"), Value(6));
  }
}

TEST(HtmlReport, AResumedRunShowsAllEpochs) {
  ReportedRun run;
  run.epochs = 3;
  run.fit();
  run.ckpt_path = run.log_dir + "/checkpoints/last.ckpt";
  run.epochs = 6;
  run.callbacks = {HtmlReport()};
  run.fit();
  const Value data = data_of_page(run.page());
  expect_csv(data, run.log_dir);
  EXPECT_EQ(column_of(data, "odd").size(), 6);
  EXPECT_EQ(column_of(data, "lr-SGD"), Value::List(6, 0.01));
  for (const Value& seconds : column_of(data, "seconds")) EXPECT_TRUE(seconds.is_real());
}

TEST(HtmlReport, AMetricThatAResumedRunAddsBeginsWhereItBegan) {
  ReportedRun run;
  run.epochs = 3;
  run.with_odd = false;
  run.fit();
  run.ckpt_path = run.log_dir + "/checkpoints/last.ckpt";
  run.epochs = 6;
  run.with_odd = true;
  run.callbacks = {HtmlReport()};
  run.fit();
  const Value data = data_of_page(run.page());
  expect_csv(data, run.log_dir);
  EXPECT_EQ(column_of(data, "odd"), (Value::List{nullptr, nullptr, nullptr, 1.0, nullptr, 3.0}));
}

TEST(HtmlReport, ASecondFitStartsAgain) {
  ReportedRun run;
  run.fit();
  run.epochs = 2;
  run.fit();
  EXPECT_EQ(column_of(data_of_page(run.page()), "seconds").size(), 2);
}

std::string last_warning;

TEST(HtmlReport, WithoutALoggerItWarnsAndWritesNothing) {
  LME model(nn::Linear(2, 1));
  make_seed(model);
  model.callbacks = {HtmlReport()};
  Trainer trainer({.max_epochs = 1,
                   .logger = false,
                   .enable_checkpointing = false,
                   .enable_progress_bar = false,
                   .enable_model_summary = false});
  set_log_sink([](LogLevel, std::string_view message) { last_warning = message; });
  trainer.fit(model, normal_loader(10, 2, 1));
  set_log_sink(nullptr);
  EXPECT_EQ(last_warning, "HtmlReport writes nothing: the trainer has no logger.");
  EXPECT_FALSE(fs::exists("report.html"));
}

TEST(HtmlReport, EachOptimizerHasItsLearningRate) {
  Scratch folder;
  LME model(nn::Sequential(nn::Linear(2, 2), nn::Linear(2, 1)));
  make_seed(model);
  const auto parameters = model.parameters();
  model.optimizer = {optim::SGD({parameters[0], parameters[1]}, {.lr = 0.1}),
                     optim::SGD({parameters[2], parameters[3]}, {.lr = 0.2})};
  model.callbacks = {HtmlReport()};
  Trainer trainer(quiet(folder.path(), 2));
  trainer.fit(model, normal_loader(10, 2, 1));
  const Value data = data_of_page(read_whole(trainer.log_dir() + "/report.html"));
  EXPECT_EQ(column_of(data, "lr-SGD-0"), Value::List(2, 0.1));
  EXPECT_EQ(column_of(data, "lr-SGD-1"), Value::List(2, 0.2));
}

TEST(HtmlReport, LayersCountWhatIsSharedOnceAndWhatIsFrozen) {
  struct Tied : nn::Module {
    nn::Linear first{3, 3}, second = first, frozen{2, 2};
    void members(nn::Members& m) override { m("first", first)("second", second)("frozen", frozen); }
    Tensor forward(const Tensor& x) override { return second(first(x)); }
  };
  Tied tied;
  tied.frozen.requires_grad_(false);
  Scratch folder;
  LME model(tied);
  make_seed(model);
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.1});
  model.callbacks = {HtmlReport()};
  Trainer trainer(quiet(folder.path(), 1));
  trainer.fit(model, normal_loader(10, 3, 3));
  const std::string page = read_whole(trainer.log_dir() + "/report.html");
  for (const char* row :
       {"<td>first</td><td>Linear  3 -&gt; 3</td><td>weight [3, 3]  bias [3]</td><td "
        "class=\"n\">12</td><td class=\"n\">12</td>",
        "<td>weight [3, 3] (shared)  bias [3] (shared)</td><td class=\"n\">0</td>",
        "<td>weight [2, 2]  bias [2]</td><td class=\"n\">6</td><td class=\"n\">0</td>",
        "<td class=\"n\">18</td><td class=\"n\">12</td>"})
    EXPECT_NE(page.find(row), std::string::npos) << row;
}

}  // namespace
}  // namespace levin
