#include "peft/method.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "autograd/text.h"
#include "peft/trained_copy.h"
#include "peft/wrapper.h"

namespace graft::peft {
namespace {

std::string joined_or_none(const std::vector<std::string>& names) { return names.empty() ? "none" : joined(names); }

std::vector<std::string> words_of(const std::string& path) {
  std::vector<std::string> words(1);
  for (const char c : path)
    if (c == '.') words.emplace_back();
    else words.back() += c;
  return words;
}

/// Every wrapper, the outer before the inner.
std::vector<Wrapper*> wrappers(const BaseModel& base) {
  std::vector<Wrapper*> all;
  base.root.each([&](const std::string&, Part& part) {
    for (const auto& child : part.children())
      if (auto* wrapper = dynamic_cast<Wrapper*>(child.second)) all.push_back(wrapper);
  });
  return all;
}

std::vector<Param*> params(const BaseModel& base) {
  std::vector<Param*> all;
  base.root.each([&](const std::string&, Part& part) {
    if (auto* param = dynamic_cast<Param*>(&part)) all.push_back(param);
  });
  return all;
}

/// Those that have a variant of this name. (Not the variants: they go when these drop them.)
std::vector<Param*> varied(const BaseModel& base, const std::string& name) {
  std::vector<Param*> all;
  for (Param* param : params(base))
    if (param->varies(name)) all.push_back(param);
  return all;
}

/// Wrappers around a T that hold nothing any more come off.
template <class T>
void unwrap_empty(Part& part) {
  auto* slot = dynamic_cast<Slot<T>*>(&part);
  if (!slot) return;
  while (!slot->empty()) {
    auto* wrapper = dynamic_cast<Wraps<T>*>(&**slot);
    if (!wrapper || !wrapper->names().empty()) return;
    const std::unique_ptr<T> idle = slot->take();
    slot->put(wrapper->base.take());
  }
}

void take_off(const BaseModel& base, const std::string& name) {
  for (Wrapper* wrapper : wrappers(base)) {
    auto* merging = dynamic_cast<Merging*>(wrapper);
    if (merging && merging->merged() == name) merging->unmerge();
    wrapper->drop(name);
  }
  for (Param* param : varied(base, name)) param->drop_variant(name);
  base.root.each([](const std::string&, Part& part) {  // a slot is visited before what is in it
    unwrap_empty<Projection>(part), unwrap_empty<Table>(part), unwrap_empty<RowMap>(part);
    unwrap_empty<Memory>(part), unwrap_empty<Template>(part);
  });
  Selection& now = base.model.selection;
  if (std::find(now.rows.begin(), now.rows.end(), name) != now.rows.end()) now = {};
  if (now.all == name) now.all.clear();
}

/// Takes it off, and gives back who learned before it came.
void take_back(const BaseModel& base, const std::string& name) {
  auto& all = base.model.attachments;
  const auto mine = all.find(name);
  if (mine == all.end()) return take_off(base, name);  // put there without attach()
  const Model::Attachment gone = std::move(mine->second);
  all.erase(mine);
  Model::Attachment* next = nullptr;  // what was attached after it found it learning, and must give back what it had found
  for (auto& other : all)
    if (other.second.order > gone.order && (!next || other.second.order < next->order)) next = &other.second;
  if (next && gone.in_place) next->learned.clear();  // that was its doing
  if (next) next->learned.insert(next->learned.end(), gone.learned.begin(), gone.learned.end());
  if (!next && gone.in_place) base.root.learn(false);
  take_off(base, name);
  if (next) return;
  const std::set<std::string> learned(gone.learned.begin(), gone.learned.end());
  for (const auto& named : base.root.parameters())
    if (learned.count(named.first)) named.second->learn(true);
}

/// The names in slots, and those that train the model's own parameters.
std::vector<std::string> attached_names(const BaseModel& base) {
  std::vector<std::string> all = names(base);
  for (const auto& attachment : base.model.attachments)
    if (std::find(all.begin(), all.end(), attachment.first) == all.end()) all.push_back(attachment.first);
  return all;
}

void expect_attached(const BaseModel& base, const std::string& name, const char* who) {
  if (base.model.attachments.count(name)) return;
  const std::vector<std::string> there = attached_names(base);
  expect<ValueError>(std::find(there.begin(), there.end(), name) != there.end(),
                     [&] { return text(who, ": there is no \"", name, "\"; attached are ", joined_or_none(there)); });
}

/// The name that is merged into the weights; "" if none is.
std::string merged_name(const BaseModel& base) {
  for (Wrapper* wrapper : wrappers(base))
    if (auto* merging = dynamic_cast<Merging*>(wrapper); merging && !merging->merged().empty()) return merging->merged();
  return "";
}

/// What is merged stands in the place of the base, which is kept aside where nobody finds it.
void expect_none_merged(const BaseModel& base, const std::string& name, const char* who) {
  const std::string merged = merged_name(base);
  expect<ValueError>(merged.empty(), who, ": \"", merged, "\" is merged already; unmerge it before \"", name, "\"");
}

/// How many parameters each attached name has.
std::map<std::string, std::size_t> counts(const BaseModel& base) {
  std::map<std::string, std::size_t> all;
  for (const std::string& name : names(base)) all[name] = 0;
  for (const auto& named : base.root.parameters()) {
    const std::vector<std::string> words = words_of(named.first);
    for (const std::string& word : std::set<std::string>(words.begin(), words.end())) {
      const auto counted = all.find(word);
      if (counted != all.end()) ++counted->second;
    }
  }
  return all;
}

void expect_free(const BaseModel& base, const std::string& name) {
  const bool word = !name.empty() && std::all_of(name.begin(), name.end(),
                                                 [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
  expect<ValueError>(word, "attach: the name \"", name, "\" must be a word of letters, digits, _ and -");
  const std::vector<std::string> there = attached_names(base);
  expect<ValueError>(std::find(there.begin(), there.end(), name) == there.end(), [&] {
    return text("attach: the name \"", name, "\" is taken; attached are ", joined_or_none(there),
                ". Choose another name, or detach that one first");
  });
  base.root.each([&](const std::string& path, Part&) {
    for (const std::string& part : words_of(path))
      expect<ValueError>(part != name, "attach: \"", name, "\" is the name of a part of the model (", path,
                         "); choose another");
  });
}

/// By its name a parameter is found, saved and taken off. What learned before is frozen, so what learns is the method's.
void expect_named(const BaseModel& base, const Method& method, const std::string& name) {
  for (const auto& named : learning(base)) {
    const std::vector<std::string> words = words_of(named.first);
    expect<ValueError>(std::find(words.begin(), words.end(), name) != words.end(), "attach: ", method.kind(),
                       " made the parameter ", named.first, ", but the adapter's name must be a word of its path: call it ",
                       words.back(), ".", name, ", or keep a Variable if it never learns");
  }
}

}  // namespace

std::vector<std::string> names(const BaseModel& base) {
  std::set<std::string> all;
  for (const Wrapper* wrapper : wrappers(base))
    for (const std::string& name : wrapper->names()) all.insert(name);
  for (const Param* param : params(base))
    for (const std::string& name : param->variants()) all.insert(name);
  return {all.begin(), all.end()};
}

std::vector<std::pair<std::string, Param*>> parameters(const BaseModel& base, const std::string& name) {
  std::vector<std::pair<std::string, Param*>> mine;
  for (const auto& named : base.root.parameters()) {
    const std::vector<std::string> words = words_of(named.first);
    if (std::find(words.begin(), words.end(), name) != words.end()) mine.push_back(named);
  }
  return mine;
}

std::vector<std::pair<std::string, Param*>> learning(const BaseModel& base) {
  std::vector<std::pair<std::string, Param*>> all;
  for (const auto& named : base.root.parameters())
    if (named.second->learns()) all.push_back(named);
  return all;
}

void learn(const BaseModel& base, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    expect_attached(base, name, "learn");
    const auto one = base.model.attachments.find(name);
    expect<ValueError>(one == base.model.attachments.end() || !one->second.in_place, "learn: \"", name, "\" trains the model's ",
                       "own parameters, which go by no name; detach it and attach it again, as the last");
  }
  const std::set<std::string> mine(names.begin(), names.end());
  for (const auto& named : base.root.parameters()) {
    const std::vector<std::string> words = words_of(named.first);
    named.second->learn(
        std::any_of(words.begin(), words.end(), [&](const std::string& word) { return mine.count(word) != 0; }));
  }
}

Attached detail::attach(const BaseModel& base, std::shared_ptr<const Method> method, Rng& rng, const std::string& name) {
  expect_none_merged(base, name, "attach");
  expect_free(base, name);
  const Method& m = *method;
  Model::Attachment mine{0, m.in_place(), {}};
  for (const auto& other : base.model.attachments) mine.order = std::max(mine.order, other.second.order + 1);
  for (const auto& named : learning(base)) mine.learned.push_back(named.first);
  Rng draws = rng;
  const auto before = counts(base);
  base.model.attachments.emplace(name, std::move(mine));
  try {
    const WithSelection none(base.model.selection, "");  // a method is made for the base, whoever is selected
    base.root.learn(false);
    m.graft(base, name, draws);
    if (base.score && !m.in_place()) wrapper_in<TrainedCopy>(*base.score, base.model.selection).add(name);
    if (!m.in_place()) expect_named(base, m, name);
    const auto after = counts(base);
    for (const auto& other : before)  // "prefix" would own the new memory.prefix.NAME
      expect<ValueError>(after.at(other.first) == other.second, "attach: ", m.kind(), " calls a part of itself \"",
                         other.first, "\", which is the name of what is attached already; detach that first, and choose ",
                         "another name for it");
  } catch (...) {
    take_back(base, name);
    throw;
  }
  rng = draws;
  base.model.selection = {name, {}};
  return {name, std::move(method)};
}

void detach(const BaseModel& base, const std::string& name) {
  expect_attached(base, name, "detach");
  const std::string merged = merged_name(base);
  const bool other = !merged.empty() && merged != name;
  if (other) unmerge(base, merged);  // what it has put aside may hold parts of this one
  take_back(base, name);
  if (other) merge(base, merged, false);
}

void select(const BaseModel& base, const std::string& name) {
  if (!name.empty()) expect_attached(base, name, "select");
  base.model.selection = {name, {}};
}

void select_rows(const BaseModel& base, const std::vector<std::string>& names) {
  expect<ValueError>(!names.empty(), "select_rows: no names are given; give one for each row, or select() one for all");
  for (const std::string& name : names)
    if (!name.empty()) expect_attached(base, name, "select_rows");
  base.model.selection = {"", names};
}

// --- merging -------------------------------------------------------------------------------------------------------------

namespace {

void expect_finite(const Tensor& W, const std::string& name) {
  for (Index i = 0; i < W.numel(); ++i)
    expect<ValueError>(std::isfinite(W[i]), "merge: \"", name, "\" would make a weight of ", W[i],
                       "; nothing was changed. Training has diverged, or the file is damaged");
}

}  // namespace

void merge(const BaseModel& base, const std::string& name, bool safe) {
  expect_attached(base, name, "merge");
  expect_none_merged(base, name, "merge");
  std::vector<Merging*> holders;
  for (Wrapper* wrapper : wrappers(base)) {
    if (!wrapper->holds(name)) continue;
    auto* merging = dynamic_cast<Merging*>(wrapper);
    expect<ValueError>(merging != nullptr, "merge: \"", name, "\" is ", wrapper->method(),
                       ", which cannot be merged into the weights; it adds to the input or bends it");
    holders.push_back(merging);
  }
  const WithSelection selected(base.model.selection, name);
  std::size_t done = 0;
  try {
    for (Merging* holder : holders) {
      holder->merge(name);
      ++done;
      if (safe) expect_finite(holder->merged_numbers(), name);
    }
  } catch (...) {
    for (std::size_t i = 0; i < done; ++i) holders[i]->unmerge();
    throw;
  }
}

void unmerge(const BaseModel& base, const std::string& name) {
  expect_attached(base, name, "unmerge");
  for (Wrapper* wrapper : wrappers(base))
    if (auto* merging = dynamic_cast<Merging*>(wrapper))
      if (merging->merged() == name) merging->unmerge();
}

namespace {

/// Another name with parts below those of this one, in what merge_and_unload() lets go; "" if there is none.
std::string one_below(const BaseModel& base, const std::string& name) {
  std::string found;
  for (Wrapper* wrapper : wrappers(base)) {
    if (!wrapper->holds(name) || !dynamic_cast<Merging*>(wrapper)) continue;
    const auto look = [&](const std::vector<std::string>& names) {
      for (const std::string& other : names)
        if (other != name) found = other;
    };
    dynamic_cast<Module&>(*wrapper).each([&](const std::string&, Part& part) {
      if (auto* param = dynamic_cast<Param*>(&part)) look(param->variants());
      for (const auto& child : part.children())
        if (auto* below = dynamic_cast<Wrapper*>(child.second)) look(below->names());
    });
  }
  return found;
}

}  // namespace

void merge_and_unload(const BaseModel& base, const std::string& name) {
  expect_attached(base, name, "merge_and_unload");
  const bool merged = merged_name(base) == name;
  if (merged) unmerge(base, name);
  const std::string lost = one_below(base, name);
  if (merged || lost.empty()) merge(base, name, !merged);
  expect<ValueError>(lost.empty(), "merge_and_unload: \"", lost, "\" sits on the weights that \"", name,
                     "\" would replace for good, and would be lost; detach it first");
  for (Wrapper* wrapper : wrappers(base))
    if (auto* merging = dynamic_cast<Merging*>(wrapper))
      if (merging->merged() == name) merging->keep_merged();
  for (Param* param : varied(base, name)) param->keep_variant(name);
  take_back(base, name);
}

void flatten(const BaseModel& base, const std::string& name) {
  expect_attached(base, name, "flatten");
  for (Wrapper* wrapper : wrappers(base)) wrapper->flatten(name);
}

std::string report(const BaseModel& base) {
  const Index all = base.root.count(false), learning = base.root.count(true);
  char percent[32];
  std::snprintf(percent, sizeof percent, "%.3g", all ? 100.0 * static_cast<double>(learning) / static_cast<double>(all) : 0.0);
  std::set<std::string> words_that_learn;
  for (const auto& named : peft::learning(base))
    for (const std::string& word : words_of(named.first)) words_that_learn.insert(word);
  std::vector<std::string> frozen;
  for (const std::string& name : names(base))
    if (words_that_learn.count(name) == 0) frozen.push_back(name);
  return text("trainable ", learning, " of ", all, " parameters (", percent, " %)",
              frozen.empty() ? "" : text("; attached, but frozen: ", joined_or_none(frozen)));
}

// --- for methods ---------------------------------------------------------------------------------------------------------

bool matches(const std::string& path, const std::string& target) {
  if (path.size() < target.size() || path.compare(path.size() - target.size(), target.size(), target) != 0) return false;
  return path.size() == target.size() || path[path.size() - target.size() - 1] == '.';
}

template <class T>
std::vector<std::pair<std::string, Slot<T>*>> targeted(const BaseModel& base, const std::vector<std::string>& targets,
                                                       const std::string& who, const std::string& more) {
  std::vector<std::pair<std::string, Slot<T>*>> found;
  std::vector<std::string> there;  // without the numbers of layers
  std::set<std::string> hit;
  for (const auto& slot : base.root.slots<T>()) {
    if (slot.second->empty() || slot.second == static_cast<void*>(base.score)) continue;
    const std::vector<std::string> words = words_of(slot.first);
    const std::string kind =
        words.size() > 2 && words[0] == "layers" ? slot.first.substr(words[0].size() + words[1].size() + 2) : slot.first;
    if (std::find(there.begin(), there.end(), kind) == there.end()) there.push_back(kind);
    for (const std::string& target : targets)
      if (matches(slot.first, target)) {
        hit.insert(target);
        if (found.empty() || found.back().second != slot.second) found.push_back(slot);
      }
  }
  for (const std::string& target : targets)
    expect<ValueError>(hit.count(target) != 0, [&] {
      return text(who, ": no slot ends with \"", target, "\"; this model has ", joined_or_none(there), more);
    });
  return found;
}
template std::vector<std::pair<std::string, Slot<Projection>*>> targeted(const BaseModel&, const std::vector<std::string>&,
                                                                         const std::string&, const std::string&);
template std::vector<std::pair<std::string, Slot<Table>*>> targeted(const BaseModel&, const std::vector<std::string>&,
                                                                    const std::string&, const std::string&);

template std::vector<std::pair<std::string, Slot<RowMap>*>> targeted(const BaseModel&, const std::vector<std::string>&,
                                                                     const std::string&, const std::string&);

bool is_norm(const std::string& path) { return matches(path.substr(0, path.rfind('.')), "norm"); }

Index vary(const BaseModel& base, const std::string& name, const std::function<bool(const std::string&)>& which) {
  std::set<const void*> head;  // learns whole, as a copy: attach()
  if (base.score)
    for (const auto& named : (*base.score)->parameters()) head.insert(named.second->identity());
  Index count = 0;
  for (const auto& named : base.root.parameters()) {
    if (!which(named.first) || named.second->varies(name) || head.count(named.second->identity())) continue;
    named.second->vary(base.model.selection, name, named.second->own().value().clone());
    ++count;
  }
  return count;
}

}  // namespace graft::peft
