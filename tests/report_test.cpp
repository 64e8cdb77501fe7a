// The parts of the report's page: escaping, numbers, curves, charts.
#include <levin/train/report/curve.h>
#include <levin/train/report/html.h>
#include <levin/train/report/page.h>

#include <cmath>

#include "report_page.h"

namespace levin {
namespace {

ReportSeries series(const std::string& name, const std::vector<double>& values) {
  ReportSeries result{name, name, {}};
  for (const double value : values) result.values.push_back(value);
  return result;
}

ReportChart chart(std::vector<double> train, std::vector<double> validation = {},
                  BestValue best = BestValue::lowest) {
  ReportChart result{"loss", {series("loss", train)}, best};
  if (!validation.empty()) result.series.push_back(series("val_loss", validation));
  return result;
}

std::string html_of(const ReportChart& chart) {
  return chart_html(chart, 0, chart.series[0].values.size());
}

TEST(ReportHtml, TextIsEscaped) {
  EXPECT_EQ(escaped("<b a=\"x\" c='y'>&amp;"), "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;");
  EXPECT_EQ(escaped("größe ↓ 損失\t\n"), "größe ↓ 損失\t\n");
  EXPECT_EQ(escaped(std::string("a\0b\x1b[0m\x7f\xc2\x85", 10)), "a\uFFFDb\uFFFD[0m\uFFFD\uFFFD");
  EXPECT_EQ(escaped("\xff\xc3"), "\uFFFD\uFFFD");
}

TEST(ReportHtml, JsonInsideAScriptCannotEndIt) {
  Value value;
  value["</script><!--"] = Value::List{"\u2028\u2029", NAN, -INFINITY, 0.1, nullptr, "\xff"};
  const std::string json = script_json(value);
  EXPECT_EQ(json,
            "{\"\\u003c/script>\\u003c!--\": [\"\\u2028\\u2029\", \"nan\", \"-inf\", 0.1, null, "
            "\"\\ufffd\"]}");
  EXPECT_EQ(from_json(json, "json").as_map()[0].first, "</script><!--");
}

TEST(ReportHtml, SlotsAreFilledOnce) {
  EXPECT_EQ(filled("<p>{{a}}{{b}}{{a}}</p>", {{"a", "{{b}}"}, {"b", "1"}}), "<p>{{b}}1{{b}}</p>");
  EXPECT_EQ(error_of<std::invalid_argument>([] {
              filled("{{c}}", {{"a", "1"}});
            }),
            "report: nothing to put into the template's slot c");
  EXPECT_NE(error_of<std::invalid_argument>([] { filled("{{a", {{"a", "1"}}); }), "");
}

TEST(ReportNumbers, StandInLine) {
  const auto texts = [](const std::vector<double>& values) {
    std::string all;
    for (const double value : values) all += NumberFormat(values).text(value) + " ";
    return all;
  };
  EXPECT_EQ(texts({0.63071, 0.091804, 0}), "0.6307 0.0918 0.0000 ");
  EXPECT_EQ(texts({0.99812, 0.99834}), "0.998120 0.998340 ");
  EXPECT_EQ(texts({NAN, 12.345678, INFINITY}), "nan 12.35 inf ");
  EXPECT_EQ(texts({3e-7, 2.5e-10}), "3.0000e-07 2.5000e-10 ");
  EXPECT_EQ(texts({12345678.5}), "1.2346e+07 ");
  EXPECT_EQ(texts({100, 2, 30}), "100 2 30 ");
  EXPECT_EQ(texts({0, 0}), "0.0000 0.0000 ");
  EXPECT_EQ(texts({-1.7e308, 5e-324}), "-1.7000e+308 4.9407e-324 ");
}

TEST(ReportCurve, PointsLieWhereTheirValuesAre) {
  const CurveScale scale{.epochs = 5, .low = 0, .high = 4};
  EXPECT_EQ(curve_path(scale, {0, 1, 2, 3, 4}), "M20 950L260 725L500 500L740 275L980 50");
  EXPECT_EQ(lone_points(scale, {0, 1, 2, 3, 4}), "");
}

TEST(ReportCurve, NaNAndInfinityLeaveGaps) {
  const CurveScale scale{.epochs = 7, .low = 0, .high = 9};
  const std::vector<double> values = {9, 8, NAN, 6, INFINITY, 4, 3};
  EXPECT_EQ(curve_path(scale, values), "M20 50L180 150M820 550L980 650");
  EXPECT_EQ(lone_points(scale, values), "M500 350h0");
  EXPECT_EQ(curve_path(scale, {NAN, NAN}) + lone_points(scale, {NAN, NAN}), "");
  EXPECT_EQ(lone_points({.epochs = 1}, {0.5}), "M500 500h0");
}

TEST(ReportCurve, ManyEpochsAreDrawnWithAllThatCanBeSeen) {
  std::vector<double> values(2000, 0.5);
  EXPECT_EQ(count_of(curve_path({.epochs = 2000}, values), "L"), 1999) << "each is drawn";
  values.assign(100000, 0.5);
  values[54321] = 1;
  values[12345] = 0;
  values[99999] = 0.25;
  const std::string path = curve_path({.epochs = 100000}, values);
  EXPECT_LT(path.size(), 50000);
  EXPECT_EQ(count_of(path, " 50L"), 1) << "the greatest";
  EXPECT_EQ(count_of(path, " 950L"), 1) << "the least";
  EXPECT_TRUE(path.ends_with("L980 725")) << "the last";
}

TEST(ReportChart, BestIsThatOfValidationInTheMetricsDirection) {
  EXPECT_EQ(best_epoch(chart({1, 2, 3}, {5, 4, 4})), 1);
  EXPECT_EQ(best_epoch(chart({1, 2, 3}, {5, 4, 6}, BestValue::highest)), 2);
  EXPECT_EQ(best_epoch(chart({3, 1, 2})), 1);
  EXPECT_EQ(best_epoch(chart({3, 1, 2}, {}, BestValue::none)), std::nullopt);
  EXPECT_NE(html_of(chart({1, 2, 3}, {5, 4, 4})).find("best at 1</dt><dd>4</dd>"),
            std::string::npos);
}

TEST(ReportChart, NaNIsNeverBest) {
  EXPECT_EQ(best_epoch(chart({NAN, INFINITY, -INFINITY, 7, NAN})), 3);
  EXPECT_EQ(best_epoch(chart({1, 2}, {NAN, NAN})), std::nullopt);
  const std::string html = html_of(chart({NAN, NAN}, {NAN, NAN}));
  EXPECT_NE(html.find("no finite value"), std::string::npos);
  EXPECT_EQ(html.find("best"), std::string::npos);
  EXPECT_EQ(html.find("<path"), std::string::npos);
}

TEST(ReportChart, NoValidationNoSecondCurve) {
  const std::string html = html_of(chart({3, 2, 1}));
  EXPECT_EQ(count_of(html, "class=\"curve "), 1);
  EXPECT_EQ(count_of(html, "data-column"), 1);
  EXPECT_EQ(html.find("validation"), std::string::npos);
}

TEST(ReportChart, OneEpochIsAPoint) {
  const std::string html = html_of(chart({1.2}, {1.5}));
  EXPECT_EQ(count_of(html, "class=\"lone "), 2);
  EXPECT_EQ(count_of(html, "class=\"curve "), 0);
  EXPECT_NE(html.find("class=\"mark\" d=\"M500 50h0\""), std::string::npos);
}

TEST(ReportChart, OutliersLeaveTheFrameWithATriangle) {
  const std::vector<double> values = {5, 4, 3.5, 1e6, 2.9, 2.5, 2.3, 2.2, 2.1, 2.05};
  const std::string html = html_of(chart(values));
  EXPECT_EQ(count_of(html, "class=\"off above c0\" style=\"left:34.00%\""), 1);
  EXPECT_EQ(count_of(html_of(chart(values, values)), "class=\"off above"), 2);
}

TEST(ReportChart, LearningRatesOverManyPowersOfTenAreDrawnByTheirLogarithms) {
  ReportChart rates = chart({1e-1, 1e-2, 1e-3}, {}, BestValue::none);
  rates.axis = ChartAxis::logarithmic;
  const std::string html = html_of(rates);
  EXPECT_NE(html.find("d=\"M20 50L500 500L980 950\""), std::string::npos);
  EXPECT_NE(html.find("data-low=\"-3.0\" data-high=\"-1.0\" data-log"), std::string::npos);
  EXPECT_NE(html.find("10<sup>−2</sup>"), std::string::npos);
  rates.series[0].values[1] = 0;
  EXPECT_EQ(html_of(rates).find("data-log"), std::string::npos);
}

Report hostile_report() {
  const std::string text = "\"'><img src=x onerror=alert(1)></script><script>{{data}}\u2028";
  Report report;
  report.title = report.subtitle = report.error = report.made_by = text;
  report.state = RunState::failed;
  report.figures = {{text, text}};
  report.epochs = 2;
  report.metrics = {{text, {series(text, {1, NAN})}, BestValue::lowest}};
  report.course = report.metrics;
  report.best_models = report.layers = {{{text}, {text, true}}, {{text, text}}};
  report.configuration = {{text, {{text, text}}}};
  return report;
}

TEST(ReportPage, NothingInItBecomesMarkup) {
  const std::string page = report_page(hostile_report());
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(count_of(page, "<script"), 2);
  EXPECT_EQ(count_of(page, "</script>"), 2);
  EXPECT_GT(count_of(page, "&lt;img src=x onerror=alert(1)&gt;&lt;/script&gt;"), 15);
  EXPECT_EQ(data_of_page(page).at("columns").as_list()[0].at("name"),
            Value(hostile_report().title));
}

TEST(ReportPage, NeedsNothingElse) {
  const std::string page = report_page(hostile_report());
  for (const char* outside : {"http:", "https:", "//cdn", "url(", "@import", "<link", " src=\""})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos) << "and the browser sees to it";
}

TEST(ReportPage, ColoursAreThoseOfThePictures) {
  const std::string page = report_page(hostile_report());
  for (const char* colour :
       {".c0 { --colour: #1f77b4; }", ".c1 { --colour: #ff7f0e; }", "--best: #2ca02c;"})
    EXPECT_NE(page.find(colour), std::string::npos) << colour;
}

TEST(ReportPage, FortyMetricsAndNoEpochs) {
  Report report;
  report.epochs = 3;
  for (int i = 0; i < 40; ++i) report.metrics.push_back(chart({3, 2, 1}, {3, 2, 1}));
  const std::string page = report_page(report);
  EXPECT_EQ(count_of(page, "<figure "), 40);
  EXPECT_EQ(count_of(page, "data-column=\"79\""), 1);
  EXPECT_EQ(data_of_page(page).at("columns").size(), 80);
  report.epochs = 0;
  EXPECT_NE(report_page(report).find("No epoch has ended."), std::string::npos);
}

TEST(ReportPage, TenThousandEpochsStaySmallButWhole) {
  Report report;
  report.epochs = 10000;
  ReportSeries wild{"loss", "train", {}};
  for (int i = 0; i < 10000; ++i) wild.values.push_back(std::sin(i * 12.9898));
  report.metrics = {{"loss", {wild}, BestValue::lowest}};
  const std::string page = report_page(report);
  EXPECT_EQ(count_of(page, "<tr>"), 10001);
  EXPECT_EQ(data_of_page(page).at("columns").as_list()[0].at("values").size(), 10000);
  EXPECT_LT(between(page, "class=\"curve c0\" d=\"", "\"").size(), 50000);
  EXPECT_NE(page.find("<details>"), std::string::npos) << "the table waits until it is wanted";
}

}  // namespace
}  // namespace levin
