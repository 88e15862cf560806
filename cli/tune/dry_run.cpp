// graft tune --dry-run: what would be trained, with memory and time measured on one step.
#include <sys/resource.h>

#include <chrono>
#include <iostream>

#include "autograd/ledger.h"
#include "cli/progress.h"
#include "cli/tune/describe.h"
#include "cli/tune/run.h"

namespace graft::cli {
namespace {

/// The peak of the process's resident memory, in bytes.
double resident() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return 1024 * static_cast<double>(used.ru_maxrss);  // Linux counts KiB
}

double seconds_of_a_step(Job& job) {
  const auto began = std::chrono::steady_clock::now();
  (void)job.task->gradients(0);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace

void dry_run(const Settings& settings) {
  Job job(settings);
  std::cout << described(job) << "\n" << described_data(job) << "\n";
  for (const std::string& note : notes(job)) std::cout << note << "\n";
  const std::unique_ptr<train::Optimizer> rule = job.optimizer();
  reset_peaks();
  double seconds = seconds_of_a_step(job);
  if (seconds < 30) seconds = seconds_of_a_step(job);  // the first one also fills caches
  std::size_t moments = 0;
  for (const train::Group& group : rule->groups())
    for (const auto& named : group.parameters) moments += sizeof(real) * static_cast<std::size_t>(named.second->numel());
  moments *= settings.optimizer == "sgd" ? 1 : settings.optimizer == "adafactor" ? 0 : 2;
  std::cout << "memory: about " << short_bytes(static_cast<double>(ledger().total_peak + moments))
            << " of tensors at the peak of a step, measured on one, with the optimizer's "
            << short_bytes(static_cast<double>(moments)) << "; the process held about "
            << short_bytes(resident() + static_cast<double>(moments)) << "\ntime: about "
            << short_time(seconds * static_cast<double>(job.steps())) << " for " << job.steps() << " steps of "
            << digits(seconds, 3) << " s, plus the evaluations\n";
  if (ledger()[Category::mapped] > 0) std::cout << "(this includes the model's packed blocks, which stay in its file)\n";
}

}  // namespace graft::cli
