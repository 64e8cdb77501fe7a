#include "check.h"

#include <charconv>
#include <stdexcept>

#include "thread_state.h"

namespace levin::inline v0 {

void Part::append_to(std::string* message) const {
  char digits[32];
  switch (kind_) {
    case Kind::c_text:
      *message += c_text_;
      return;
    case Kind::text:
      *message += text_;
      return;
    case Kind::integer:
      *message += std::to_string(integer_);
      return;
    case Kind::real:
      message->append(digits, std::to_chars(digits, digits + sizeof digits, real_).ptr);
      return;
    case Kind::shape:
      *message += shape_->text();
      return;
  }
}

void fail(Fault fault, std::initializer_list<Part> parts) {
  std::string message;
  std::string_view kind;
  for (const Where* where = thread_state().where; where; where = where->outer_) {
    if (kind.empty()) kind = where->kind_;
    if (where->name_.empty()) continue;
    message = std::string(where->name_) + (message.empty() ? "" : "." + message);
  }
  if (!kind.empty()) message += (message.empty() ? "" : " ") + ("(" + std::string(kind) + ")");
  if (!message.empty()) message += ": ";
  for (const Part& part : parts) part.append_to(&message);
  switch (fault) {
    case Fault::argument:
      throw std::invalid_argument(message);
    case Fault::index:
      throw std::out_of_range(message);
    case Fault::order:
      throw std::logic_error(message);
    case Fault::world:
      break;
  }
  throw std::runtime_error(message);
}

Where::Where(std::string_view name, std::string_view kind)
    : name_(name), kind_(kind), outer_(thread_state().where) {
  thread_state().where = this;
}

Where::~Where() { thread_state().where = outer_; }

}  // namespace levin::inline v0
