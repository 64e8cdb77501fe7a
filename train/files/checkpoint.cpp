#include "checkpoint.h"

#include <charconv>
#include <iterator>
#include <stdexcept>

#include "../../kernels/backend.h"
#include "../../kernels/check.h"
#include "../../tensor/file.h"
#include "../../tensor/safetensors.h"
#include "text.h"

namespace levin::inline v0 {
namespace {

constexpr const char* kStateKey = "levin";

void hash_bytes(const void* data, std::size_t size, uint64_t* hash) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) *hash = (*hash ^ bytes[i]) * 0x100000001b3;
}

std::string checksum(const std::vector<std::pair<std::string, Tensor>>& tensors) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const auto& [name, tensor] : tensors) {
    hash_bytes(name.data(), name.size(), &hash);
    const Tensor plain = tensor.detach().contiguous();
    const std::size_t item = item_size(plain.dtype());
    std::string elements(static_cast<std::size_t>(plain.numel()) * item, '\0');
    const char* error =
        backend(plain.device())
            .read(*plain.impl().block, static_cast<std::size_t>(plain.layout().offset) * item,
                  elements.data(), elements.size());
    if (error) fail(Fault::world, {"checkpoint: reading '", name, "' ", error});
    hash_bytes(elements.data(), elements.size(), &hash);
  }
  char digits[17] = {};
  std::to_chars(std::begin(digits), std::end(digits), hash, 16);
  return digits;
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
  Value state;
  state["schema_version"] = kCheckpointSchema;
  state["checksum"] = checksum(checkpoint.tensors);
  if (checkpoint.state.is_map())
    for (const auto& [key, value] : checkpoint.state.as_map())
      if (!state.find(key)) state[key] = value;
  return to_safetensors({checkpoint.tensors, {{kStateKey, to_json(state, -1, NonFinite::text)}}});
}

Checkpoint checkpoint_from_bytes(std::string_view bytes, const std::string& name) {
  SafetensorsFile file = from_safetensors(bytes, name);
  Checkpoint checkpoint;
  bool found = false;
  for (const auto& [key, text] : file.metadata) {
    if (key != kStateKey) continue;
    found = true;
    try {
      checkpoint.state = from_json(text, "its state");
    } catch (const std::invalid_argument& error) {
      fail(Fault::world, {name, ": the checkpoint is damaged: ", error.what()});
    }
  }
  const Value* schema = checkpoint.state.find("schema_version");
  if (!found || !schema || !schema->is_integer())
    fail(Fault::world, {name, ": a safetensors file, but not a checkpoint of levin"});
  if (schema->as_integer() > kCheckpointSchema)
    fail(Fault::world, {name, ": the checkpoint has schema version ", schema->as_integer(),
                        ", this levin reads up to ", kCheckpointSchema});
  const Value* stored = checkpoint.state.find("checksum");
  if (!stored || *stored != Value(checksum(file.tensors)))
    fail(Fault::world, {name, ": the checkpoint is damaged: its checksum is wrong"});
  checkpoint.tensors = std::move(file.tensors);
  return checkpoint;
}

void save_checkpoint_file(const std::string& path, const Checkpoint& checkpoint) {
  write_whole(path, checkpoint_bytes(checkpoint));
}

Checkpoint load_checkpoint_file(const std::string& path) {
  return checkpoint_from_bytes(read_whole(path), path);
}

}  // namespace levin::inline v0
