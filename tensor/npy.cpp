// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include "npy.h"

#include <algorithm>

#include "../kernels/backend.h"
#include "../kernels/check.h"
#include "elements.h"

namespace levin::inline v0 {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kMagic = "\x93NUMPY"sv;
constexpr std::size_t kAlignment = 64;
// NumPy's own limit; a longer header can only come from structured types.
constexpr uint64_t kMaxHeader = 10'000;

struct TypeCode {
  DType dtype;
  std::string_view code;
};
constexpr TypeCode kTypeCodes[] = {{kFloat32, "f4"}, {kFloat64, "f8"}, {kFloat16, "f2"},
                                   {kInt64, "i8"},   {kInt32, "i4"},   {kInt8, "i1"},
                                   {kUInt8, "u1"},   {kBool, "b1"}};

// ---- Writing

void write(const Tensor& tensor, const Put& put) {
  const DType dtype = tensor.dtype();
  const auto* type = std::find_if(std::begin(kTypeCodes), std::end(kTypeCodes),
                                  [&](const TypeCode& known) { return known.dtype == dtype; });
  check(type != std::end(kTypeCodes),
        {"npy: a ", dtype, " tensor: NumPy has no such type, use to(kFloat32)"});
  std::string header = "{'descr': '";
  header += item_size(dtype) == 1 ? '|' : '<';
  header += std::string(type->code) + "', 'fortran_order': False, 'shape': (";
  for (int d = 0; d < tensor.dim(); ++d)
    header += (d > 0 ? ", " : "") + std::to_string(tensor.shape()[d]);
  header += tensor.dim() == 1 ? ",), }" : "), }";
  const std::size_t before = kMagic.size() + 4;
  const std::size_t whole = (before + header.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  header.resize(whole - before - 1, ' ');
  header += '\n';
  std::string start(kMagic);
  start += {1, 0, static_cast<char>(header.size()), static_cast<char>(header.size() >> 8)};
  put(start + header);
  put_elements(tensor, "npy", put);
}

// ---- Reading

struct Header {
  DType dtype = kFloat32;
  bool big_endian = false, column_major = false;
  Shape shape;
};

// Reads the header's text, a Python dict of three entries.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& file) : left_(text), file_(file) {}

  Header read() {
    expect('{');
    while (!next_is('}')) {
      const std::string_view key = text();
      expect(':');
      if (key == "descr")
        once(&has_type_, key), read_type();
      else if (key == "fortran_order")
        once(&has_order_, key), read_order();
      else if (key == "shape")
        once(&has_shape_, key), read_shape();
      else
        refuse({"the key '", shown(key), "' is not one of descr, fortran_order, shape"});
      if (!next_is(',')) {
        if (!next_is('}')) refuse({"',' or '}' is missing"});
        break;
      }
    }
    skip_space();
    if (!left_.empty()) refuse({"something stands after the }"});
    if (!has_type_ || !has_order_ || !has_shape_)
      refuse({"descr, fortran_order and shape are needed"});
    return header_;
  }

 private:
  [[noreturn]] void refuse(std::initializer_list<Part> what) {
    std::string message;
    for (const Part& part : what) part.append_to(&message);
    fail(Fault::world, {file_, ": npy header: ", message});
  }
  // Names come from strangers: nothing long and no control characters in a message.
  static std::string shown(std::string_view text) {
    std::string result(text.substr(0, 40));
    for (char& c : result)
      if (c < 32 || c > 126) c = '?';
    return result;
  }
  void skip_space() { left_.remove_prefix(std::min(left_.find_first_not_of(" \n"), left_.size())); }
  bool next_is(char wanted) {
    skip_space();
    if (left_.empty() || left_[0] != wanted) return false;
    left_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    const std::string text(1, wanted);
    if (!next_is(wanted)) refuse({"'", text, "' is missing"});
  }
  void once(bool* seen, std::string_view key) {
    if (*seen) refuse({"the key '", key, "' comes twice"});
    *seen = true;
  }

  std::string_view text() {
    const char quote = next_is('\'') ? '\'' : '"';
    if (quote == '"' && !next_is('"')) refuse({"a text in quotes is missing"});
    const std::size_t end = left_.find(quote);
    if (end == left_.npos) refuse({"a text does not end"});
    const std::string_view text = left_.substr(0, end);
    left_.remove_prefix(end + 1);
    return text;
  }

  void read_type() {
    if (next_is('[')) refuse({"descr is a list: structured types are not read"});
    const std::string_view text = this->text();
    for (const TypeCode& known : kTypeCodes) {
      if (text.empty() || text.substr(1) != known.code) continue;
      const bool one_byte = item_size(known.dtype) == 1;
      header_.dtype = known.dtype;
      header_.big_endian = text[0] == '>' && !one_byte;
      if (text[0] == '<' || text[0] == '>' || (text[0] == '|' && one_byte)) return;
    }
    refuse({"the type '", shown(text), "' is none that levin has"});
  }

  void read_order() {
    skip_space();
    header_.column_major = left_.starts_with("True");
    if (!header_.column_major && !left_.starts_with("False"))
      refuse({"fortran_order must be True or False"});
    left_.remove_prefix(header_.column_major ? 4 : 5);
  }

  void read_shape() {
    expect('(');
    bool comma = true;
    while (!next_is(')')) {
      if (!comma) refuse({"',' or ')' is missing in shape"});
      if (header_.shape.size() == kMaxDims) refuse({"more than 8 dimensions"});
      header_.shape.push_back(natural());
      comma = next_is(',');
    }
    if (header_.shape.size() == 1 && !comma) refuse({"shape must be a tuple: (3,)"});
  }

  int64_t natural() {
    skip_space();
    int64_t number = 0;
    std::size_t count = 0;
    for (; count < left_.size() && left_[count] >= '0' && left_[count] <= '9'; ++count)
      if (__builtin_mul_overflow(number, 10, &number) ||
          __builtin_add_overflow(number, left_[count] - '0', &number))
        refuse({"a size in shape passes 2^63 - 1"});
    if (count == 0) refuse({"shape holds what is no natural number"});
    if (count > 1 && left_[0] == '0') refuse({"a number in shape begins with 0"});
    left_.remove_prefix(count);
    return number;
  }

  std::string_view left_;
  const std::string& file_;
  Header header_;
  bool has_type_ = false, has_order_ = false, has_shape_ = false;
};

// Reads what comes before the elements; `at` is then where they begin.
Header read_header(const Source& from, uint64_t* at) {
  const auto refuse = [&](std::initializer_list<Part> what) {
    std::string message;
    for (const Part& part : what) part.append_to(&message);
    fail(Fault::world, {from.name(), ": not an npy file: ", message});
  };
  unsigned char start[12] = {};
  from.read(0, start, std::min<uint64_t>(from.size(), sizeof start));
  if (!std::equal(kMagic.begin(), kMagic.end(), start,
                  [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; }))
    refuse({"it does not begin with \\x93NUMPY"});
  const int major = start[6], minor = start[7];
  if (major < 1 || major > 3 || minor != 0) refuse({"format ", major, ".", minor, " is not known"});
  const uint64_t begin = major == 1 ? 10 : 12;
  if (from.size() < begin) refuse({"it ends before its header"});
  uint64_t size = 0;
  for (uint64_t i = begin; i-- > 8;) size = size << 8 | start[i];
  if (size > from.size() - begin) refuse({"its header ends after the file"});
  if (size > kMaxHeader) refuse({"its header would pass ", kMaxHeader, " bytes"});
  std::string text(size, '\0');
  from.read(begin, text.data(), size);
  if (text.empty() || text.back() != '\n') refuse({"its header does not end with a new line"});
  *at = begin + size;
  return HeaderReader(text, from.name()).read();
}

void swap_bytes(const Tensor& tensor) {
  const std::size_t item = item_size(tensor.dtype());
  auto* memory = static_cast<char*>(tensor.impl().block->data);
  for (int64_t i = 0; i < tensor.numel(); ++i)
    std::reverse(memory + i * item, memory + (i + 1) * item);
}

Layout reversed(const Layout& layout) {
  Layout result = layout;
  const int dims = layout.dim();
  for (int d = 0; d < dims; ++d) {
    result.shape[d] = layout.shape[dims - 1 - d];
    result.strides[d] = layout.strides[dims - 1 - d];
  }
  return result;
}

Tensor read(const Source& from) {
  uint64_t at = 0, bytes = 0;
  const Header header = read_header(from, &at);
  if (!byte_count(header.shape, header.dtype, &bytes))
    fail(Fault::world, {from.name(), ": npy: shape ", header.shape, " has too many elements"});
  if (bytes != from.size() - at)
    fail(Fault::world, {from.name(), ": npy: ", from.size() - at, " bytes of elements, shape ",
                        header.shape, " of ", header.dtype, " needs ", bytes});
  Shape shape = header.shape;
  if (header.column_major) std::reverse(shape.begin(), shape.end());
  const Tensor tensor = read_elements(from, at, shape, header.dtype, from.name() + ": npy");
  if (header.big_endian) swap_bytes(tensor);
  if (!header.column_major) return tensor;
  return make_tensor(tensor.impl().block, reversed(tensor.layout()));
}

}  // namespace

std::string to_npy(const Tensor& tensor) {
  std::string bytes;
  write(tensor, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

Tensor from_npy(std::string_view bytes, const std::string& name_for_errors) {
  return read(Source(bytes, name_for_errors));
}

void save_npy(const std::string& path, const Tensor& tensor) {
  DraftFile draft(path);
  write(tensor, [&](std::string_view piece) { draft.append(piece); });
  draft.commit();
}

Tensor load_npy(const std::string& path) { return read(Source(path)); }

}  // namespace levin::inline v0
