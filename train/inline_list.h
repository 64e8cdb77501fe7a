// InlineList: a list that needs no memory from the heap while it is short.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

namespace levin::inline v0 {

/// Up to N elements lie inside the object, more in a vector.
template <class T, int N>
class InlineList {
 public:
  InlineList() = default;
  InlineList(const InlineList& other) { *this = other; }
  InlineList(InlineList&& other) noexcept { *this = std::move(other); }
  // Only what is in use is copied.
  InlineList& operator=(const InlineList& other) {
    if (this == &other) return *this;
    resize_few(other);
    std::copy_n(other.few_, other.few(), few_);
    many_ = other.many_;
    return *this;
  }
  InlineList& operator=(InlineList&& other) noexcept {
    if (this == &other) return *this;
    resize_few(other);
    std::move(other.few_, other.few_ + other.few(), few_);
    many_ = std::move(other.many_);
    other.clear();
    return *this;
  }
  InlineList(std::initializer_list<T> elements) {
    for (const T& element : elements) push_back(element);
  }

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* begin() { return size_ > N ? many_.data() : few_; }
  const T* begin() const { return size_ > N ? many_.data() : few_; }
  T* end() { return begin() + size_; }
  const T* end() const { return begin() + size_; }
  T& operator[](int i) { return begin()[i]; }
  const T& operator[](int i) const { return begin()[i]; }
  T& back() { return begin()[size_ - 1]; }

  T& push_back(T element) {
    if (size_ == N) {
      many_.clear();
      for (T& few : few_) many_.push_back(std::move(few));
    }
    ++size_;
    if (size_ > N)
      many_.push_back(std::move(element));
    else
      few_[size_ - 1] = std::move(element);
    return back();
  }
  void clear() {
    for (T& element : *this) element = T();
    many_.clear();
    size_ = 0;
  }

 private:
  // How many lie inside.
  int few() const { return size_ > N ? 0 : size_; }
  // Takes the other's size; elements that are left over are let go.
  void resize_few(const InlineList& other) {
    for (int i = other.few(); i < few(); ++i) few_[i] = T();
    size_ = other.size_;
  }

  T few_[N];
  std::vector<T> many_;
  int size_ = 0;
};

}  // namespace levin::inline v0
