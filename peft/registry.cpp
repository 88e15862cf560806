#include "peft/registry.h"

#include <algorithm>

#include "peft/bottleneck.h"
#include "peft/ia3.h"
#include "peft/lora.h"
#include "peft/p_tuning.h"
#include "peft/p_tuning_v2.h"
#include "peft/prefix.h"
#include "peft/prompt.h"
#include "peft/tune.h"
#include "peft/vera.h"

namespace graft::peft {

/// One explicit list: rows that register themselves while the program starts would be dropped by a static library's linker.
const std::vector<MethodRow>& methods() {
  static const std::vector<MethodRow> all = [] {
    std::vector<MethodRow> rows;
    for (const auto& of : {tuning_rows, Ia3::rows, Lora::rows, Vera::rows, BottleneckAdapter::rows, PrefixTuning::rows,
                           PromptTuning::rows, PTuning::rows, PTuningV2::rows})
      for (MethodRow& row : of()) rows.push_back(std::move(row));
    return rows;
  }();
  return all;
}

const MethodRow& method_row(const std::string& word) {
  std::vector<std::string> known;
  for (const MethodRow& row : methods()) {
    if (row.word == word) return row;
    known.push_back(row.word);
  }
  throw ValueError(text("there is no method \"", word, "\", but ", joined(known)));
}

std::vector<OptionInfo> options_of(const MethodRow& row) {
  OptionReader reader(row.title);
  (void)row.make(reader);
  if (row.copies) (void)row.copies(reader);
  return reader.taken();
}

void expect_options(const MethodRow& row, const Options& options) {
  const std::vector<OptionInfo> known = options_of(row);
  std::vector<std::string> names;
  for (const OptionInfo& info : known) names.push_back(info.name);
  for (const auto& [name, value] : options) {
    const auto info = std::find_if(known.begin(), known.end(), [&, &n = name](const OptionInfo& i) { return i.name == n; });
    expect<ValueError>(info != known.end(), row.title, " has no option ", name,
                       names.empty() ? "; it has none" : "; it has " + joined(names));
    const std::string wrong = info->check(value.text);
    expect<ValueError>(wrong.empty(), row.title, ": ", name, " ", wrong);
  }
}

}  // namespace graft::peft
