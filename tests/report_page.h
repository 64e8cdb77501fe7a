// Pages of HtmlReport and what stands in them, for its tests.
#pragma once

#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/files/text.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "scratch.h"
#include "seed_model.h"

namespace levin {

/// The text between two others that come once, one after the other; "" where they do not.
inline std::string between(const std::string& text, const std::string& begin,
                           const std::string& end) {
  const std::size_t at = text.find(begin);
  if (at == text.npos) return "";
  const std::size_t from = at + begin.size(), to = text.find(end, from);
  return to == text.npos ? "" : text.substr(from, to - from);
}

inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++count;
  return count;
}

/// The page's data: {"epochs", "columns": [{"name", "values"}]}.
inline Value data_of_page(const std::string& page) {
  return from_json(between(page, "<script type=\"application/json\" id=\"data\">", "</script>"),
                   "the page's data");
}

inline const Value::List& column_of(const Value& data, const std::string& name) {
  for (const Value& column : data.at("columns").as_list())
    if (column.at("name") == Value(name)) return column.at("values").as_list();
  throw std::runtime_error("the page has no column " + name);
}

/// The rows of a metrics.csv: cells by column.
inline std::vector<std::map<std::string, std::string>> csv_rows(const std::string& path) {
  std::vector<std::vector<std::string>> lines(1);
  std::string cell;
  for (const char c : read_whole(path)) {
    if (c == '\r') continue;
    if (c != ',' && c != '\n') {
      cell += c;
      continue;
    }
    lines.back().push_back(std::move(cell));
    cell.clear();
    if (c == '\n') lines.emplace_back();
  }
  std::vector<std::map<std::string, std::string>> rows;
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
    auto& row = rows.emplace_back();
    for (std::size_t k = 0; k < lines[0].size(); ++k) row[lines[0][k]] = lines[i].at(k);
  }
  return rows;
}

/// A value of the page's data as metrics.csv would have it.
inline std::string csv_text(const Value& value) {
  return value.is_null() ? "" : python_repr(real_of(value));
}

/// A run of the seed's model, with validation every second epoch and a metric "odd" that is NaN,
/// infinite and missing at times.
struct ReportedRun {
  Scratch folder;
  std::vector<AnyCallback> callbacks = {HtmlReport(0)};
  int64_t epochs = 6;
  bool with_odd = true;
  std::string ckpt_path, log_dir;

  void fit() {
    manual_seed(3);
    LME model(nn::Sequential(nn::Linear(5, 4), nn::ReLU(), nn::Linear(4, 10)));
    make_seed(model);
    const auto odd = [&](auto&, auto&) {
      const int64_t epoch = model.trainer().current_epoch();
      const double values[] = {NAN, 2, INFINITY, 1, 0.5, 3};
      return epoch == 4 ? MetricResult() : MetricResult(values[epoch % 6]);
    };
    auto metrics = model.metrics.list();
    if (with_odd) metrics.push_back({"odd", {odd, "max"}});
    model.metrics = std::move(metrics);
    model.callbacks = callbacks;
    TrainerOptions options = quiet(folder.path(), epochs);
    options.check_val_every_n_epoch = 2;
    Trainer trainer(options);
    try {
      trainer.fit(model, normal_loader(40, 5, 10), normal_loader(20, 5, 10),
                  {.ckpt_path = ckpt_path});
    } catch (...) {
      log_dir = trainer.log_dir();
      throw;
    }
    log_dir = trainer.log_dir();
  }
  std::string page() const { return read_whole(log_dir + "/report.html"); }
};

/// Every metric in the page's data is metrics.csv's, to the last digit, in every row.
inline void expect_csv(const Value& data, const std::string& log_dir) {
  const auto rows = csv_rows(log_dir + "/metrics.csv");
  ASSERT_EQ(data.at("epochs"), Value(rows.size()));
  for (const auto& [name, cell] : rows.at(0)) {
    if (name == "epoch" || name == "step") continue;
    const Value::List& values = column_of(data, name);
    ASSERT_EQ(values.size(), rows.size());
    for (std::size_t epoch = 0; epoch < rows.size(); ++epoch) {
      EXPECT_EQ(rows[epoch].at("epoch"), std::to_string(epoch));
      EXPECT_EQ(csv_text(values[epoch]), rows[epoch].at(name)) << name << ", epoch " << epoch;
    }
  }
}

}  // namespace levin
