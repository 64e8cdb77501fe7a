// The report in a real browser, where one is installed: what its script and its curves show is what
// metrics.csv says.
#include <gtest/gtest.h>
#include <levin/train/report/chart.h>
#include <levin/train/report/curve.h>
#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "report_page.h"

namespace levin {
namespace {

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot run " + command);
  std::string output;
  char buffer[4096];
  for (std::size_t count; (count = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    output.append(buffer, count);
  pclose(pipe);
  return output;
}

// One that starts: a package of this name may be no more than a pointer to another.
std::string browser() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
    if (!output_of(std::string(name) + " --version 2>/dev/null").empty()) return name;
  return "";
}

// The page's document once its scripts have run, as HTML.
std::string document_of(const std::string& page, const Scratch& folder) {
  write_whole(folder / "page.html", page);
  return output_of("timeout 60 " + browser() +
                   " --headless --no-sandbox --disable-gpu --window-size=1280,900 "
                   "--virtual-time-budget=2000 --dump-dom --user-data-dir='" +
                   folder.path() + "/profile' 'file://" + folder.path() +
                   "/page.html' 2>/dev/null");
}

// Notes errors from the start.
constexpr const char* kWatch =
    "<script>window.problems = []; addEventListener('error', event => "
    "problems.push(event.message));</script>";

// Points at every epoch of the first chart, and writes down what all charts then show.
constexpr const char* kProbe = R"(<script>
const text = node => node.textContent.trim();
const figures = [...document.querySelectorAll("figure")];
const frame = figures[0].querySelector(".plot").getBoundingClientRect();
const hover = [];
for (let epoch = 0; epoch < data.epochs; ++epoch) {
  figures[0].dispatchEvent(new PointerEvent("pointermove",
    {clientX: frame.left + frame.width * (0.02 + 0.96 * epoch / (data.epochs - 1))}));
  hover.push(figures.map(figure => ({
    epoch: text(figure.querySelector(".epoch b")),
    cursor: parseFloat(figure.querySelector(".cursor").style.left),
    values: [...figure.querySelectorAll("[data-column]")].map(text),
    dots: [...figure.querySelectorAll(".dot")].map(dot =>
      dot.hidden ? null : [parseFloat(dot.style.left), parseFloat(dot.style.top)]),
    said: figure.querySelector(".plot").getAttribute("aria-valuetext"),
  })));
}
figures[0].dispatchEvent(new PointerEvent("pointerleave"));
const cells = row => [...row.cells].map(text);
const probe = document.createElement("pre");
probe.id = "probe";
probe.textContent = JSON.stringify({
  problems, data, hover,
  head: cells(document.querySelector("#epochs thead tr")),
  rows: [...document.querySelectorAll("#epochs tbody tr")].map(cells),
  after: text(figures[0].querySelector(".epoch b")),
  curves: figures.map(figure => ({
    low: +figure.dataset.low, high: +figure.dataset.high,
    paths: [...figure.querySelectorAll(".curve, .lone")].map(path =>
      [path.getAttribute("class"), path.getAttribute("d")]),
  })),
});
document.body.append(probe);
</script>)";

// What a browser makes of one run's page.
class ReportInABrowser : public testing::Test {
 protected:
  void SetUp() override {
    if (browser().empty()) GTEST_SKIP() << "no Chromium is installed: apt-get install chromium";
    run.fit();
  }
  Value probed() {
    const std::string document = document_of(kWatch + run.page() + kProbe, run.folder);
    return from_json(between(document, "<pre id=\"probe\">", "</pre>"), "the probe");
  }

  ReportedRun run;
};

// A chart as the page should have it, from the columns of metrics.csv.
ReportChart expected_chart(const Value& data, std::size_t first, std::size_t count) {
  ReportChart chart;
  for (std::size_t i = first; i < first + count; ++i) {
    const Value& column = data.at("columns").as_list()[i];
    ReportSeries series{column.at("name").as_text(), "", {}};
    for (const Value& value : column.at("values").as_list())
      series.values.push_back(value.is_null() ? std::nullopt : std::optional(real_of(value)));
    chart.series.push_back(std::move(series));
  }
  return chart;
}

std::string cell_of(const ReportChart& chart, std::size_t series, std::size_t epoch) {
  const std::optional<double>& value = chart.series[series].values[epoch];
  return value ? format_of(chart).text(*value) : "";
}

TEST_F(ReportInABrowser, RowsAndReadOutsAreMetricsCsv) {
  const Value probe = probed();
  EXPECT_EQ(probe.at("problems"), Value(Value::List()));
  const Value& data = probe.at("data");
  expect_csv(data, run.log_dir);
  const Value::List& head = probe.at("head").as_list();
  const Value::List& rows = probe.at("rows").as_list();
  ASSERT_EQ(rows.size(), 6);
  for (std::size_t epoch = 0; epoch < 6; ++epoch) {
    const Value::List& charts = probe.at("hover").as_list()[epoch].as_list();
    std::size_t column = 0;
    for (const Value& chart : charts) {
      EXPECT_EQ(chart.at("epoch"), Value(std::to_string(epoch)));
      EXPECT_NEAR(chart.at("cursor").as_real() * 10, CurveScale{6}.x(epoch), 0.01);
      const Value::List& values = chart.at("values").as_list();
      const ReportChart expected = expected_chart(data, column, values.size());
      for (std::size_t i = 0; i < values.size(); ++i, ++column) {
        const std::string cell = cell_of(expected, i, epoch);
        EXPECT_EQ(head.at(column + 1), Value(expected.series[i].name));
        EXPECT_EQ(rows[epoch].as_list().at(column + 1), Value(cell)) << column << ", " << epoch;
        EXPECT_EQ(values[i], Value(cell.empty() ? "–" : cell)) << column << ", " << epoch;
      }
    }
    EXPECT_EQ(column + 1, head.size());
    EXPECT_EQ(rows[epoch].as_list()[0], Value(std::to_string(epoch)));
  }
  EXPECT_EQ(probe.at("after"), Value("5")) << "the last epoch again";
}

// "M20 50L500 950M.." as points; "h0" says that there is one only.
std::vector<std::pair<double, double>> points_of(const std::string& path) {
  std::vector<std::pair<double, double>> points;
  for (std::size_t at = 0; (at = path.find_first_of("ML", at)) != path.npos; ++at) {
    char* end = nullptr;
    const double x = std::strtod(path.c_str() + at + 1, &end);
    points.emplace_back(x, std::strtod(end, nullptr));
  }
  return points;
}

TEST_F(ReportInABrowser, PointsOfTheCurvesAreMetricsCsv) {
  const Value probe = probed();
  const Value::List& columns = probe.at("data").at("columns").as_list();
  std::size_t column = 0;
  const Value::List& curves = probe.at("curves").as_list();
  for (std::size_t c = 0; c < curves.size(); ++c) {
    const CurveScale scale{6, real_of(curves[c].at("low")), real_of(curves[c].at("high"))};
    const std::size_t series = probe.at("hover").as_list()[0].as_list()[c].at("values").size();
    for (std::size_t i = 0; i < series; ++i, ++column) {
      std::vector<std::pair<double, double>> points;
      for (const Value& path : curves[c].at("paths").as_list())
        if (path.as_list()[0].as_text().ends_with(" c" + std::to_string(i)))
          for (const auto& point : points_of(path.as_list()[1].as_text())) points.push_back(point);
      std::sort(points.begin(), points.end());
      const Value::List& values = columns[column].at("values").as_list();
      std::size_t at = 0;
      for (std::size_t epoch = 0; epoch < 6; ++epoch) {
        const bool drawn = !values[epoch].is_null() && std::isfinite(real_of(values[epoch]));
        const Value& dot = probe.at("hover").as_list()[epoch].as_list()[c].at("dots").as_list()[i];
        EXPECT_EQ(dot.is_null(), !drawn) << column << ", " << epoch;
        if (!drawn || dot.is_null()) continue;
        ASSERT_LT(at, points.size());
        const double y = scale.y(real_of(values[epoch]));
        EXPECT_NEAR(points[at].first, scale.x(epoch), 0.051);
        EXPECT_NEAR(points[at].second, y, 0.051);
        EXPECT_NEAR(dot.as_list()[0].as_real() * 10, scale.x(epoch), 0.01);
        EXPECT_NEAR(dot.as_list()[1].as_real() * 10, y, 0.01);
        ++at;
      }
      EXPECT_EQ(at, points.size()) << columns[column].at("name").as_text();
    }
  }
  EXPECT_EQ(column, columns.size());
}

TEST_F(ReportInABrowser, ShowsCurvesAndRowsWithoutItsScript) {
  const std::string page = run.page();
  const std::size_t script = page.find("<script>");
  ASSERT_NE(script, page.npos);
  const std::string document = document_of(page.substr(0, script), run.folder);
  EXPECT_EQ(count_of(document, "<tr><th scope=\"row\">"), 6);
  EXPECT_GT(count_of(document, "class=\"curve c0\""), 3);
  EXPECT_EQ(count_of(document, "role=\"slider\""), 0);
  EXPECT_GT(count_of(document, "role=\"img\""), 3);
}

}  // namespace
}  // namespace levin
