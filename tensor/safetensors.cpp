// The format: https://github.com/huggingface/safetensors. The header is read as a stream of events,
// since a parsed tree of a stranger's 100 MB would take gigabytes.
#include "safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_set>

#include "../kernels/check.h"
#include "elements.h"

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

struct Placed {
  std::vector<std::size_t> order, begins;  // of the tensors' bytes
};

// Wide types come first, as the reference writer has them: so every element is aligned.
Placed place(const SafetensorsFile& file) {
  const std::size_t count = file.tensors.size();
  Placed placed{std::vector<std::size_t>(count), std::vector<std::size_t>(count)};
  std::iota(placed.order.begin(), placed.order.end(), 0);
  const auto width = [&](std::size_t i) { return item_size(file.tensors[i].second.dtype()); };
  std::stable_sort(placed.order.begin(), placed.order.end(),
                   [&](std::size_t a, std::size_t b) { return width(a) > width(b); });
  std::size_t end = 0;
  for (const std::size_t i : placed.order) {
    placed.begins[i] = end;
    end += bytes_of(file.tensors[i].second);
  }
  return placed;
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
    header += quoted(name) + ":{\"dtype\":\"" + kTypeNames[static_cast<int>(tensor.dtype())] +
              "\",\"shape\":[";
    for (int d = 0; d < tensor.dim(); ++d)
      header += (d > 0 ? "," : "") + std::to_string(tensor.shape()[d]);
    header +=
        "],\"data_offsets\":[" + std::to_string(begins[i]) + "," + std::to_string(end) + "]},";
  }
  if (header.size() > 1) header.pop_back();
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

std::string header_size_bytes(uint64_t size) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(size >> (8 * i));
  return bytes;
}

void write(const SafetensorsFile& file, const Put& put) {
  check_names(file);
  const Placed placed = place(file);
  const std::string header = header_of(file, placed.begins);
  check(header.size() <= kMaxHeader, {"safetensors: names and metadata pass 100 MB"});
  put(header_size_bytes(header.size()));
  put(header);
  for (const std::size_t i : placed.order) put_elements(file.tensors[i].second, "safetensors", put);
}

// ---- Reading

struct Entry {
  std::string name;
  DType dtype = kFloat32;
  Shape shape;
  std::vector<uint64_t> offsets;
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
    Entry& entry = entries.back();
    if (inner_key_ == "shape") {
      if (entry.shape.size() == kMaxDims) return refuse("more than 8 dimensions");
      entry.shape.push_back(static_cast<int64_t>(number));
      return true;
    }
    entry.offsets.push_back(number);
    return entry.offsets.size() <= 2 || refuse("data_offsets needs two numbers");
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
    if (!byte_count(entry->shape, entry->dtype, &bytes))
      refuse({"its shape has too many elements"});
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

std::string header_of(const Source& from) {
  const auto refuse = [&](const char* what) {
    fail(Fault::world, {from.name(), ": not a safetensors file: ", what});
  };
  if (from.size() < 8) refuse("shorter than 8 bytes");
  unsigned char digits[8];
  from.read(0, digits, 8);
  uint64_t size = 0;
  for (int i = 7; i >= 0; --i) size = size << 8 | digits[i];
  if (size > kMaxHeader) refuse("its header would pass 100 MB");
  if (size > from.size() - 8) refuse("its header ends after the file");
  std::string header(size, '\0');
  from.read(8, header.data(), size);
  if (size == 0 || header[0] != '{') refuse("its header does not begin with {");
  // The parser would take a NUL for the end of the text.
  if (header.find('\0') != header.npos) refuse("its header holds a NUL");
  const std::size_t end = header.find_last_not_of(' ');
  if (std::string_view("\t\n\r").find(header[end]) != std::string_view::npos)
    refuse("its header ends with other white space than spaces");
  return header;
}

SafetensorsFile read(const Source& from) {
  const std::string header = header_of(from);
  HeaderReader reader;
  if (!Json::sax_parse(header, &reader))
    fail(Fault::world, {from.name(), ": safetensors header: ", reader.error});
  const uint64_t data = 8 + header.size();
  check_spans(reader.entries, from.size() - data, from.name());
  SafetensorsFile file;
  file.metadata = std::move(reader.metadata);
  for (Entry& entry : reader.entries) {
    Tensor tensor = read_elements(from, data + entry.offsets[0], entry.shape, entry.dtype,
                                  from.name() + ": safetensors: " + shown(entry.name));
    file.tensors.emplace_back(std::move(entry.name), std::move(tensor));
  }
  return file;
}

}  // namespace

std::string to_safetensors(const SafetensorsFile& file) {
  std::string bytes;
  write(file, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

SafetensorsFile from_safetensors(std::string_view bytes, const std::string& name_for_errors) {
  return read(Source(bytes, name_for_errors));
}

void save_safetensors(const std::string& path, const SafetensorsFile& file) {
  DraftFile draft(path);
  write(file, [&](std::string_view piece) { draft.append(piece); });
  draft.commit();
}

SafetensorsFile load_safetensors(const std::string& path) { return read(Source(path)); }

}  // namespace levin::inline v0
