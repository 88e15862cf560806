// One training, according to the settings: a model with a method on it, and a task of tune/task.h.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/tune/settings.h"
#include "nn/load.h"
#include "train/data.h"
#include "tune/classes.h"
#include "tune/task.h"

namespace graft::cli {

class Job {
 public:
  /// Loads everything and attaches the method. Errors: those of the parts; ValueError for settings that do not fit together.
  explicit Job(const Settings& settings);

  Index steps() const { return steps_; }
  std::unique_ptr<train::Optimizer> optimizer() const;  ///< of what learns now
  train::Plan plan() const;                             ///< the schedule, when to evaluate and when to save
  peft::BaseModel base() const { return peft::BaseModel(loaded); }
  const train::Dataset& data() const { return task->data; }
  const train::Dataset& held() const { return task->held; }  ///< used to choose the best parameters
  /// The data for scores and samples: the test data, or the held-out data if there are none.
  const train::Dataset& eval_set() const { return test.examples.empty() ? task->held : test; }
  tune::ClassTask* classes() const { return dynamic_cast<tune::ClassTask*>(task.get()); }  ///< null for another task
  tune::LanguageTask& language() const { return dynamic_cast<tune::LanguageTask&>(*task); }

  Settings settings;
  Loaded loaded;
  Tokenizer tokenizer;
  Texts texts;
  train::Dataset test;  ///< used for the score only
  tune::Chosen chosen;
  std::vector<std::vector<std::string>> words;  ///< of each label, if label words are used
  Rng rng;                                      ///< for dropout
  std::unique_ptr<tune::Task> task;

 private:
  train::Dataset look(const train::ReadOptions& reading) const;  ///< finds the classes, which the head and the prompts need
  bool check_kinds(bool classes) const;                          ///< whether label words are used
  void read(train::ReadOptions reading, bool by_words, Rng& order);
  Index steps_ = 0;
};

}  // namespace graft::cli
