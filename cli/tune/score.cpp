#include "cli/tune/score.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/progress.h"
#include "train/bleu.h"
#include "train/confusion.h"

namespace graft::cli {

using nlohmann::json;

namespace {
std::string trimmed(const std::string& s) {
  const std::size_t begin = s.find_first_not_of(" \t\r\n");
  return begin == std::string::npos ? "" : s.substr(begin, s.find_last_not_of(" \t\r\n") - begin + 1);
}
}  // namespace

json score(const Job& job, const Answers& answers) {
  if (job.classes()) {
    std::vector<Index> right;
    for (std::size_t i = 0; i < answers.predicted.size(); ++i) right.push_back(job.asked().examples[i].label);
    const train::Confusion confusion(right, answers.predicted, job.data.labels);
    json rows = json::array();
    const Index L = static_cast<Index>(job.data.labels.size());
    for (Index t = 0; t < L; ++t) {
      json row = json::array();
      for (Index p = 0; p < L; ++p) row.push_back(confusion.count(t, p));
      rows.push_back(row);
    }
    return {{"score", confusion.accuracy()},    {"score_name", "accuracy"}, {"higher_is_better", true},
            {"majority", confusion.majority()}, {"confusion", rows},        {"predicted", answers.predicted}};
  }
  if (job.data.kind == train::Dataset::Kind::completion) {
    std::vector<std::string> said, wanted;
    double exact = 0;
    for (std::size_t i = 0; i < answers.texts.size(); ++i) {
      said.push_back(trimmed(answers.texts[i])), wanted.push_back(trimmed(job.asked().examples[i].reference));
      exact += said.back() == wanted.back();
    }
    return {{"score", train::bleu(said, wanted)},
            {"score_name", "BLEU"},
            {"higher_is_better", true},
            {"exact", exact / static_cast<double>(said.size())},
            {"texts", answers.texts}};
  }
  return {{"score", answers.loss}, {"score_name", "NLL"}, {"higher_is_better", false}, {"texts", answers.texts}};
}

json samples(const Job& job, const Answers& answers, const json& before, Index count) {
  json all = json::array();
  const auto label = [&](const json& predicted, std::size_t i) -> std::string {
    return job.data.labels.at(predicted.at(i).get<std::size_t>());
  };
  for (std::size_t i = 0; i < static_cast<std::size_t>(count) && i < job.asked().examples.size(); ++i) {
    const train::Example& example = job.asked().examples[i];
    json one{{"prompt", example.prompt}, {"reference", example.reference}};
    if (job.classes() && i < answers.predicted.size()) {
      one["after"] = job.data.labels[static_cast<std::size_t>(answers.predicted[i])];
      one["before"] = before.contains("predicted") ? label(before["predicted"], i) : "";
    } else if (i < answers.texts.size()) {
      one["after"] = answers.texts[i];
      one["before"] = before.contains("texts") ? before["texts"].at(i).get<std::string>() : "";
      if (job.data.kind == train::Dataset::Kind::text)
        one["prompt"] = job.tokenizer.decode(
            {example.ids.begin(), example.ids.begin() + static_cast<std::ptrdiff_t>(prompt_of_text(example))}, true);
    } else {
      break;
    }
    all.push_back(one);
  }
  return all;
}

json votes(const Job& job, const Answers& answers, Index count) {
  json all = json::array();
  const Index L = static_cast<Index>(job.data.labels.size());
  for (Index i = 0; i < count && i < static_cast<Index>(answers.predicted.size()); ++i) {
    const std::size_t at = static_cast<std::size_t>(i);
    json counts = json::object();
    for (Index l = 0; l < L; ++l)
      if (answers.votes[i * L + l] > 0)
        counts[job.data.labels[static_cast<std::size_t>(l)]] = static_cast<Index>(answers.votes[i * L + l]);
    all.push_back({{"text", job.asked().examples[at].prompt},
                   {"answer", job.asked().examples[at].reference},
                   {"majority", job.data.labels[static_cast<std::size_t>(answers.predicted[at])]},
                   {"votes", counts}});
  }
  return all;
}

std::string summary(const json& result) {
  std::ostringstream out;
  if (result.contains("score")) {
    out << result["score_name"].get<std::string>() << "  " << digits(result["score"].get<double>());
    if (result["untuned"].is_number()) out << ", before " << digits(result["untuned"].get<double>());
    if (result.contains("majority")) out << ", majority " << digits(result["majority"].get<double>());
    if (result.contains("exact")) out << ", exactly right " << digits(100 * result["exact"].get<double>(), 1) << " %";
    out << "\n";
  }
  if (result.contains("held_out_loss")) out << "held-out loss  " << digits(result["held_out_loss"].get<double>()) << "\n";
  out << "trained  " << result["trainable"] << " numbers, " << result["steps"] << " steps of "
      << digits(result["seconds_per_step"].get<double>()) << " s, " << short_bytes(result["peak"]["total"].get<double>())
      << " of tensors at the peak\nadapter  " << short_bytes(result["adapter_bytes"].get<double>()) << "\n";
  return out.str();
}

}  // namespace graft::cli
