#include "recorder.h"

#include <algorithm>
#include <sstream>

namespace levin {
namespace {

std::string text_of(const Layout& layout) {
  std::string text = name_of(layout.dtype) + layout.shape.text();
  if (layout.offset) text += " from " + std::to_string(layout.offset);
  if (!layout.contiguous()) text += " strides " + Shape(layout.strides, layout.dim()).text();
  return text;
}

}  // namespace

std::string StepRecorder::text() const {
  std::vector<const Block*> inside, outside;
  const auto name = [&](const Block* block) {
    const bool is_inside = own.blocks.at(block).is_inside;
    auto& list = is_inside ? inside : outside;
    auto at = std::find(list.begin(), list.end(), block);
    if (at == list.end()) at = list.insert(at, block);
    return (is_inside ? "t" : "p") + std::to_string(at - list.begin());
  };
  std::string text;
  for (const Call& call : own.calls) {
    std::string read, written;
    each_operand(call, [&](const Arg& arg, Use use) {
      std::string& part = use == Use::read ? read : written;
      part += (part.empty() ? "" : ", ") + name(arg.block) + " " + text_of(*arg.layout);
    });
    text += written + " = " + name_of(call) + numbers_of(call) + "(" + read + ")\n";
  }
  return text;
}

std::vector<const Block*> StepRecorder::outside() const {
  std::vector<const Block*> found;
  for (const Call& call : own.calls)
    each_operand(call, [&](const Arg& arg, Use) {
      if (!own.blocks.at(arg.block).is_inside &&
          std::find(found.begin(), found.end(), arg.block) == found.end())
        found.push_back(arg.block);
    });
  return found;
}

void StepRecorder::repeat() {
  Backend& cpu = backend(kCPU);
  for (const Call& call : own.calls)
    if (const char* error = std::visit([&](const auto& c) { return issue(cpu, c); }, call))
      own.obstacle = error;
}

}  // namespace levin
