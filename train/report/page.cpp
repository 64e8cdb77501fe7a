#include "page.h"

#include "../files/text.h"
#include "html.h"

namespace levin::inline v0 {

extern const char* const kReportTemplate;  // page.html, made by CMake

namespace {

constexpr std::size_t kRowsShownAtOnce = 100;
constexpr const char* kStates[] = {"running", "finished", "failed"};

std::string charts_html(const std::vector<ReportChart>& charts, std::size_t epochs,
                        std::size_t* column) {
  if (epochs == 0) return "<p class=\"nothing\">No epoch has ended.</p>\n";
  std::string html;
  for (const ReportChart& chart : charts) {
    html += chart_html(chart, *column, epochs);
    *column += chart.series.size();
  }
  return html;
}

std::string figures_html(const std::vector<ReportFact>& figures) {
  std::string html;
  for (const auto& [name, value] : figures)
    html += "<div><dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd></div>\n";
  return html;
}

std::string facts_html(const std::vector<ReportFacts>& groups) {
  std::string html;
  for (const ReportFacts& group : groups) {
    if (group.facts.empty()) continue;
    html += "<div class=\"facts\"><h3>" + escaped(group.title) + "</h3><dl>\n";
    for (const auto& [name, value] : group.facts)
      html +=
          "<dt>" + escaped(name) + "</dt><dd>" + (value.empty() ? "–" : escaped(value)) + "</dd>\n";
    html += "</dl></div>\n";
  }
  return html;
}

std::string table_html(const ReportTable& table) {
  if (table.rows.empty()) return "<p class=\"nothing\">none</p>\n";
  std::string html = "<div class=\"scroll\"><table>\n<thead><tr>";
  const auto kind = [&](std::size_t i) {
    return table.columns[i].is_number ? " class=\"n\">" : ">";
  };
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    html += std::string("<th scope=\"col\"") + kind(i) + escaped(table.columns[i].title) + "</th>";
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      html += std::string("<td") + kind(i) + escaped(row[i]) + "</td>";
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

// One column of the table of all epochs.
struct Column {
  const ReportSeries* series;
  NumberFormat format;
  std::optional<std::size_t> best;
};

std::vector<const ReportChart*> all_charts(const Report& report) {
  std::vector<const ReportChart*> charts;
  for (const auto* list : {&report.metrics, &report.course})
    for (const ReportChart& chart : *list) charts.push_back(&chart);
  return charts;
}

std::vector<Column> columns_of(const Report& report) {
  std::vector<Column> columns;
  for (const ReportChart* chart : all_charts(report)) {
    const NumberFormat format = format_of(*chart);
    for (const ReportSeries& series : chart->series) columns.push_back({&series, format, {}});
    if (!chart->series.empty()) columns.back().best = best_epoch(*chart);
  }
  return columns;
}

// Closing tags that HTML does not need are left out: there may be very many.
std::string epochs_html(const Report& report) {
  std::string html = "<thead><tr><th scope=\"col\" class=\"n\">epoch";
  const std::vector<Column> columns = columns_of(report);
  for (const Column& column : columns)
    html += "<th scope=\"col\" class=\"n\">" + escaped(column.series->name);
  html += "\n<tbody>\n";
  for (std::size_t epoch = 0; epoch < report.epochs; ++epoch) {
    html += "<tr><th scope=\"row\">" + std::to_string(epoch);
    for (const Column& column : columns) {
      const auto& values = column.series->values;
      html += column.best == epoch ? "<td class=\"best\">" : "<td>";
      if (epoch < values.size() && values[epoch]) html += column.format.text(*values[epoch]);
    }
    html += "\n";
  }
  return html;
}

// What the script needs: the values as they are, not as they are written.
Value data_of(const Report& report) {
  Value data;
  data["epochs"] = report.epochs;
  Value& columns = data["columns"] = Value::List();
  for (const ReportChart* chart : all_charts(report))
    for (const ReportSeries& series : chart->series) {
      Value column;
      column["name"] = series.name;
      Value::List values(series.values.size());
      for (std::size_t i = 0; i < values.size(); ++i)
        if (series.values[i]) values[i] = *series.values[i];
      column["values"] = std::move(values);
      columns.push_back(std::move(column));
    }
  return data;
}

}  // namespace

std::string report_page(const Report& report) {
  std::size_t column = 0;
  const std::string metrics = charts_html(report.metrics, report.epochs, &column);
  const std::string course = charts_html(report.course, report.epochs, &column);
  const std::string error =
      report.error.empty() ? "" : "<p class=\"error\">" + escaped(report.error) + "</p>\n";
  return filled(kReportTemplate, {{"title", escaped(report.title)},
                                  {"subtitle", escaped(report.subtitle)},
                                  {"state", kStates[static_cast<int>(report.state)]},
                                  {"error", error},
                                  {"figures", figures_html(report.figures)},
                                  {"metrics", metrics},
                                  {"course", course},
                                  {"best_models", table_html(report.best_models)},
                                  {"layers", table_html(report.layers)},
                                  {"configuration", facts_html(report.configuration)},
                                  {"epoch_count", std::to_string(report.epochs)},
                                  {"open", report.epochs <= kRowsShownAtOnce ? " open" : ""},
                                  {"epochs", epochs_html(report)},
                                  {"made_by", escaped(report.made_by)},
                                  {"data", script_json(data_of(report))}});
}

}  // namespace levin::inline v0
