// The format: https://github.com/huggingface/safetensors. The header is read as a stream of events,
// since a parsed tree of a stranger's 100 MB would take gigabytes.
#include "safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_set>

#include "../kernels/backend.h"
#include "../kernels/check.h"
#include "factories.h"
#include "file.h"

namespace levin::inline v0 {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxHeader = 100'000'000;
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kTypeNames[kDTypes] = {"F32", "F64", "BF16", "F16", "I64",
                                             "I32", "I8",  "U8",   "BOOL"};

// ---- Writing

std::string quoted(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::type_error&) {
    fail({"safetensors: a name or text that is not UTF-8: ",
          Json(text).dump(-1, ' ', true, Json::error_handler_t::replace)});
  }
}

void check_names(const SafetensorsFile& file) {
  std::unordered_set<std::string> seen;
  for (const auto& [name, tensor] : file.tensors) {
    check(name != kMetadata, {"safetensors: a tensor may not be called ", kMetadata});
    check(seen.insert(name).second, {"safetensors: two tensors are called ", quoted(name)});
    check(tensor.defined(), {"safetensors: the tensor ", quoted(name), " is not defined"});
  }
  seen.clear();
  for (const auto& [key, text] : file.metadata)
    check(seen.insert(key).second, {"safetensors: the metadata has two texts ", quoted(key)});
}

std::size_t bytes_of(const Tensor& tensor) { return tensor.numel() * item_size(tensor.dtype()); }

// Where each tensor's bytes begin, and after the last their end. Wide types come first, as the
// reference writer has them: so every element is aligned.
std::vector<std::size_t> placed(const SafetensorsFile& file) {
  const std::size_t count = file.tensors.size();
  std::vector<std::size_t> order(count), begins(count + 1);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return item_size(file.tensors[a].second.dtype()) > item_size(file.tensors[b].second.dtype());
  });
  for (const std::size_t i : order) {
    begins[i] = begins[count];
    begins[count] += bytes_of(file.tensors[i].second);
  }
  return begins;
}

std::string header_of(const SafetensorsFile& file, const std::vector<std::size_t>& begins) {
  std::string header = "{";
  if (!file.metadata.empty()) {
    header += quoted(kMetadata) + ":{";
    for (const auto& [key, text] : file.metadata) header += quoted(key) + ":" + quoted(text) + ",";
    header.back() = '}';
    header += ",";
  }
  for (std::size_t i = 0; i < file.tensors.size(); ++i) {
    const auto& [name, tensor] = file.tensors[i];
    const std::size_t end = begins[i] + bytes_of(tensor);
    header +=
        quoted(name) + ":{\"dtype\":\"" + kTypeNames[static_cast<int>(tensor.dtype())] +
        "\",\"shape\":" + Json(std::vector(tensor.shape().begin(), tensor.shape().end())).dump() +
        ",\"data_offsets\":[" + std::to_string(begins[i]) + "," + std::to_string(end) + "]},";
  }
  if (header.size() > 1) header.pop_back();
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

// The elements, row-major, to host memory.
void download(const Tensor& tensor, void* to) {
  Ref<Block> block = tensor.impl().block;
  Layout layout = tensor.layout();
  Backend& device = backend(tensor.device());
  const char* error = nullptr;
  if (!tensor.is_contiguous()) {
    const Layout plain = Layout::of(tensor.shape(), tensor.dtype());
    Ref<Block> copy = Block::make(bytes_of(tensor), tensor.device());
    error = device.copy({block.get(), &layout}, {copy.get(), &plain});
    block = std::move(copy);
    layout = plain;
  }
  const std::size_t offset = layout.offset * item_size(layout.dtype);
  if (!error) error = device.read(*block, offset, to, bytes_of(tensor));
  if (error) fail(Fault::world, {"safetensors: reading a tensor of ", tensor.shape(), " ", error});
}

// ---- Reading

struct Entry {
  std::string name;
  DType dtype = kFloat32;
  std::vector<uint64_t> shape, offsets;
};

// Names come from strangers: no control characters and nothing long in a message.
std::string shown(const std::string& name) {
  std::size_t cut = std::min<std::size_t>(name.size(), 80);
  while (cut < name.size() && (name[cut] & 0xC0) == 0x80) --cut;  // not inside a character
  std::string text = '"' + name.substr(0, cut) + (cut < name.size() ? "...\"" : "\"");
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  return text;
}

// Receives the header's events. Returning false stops the parser; `error` then says why.
class HeaderReader {
 public:
  std::vector<Entry> entries;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string error;

  bool start_object(std::size_t) {
    if (depth_ == 0 || (depth_ == 1 && !in_list_)) {
      ++depth_;
      seen_inner_.clear();
      return true;
    }
    return refuse("an object stands where none may be");
  }
  bool end_object() {
    if (--depth_ == 1 && !in_metadata_ && seen_inner_.size() != 3)
      return refuse("dtype, shape and data_offsets are needed");
    return true;
  }
  bool key(std::string& key) {
    auto& seen = depth_ == 1 ? seen_outer_ : seen_inner_;
    if (!seen.insert(key).second) return refuse("the key " + shown(key) + " comes twice");
    if (depth_ == 2) {
      inner_key_ = key;
      if (in_metadata_) return true;
      return key == "dtype" || key == "shape" || key == "data_offsets" ||
             refuse("the key " + shown(key) + " is not one of dtype, shape, data_offsets");
    }
    in_metadata_ = key == kMetadata;
    name_ = key;
    if (!in_metadata_) entries.push_back({key, kFloat32, {}, {}});
    return true;
  }
  bool string(std::string& text) {
    if (depth_ == 2 && in_metadata_) {
      metadata.emplace_back(inner_key_, text);
      return true;
    }
    if (!inside("dtype")) return refuse("a text stands where none may be");
    for (int i = 0; i < kDTypes; ++i) {
      entries.back().dtype = static_cast<DType>(i);
      if (text == kTypeNames[i]) return true;
    }
    return refuse("the dtype " + shown(text) + " is not known");
  }
  bool start_array(std::size_t) {
    if (!inside("shape") && !inside("data_offsets"))
      return refuse("a list stands where none may be");
    in_list_ = true;
    return true;
  }
  bool end_array() {
    in_list_ = false;
    return inner_key_ == "shape" || entries.back().offsets.size() == 2 ||
           refuse("data_offsets needs two numbers");
  }
  bool number_unsigned(uint64_t number) {
    if (!in_list_) return refuse("a number stands where none may be");
    if (number > INT64_MAX) return refuse("a number that passes 2^63 - 1");
    const bool is_shape = inner_key_ == "shape";
    auto& list = is_shape ? entries.back().shape : entries.back().offsets;
    list.push_back(number);
    if (is_shape) return list.size() <= kMaxDims || refuse("more than 8 dimensions");
    return list.size() <= 2 || refuse("data_offsets needs two numbers");
  }
  bool null() { return refuse("null stands where it may not be"); }
  bool boolean(bool) { return refuse("true or false stands where it may not be"); }
  bool number_integer(int64_t) { return refuse("a negative number"); }
  bool number_float(double, const std::string&) { return refuse("a number that is not natural"); }
  bool binary(std::vector<uint8_t>&) { return false; }
  bool parse_error(std::size_t at, const std::string&, const Json::exception&) {
    error = "no valid JSON at byte " + std::to_string(at);
    return false;
  }

 private:
  bool inside(const char* key) const {
    return depth_ == 2 && !in_list_ && !in_metadata_ && inner_key_ == key;
  }
  bool refuse(const std::string& what) {
    error = (depth_ > 0 && !name_.empty() ? shown(name_) + ": " : "") + what;
    return false;
  }

  int depth_ = 0;
  bool in_metadata_ = false, in_list_ = false;
  std::string name_, inner_key_;
  std::unordered_set<std::string> seen_outer_, seen_inner_;
};

// Of the elements; 0 where the sizes do not fit into 2^63 - 1.
bool byte_count(const Entry& entry, uint64_t* bytes) {
  int64_t product = static_cast<int64_t>(item_size(entry.dtype));
  bool empty = false, overflow = false;
  for (const uint64_t size : entry.shape) {
    empty |= size == 0;
    if (size) overflow |= __builtin_mul_overflow(product, size, &product);
  }
  *bytes = empty ? 0 : product;
  return !overflow;
}

// Every tensor spans its elements, and the spans tile the data without a hole or an overlap.
void check_spans(const std::vector<Entry>& entries, uint64_t data_size, const std::string& file) {
  std::vector<const Entry*> order;
  for (const Entry& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const Entry* a, const Entry* b) { return a->offsets < b->offsets; });
  uint64_t expected = 0;
  for (const Entry* entry : order) {
    const uint64_t begin = entry->offsets[0], end = entry->offsets[1];
    uint64_t bytes = 0;
    const auto refuse = [&](std::initializer_list<Part> what) {
      std::string text;
      for (const Part& part : what) part.append_to(&text);
      fail(Fault::world, {file, ": safetensors: ", shown(entry->name), ": ", text});
    };
    if (!byte_count(*entry, &bytes)) refuse({"its shape has too many elements"});
    if (begin > end || end > data_size)
      refuse({"data_offsets [", begin, ", ", end, "] do not lie in the file's ", data_size,
              " bytes of data"});
    if (end - begin != bytes)
      refuse({"data_offsets span ", end - begin, " bytes, dtype and shape need ", bytes});
    if (begin != expected)
      refuse({"its data begin at ", begin, ", not where the data before end: at ", expected});
    expected = end;
  }
  if (expected != data_size)
    fail(Fault::world,
         {file, ": safetensors: ", data_size, " bytes of data, the tensors have ", expected});
}

Tensor uploaded(const Entry& entry, const char* data, const std::string& file) {
  const Shape shape(std::vector<int64_t>(entry.shape.begin(), entry.shape.end()));
  const char* begin = data + entry.offsets[0];
  const std::size_t bytes = entry.offsets[1] - entry.offsets[0];
  // Other values are undefined behaviour once somebody reads them as a bool.
  if (entry.dtype == kBool &&
      std::any_of(begin, begin + bytes, [](char c) { return c != 0 && c != 1; }))
    fail(Fault::world, {file, ": safetensors: ", shown(entry.name), ": a BOOL is 0 or 1"});
  const Tensor tensor = empty(shape, entry.dtype);
  if (const char* error = backend(kCPU).write(begin, *tensor.impl().block, 0, bytes))
    fail(Fault::world, {file, ": safetensors: ", shown(entry.name), ": ", error});
  return tensor;
}

uint64_t header_size(std::string_view bytes, const std::string& file) {
  const auto refuse = [&](const char* what) {
    fail(Fault::world, {file, ": not a safetensors file: ", what});
  };
  if (bytes.size() < 8) refuse("shorter than 8 bytes");
  uint64_t size = 0;
  for (int i = 7; i >= 0; --i) size = size << 8 | static_cast<unsigned char>(bytes[i]);
  if (size > kMaxHeader) refuse("its header would pass 100 MB");
  if (size > bytes.size() - 8) refuse("its header ends after the file");
  if (size == 0 || bytes[8] != '{') refuse("its header does not begin with {");
  // The parser would take a NUL for the end of the text.
  if (bytes.substr(8, size).find('\0') != bytes.npos) refuse("its header holds a NUL");
  return size;
}

}  // namespace

std::string to_safetensors(const SafetensorsFile& file) {
  check_names(file);
  const std::vector<std::size_t> begins = placed(file);
  const std::string header = header_of(file, begins);
  check(header.size() <= kMaxHeader, {"safetensors: names and metadata pass 100 MB"});
  std::string bytes(8 + header.size() + begins.back(), '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  std::copy(header.begin(), header.end(), bytes.begin() + 8);
  for (std::size_t i = 0; i < file.tensors.size(); ++i)
    download(file.tensors[i].second, bytes.data() + 8 + header.size() + begins[i]);
  return bytes;
}

SafetensorsFile from_safetensors(std::string_view bytes, const std::string& name_for_errors) {
  const uint64_t size = header_size(bytes, name_for_errors);
  const std::string_view header = bytes.substr(8, size), data = bytes.substr(8 + size);
  HeaderReader reader;
  if (!Json::sax_parse(header.begin(), header.end(), &reader))
    fail(Fault::world, {name_for_errors, ": safetensors header: ", reader.error});
  check_spans(reader.entries, data.size(), name_for_errors);
  SafetensorsFile file;
  file.metadata = std::move(reader.metadata);
  for (Entry& entry : reader.entries) {
    Tensor tensor = uploaded(entry, data.data(), name_for_errors);
    file.tensors.emplace_back(std::move(entry.name), std::move(tensor));
  }
  return file;
}

void save_safetensors(const std::string& path, const SafetensorsFile& file) {
  write_whole(path, to_safetensors(file));
}

SafetensorsFile load_safetensors(const std::string& path) {
  return from_safetensors(read_whole(path), path);
}

}  // namespace levin::inline v0
