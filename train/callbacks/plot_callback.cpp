#include "plot_callback.h"

#include "../../autograd/ops.h"
#include "../../kernels/check.h"
#include "../trainer.h"

namespace levin::inline v0 {
namespace {

bool writes_nothing(const Trainer& trainer) {
  return trainer.options().fast_dev_run > 0 || trainer.options().barebones;
}

}  // namespace

PlotCallbackGeneric::PlotCallbackGeneric(Function function, std::string mode)
    : function_(std::move(function)), mode_(std::move(mode)) {
  check(static_cast<bool>(function_), {"PlotCallbackGeneric: an empty function"});
  check(mode_ == "first" || mode_ == "random",
        {"PlotCallbackGeneric: mode '", mode_, "': 'first' or 'random' is needed"});
}

std::string PlotCallbackGeneric::state_key() const {
  return type_name() + " " + std::to_string(reinterpret_cast<uintptr_t>(this));
}

void PlotCallbackGeneric::setup(Trainer& trainer, LME&) {
  choices_ = {};
  check(trainer.predicting() || writes_nothing(trainer) || !trainer.loggers().empty(),
        {"No lightning logger found. Cannot use ", type_name(), "."});
}

void PlotCallbackGeneric::on_train_batch_end(Trainer& trainer, LME& model,
                                             const AlgorithmOutput* output,
                                             const data::Batch& batch, int64_t batch_idx) {
  after_batch(trainer, model, kTrain, output, batch, batch_idx);
}

void PlotCallbackGeneric::on_validation_batch_end(Trainer& trainer, LME& model,
                                                  const AlgorithmOutput* output,
                                                  const data::Batch& batch, int64_t batch_idx,
                                                  int64_t) {
  after_batch(trainer, model, trainer.sanity_checking() ? kSanityCheck : kValidation, output, batch,
              batch_idx);
}

void PlotCallbackGeneric::on_test_batch_end(Trainer& trainer, LME& model,
                                            const AlgorithmOutput* output, const data::Batch& batch,
                                            int64_t batch_idx, int64_t) {
  after_batch(trainer, model, kTest, output, batch, batch_idx);
}

void PlotCallbackGeneric::after_batch(const Trainer& trainer, LME& model, Kind kind,
                                      const AlgorithmOutput* output, const data::Batch& batch,
                                      int64_t batch_idx) {
  if (writes_nothing(trainer)) return;
  const int64_t epoch = trainer.current_epoch();
  Choice& choice = choices_[kind];
  const bool is_new = choice.epoch != epoch;
  if (!is_new && choice.batch < 0) return;
  Generator own = default_generator().fork("plots").keyed(static_cast<uint64_t>(epoch), kind);
  if (is_new) {
    const int64_t batches =
        kind == kTrain ? trainer.num_training_batches() : trainer.num_evaluation_batches(0);
    const bool is_random = mode_ == "random" && kind != kSanityCheck;
    choice = {epoch, is_random ? randint(0, batches, {1}, own).item<int64_t>() : 0};
  }
  choice.is_due |= batch_idx == choice.batch;
  if (!choice.is_due || !output) return;
  choice.batch = -1;
  static constexpr const char* kFolders[] = {"train", "validation", "test", "validation"};
  const NoGrad no_grad;
  const GeneratorGuard guard(own);
  function_(model, batch, *model.cache_result(),
            trainer.log_dir() + "/pngs/" + kFolders[kind] + "/" + std::to_string(epoch + 1));
}

PlotCallback::PlotCallback(Function function, std::string mode)
    : PlotCallbackGeneric(
          [function](LME& model, const data::Batch& batch, const AlgorithmOutput& result,
                     const std::string& out_dir) {
            function(batch["data"], result.y.tensor(), batch["labels"], out_dir, model);
          },
          std::move(mode)) {
  check(static_cast<bool>(function), {"PlotCallback: an empty function"});
}

}  // namespace levin::inline v0
