// MetadataCallback: fit_metadata.json, what was trained and how it went; test_metadata.json,
// validate_metadata.json of evaluations.
#pragma once

#include "../callback.h"

namespace levin::inline v0 {

/// Every model has one. The file is complete after each epoch and at the end of the fit.
class MetadataCallback : public Callback {
 public:
  Value state_dict() const override { return metadata_; }
  void load_state_dict(const Value& state) override { metadata_ = state; }

  void setup(Trainer& trainer, LME& model) override;
  void on_fit_start(Trainer& trainer, LME& model) override;
  void on_train_epoch_start(Trainer& trainer, LME& model) override;
  void on_train_epoch_end(Trainer& trainer, LME& model) override;
  /// A checkpoint of an epoch's end knows that epoch's best models too.
  void on_save_checkpoint(Trainer& trainer, LME& model, Value& checkpoint) override;
  void on_epoch_logged(Trainer& trainer, LME& model) override;
  void on_fit_end(Trainer& trainer, LME& model) override;
  void on_test_start(Trainer& trainer, LME& model) override { start_evaluation(trainer, model); }
  void on_test_end(Trainer& trainer, LME&) override { end_evaluation(trainer); }
  void on_validation_start(Trainer& trainer, LME& model) override;
  void on_validation_end(Trainer& trainer, LME& model) override;
  void on_exception(Trainer& trainer, LME& model, const std::exception& error) override;

  /// An epoch's full result of a metric, as nested lists. Throws std::invalid_argument where the
  /// epoch has one already.
  void log_epoch_metric(const std::string& name, int64_t epoch, const Tensor& full);
  const Value& metadata() const { return metadata_; }

 private:
  void describe(const Trainer& trainer, LME& model);
  void set_one_or_list(const char* key, std::vector<Value> values);
  void start_evaluation(const Trainer& trainer, LME& model);
  void end_evaluation(const Trainer& trainer);
  void update_best(Trainer& trainer, LME& model);
  void write(const Trainer& trainer) const;

  Value metadata_;
};

}  // namespace levin::inline v0
