#include "peft/method.h"

#include <algorithm>
#include <set>

#include "autograd/text.h"
#include "peft/inside/wrappers.h"
#include "peft/trained_copy.h"

namespace graft::peft {
namespace {

/// Removes the wrappers around a T that hold nothing any more.
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

/// Removes it from slots and parameters; if it was selected, the base is selected.
void take_off(const BaseModel& base, const std::string& name) {
  for (Wrapper* wrapper : wrappers(base)) {
    if (wrapper->merged() == name) wrapper->unmerge();
    wrapper->drop(name);
  }
  for (Param* param : varied(base, name)) param->drop_variant(name);
  base.root.each([](const std::string&, Part& part) {  // a slot is visited before what is in it
    unwrap_empty<Projection>(part), unwrap_empty<Table>(part), unwrap_empty<RowMap>(part);
    unwrap_empty<Memory>(part), unwrap_empty<Template>(part);
  });
  if (base.model.selection().names().count(name)) base.model.select({});
}

Attachments::Learning learning_now(const BaseModel& base) {
  Attachments::Learning now;
  std::set<std::string> adapters;
  for (const Owned& p : owned(base)) {
    if (!p.param->learns()) continue;
    if (p.adapter.empty()) now.paths.push_back(p.path);
    else adapters.insert(p.adapter);
  }
  now.variants.assign(adapters.begin(), adapters.end());
  return now;
}

void learn_again(const BaseModel& base, const Attachments::Learning& what) {
  const std::set<std::string> adapters(what.variants.begin(), what.variants.end()), paths(what.paths.begin(), what.paths.end());
  for (const Owned& p : owned(base))
    if (p.adapter.empty() ? paths.count(p.path) : adapters.count(p.adapter)) p.param->learn(true);
}

void expect_free(const BaseModel& base, const std::string& name) {
  const bool word = !name.empty() && std::all_of(name.begin(), name.end(),
                                                 [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
  expect<ValueError>(word, "attach: the name \"", name, "\" must be a word of letters, digits, _ and -");
  expect<ValueError>(!base.model.attachments.has(name), [&] {
    return text("attach: the name \"", name, "\" is taken; attached are ", joined(names(base)),
                ". Choose another name, or detach that one first");
  });
}

/// Everything was frozen before, so a trainable parameter belongs to one of these methods.
void expect_owned(const BaseModel& base, const std::vector<detail::Attaching>& all) {
  std::set<std::string> names;
  for (const detail::Attaching& one : all) {
    if (one.method->in_place()) return;
    names.insert(one.name);
  }
  for (const Owned& p : owned(base))
    expect<ValueError>(!p.param->learns() || names.count(p.adapter), "attach: ", all[0].method->kind(), " made the parameter ", p.path,
                       ", but did not name its adapter: call it {\"", p.param->word(), "\", name}, or keep a Variable if it ",
                       "is never trained");
}

}  // namespace

std::vector<std::string> names(const BaseModel& base) {
  std::vector<std::string> all = base.model.attachments.names();
  std::sort(all.begin(), all.end());
  return all;
}

void expect_attached(const BaseModel& base, const std::string& name, const char* who) {
  expect<ValueError>(base.model.attachments.has(name), [&] {
    const std::vector<std::string> there = names(base);
    return text(who, ": there is no \"", name, "\"; attached are ", there.empty() ? "none" : joined(there));
  });
}

std::vector<std::pair<std::string, Param*>> parameters(const BaseModel& base, const std::string& name) {
  std::vector<std::pair<std::string, Param*>> mine;
  for (const Owned& p : owned(base))
    if (p.adapter == name) mine.emplace_back(p.path, p.param);
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
    expect<ValueError>(!base.model.attachments.in_place(name), "learn: \"", name, "\" trains the model's ",
                       "own parameters, which have no adapter name; detach it and attach it again, as the last");
  }
  const std::set<std::string> mine(names.begin(), names.end());
  for (const Owned& p : owned(base)) p.param->learn(mine.count(p.adapter) != 0);
}

void detail::attach(const BaseModel& base, const std::vector<Attaching>& all) {
  expect_none_merged(base, all[0].name, "attach");
  for (const Attaching& one : all) expect_free(base, one.name);
  std::size_t begun = 0;
  try {
    const WithSelection none(base.model, {});  // a method is made for the base, whatever is selected
    for (const Attaching& one : all) {
      base.model.attachments.add(one.name, one.method->in_place(), begun++ == 0 ? learning_now(base) : Attachments::Learning());
      if (begun == 1) base.root.learn(false);
      one.method->graft(base, one.name, *one.rng);
      if (base.score && !one.method->in_place()) wrapper_in<TrainedCopy>(*base.score, base.model.selection()).add(one.name);
    }
    expect_owned(base, all);
  } catch (...) {
    while (begun > 0) detach(base, all[--begun].name);
    throw;
  }
  base.model.select(all.back().name);
}

Attached detail::attach(const BaseModel& base, std::shared_ptr<const Method> method, Rng& rng, const std::string& name) {
  Rng draws = rng;
  attach(base, {{name, method.get(), &draws}});
  rng = draws;
  return {name, std::move(method)};
}

void detach(const BaseModel& base, const std::string& name) {
  expect_attached(base, name, "detach");
  const std::string merged = merged_name(base);
  const bool other = !merged.empty() && merged != name;
  if (other) unmerge(base, merged);  // what it has put aside may hold parts of this one
  const bool in_place = base.model.attachments.in_place(name);
  const std::optional<Attachments::Learning> again = base.model.attachments.remove(name);
  take_off(base, name);
  if (again && in_place) base.root.learn(false);
  if (again) learn_again(base, *again);
  if (other) merge(base, merged, false);
}

void select(const BaseModel& base, const std::string& name) { base.model.select(name); }

void select_rows(const BaseModel& base, const std::vector<std::string>& names) {
  expect<ValueError>(!names.empty(), "select_rows: no names are given; give one for each row, or select() one for all");
  base.model.select(Selection(names));
}

void flatten(const BaseModel& base, const std::string& name) {
  expect_attached(base, name, "flatten");
  for (Wrapper* wrapper : wrappers(base)) wrapper->flatten(name);
}

std::vector<RateGroup> Method::rates(const BaseModel&, const std::string&) const { return {}; }

std::string report(const BaseModel& base) {
  const Index all = base.root.count(false), learning = base.root.count(true);
  char percent[32];
  std::snprintf(percent, sizeof percent, "%.3g", all ? 100.0 * static_cast<double>(learning) / static_cast<double>(all) : 0.0);
  std::set<std::string> learns;
  for (const Owned& p : owned(base))
    if (p.param->learns()) learns.insert(p.adapter);
  std::vector<std::string> frozen;
  for (const std::string& name : names(base))
    if (!learns.count(name) && !base.model.attachments.in_place(name)) frozen.push_back(name);
  return text("trainable ", learning, " of ", all, " parameters (", percent, " %)",
              frozen.empty() ? "" : text("; attached, but frozen: ", joined(frozen)));
}

}  // namespace graft::peft
