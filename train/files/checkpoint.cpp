#include "checkpoint.h"

#include <charconv>
#include <iterator>
#include <stdexcept>

#include "../../kernels/check.h"
#include "../../tensor/elements.h"
#include "../../tensor/safetensors.h"
#include "text.h"

namespace levin::inline v0 {
namespace {

constexpr const char* kStateKey = "levin";
constexpr const char* kChecksumKey = "checksum";

// FNV-1a
void hash_bytes(std::string_view bytes, uint64_t* hash) {
  for (const char byte : bytes) *hash = (*hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
}

std::string checksum(std::string_view state,
                     const std::vector<std::pair<std::string, Tensor>>& tensors) {
  uint64_t hash = 0xcbf29ce484222325;
  hash_bytes(state, &hash);
  for (const auto& [name, tensor] : tensors) {
    std::string head = "\n" + name + "\n" + name_of(tensor.dtype());
    for (const int64_t size : tensor.shape()) head += " " + std::to_string(size);
    hash_bytes(head + "\n", &hash);
    put_elements(tensor, "checkpoint: " + name,
                 [&](std::string_view elements) { hash_bytes(elements, &hash); });
  }
  char digits[17] = {};
  std::to_chars(std::begin(digits), std::end(digits), hash, 16);
  return digits;
}

const std::string* find_text(const SafetensorsFile& file, const char* key) {
  for (const auto& [known, text] : file.metadata)
    if (known == key) return &text;
  return nullptr;
}

SafetensorsFile as_file(const Checkpoint& checkpoint) {
  Value state;
  state["schema_version"] = kCheckpointSchema;
  if (!checkpoint.state.is_null())
    for (const auto& [key, value] : checkpoint.state.as_map())
      if (!state.find(key)) state[key] = value;
  const std::string text = to_json(state, -1, NonFinite::text);
  return {checkpoint.tensors,
          {{kStateKey, text}, {kChecksumKey, checksum(text, checkpoint.tensors)}}};
}

Checkpoint from_file(SafetensorsFile file, const std::string& name) {
  const std::string* text = find_text(file, kStateKey);
  const std::string* sum = find_text(file, kChecksumKey);
  if (!text) fail(Fault::world, {name, ": a safetensors file, but not a checkpoint of levin"});
  Checkpoint checkpoint;
  try {
    checkpoint.state = from_json(*text, "its state");
  } catch (const std::invalid_argument& error) {
    fail(Fault::world, {name, ": the checkpoint is damaged: ", error.what()});
  }
  // The version first: a newer one may have another checksum.
  const Value* schema = checkpoint.state.find("schema_version");
  if (!schema || !schema->is_integer())
    fail(Fault::world, {name, ": the checkpoint is damaged: it has no schema version"});
  if (schema->as_integer() > kCheckpointSchema)
    fail(Fault::world, {name, ": the checkpoint has schema version ", schema->as_integer(),
                        ", this levin reads up to ", kCheckpointSchema});
  if (!sum || *sum != checksum(*text, file.tensors))
    fail(Fault::world, {name, ": the checkpoint is damaged: its checksum is wrong"});
  checkpoint.tensors = std::move(file.tensors);
  return checkpoint;
}

}  // namespace

std::vector<std::pair<std::string, Tensor>> Checkpoint::with_prefix(
    const std::string& prefix) const {
  std::vector<std::pair<std::string, Tensor>> found;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) found.emplace_back(name.substr(prefix.size()), tensor);
  return found;
}

std::string checkpoint_bytes(const Checkpoint& checkpoint) {
  return to_safetensors(as_file(checkpoint));
}

Checkpoint checkpoint_from_bytes(std::string_view bytes, const std::string& name) {
  return from_file(from_safetensors(bytes, name), name);
}

void save_checkpoint_file(const std::string& path, const Checkpoint& checkpoint) {
  save_safetensors(path, as_file(checkpoint));
}

Checkpoint load_checkpoint_file(const std::string& path) {
  return from_file(load_safetensors(path), path);
}

}  // namespace levin::inline v0
