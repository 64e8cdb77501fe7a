// The rows of a metrics.csv, by column.
#pragma once

#include <levin/tensor/file.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace levin {

using CsvRow = std::map<std::string, std::string>;

inline std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line)
    if (c == ',')
      cells.emplace_back();
    else if (c != '\r')
      cells.back() += c;
  return cells;
}

inline std::vector<CsvRow> csv_rows(const std::string& path) {
  std::istringstream lines(read_whole(path));
  std::string line;
  std::getline(lines, line);
  const std::vector<std::string> names = cells_of(line);
  std::vector<CsvRow> rows;
  while (std::getline(lines, line)) {
    const std::vector<std::string> cells = cells_of(line);
    CsvRow& row = rows.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = cells.at(i);
  }
  return rows;
}

inline std::vector<std::string> csv_column(const std::string& path, const std::string& name) {
  std::vector<std::string> cells;
  for (const CsvRow& row : csv_rows(path)) cells.push_back(row.count(name) ? row.at(name) : "none");
  return cells;
}

}  // namespace levin
