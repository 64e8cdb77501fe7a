// How a run was configured: what the report's last part lists.
#include <cmath>

#include "../callbacks/metadata.h"
#include "../files/text.h"
#include "../lme.h"
#include "../trainer.h"
#include "run_report.h"

namespace levin::inline v0 {
namespace {

// Maps become "outer.inner".
void add_facts(const std::string& name, const Value& value, std::vector<ReportFact>* facts) {
  if (!value.is_map() || value.size() == 0) return facts->push_back({name, text_of(value)});
  for (const auto& [key, inner] : value.as_map()) {
    if (key == "lr_history") continue;
    add_facts(name.empty() ? key : name + "." + key, inner, facts);
  }
}

ReportFacts facts_of(const std::string& title, const Value* value) {
  ReportFacts facts{title, {}};
  if (!value || value->is_null()) return facts;
  const auto entries = each(value);
  for (std::size_t i = 0; i < entries.size(); ++i)
    add_facts(entries.size() > 1 ? std::to_string(i) : "", *entries[i], &facts.facts);
  return facts;
}

// The numbers of an optimizer's groups, such as momentum; rates have a chart of their own.
void add_numbers(const std::string& name, const optim::Optimizer& optimizer, ReportFacts* facts) {
  const std::string prefix = "param_groups.";
  for (const auto& [key, number] : optimizer.state_dict().numbers) {
    const std::size_t dot = key.find('.', prefix.size());
    if (!key.starts_with(prefix) || dot == key.npos) continue;
    const std::string what = key.substr(dot + 1);
    if (what == "lr" || what == "params") continue;
    const std::string group =
        optimizer.group_count() > 1 ? key.substr(prefix.size(), dot - prefix.size()) + "." : "";
    const bool whole = number == std::floor(number) && std::abs(number) < 1e9;
    facts->facts.push_back({name + group + what, whole
                                                     ? std::to_string(static_cast<int64_t>(number))
                                                     : python_repr(number)});
  }
}

ReportFacts optimizer_facts(const LME& model, const Value& metadata) {
  ReportFacts facts = facts_of("Optimizer", metadata.find("optimizer"));
  const auto& optimizers = model.optimizer.list();
  for (std::size_t i = 0; i < optimizers.size(); ++i)
    add_numbers(optimizers.size() > 1 ? std::to_string(i) + "." : "", *optimizers[i], &facts);
  return facts;
}

ReportFacts run_facts(const Trainer& trainer, const Value& metadata, const RunRecord& run) {
  ReportFacts facts{"Run", {}};
  for (const auto& [name, key] : {std::pair("command", "run_command"),
                                  {"started", "fit_start_date"},
                                  {"ended", "fit_end_date"}})
    if (const Value* value = metadata.find(key)) facts.facts.push_back({name, text_of(*value)});
  facts.facts.push_back({"folder", trainer.log_dir()});
  if (trainer.is_resuming()) facts.facts.push_back({"resumed from", trainer.ckpt_path()});
  facts.facts.push_back({"seed", std::to_string(run.seed)});
  facts.facts.push_back({"levin", LEVIN_VERSION_TEXT});
  return facts;
}

ReportFacts data_facts(const Trainer& trainer) {
  ReportFacts facts{"Data", {}};
  const auto add = [&](const std::string& kind, const data::DataLoader& loader) {
    facts.facts.push_back({kind + " samples", with_commas(loader.dataset().size())});
    facts.facts.push_back({kind + " batches", with_commas(loader.size())});
    facts.facts.push_back({kind + " batch size", with_commas(loader.options().batch_size)});
    facts.facts.push_back({kind + " shuffled", loader.options().shuffle ? "yes" : "no"});
  };
  for (const data::DataLoader& loader : trainer.train_loaders()) add("train", loader);
  for (const data::DataLoader& loader : trainer.val_loaders()) add("validation", loader);
  return facts;
}

ReportFacts trainer_facts(const TrainerOptions& options) {
  const Value all = described(options);
  return facts_of("Trainer", &all);
}

}  // namespace

std::vector<ReportFacts> configuration_of(const Trainer& trainer, const LME& model,
                                          const RunRecord& run) {
  const Value& metadata = model.metadata_callback()->metadata();
  return {run_facts(trainer, metadata, run),
          data_facts(trainer),
          optimizer_facts(model, metadata),
          facts_of("Scheduler", metadata.find("scheduler")),
          facts_of("Early stopping", metadata.find("early_stopping")),
          facts_of("Hyper-parameters", &model.hparams),
          trainer_facts(trainer.options())};
}

}  // namespace levin::inline v0
