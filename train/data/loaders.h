// Loaders: what Trainer takes as data: a loader, several, or a function that makes them.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "data_loader.h"

namespace levin::inline v0::data {

/// Several loaders are gone through one after another. A function is asked at the start of a run
/// and, with reload_dataloaders_every_n_epochs, again.
class Loaders {
 public:
  using Factory = std::function<std::vector<DataLoader>()>;

  /// None.
  Loaders() = default;
  Loaders(std::nullopt_t) {}
  Loaders(DataLoader loader) : list_{std::move(loader)} {}
  Loaders(std::optional<DataLoader> loader) {
    if (loader) list_.push_back(std::move(*loader));
  }
  Loaders(std::vector<DataLoader> loaders) : list_(std::move(loaders)) {}
  Loaders(std::initializer_list<DataLoader> loaders) : list_(loaders) {}
  Loaders(AnyDataset dataset, const LoaderOptions& options)
      : list_{{std::move(dataset), options}} {}
  /// A function that gives a DataLoader, or a vector of them.
  template <class F>
  requires std::is_invocable_r_v<DataLoader, F&> Loaders(F factory)
      : factory_([factory] { return std::vector<DataLoader>{factory()}; }) {}
  template <class F>
  requires std::is_invocable_r_v<std::vector<DataLoader>, F&> Loaders(F factory)
      : factory_(std::move(factory)) {}

  bool empty() const { return list_.empty() && !factory_; }
  bool has_factory() const { return static_cast<bool>(factory_); }
  /// Asks the function, where there is one.
  void load() {
    if (factory_) list_ = factory_();
  }
  std::vector<DataLoader>& list() { return list_; }
  const std::vector<DataLoader>& list() const { return list_; }

 private:
  std::vector<DataLoader> list_;
  Factory factory_;
};

}  // namespace levin::inline v0::data
