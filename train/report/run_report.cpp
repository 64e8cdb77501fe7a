#include "run_report.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "../callbacks/metadata.h"
#include "../callbacks/metric_record.h"
#include "../files/text.h"
#include "../lme.h"
#include "../trainer.h"

namespace levin::inline v0 {
namespace {

std::vector<std::optional<double>> values_of(const Value* list, std::size_t epochs) {
  std::vector<std::optional<double>> values(epochs);
  const std::size_t known = list && list->is_list() ? std::min(epochs, list->size()) : 0;
  for (std::size_t i = 0; i < known; ++i)
    if (const Value& value = list->as_list()[i]; !value.is_null()) values[i] = real_of(value);
  return values;
}

ReportChart metric_chart(const Value& recorded, const std::string& name, bool higher_is_better,
                         std::size_t epochs) {
  ReportChart chart{name, {}, higher_is_better ? BestValue::highest : BestValue::lowest};
  if (const Value* train = recorded.find(name))
    chart.series.push_back({name, "train", values_of(train, epochs)});
  if (const Value* validation = recorded.find("val_" + name))
    chart.series.push_back({"val_" + name, "validation", values_of(validation, epochs)});
  return chart;
}

std::vector<ReportChart> metric_charts(const LME& model, const Value& recorded,
                                       std::size_t epochs) {
  std::vector<ReportChart> charts = {metric_chart(recorded, "loss", false, epochs)};
  for (const auto& [name, metric] : model.metrics)
    charts.push_back(metric_chart(recorded, name, metric->higher_is_better(), epochs));
  std::erase_if(charts, [](const ReportChart& chart) { return chart.series.empty(); });
  return charts;
}

// "lr-SGD"; of several optimizers "lr-SGD-1"; of several groups "lr-SGD/pg1": Lightning's names.
ReportChart learning_rates(const Value& metadata, std::size_t epochs) {
  ReportChart chart{"learning rate", {}, BestValue::none, ChartAxis::logarithmic};
  const auto optimizers = each(metadata.find("optimizer"));
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    const Value* history = optimizers[i]->find("lr_history");
    if (!history || history->size() == 0) continue;
    std::string name = optimizers[i]->at("type").as_text();
    if (optimizers.size() > 1) name += "-" + std::to_string(i);
    const Value& first = history->as_list()[0];
    if (!first.is_list()) {
      chart.series.push_back({"lr-" + name, name, values_of(history, epochs)});
      continue;
    }
    for (std::size_t group = 0; group < first.size(); ++group) {
      Value rates = Value::List();
      for (const Value& all : history->as_list())
        rates.push_back(all.is_list() && group < all.size() ? all.as_list()[group] : Value());
      const std::string label = name + "/pg" + std::to_string(group + 1);
      chart.series.push_back({"lr-" + label, label, values_of(&rates, epochs)});
    }
  }
  return chart;
}

// "0.012 s", "83.4 s", "0:12:05"
std::string time_text(double seconds) {
  if (seconds >= 120) return duration_text(std::round(seconds));
  return fixed_text(seconds, seconds < 1 ? 3 : seconds < 10 ? 2 : 1) + " s";
}

std::vector<ReportFact> figures_of(const Report& report, const LME& model, const Value& seconds) {
  std::vector<ReportFact> figures = {{"epochs", std::to_string(report.epochs)}};
  constexpr std::size_t kMostMetrics = 3;
  for (std::size_t i = 0; i < std::min(report.metrics.size(), kMostMetrics); ++i) {
    const ReportChart& chart = report.metrics[i];
    const auto best = best_epoch(chart);
    figures.push_back(
        {"best " + chart.series.back().name,
         best ? format_of(chart).text(*chart.series.back().values[*best]) : std::string("–")});
  }
  double total = 0;
  if (seconds.is_list())
    for (const Value& epoch : seconds.as_list()) total += epoch.as_real();
  figures.push_back({"time in epochs", time_text(total)});
  if (report.epochs > 0)
    figures.push_back({"time of an epoch", time_text(total / static_cast<double>(report.epochs))});
  const int64_t all = model.num_params(), trained = model.num_trainable_params();
  figures.push_back({"parameters", with_commas(all)});
  if (trained != all) figures.push_back({"of these trained", with_commas(trained)});
  return figures;
}

// Six digits of a number; several side by side.
std::string short_text(const Value& value) {
  std::string text;
  if (value.is_list()) {
    for (const Value& item : value.as_list()) text += (text.empty() ? "" : ", ") + short_text(item);
    return text;
  }
  if (!value.is_real() || !std::isfinite(value.as_real())) return text_of(value);
  char digits[32];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, value.as_real(), std::chars_format::general, 6);
  return {digits, end.ptr};
}

ReportTable best_models_of(const Value& metadata, const std::string& folder) {
  ReportTable table{
      {{"monitor"}, {"best", true}, {"epoch", true}, {"learning rate", true}, {"checkpoint"}}, {}};
  std::vector<const Value*> models;
  if (const Value* several = metadata.find("best_models"))
    for (const auto& [monitor, best] : several->as_map()) models.push_back(&best);
  else if (const Value* best = metadata.find("best_model"))
    models.push_back(best);
  for (const Value* best : models) {
    std::vector<std::string> row;
    for (const char* key : {"monitor", "score", "epoch", "optimizer_lr", "path"}) {
      const Value* entry = best->find(key);
      row.push_back(entry && !entry->is_null() ? short_text(*entry) : "–");
    }
    if (row.back().starts_with(folder + "/")) row.back().erase(0, folder.size() + 1);
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::vector<const Value*> each(const Value* one_or_list) {
  std::vector<const Value*> entries;
  if (one_or_list && one_or_list->is_list())
    for (const Value& entry : one_or_list->as_list()) entries.push_back(&entry);
  else if (one_or_list)
    entries.push_back(one_or_list);
  return entries;
}

std::string text_of(const Value& value) {
  if (value.is_text()) return value.as_text();
  return to_json(value, -1, NonFinite::text);
}

Report run_report(const Trainer& trainer, const LME& model, const RunRecord& run) {
  const Value& metadata = model.metadata_callback()->metadata();
  Report report;
  report.title = model.base_model().type_name();
  report.subtitle = trainer.log_dir();
  if (const Value* date = metadata.find("fit_start_date"))
    report.subtitle += " · started " + date->as_text().substr(0, 19);
  report.subtitle += " · written " + date_text(std::floor(seconds_now()));
  report.epochs = static_cast<std::size_t>(run.metrics.epochs());
  report.metrics = metric_charts(model, run.metrics.values(), report.epochs);
  if (ReportChart rates = learning_rates(metadata, report.epochs); !rates.series.empty())
    report.course.push_back(std::move(rates));
  report.course.push_back({"time of an epoch, seconds",
                           {{"seconds", "seconds", values_of(&run.seconds, report.epochs)}},
                           BestValue::none,
                           ChartAxis::from_zero});
  report.figures = figures_of(report, model, run.seconds);
  report.best_models = best_models_of(metadata, trainer.log_dir());
  report.layers = layers_of(model);
  report.configuration = configuration_of(trainer, model, run);
  report.made_by = "levin " LEVIN_VERSION_TEXT;
  return report;
}

}  // namespace levin::inline v0
