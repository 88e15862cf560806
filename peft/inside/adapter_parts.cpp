#include "peft/inside/adapter_parts.h"

#include <algorithm>

#include "autograd/text.h"
#include "nn/gpt2.h"
#include "nn/llama.h"
#include "nn/names.h"
#include "peft/trained_copy.h"

namespace graft::peft {

std::string model_type(const BaseModel& base) {
  if (dynamic_cast<const Gpt2*>(&base.model)) return "gpt2";
  expect<ValueError>(dynamic_cast<const Llama*>(&base.model) != nullptr, "adapter files: a ", base.model.kind(),
                     " has no names in Hugging Face's files");
  return "llama";
}

FilePlace place_of(const BaseModel& base, const std::string& path) {
  return hugging_face_place(base.model, path, hugging_face_prefix(base.model));
}

std::vector<HfModule> hf_modules(const BaseModel& base) {
  std::vector<HfModule> all;
  const auto add = [&](const std::string& path, bool table, Index in, Index out) {
    const std::string weight = place_of(base, path + ".weight").name, name = weight.substr(0, weight.rfind('.'));
    const auto known = std::find_if(all.begin(), all.end(), [&](const HfModule& m) { return m.name == name; });
    if (known == all.end()) all.push_back({name, {path}, table, in, out});
    else known->paths.push_back(path), known->out += out;
  };
  for (const auto& slot : base.root.slots<Table>())
    if (!slot.second->empty()) add(slot.first, true, (*slot.second)->rows(), (*slot.second)->dim());
  for (const auto& slot : base.root.slots<Projection>())
    if (!slot.second->empty()) add(slot.first, false, (*slot.second)->in(), (*slot.second)->out());
  return all;
}

// --- tensors -------------------------------------------------------------------------------------------------------------

std::vector<std::string> Keys::left() const {
  std::vector<std::string> names;
  for (const auto& entry : file_.tensors())
    if (taken_.count(entry.first) == 0) names.push_back(entry.first);
  return names;
}

const formats::TensorEntry& Keys::need(const std::string& name, const std::string& why) const {
  const formats::TensorEntry* entry = file_.find(name);
  expect<FormatError>(entry != nullptr, path(), ": there is no tensor \"", name, "\" (", why,
                      "); the adapter is incomplete, or was made for another model");
  return *entry;
}

Tensor Keys::take(const std::string& name, const std::string& why) {
  const formats::TensorEntry* entry = &need(name, why);
  taken_.insert(name);
  expect<FormatError>(!entry->shape.empty() && entry->shape.size() <= 5, path(), ": the tensor \"", name, "\" has ",
                      entry->shape.size(), " axes");
  Shape shape = Shape{entry->shape.back()};
  for (std::size_t i = entry->shape.size() - 1; i-- > 0;) shape = shape.before(entry->shape[i]);
  Tensor numbers(shape);
  formats::read_numbers(*entry, numbers.write(), path());
  return numbers;
}

void Keys::expect_shape(const std::string& name, const std::vector<std::int64_t>& shape, const std::string& why) const {
  const formats::TensorEntry* entry = &need(name, why);
  expect<FormatError>(entry->shape == shape, path(), ": the tensor \"", name, "\" has shape [", joined(entry->shape), "], but ",
                      why, " needs [", joined(shape), "]; it was made for another base, or its configuration is wrong");
}

Tensor Keys::take(const std::string& name, const Shape& shape, const std::string& why) {
  std::vector<std::int64_t> wanted;
  for (int i = 0; i < shape.rank(); ++i) wanted.push_back(shape.dim(i));
  expect_shape(name, wanted, why);
  return take(name, why);
}

void Keys::expect_all_taken() const {
  const std::vector<std::string> rest = left();
  expect<FormatError>(rest.empty(), path(), ": ", rest.size(), rest.size() == 1 ? " tensor is" : " tensors are",
                      " not known to this model and configuration, the first is \"", rest.empty() ? "" : rest[0],
                      "\"; the adapter was made for another base, or its adapter_config.json is another adapter's");
}

void write_tensors(const std::string& path, const NamedTensors& tensors, const std::map<std::string, std::string>& metadata) {
  std::vector<formats::Numbers> numbers;
  for (const auto& entry : tensors) {
    formats::Numbers n;
    n.name = entry.first;
    for (int i = 0; i < entry.second.rank(); ++i) n.shape.push_back(entry.second.dim(i));
    if constexpr (sizeof(real) == sizeof(double)) n.wide = reinterpret_cast<const double*>(entry.second.data());
    else n.data = reinterpret_cast<const float*>(entry.second.data());
    numbers.push_back(std::move(n));
  }
  formats::write_safetensors(path, numbers, formats::Dtype::F32, metadata);
}

Tensor rows_part(const Tensor& all, Index part, Index parts) {
  if (parts == 1) return all;
  const Index n = all.dim(0) / parts, size = all.numel() / all.dim(0);
  Tensor rows(all.shape().with(0, n));
  std::copy_n(all.data() + part * n * size, n * size, rows.write());
  return rows;
}

Tensor stacked(const std::vector<Tensor>& parts) {
  if (parts.size() == 1) return parts[0];
  Index rows = 0;
  for (const Tensor& part : parts) rows += part.dim(0);
  Tensor all(parts[0].shape().with(0, rows));
  real* to = all.write();
  for (const Tensor& part : parts) to = std::copy_n(part.data(), part.numel(), to);
  return all;
}

Tensor transposed(const Tensor& m) {
  Tensor t(Shape{m.cols(), m.rows()});
  real* to = t.write();
  for (Index i = 0; i < m.rows(); ++i)
    for (Index j = 0; j < m.cols(); ++j) to[j * m.rows() + i] = m[i * m.cols() + j];
  return t;
}

// --- heads of classifiers --------------------------------------------------------------------------------------------------

namespace {
Copy* head_of(const BaseModel& base, const std::string& name) {
  for (Module* at = base.score ? static_cast<Module*>(&**base.score) : nullptr; at != nullptr;) {
    auto* copy = dynamic_cast<TrainedCopy*>(at);
    if (copy && copy->holds(name)) return &copy->entry(name);
    auto* wraps = dynamic_cast<Wraps<Projection>*>(at);
    at = wraps ? static_cast<Module*>(&*wraps->base) : nullptr;
  }
  return nullptr;
}
}  // namespace

std::string head_of_file(const BaseModel& base) {
  if (!base.score) return "";
  const std::string weight = place_of(base, base.score->name() + ".weight").name;
  return weight.substr(0, weight.rfind('.'));
}

void read_head(const BaseModel& base, const std::string& name, Keys& keys, const std::string& prefix) {
  Copy* head = head_of(base, name);
  if (!head) return;
  const std::string key = prefix + head_of_file(base);
  head->weight.set(keys.take(key + ".weight", head->weight.shape(), "the classifier's head"));
  if (head->bias) head->bias->set(keys.take(key + ".bias", head->bias->shape(), "the classifier's head"));
}

void write_head(const BaseModel& base, const std::string& name, NamedTensors& tensors, const std::string& prefix) {
  const Copy* head = head_of(base, name);
  if (!head) return;
  const std::string key = prefix + head_of_file(base);
  tensors[key + ".weight"] = head->weight.value();
  if (head->bias) tensors[key + ".bias"] = head->bias->value();
}

}  // namespace graft::peft
