#include "nn/module.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "autograd/text.h"

namespace graft {

Part::Part(Module& owner, PartName name)
    : owner_(&owner),
      what_(std::move(name)),
      name_(what_.variant.empty() ? what_.word : what_.word + "." + what_.variant) {
  owner.parts_.push_back(this);
}
Part::~Part() {
  auto& parts = owner_->parts_;
  parts.erase(std::find(parts.begin(), parts.end(), this));
}

// --- Param ---------------------------------------------------------------------------------------------------------------

Param::Param(Module& owner, PartName name, Shape shape) : Part(owner, std::move(name)), cell_(std::make_shared<Cell>()) {
  cell_->shape = std::move(shape);
}
Param::Param(Module& owner, PartName name, const Param& other) : Part(owner, std::move(name)), cell_(other.cell_) {}

void Param::set(Tensor numbers) {
  expect(numbers.defined() && numbers.shape() == shape(), "parameter ", name(), " has shape ", shape(),
         " but was given numbers of shape ", numbers.shape());
  if (!initialized()) {
    cell_->variable = learns() ? parameter(std::move(numbers), name()) : frozen(std::move(numbers), name());
  } else {  // the same node: gradients and optimizers go by it
    numbers.retag(learns() ? Category::trainable : Category::frozen);
    cell_->variable = Variable(std::move(numbers), cell_->variable.node());
  }
}

const Param::Cell& Param::chosen() const {
  if (cell_->variants.empty()) return *cell_;
  const Selection& selection = *cell_->selection;
  const auto of = [&](const std::string& variant) -> const Cell& {
    const auto found = cell_->variants.find(variant);
    return found == cell_->variants.end() ? *cell_ : *found->second;
  };
  const Cell& cell = of(selection.one());
  for (const std::string& other : selection.rows())
    expect<ValueError>(&of(other) == &cell, "parameter ", name(), " has one value for all rows of a batch, but \"",
                       selection.one(), "\" and \"", other, "\" want different ones; give them batches of their own");
  return cell;
}

const Variable& Param::variable() const {
  const Cell& cell = chosen();
  return &cell == cell_.get() ? own() : cell.variable;
}

void Param::vary(const Selection& selection, const std::string& variant, Tensor numbers, bool learns) {
  expect<ValueError>(!varies(variant), "parameter ", name(), " has a variant \"", variant, "\" already");
  auto shown = std::make_unique<Param>(owner(), PartName(name(), variant), shape());
  shown->learn(learns);
  shown->set(std::move(numbers));
  cell_->selection = &selection;
  cell_->variants[variant] = shown->cell_;
  if (learns) shown_[variant] = std::move(shown);
}

std::vector<std::string> Param::variants() const {
  std::vector<std::string> all;
  for (const auto& variant : cell_->variants) all.push_back(variant.first);
  return all;
}

const Variable& Param::own() const {
  expect<ValueError>(initialized(), "parameter ", name(), " ", shape(),
                     " has no numbers yet; load the model from a file, or initialize() it");
  return cell_->variable;
}

void Param::drop_variant(const std::string& variant) {
  cell_->variants.erase(variant);
  shown_.erase(variant);
}

void Param::keep_variant(const std::string& variant) {
  const auto found = cell_->variants.find(variant);
  if (found == cell_->variants.end()) return;
  set(found->second->variable.value());
  drop_variant(variant);
}

void Param::learn(bool on) {
  cell_->learns = on;
  if (initialized()) cell_->variable.learn(on);
}

// --- Module --------------------------------------------------------------------------------------------------------------

namespace {
std::string join(const std::string& path, const std::string& name) {
  if (path.empty() || name.empty()) return path + name;
  return path + "." + name;
}
}  // namespace

void Module::each(const Visit& visit, const std::string& path) const {
  for (Part* part : parts_) {
    const std::string here = join(path, part->name());
    visit(here, *part);
    for (const auto& child : part->children()) child.second->each(visit, join(here, child.first));
  }
}

std::vector<std::pair<std::string, Param*>> Module::parameters() const {
  std::vector<std::pair<std::string, Param*>> all;
  std::set<const void*> seen;
  each([&](const std::string& path, Part& part) {
    auto* param = dynamic_cast<Param*>(&part);
    if (param && seen.insert(param->identity()).second) all.emplace_back(path, param);
  });
  return all;
}

Param& Module::parameter(const std::string& path) const {
  Param* found = nullptr;
  each([&](const std::string& here, Part& part) {
    if (here != path) return;
    if (auto* param = dynamic_cast<Param*>(&part)) found = param;
  });
  expect<IndexError>(found != nullptr, [&] {
    std::vector<std::pair<std::size_t, std::string>> all;  // distance from the requested path
    each([&](const std::string& here, Part& part) {
      if (dynamic_cast<Param*>(&part)) all.emplace_back(edits(path, here), here);
    });
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string alike;
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 4); ++i) alike += " " + all[i].second;
    return text("there is no parameter \"", path, "\"", alike.empty() ? "" : "; those that resemble it most:", alike,
                "; tree() shows all");
  });
  return *found;
}

void Module::learn(bool on) const {
  for (auto& named : parameters()) named.second->learn(on);
}

Index Module::count(bool learning) const {
  Index n = 0;
  for (auto& named : parameters())
    if (!learning || named.second->learns()) n += named.second->numel();
  if (learning) return n;
  std::set<const void*> seen;
  each([&](const std::string&, Part& part) {
    auto* packed = dynamic_cast<PackedPart*>(&part);
    if (packed && seen.insert(packed->operator->()).second) n += (**packed).rows() * (**packed).cols();
  });
  return n;
}

void Module::training(Rng* rng) {
  randomness_ = rng;
  for (Part* part : parts_)
    for (const auto& child : part->children()) child.second->training(rng);
}

namespace detail {
void empty_slot(const std::string& name) {
  throw ValueError(text("nothing sits in the slot \"", name,
                        "\"; put() something there (a model loaded as a classifier has no language-model head)"));
}
}  // namespace detail

}  // namespace graft
