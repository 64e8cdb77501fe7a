// What is known of the terminal that the library prints to, and the one line that a progress bar
// keeps at its end.
#pragma once

#include <string>
#include <string_view>

namespace levin::inline v0 {

/// COLUMNS, else the terminal's own width, else `fallback`.
int terminal_columns(int descriptor, int fallback);

/// Can lines be drawn over? A terminal, and not TERM=dumb.
bool can_redraw(int descriptor);

/// May text have colours? can_redraw(), and no NO_COLOR in the environment (https://no-color.org).
bool has_colours(int descriptor);

/// Prints whole lines to stderr, above the bar if one is drawn.
void print_lines(std::string_view lines);

/// Draws `line` over the last one. An empty line takes the bar away.
void draw_bar(std::string_view line);

/// The bar stays as it is, as an ordinary line.
void leave_bar();

}  // namespace levin::inline v0
