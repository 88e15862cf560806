// One training, as settings say: a model with a method on it, and a task of tune/task.h.
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
  /// Loads everything and attaches the method. Errors: those of the parts; ValueError for what does not go together.
  explicit Job(const Settings& settings);

  Index steps() const { return steps_; }
  std::unique_ptr<train::Optimizer> optimizer() const;  ///< of what learns now
  train::Plan plan() const;                             ///< the schedule, when to evaluate and when to save
  peft::BaseModel base() const { return peft::BaseModel(loaded); }
  const train::Dataset& data() const { return task->data; }
  const train::Dataset& held() const { return task->held; }  ///< chooses the best parameters
  /// What scores and samples are about: the test data, or where there are none what is held out.
  const train::Dataset& eval_set() const { return test.examples.empty() ? task->held : test; }
  tune::ClassTask* classes() const { return dynamic_cast<tune::ClassTask*>(task.get()); }  ///< null for another task
  tune::LanguageTask& language() const { return dynamic_cast<tune::LanguageTask&>(*task); }

  Settings settings;
  Loaded loaded;
  Tokenizer tokenizer;
  Texts texts;
  train::Dataset test;  ///< seen by the score only
  tune::Chosen chosen;
  std::vector<std::vector<std::string>> words;  ///< of each label, if words answer
  Rng rng;                                      ///< of dropout
  std::unique_ptr<tune::Task> task;

 private:
  train::Dataset look(const train::ReadOptions& reading) const;  ///< which classes the data have: the head and the prompts need them
  bool check_kinds(bool classes) const;                          ///< whether label words answer
  void read(train::ReadOptions reading, bool by_words, Rng& order);
  Index steps_ = 0;
};

}  // namespace graft::cli
