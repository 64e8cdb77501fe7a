// Tensor::text: PyTorch's text of a tensor, letter for letter, without the "torch." before an
// element type.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "layout_math.h"
#include "tensor.h"

namespace levin::inline v0 {
namespace {

constexpr int64_t kMostElements = 1000;  // more are summarised
constexpr int64_t kEdge = 3;             // shown at each end of a summarised dimension
constexpr std::size_t kLineWidth = 80;
constexpr int kPrecision = 4;

// Every element that is shown, in order, and the width that they are padded to.
struct Words {
  std::vector<std::string> list;
  std::size_t width = 1;
};

template <class T>
void append_shown(const Tensor& tensor, const Layout& layout, std::vector<T>* shown) {
  const auto append = [&](const Layout& part) {
    const std::vector<T> elements = make_view(tensor, part).to_vector<T>();
    shown->insert(shown->end(), elements.begin(), elements.end());
  };
  const int64_t size = layout.shape[0];
  const bool cut = size > 2 * kEdge;
  if (layout.dim() == 1) {
    append(cut ? narrowed(layout, 0, 0, kEdge) : layout);
    if (cut) append(narrowed(layout, 0, size - kEdge, kEdge));
    return;
  }
  for (int64_t i = 0; i < size; ++i) {
    if (cut && i == kEdge) i = size - kEdge;
    append_shown(tensor, selected(layout, 0, i), shown);
  }
}

template <class T>
std::vector<T> shown_elements(const Tensor& tensor, bool summarized) {
  if (!summarized) return tensor.to_vector<T>();
  std::vector<T> shown;
  append_shown(tensor, tensor.layout(), &shown);
  return shown;
}

std::string number_text(double value, std::chars_format format, int precision) {
  if (std::isnan(value)) return "nan";  // to_chars writes a NaN's sign
  char digits[64];
  return {digits,
          std::to_chars(std::begin(digits), std::end(digits), value, format, precision).ptr};
}

Words words_of(const std::vector<double>& values) {
  double smallest = INFINITY, largest = 0;
  bool integers = true;
  for (const double value : values) {
    if (!std::isfinite(value) || value == 0) continue;
    smallest = std::min(smallest, std::abs(value));
    largest = std::max(largest, std::abs(value));
    integers &= value == std::ceil(value);
  }
  const bool scientific =
      largest > 0 && (largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4);
  const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  Words words;
  for (const double value : values) {
    std::string word = number_text(value, format, integers && !scientific ? 0 : kPrecision);
    if (integers && !scientific && std::isfinite(value)) word += '.';
    // Zeros, infinities and NaN do not widen the column: so it is in PyTorch.
    if (std::isfinite(value) && value != 0) words.width = std::max(words.width, word.size());
    words.list.push_back(std::move(word));
  }
  return words;
}

Words words_of(const std::vector<int64_t>& values, bool booleans) {
  Words words;
  for (const int64_t value : values) {
    words.list.push_back(!booleans ? std::to_string(value) : value ? "True" : "False");
    words.width = std::max(words.width, words.list.back().size());
  }
  return words;
}

// Puts the words in brackets and lines.
class Page {
 public:
  Page(const Shape& shape, Words words, bool summarized)
      : shape_(shape), words_(std::move(words)), summarized_(summarized) {}

  std::string text(std::size_t indent) {
    if (shape_.empty()) return word();
    add(0, indent);
    return std::move(text_);
  }

 private:
  bool cut(int dim) const { return summarized_ && shape_[dim] > 2 * kEdge; }

  std::string word() {
    const std::string& next = words_.list[next_++];
    return std::string(words_.width - std::min(words_.width, next.size()), ' ') + next;
  }

  void add(int dim, std::size_t indent) {
    if (dim == shape_.size() - 1) return add_row(indent);
    const std::string separator =
        "," + std::string(shape_.size() - dim - 1, '\n') + std::string(indent + 1, ' ');
    text_ += '[';
    for (int64_t i = 0; i < shape_[dim]; ++i) {
      if (i > 0) text_ += separator;
      if (cut(dim) && i == kEdge) {
        text_ += "..." + separator;
        i = shape_[dim] - kEdge;
      }
      add(dim + 1, indent + 1);
    }
    text_ += ']';
  }

  void add_row(std::size_t indent) {
    const bool gap = cut(shape_.size() - 1);
    const int64_t count = gap ? 2 * kEdge + 1 : shape_.back();
    const auto per_line = static_cast<int64_t>(
        indent < kLineWidth ? std::max<std::size_t>(1, (kLineWidth - indent) / (words_.width + 2))
                            : 1);
    text_ += '[';
    for (int64_t i = 0; i < count; ++i) {
      if (i > 0) text_ += i % per_line ? ", " : ",\n" + std::string(indent + 1, ' ');
      text_ += gap && i == kEdge ? " ..." : word();
    }
    text_ += ']';
  }

  const Shape& shape_;
  const Words words_;
  const bool summarized_;
  std::size_t next_ = 0;
  std::string text_;
};

std::vector<std::string> suffixes_of(const Tensor& tensor) {
  std::vector<std::string> suffixes;
  const bool empty = tensor.numel() == 0;
  const DType dtype = tensor.dtype();
  if (!(tensor.device() == kCPU))
    suffixes.push_back(std::string("device='") + name_of(tensor.device()) + ":" +
                       std::to_string(tensor.device().index) + "'");
  if (empty && tensor.dim() != 1) {
    const std::string sizes = tensor.shape().text();
    suffixes.push_back("size=(" + sizes.substr(1, sizes.size() - 2) + ")");
  }
  // What the elements themselves do not show.
  if (dtype != kFloat32 && (empty || (dtype != kInt64 && dtype != kBool)))
    suffixes.push_back(std::string("dtype=") + name_of(dtype));
  if (tensor.requires_grad()) suffixes.emplace_back("requires_grad=True");
  return suffixes;
}

}  // namespace

std::string Tensor::text() const {
  if (!defined()) return "tensor(undefined)";
  std::string text = "tensor(";
  const std::size_t indent = text.size();
  if (numel() == 0) {
    text += "[]";
  } else {
    const bool summarized = numel() > kMostElements;
    Words words = is_floating(dtype())
                      ? words_of(shown_elements<double>(*this, summarized))
                      : words_of(shown_elements<int64_t>(*this, summarized), dtype() == kBool);
    text += Page(shape(), std::move(words), summarized).text(indent);
  }
  const std::size_t line_start = text.rfind('\n');
  std::size_t line =
      line_start == std::string::npos ? text.size() + 2 : text.size() - line_start + 1;
  for (const std::string& suffix : suffixes_of(*this)) {
    // Lines break where PyTorch's do, whose element types are longer by "torch.".
    const std::size_t size = suffix.size() + (suffix.starts_with("dtype=") ? 6 : 0);
    const bool fits = line + size + 2 <= kLineWidth;
    text += (fits ? ", " : ",\n" + std::string(indent, ' ')) + suffix;
    line = fits ? line + size + 2 : indent + size;
  }
  return text + ")";
}

}  // namespace levin::inline v0
