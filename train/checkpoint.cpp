#include "train/checkpoint.h"

#include <cstdlib>
#include <set>

#include "formats/safetensors.h"

namespace graft::train {
namespace {

const std::string of_parameter = "parameter.", of_optimizer = "optimizer.", of_caller = "fact.";

bool starts_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

formats::Numbers numbers(const std::string& name, const Tensor& t) {
  formats::Numbers n;
  n.name = name;
  for (int axis = 0; axis < t.rank(); ++axis) n.shape.push_back(t.dim(axis));
  if constexpr (sizeof(real) == sizeof(float)) n.data = reinterpret_cast<const float*>(t.data());
  else n.wide = reinterpret_cast<const double*>(t.data());
  return n;
}

Tensor tensor(const formats::TensorEntry& entry, const std::string& file) {
  expect<FormatError>(entry.shape.size() <= Shape::max_rank, file, ": ", entry.name, " has ", entry.shape.size(), " axes");
  Tensor t(Shape(std::vector<Index>(entry.shape.begin(), entry.shape.end())));
  formats::read_numbers(entry, t.write(), file);
  return t;
}

std::uint64_t whole(const std::map<std::string, std::string>& metadata, const std::string& key, const std::string& file) {
  const auto found = metadata.find(key);
  char* end = nullptr;
  const unsigned long long n = found == metadata.end() ? 0 : std::strtoull(found->second.c_str(), &end, 10);
  expect<FormatError>(end != nullptr && *end == '\0', file, ": the metadata has no number \"", key,
                      "\"; this is not a graft checkpoint");
  return n;
}

}  // namespace

void save_checkpoint(const NamedParams& parameters, const std::map<std::string, Tensor>& optimizer, const Rng& rng,
                     const std::string& file, const std::map<std::string, std::string>& metadata) {
  expect<ValueError>(!parameters.empty(), "checkpoint: there are no parameters to save in ", file);
  std::vector<formats::Numbers> all;
  for (const auto& [path, parameter] : parameters) all.push_back(numbers(of_parameter + path, parameter->own().value()));
  for (const auto& [key, t] : optimizer) all.push_back(numbers(of_optimizer + key, t));
  const Rng::State state = rng.state();
  std::map<std::string, std::string> all_metadata{
      {"format", "graft checkpoint"}, {"rng_seed", std::to_string(state.seed)}, {"rng_drawn", std::to_string(state.drawn)}};
  for (const auto& [key, value] : metadata) all_metadata[of_caller + key] = value;
  formats::write_safetensors(file, all, formats::Dtype::F32, all_metadata);
}

Checkpoint load_checkpoint(const NamedParams& parameters, const std::string& file) {
  const formats::Safetensors from(file);
  Checkpoint checkpoint{
      {}, Rng(Rng::State{whole(from.metadata(), "rng_seed", file), whole(from.metadata(), "rng_drawn", file)}), {}};
  std::set<std::string> known;
  std::vector<Tensor> found;
  for (const auto& [path, parameter] : parameters) {
    const formats::TensorEntry* entry = from.find(of_parameter + path);
    expect<FormatError>(entry != nullptr, file, ": there is no parameter ", path, "; it is a checkpoint of another training");
    found.push_back(tensor(*entry, file));
    expect<FormatError>(found.back().shape() == parameter->shape(), file, ": ", path, " has shape ", found.back().shape(),
                        ", but the model's is ", parameter->shape(), "; it is a checkpoint of another training");
    known.insert(of_parameter + path);
  }
  for (const auto& [key, entry] : from.tensors())
    if (starts_with(key, of_optimizer)) checkpoint.optimizer[key.substr(of_optimizer.size())] = tensor(entry, file);
    else
      expect<FormatError>(known.count(key) != 0, file, ": ", key, " belongs to no trainable parameter here; it is a ",
                          "checkpoint of another training");
  for (const auto& [key, value] : from.metadata())
    if (starts_with(key, of_caller)) checkpoint.metadata[key.substr(of_caller.size())] = value;
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].second->set(found[i]);
  return checkpoint;
}

}  // namespace graft::train
