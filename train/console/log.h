// Log lines: on stderr, or wherever the host program wants them.
#pragma once

#include <initializer_list>
#include <string_view>

#include "../../kernels/check.h"

namespace levin::inline v0 {

enum class LogLevel : uint8_t { info, warning };

/// Receives every line, without its newline; may be called from any thread.
using LogSink = void (*)(LogLevel level, std::string_view message);

/// Replaces where lines go, for the whole process; null restores stderr, where a line reads
/// "[26-11-22T12:31:54 levin] message", the time in green on a terminal (not with NO_COLOR), above
/// the progress bar. There the environment variable LME_LOGLEVEL counts: below 1 nothing is printed.
void set_log_sink(LogSink sink);

void log_info(std::initializer_list<Part> message);
void log_warning(std::initializer_list<Part> message);

}  // namespace levin::inline v0
