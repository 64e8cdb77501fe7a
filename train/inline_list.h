// InlineList: a list that needs no memory from the heap while it is short.
#pragma once

#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace levin::inline v0 {

/// Up to N elements lie inside the object, more in a vector. Copying and moving T must not throw.
template <class T, int N>
class InlineList {
 public:
  InlineList() {}
  InlineList(const InlineList& other) { *this = other; }
  InlineList(InlineList&& other) noexcept { *this = std::move(other); }
  InlineList& operator=(const InlineList& other) {
    if (this == &other) return *this;
    clear();
    many_ = other.many_;
    std::uninitialized_copy_n(other.few_, other.few(), few_);
    size_ = other.size_;
    return *this;
  }
  InlineList& operator=(InlineList&& other) noexcept {
    if (this == &other) return *this;
    clear();
    many_ = std::move(other.many_);
    std::uninitialized_move_n(other.few_, other.few(), few_);
    size_ = other.size_;
    other.clear();
    return *this;
  }
  InlineList(std::initializer_list<T> elements) {
    for (const T& element : elements) push_back(element);
  }
  ~InlineList() { clear(); }

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
      many_.reserve(N + 1);
      for (T& few : few_) many_.push_back(std::move(few));
      std::destroy_n(few_, N);
    }
    if (size_ >= N)
      many_.push_back(std::move(element));
    else
      std::construct_at(few_ + size_, std::move(element));
    ++size_;
    return back();
  }
  void clear() {
    std::destroy_n(few_, few());
    many_.clear();
    size_ = 0;
  }

 private:
  // How many lie inside.
  int few() const { return size_ > N ? 0 : size_; }

  union {  // only those that are in use are objects: most lists are short, and many are made
    T few_[N];
  };
  std::vector<T> many_;
  int size_ = 0;
};

}  // namespace levin::inline v0
