// InlineList: a list that needs no memory from the heap while it is short.
#pragma once

#include <initializer_list>
#include <utility>
#include <vector>

namespace levin::inline v0 {

/// Up to N elements lie inside the object, more in a vector.
template <class T, int N>
class InlineList {
 public:
  InlineList() = default;
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
  T few_[N];
  std::vector<T> many_;
  int size_ = 0;
};

}  // namespace levin::inline v0
