// File names of checkpoints, from a pattern with the metrics' names.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace levin::inline v0 {

/// "{epoch}-{val_loss:.3f}" -> "epoch=9-val_loss=1.192"; without the inserted names "9-1.192". A name
/// without a value is 0, as in Lightning. Throws std::invalid_argument for a format that is neither
/// "03d" (of epoch and step) nor ".3f".
std::string checkpoint_name(
    const std::string& pattern, bool auto_insert_metric_name,
    const std::function<std::optional<double>(const std::string& name)>& value_of);

}  // namespace levin::inline v0
