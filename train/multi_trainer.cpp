#include "multi_trainer.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>
#include <typeinfo>

#include "../kernels/check.h"
#include "../tensor/file.h"
#include "callbacks/model_checkpoint.h"
#include "console/log.h"
#include "files/text.h"

namespace levin::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRaisesAllowed = 5;

int64_t cores() { return std::max<int64_t>(std::thread::hardware_concurrency(), 1); }

// Held as long as it is open, by one process and MultiTrainer; it ends with the process.
Descriptor locked(const std::string& folder) {
  const int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close(file);
    fail(Fault::world, {"MultiTrainer: another MultiTrainer is at work in '", folder, "'"});
  }
  return Descriptor(file);  // a file system without locks has to do
}

// The run's newest full checkpoint; empty where there is none.
std::string last_checkpoint(const std::string& folder) {
  std::error_code error;
  fs::path newest;
  for (const auto& file : fs::directory_iterator(fs::path(folder) / "checkpoints", error)) {
    const std::string name = file.path().filename().string();
    if (!name.starts_with("last") || !name.ends_with(".ckpt")) continue;
    if (newest.empty() || fs::last_write_time(newest) < file.last_write_time())
      newest = file.path();
  }
  return newest.string();
}

std::string best_checkpoint(const Trainer& trainer) {
  for (const ModelCheckpoint* checkpoint : trainer.callbacks_of<ModelCheckpoint>())
    if (!checkpoint->best_model_path().empty()) return checkpoint->best_model_path();
  return "";
}

// A profiler times one thread.
ProfilerOption profiler_of_run(const TrainerOptions& options, bool several) {
  Profiler* profiler = options.profiler.get();
  if (!profiler) return {};
  if (typeid(*profiler) == typeid(SimpleProfiler))
    return SimpleProfiler(static_cast<const SimpleProfiler&>(*profiler));
  check(!several, {"MultiTrainer: the trainer's profiler cannot time several runs at once: use "
                   "n_devices = 0"});
  return options.profiler;
}

TrainerOptions options_of_run(const Trainer& trainer, int64_t run, bool several) {
  TrainerOptions options = trainer.options();
  std::vector<AnyLogger> loggers;
  for (const AnyLogger& logger : trainer.loggers())
    loggers.push_back(
        logger->in_folder(logger->log_dir() + "/MultiTrainer/" + std::to_string(run)));
  options.logger = std::move(loggers);
  options.callbacks.clear();
  options.profiler = profiler_of_run(options, several);
  if (several) options.enable_progress_bar = options.enable_model_summary = false;
  return options;
}

// A module whose class has parameters and no reset_parameters() would start every run alike.
void check_reset(const LME& model) {
  const std::unique_ptr<LME> copy = model.clone();
  Generator generator(1);
  const GeneratorGuard guard(generator);
  copy->reset_parameters();
  const std::vector<Tensor> before = model.parameters(), after = copy->parameters();
  bool same = !before.empty();
  for (std::size_t i = 0; i < before.size(); ++i)
    same = same && before[i].to_vector<double>() == after[i].to_vector<double>();
  if (same)
    log_warning(
        {"MultiTrainer: reset_parameters() changes no parameter of the model: all runs "
         "start with the same ones"});
}

}  // namespace

// What the threads of one fit share. The mutex guards all of it, and the user's objects.
struct MultiTrainer::Work {
  LME& model;
  data::Loaders train_loader, val_loaders;
  bool several = false;
  std::mutex mutex = {};
  std::deque<int64_t> waiting = {};
  std::vector<std::string> errors = {};

  std::optional<int64_t> next() {
    const std::lock_guard lock(mutex);
    if (waiting.empty()) return {};
    const int64_t run = waiting.front();
    waiting.pop_front();
    return run;
  }
  // Tried again after the others. Returns whether these were too many.
  bool failed(int64_t run, const char* error) {
    const std::lock_guard lock(mutex);
    errors.push_back("run " + std::to_string(run) + ": " + error);
    log_warning({"MultiTrainer: an error in ", errors.back()});
    waiting.push_back(run);
    return errors.size() >= kRaisesAllowed;
  }
};

MultiTrainer::MultiTrainer(Trainer& trainer, int64_t num_trains, MultiTrainerOptions options)
    : MultiTrainer(std::shared_ptr<Trainer>(&trainer, [](Trainer*) {}), num_trains,
                   std::move(options)) {}

MultiTrainer::MultiTrainer(TrainerOptions trainer, int64_t num_trains, MultiTrainerOptions options)
    : MultiTrainer(std::make_shared<Trainer>(std::move(trainer)), num_trains, std::move(options)) {}

MultiTrainer::MultiTrainer(std::shared_ptr<Trainer> trainer, int64_t num_trains,
                           MultiTrainerOptions options)
    : trainer_(std::move(trainer)), num_trains_(num_trains), options_(std::move(options)) {
  check(num_trains >= 1, {"MultiTrainer: num_trains ", num_trains, ": at least 1 is needed"});
  check(options_.n_devices >= -1,
        {"MultiTrainer: n_devices ", options_.n_devices, ": -1, 0 or a number of cores is needed"});
  check(options_.n_devices <= cores(),
        {"MultiTrainer: n_devices: Expected ", options_.n_devices, ", got ", cores()});
  check(!loggers().empty(), {"MultiTrainer: the trainer has no logger, in whose folder runs lie"});
  for (const AnyLogger& logger : loggers())
    check(static_cast<bool>(logger->in_folder("MultiTrainer")),
          {"MultiTrainer: ", logger->type_name(),
           " has no in_folder(), so that runs cannot have loggers of their own"});
}

MultiTrainer::~MultiTrainer() = default;

// What would fail in every run, before the first one.
void MultiTrainer::check_fit(const LME& model) const {
  if (done_) fail(Fault::order, {"MultiTrainer: Cannot fit twice"});
  check(options_.callbacks ||
            (trainer_->options().callbacks.empty() && model.callbacks.list().empty()),
        {"MultiTrainer: runs cannot share the callbacks of the trainer and the model: give a "
         "function that makes them, {.callbacks = [](int64_t run) { return .. }}"});
  std::vector<std::string> known = {"loss"};
  for (const NamedMetric& metric : model.metrics) known.push_back(metric.name);
  check(std::find(known.begin(), known.end(), options_.relevant_metric) != known.end(),
        {"MultiTrainer: relevant_metric '", options_.relevant_metric,
         "' not in metrics: ", python_list(known)});
  check_reset(model);
}

void MultiTrainer::fit(LME& model, data::Loaders train_loader, data::Loaders val_loaders) {
  check_fit(model);
  std::error_code error;
  fs::create_directories(runs_folder(), error);
  if (error)
    fail(Fault::world,
         {"MultiTrainer: the folder '", runs_folder(), "' cannot be made: ", error.message()});
  const Descriptor lock = locked(runs_folder());
  if (val_loaders.empty())
    log_warning(
        {"MultiTrainer: no validation loader: the best run is that with the best results "
         "on the training data"});
  Work work{model, std::move(train_loader), std::move(val_loaders)};
  for (int64_t run = 0; run < num_trains_; ++run)
    if (!fs::exists(result_path(run))) work.waiting.push_back(run);
  stopped_ = false;
  do_runs(&work);
  check(work.errors.size() < kRaisesAllowed,
        {"MultiTrainer: self.n_raises_allowed=", kRaisesAllowed,
         " reached. Errors: ", python_list(work.errors)});
  if (stopped_) {
    log_info({"MultiTrainer: interrupted, ", done_so_far(), " of ", num_trains_, " runs are done"});
    return;
  }
  choose_best(model);
  write_summary();
  link_best();
  done_ = true;
}

// On this thread and as many others as are wanted.
void MultiTrainer::do_runs(Work* work) {
  const auto missing = static_cast<int64_t>(work->waiting.size());
  const int64_t wanted = options_.n_devices < 0 ? cores() : options_.n_devices;
  const int64_t threads = std::min(wanted, missing);
  work->several = threads > 1;
  const auto work_on = [this, work] {
    while (const std::optional<int64_t> run = stopped_ ? std::nullopt : work->next()) {
      const auto failed = [&](const char* error) {
        if (work->failed(*run, error)) stopped_ = true;
      };
      try {
        do_run(work, *run);
      } catch (const std::exception& error) {
        failed(error.what());
      } catch (...) {
        failed("an exception that is no std::exception");
      }
    }
  };
  std::vector<std::jthread> others;
  try {
    for (int64_t i = 1; i < threads; ++i) others.emplace_back(work_on);
  } catch (const std::system_error&) {  // fewer do as well
  }
  work_on();
}

void MultiTrainer::do_run(Work* work, int64_t run) {
  Generator generator(options_.seed + static_cast<uint64_t>(run));
  const GeneratorGuard guard(generator);
  std::unique_ptr<LME> model;
  TrainerOptions options;
  data::Loaders train_loader, val_loaders, tested_on;
  {
    const std::lock_guard lock(work->mutex);
    model = work->model.clone();
    options = options_of_run(*trainer_, run, work->several);
    if (options_.callbacks) options.callbacks = options_.callbacks(run);
    train_loader = work->train_loader;
    val_loaders = work->val_loaders;
    tested_on = val_loaders.empty() ? train_loader : val_loaders;
  }
  const uint64_t shuffling = generator.fork("train loader").seed();
  for (data::DataLoader& loader : train_loader.list())
    if (!loader.options().seed) loader.set_seed(shuffling);
  model->reset_parameters();
  Trainer trainer(std::move(options));
  trainer.start(*model, std::move(train_loader), std::move(val_loaders),
                {.ckpt_path = last_checkpoint(folder_of(run))});
  do {
    if (stopped_) trainer.interrupt();
  } while (trainer.advance());
  if (trainer.status() == Status::interrupted) {
    stopped_ = true;
    return;
  }
  const std::string best = best_checkpoint(trainer);
  const auto results =
      trainer.test(*model, std::move(tested_on), {.ckpt_path = best, .verbose = false});
  save_result(run, results, best);
}

}  // namespace levin::inline v0
