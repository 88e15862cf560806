#include "cli/tune/describe.h"

#include "cli/printable.h"

namespace graft::cli {

std::string described(const Job& job) {
  std::string line = text(job.chosen.title(), " on ", job.loaded.model->kind(), ": ", peft::report(job.base()));
  if (job.chosen.quantized > 0) line += text("; ", job.chosen.quantized, " weights in 4 bits");
  return line;
}

std::string described_data(const Job& job) {
  const auto& s = job.settings;
  std::string line =
      text(job.data().examples.size(), " examples of ", name(job.data().kind), ", ", job.data().tokens(), " tokens; held out ",
           job.held().examples.size(), job.test.examples.empty() ? "" : text(", for the score ", job.test.examples.size()));
  const Index cut = job.data().cut + job.held().cut + job.test.cut;
  if (cut > 0) line += text("; ", cut, " were too long and are cut");
  line += text(". ", job.steps(), " steps of ", s.batch * s.accumulate, " examples, rate ", job.plan().schedule.rate,
               ", ", s.schedule);
  return line;
}

std::vector<std::string> notes(const Job& job) {
  std::vector<std::string> all;
  using Kind = train::Dataset::Kind;
  if (!job.data().unread.empty()) all.push_back("ignored fields of the data: " + printable(job.data().unread));
  if (job.data().kind == Kind::chat) {
    if (const std::string note = about_template(job.tokenizer, job.texts); !note.empty()) all.push_back(note);
    return all;
  }
  if (!job.texts.begin.empty())
    all.push_back("each text begins with " +
                  printable(job.tokenizer.decode(std::vector<TokenId>(job.texts.begin.begin(), job.texts.begin.end()))) +
                  "; --no-bos leaves it out");
  if (job.texts.end < 0 && job.data().kind != Kind::labelled)
    all.push_back(
        "the end of a text is not learned: config.json, generation_config.json and the tokenizer name no token "
        "for it (eos)");
  return all;
}

}  // namespace graft::cli
