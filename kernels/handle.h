// Handle: shared ownership of an object of any type derived from Base. Copies of a handle share it.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace levin::inline v0 {

/// What takes optimizers, callbacks, loggers and datasets takes a Handle: `callbacks =
/// {PlotMetrics()}` moves the object in; a std::shared_ptr is taken where the caller keeps looking
/// at it.
template <class Base>
class Handle {
 public:
  Handle() = default;
  template <class Derived>
  requires std::is_base_of_v<Base, std::remove_cvref_t<Derived>> Handle(Derived&& object)
      : object_(std::make_shared<std::remove_cvref_t<Derived>>(std::forward<Derived>(object))) {}
  template <class Derived>
  requires std::is_base_of_v<Base, Derived> Handle(std::shared_ptr<Derived> object)
      : object_(std::move(object)) {}

  Base& operator*() const { return *object_; }
  Base* operator->() const { return object_.get(); }
  Base* get() const { return object_.get(); }
  explicit operator bool() const { return object_ != nullptr; }
  friend bool operator==(const Handle&, const Handle&) = default;

 private:
  std::shared_ptr<Base> object_;
};

}  // namespace levin::inline v0
