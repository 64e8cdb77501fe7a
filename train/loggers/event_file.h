// TensorBoard's event files: records, each with the checksums of its length and of its event. Layout:
// tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto, framework/summary.proto.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace levin::inline v0 {

/// CRC-32C (Castagnoli; RFC 3720, B.4)
uint32_t crc32c(std::string_view bytes);

/// What every file begins with. Times are seconds since 1970.
std::string version_record(double wall_time);
/// Readers drop what earlier files of the folder hold from this step on.
std::string session_start_record(double wall_time, int64_t step);
std::string scalars_record(double wall_time, int64_t step,
                           const std::vector<std::pair<std::string, float>>& scalars);
/// Markdown, for the text plugin.
std::string text_record(double wall_time, int64_t step, std::string_view tag,
                        std::string_view text);

/// The longest beginning of `bytes` that consists of whole records.
std::string_view whole_records(std::string_view bytes);

}  // namespace levin::inline v0
