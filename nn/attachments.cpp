#include "nn/attachments.h"

#include <algorithm>

namespace graft {

bool Attachments::in_place(const std::string& name) const {
  const auto found = all_.find(name);
  return found != all_.end() && found->second.in_place;
}

std::vector<std::string> Attachments::names() const {
  std::map<std::uint64_t, std::string> in_order;
  for (const auto& [name, attachment] : all_) in_order[attachment.order] = name;
  std::vector<std::string> all;
  for (const auto& entry : in_order) all.push_back(entry.second);
  return all;
}

void Attachments::add(std::string name, bool in_place, Learning frozen) {
  all_[std::move(name)] = {next_++, in_place, std::move(frozen)};
}

std::optional<Attachments::Learning> Attachments::remove(const std::string& name) {
  const auto at = all_.find(name);
  if (at == all_.end()) return {};
  const Attachment gone = std::move(at->second);
  all_.erase(at);
  Attachment* next = nullptr;
  for (auto& entry : all_)
    if (entry.second.order > gone.order && (!next || entry.second.order < next->order)) next = &entry.second;
  if (!next) return gone.frozen;
  // The next one froze what this one had made trainable; once that is removed, what was trainable before this one is again.
  const auto add = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  if (gone.in_place) next->frozen.paths.clear();
  add(next->frozen.variants, gone.frozen.variants), add(next->frozen.paths, gone.frozen.paths);
  return {};
}

}  // namespace graft
