// Ref: an owning pointer to an object that counts its own references.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace levin::inline v0 {

/// Has this process one thread only? Then counts need no locked instructions, which are most of
/// what the handles of small tensors cost. False where the C library does not tell.
inline bool has_one_thread() {
#if __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded;
#else
  return false;
#endif
}

/// T has `std::atomic<uint32_t> refs` and a member `release()` that frees the object once nobody
/// holds it.
template <class T>
class Ref {
 public:
  Ref() = default;
  /// Takes over one reference that the caller holds.
  static Ref adopt(T* object) {
    Ref ref;
    ref.object_ = object;
    return ref;
  }
  explicit Ref(T* object) : object_(object) {
    if (!object_) return;
    if (has_one_thread())
      object_->refs.store(object_->refs.load(std::memory_order_relaxed) + 1,
                          std::memory_order_relaxed);
    else
      object_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  Ref(const Ref& other) : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (!object_) return;
    const uint32_t count = object_->refs.load(std::memory_order_acquire);
    // The last holder needs no atomic subtraction: nobody else can touch the count.
    if (count == 1)
      object_->release();
    else if (has_one_thread())
      object_->refs.store(count - 1, std::memory_order_relaxed);
    else if (object_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
      object_->release();
  }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  /// Does nobody else hold the object?
  bool unique() const { return object_->refs.load(std::memory_order_acquire) == 1; }

 private:
  T* object_ = nullptr;
};

}  // namespace levin::inline v0
