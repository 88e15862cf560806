#include "cli/tune/said.h"

namespace graft::cli {

std::string described(const Job& job) {
  std::string line = text(job.chosen.title(), " on ", job.loaded.model->kind(), ": ", peft::report(job.host()));
  if (job.chosen.quantized > 0) line += text("; ", job.chosen.quantized, " weights in 4 bits");
  return line;
}

std::string described_data(const Job& job) {
  const auto& s = job.settings;
  std::string line =
      text(job.data.examples.size(), " examples of ", name(job.data.kind), ", ", job.data.tokens(), " tokens; held out ",
           job.held.examples.size(), job.test.examples.empty() ? "" : text(", for the score ", job.test.examples.size()));
  const Index cut = job.data.cut + job.held.cut + job.test.cut;
  if (cut > 0) line += text("; ", cut, " were too long and are cut");
  line += text(". ", job.steps(), " steps of ", s.batch * s.accumulate, " examples");
  return line;
}

}  // namespace graft::cli
