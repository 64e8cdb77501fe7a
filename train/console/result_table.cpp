#include "result_table.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "../files/text.h"
#include "terminal.h"

namespace levin::inline v0 {
namespace {

constexpr int kNarrowest = 25;  // of a column, where the terminal is wide enough
constexpr int kNoTerminal = 120;

using Cells = std::vector<std::string>;

int width_of(const std::string& text) { return static_cast<int>(character_count(text)); }

std::string blanks(int count) {
  return std::string(static_cast<std::size_t>(std::max(count, 0)), ' ');
}

// Centred in `width`, without blanks at the end.
std::string line_of(const Cells& cells, int width) {
  std::string line;
  for (const std::string& cell : cells) {
    const int space = width - width_of(cell), left = std::max(space, 0) / 2;
    line += blanks(left) + cell + blanks(space - left);
  }
  line.resize(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

// The name's first `width` characters are taken off it.
std::string take(std::string* name, int width) {
  std::string_view rest = *name;
  for (int i = 0; i < width && !rest.empty(); ++i) next_character(rest);
  const std::string taken = name->substr(0, name->size() - rest.size());
  name->erase(0, taken.size());
  return taken;
}

}  // namespace

std::string result_table(std::string_view kind, const std::vector<MetricValues>& loaders,
                         int columns) {
  std::set<std::string> names;
  for (const MetricValues& results : loaders)
    for (const auto& [name, value] : results) names.insert(name);
  if (names.empty()) return "";
  columns = std::max(columns, 2);
  int width = kNarrowest;
  for (const std::string& name : names) width = std::max(width, width_of(name));
  width = std::min(width, columns / 2);
  const std::size_t side_by_side = (columns - width) / width;

  std::string rule, text;
  for (int i = 0; i < columns; ++i) rule += "─";
  rule += "\n";
  for (std::size_t first = 0; first < loaders.size(); first += side_by_side) {
    const std::size_t end = std::min(first + side_by_side, loaders.size());
    Cells head = {std::string(kind) + " metric"};
    for (std::size_t i = first; i < end; ++i) head.push_back("DataLoader " + std::to_string(i));
    text += rule + line_of(head, width) + rule;
    for (std::string name : names) {
      Cells row;
      for (std::size_t i = first; i < end; ++i) {
        const auto found = std::find_if(loaders[i].begin(), loaders[i].end(),
                                        [&](const auto& entry) { return entry.first == name; });
        row.push_back(found == loaders[i].end() ? "" : python_repr(found->second));
      }
      row.insert(row.begin(), take(&name, columns / 2));
      text += line_of(row, width);
      while (!name.empty()) text += line_of({take(&name, columns / 2)}, width);
    }
    text += rule;
  }
  return text;
}

void print_result_table(std::string_view kind, const std::vector<MetricValues>& loaders) {
  std::fputs(result_table(kind, loaders, terminal_columns(STDOUT_FILENO, kNoTerminal)).c_str(),
             stdout);
  std::fflush(stdout);
}

}  // namespace levin::inline v0
