// Checkpoint files (.ckpt): a safetensors file, so that other tools can open it. Tensors are
// tensors; all other state is one JSON text.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../../tensor/tensor.h"
#include "value.h"

namespace levin::inline v0 {

/// What the library writes in "schema_version". Files of this and older versions are read.
inline constexpr int64_t kCheckpointSchema = 1;

/// Tensors are called "state_dict.<parameter>", "optimizer_states.<i>.<state>",
/// "metrics.<name>.<sum>" (in the middle of an epoch). Keys of the state, which train/README.md
/// lists, are Lightning's where it has them; unknown keys are kept.
struct Checkpoint {
  Value state;
  std::vector<std::pair<std::string, Tensor>> tensors;

  /// The tensors whose names begin with `prefix`, without it.
  std::vector<std::pair<std::string, Tensor>> with_prefix(const std::string& prefix) const;
};

/// The file's bytes. Its metadata has two entries: "levin", the state with the schema version as
/// JSON, in which infinities and NaN are the texts "inf", "-inf", "nan"; "checksum" (FNV-1a, 64
/// bits) over that text and all tensors' names, types, shapes and elements.
std::string checkpoint_bytes(const Checkpoint& checkpoint);
/// Throws std::runtime_error with `name` for bytes that are no checkpoint, are damaged, or come from
/// a newer version.
Checkpoint checkpoint_from_bytes(std::string_view bytes, const std::string& name);
/// The same with a file, which appears whole or not at all.
void save_checkpoint_file(const std::string& path, const Checkpoint& checkpoint);
Checkpoint load_checkpoint_file(const std::string& path);

}  // namespace levin::inline v0
