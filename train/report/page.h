// The report of a run: one page of HTML that needs nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chart.h"

namespace levin::inline v0 {

struct ReportFact {
  std::string name, value;
};

struct ReportFacts {
  std::string title;
  std::vector<ReportFact> facts;
};

struct ReportColumn {
  std::string title;
  bool is_number = false;  ///< it stands to the right
};

struct ReportTable {
  std::vector<ReportColumn> columns;
  std::vector<std::vector<std::string>> rows;
};

enum class RunState : uint8_t { running, finished, failed };

struct Report {
  std::string title;     ///< the model
  std::string subtitle;  ///< where and when
  RunState state = RunState::running;
  std::string error;                ///< what ended a failed run
  std::vector<ReportFact> figures;  ///< the few that matter most
  std::size_t epochs = 0;
  std::vector<ReportChart> metrics;
  std::vector<ReportChart> course;  ///< learning rates, durations
  ReportTable best_models, layers;
  std::vector<ReportFacts> configuration;
  std::string made_by;  ///< "levin 0.1.0"
};

/// All texts may be anything: they are escaped. Time and size grow with epochs times series.
std::string report_page(const Report& report);

}
