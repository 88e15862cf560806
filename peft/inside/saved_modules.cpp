// What an adapter's file holds besides the method's own tensors: modules trained in full (modules_to_save), biases, and the
// tables that PEFT stores along with them (save_embedding_layers).
#include <algorithm>

#include "nn/names.h"
#include "peft/inside/adapter_parts.h"
#include "peft/inside/wrappers.h"
#include "peft/trained_copy.h"

namespace graft::peft {

using Json = nlohmann::json;

namespace {

std::string module_of(const std::string& parameter) { return parameter.substr(0, parameter.rfind('.')); }

/// Every parameter by its path; one that is shared has several.
std::map<std::string, Param*> places(const BaseModel& base) {
  std::map<std::string, Param*> all;
  base.root.each([&](const std::string& path, Part& part) {
    if (auto* param = dynamic_cast<Param*>(&part)) all.emplace(path, param);
  });
  return all;
}

/// Trained under `name` instead of a weight or bias of the base, by the path of the latter: variants and trained copies.
std::map<std::string, Param*> learned(const BaseModel& base, const std::string& name) {
  std::map<std::string, Param*> all;
  each(base, [&](const std::string& path, Part& part, const std::string& adapter) {
    auto* param = dynamic_cast<Param*>(&part);
    if (param && adapter == name && (part.word() == "weight" || part.word() == "bias"))
      all.emplace(path.substr(0, path.size() - name.size() - 1), param);
  });
  return all;
}

/// PEFT wraps every module whose name ends with the word, and what is in it goes with it.
bool is_in(const std::string& module, const std::string& word) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = module.find('.', end + 1);
    const std::string outer = module.substr(0, end);
    if (outer.size() >= word.size() && outer.compare(outer.size() - word.size(), word.size(), word) == 0) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> saved_modules(const BaseModel& base, const std::vector<std::string>& words) {
  std::vector<std::string> paths;
  const auto add = [&](const std::string& path, const std::string& hf) {
    const bool meant = std::any_of(words.begin(), words.end(), [&](const std::string& word) { return is_in(hf, word); });
    if (meant && hf != head_of_file(base) && std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
  };
  if (words.empty()) return paths;
  for (const HfModule& module : hf_modules(base))
    for (const std::string& path : module.paths) add(path, module.name);
  for (const auto& named : base.root.parameters())
    if (is_norm(named.first) && (matches(named.first, "weight") || matches(named.first, "bias")))
      add(module_of(named.first), module_of(place_of(base, named.first).name));
  return paths;
}

Json saved_names(const BaseModel& base, const std::vector<std::string>& paths) {
  Json names = Json::array();
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const std::string& path : paths) add(module_of(place_of(base, path + ".weight").name));
  if (base.score) add(head_of_file(base));
  return names.empty() ? Json(nullptr) : names;
}

// --- variants and copies -------------------------------------------------------------------------------------------------

void read_variants(const BaseModel& base, const std::string& name, Keys& keys, const KeyOf& key) {
  std::map<std::string, Tensor> whole;  // c_attn is read once for its three parts
  for (const auto& own : learned(base, name)) {
    const FilePlace place = place_of(base, own.first);
    const std::string from = key(own.first, place.name);
    const Shape& shape = own.second->shape();
    const bool turned = place.transposed && shape.rank() == 2;
    Shape stored = shape.with(0, shape.dim(0) * place.parts);
    if (turned) stored = Shape{stored.dim(1), stored.dim(0)};
    Tensor& all = whole[from];
    if (!all.defined()) {
      all = keys.take(from, stored, own.first);
      if (turned) all = transposed(all);
    }
    own.second->set(rows_part(all, place.part, place.parts).clone());
  }
}

void write_variants(const BaseModel& base, const std::string& name, NamedTensors& tensors, const KeyOf& key) {
  const std::map<std::string, Param*> own = learned(base, name);
  std::map<std::string, bool> turned;  // of the keys that have something to write
  for (const auto& one : own) {
    const FilePlace place = place_of(base, one.first);
    turned[key(one.first, place.name)] = place.transposed && one.second->shape().rank() == 2;
  }
  std::map<std::string, std::map<int, Tensor>> parts;  // c_attn is whole in the file: what was not trained is kept as it is
  const auto add = [&](const std::string& path, const Param& numbers) {
    const FilePlace place = place_of(base, path);
    const std::string to = key(path, place.name);
    if (turned.count(to) != 0) parts[to].emplace(place.part, numbers.own().value());
  };
  for (const auto& one : own) add(one.first, *one.second);
  for (const Owned& p : owned(base))
    if (p.adapter.empty() && (matches(p.path, "weight") || matches(p.path, "bias"))) add(p.path, *p.param);
  for (const auto& entry : parts) {
    std::vector<Tensor> all;
    for (const auto& part : entry.second) all.push_back(part.second);
    tensors[entry.first] = turned[entry.first] ? transposed(stacked(all)) : stacked(all);
  }
}

// --- tables that are stored along ----------------------------------------------------------------------------------------

namespace {

/// The paths of the embeddings and, on a language model, of the head.
std::vector<std::string> tables(const BaseModel& base) {
  std::vector<std::string> paths{"embed"};
  if (!base.model.output().empty()) paths.push_back("head");
  return paths;
}

std::string stored_as(const BaseModel& base, const std::string& path, const std::string& prefix) {
  return prefix + module_of(place_of(base, path + ".weight").name);
}

/// What all wrappers are around.
template <class T>
const T& innermost(const T& occupant) {
  const auto* wraps = dynamic_cast<const Wraps<T>*>(&occupant);
  return wraps ? innermost<T>(*wraps->base) : occupant;
}

/// The base's own numbers.
Tensor numbers_of(const BaseModel& base, const std::string& path) {
  const WithSelection none(base.model, {});
  return path == "head" ? innermost<Projection>(*base.model.output()).dense() : innermost<Table>(*base.model.table()).dense();
}

bool equal(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::equal(a.data(), a.data() + a.numel(), b.data());
}

}  // namespace

void expect_vocabulary(const BaseModel& base, const Keys& keys, const std::string& prefix) {
  for (const std::string& path : tables(base))
    for (const char* inner : {".weight", ".base_layer.weight", ".original_module.weight"}) {
      const formats::TensorEntry* entry = keys.find(stored_as(base, path, prefix) + inner);
      const Index V = base.model.vocabulary();
      if (!entry || entry->shape.size() != 2 || entry->shape[0] == V) continue;
      throw FormatError(text(keys.path(), ": the tensor \"", entry->name, "\" has ", entry->shape[0], " rows, but the ",
                             "vocabulary of this model has ", V, "; the adapter was trained after the vocabulary had been ",
                             "resized. Resize the model's to as many rows (resize_token_embeddings in transformers, then ",
                             "save_pretrained), and load it on that"));
    }
}

void read_tables(const BaseModel& base, const std::string& name, Keys& keys, const std::string& prefix) {
  const bool tied = is_tied(base.model);
  const auto all = places(base);
  std::map<std::string, std::pair<std::string, Tensor>> found;  // by the path of the base's weight: a key and its numbers
  for (const std::string& path : tables(base)) {
    const auto there = all.find(path + ".weight");
    // With ensure_weight_tying the adapter's one table is used in both places, and the base's in none.
    const bool replaced = there != all.end() && there->second->varies(name);
    const std::string at = stored_as(base, path, prefix);
    for (const char* inner : {".weight", ".base_layer.weight", ".original_module.weight"}) {
      const std::string key = at + inner;
      if (!keys.waits(key)) continue;
      const Tensor saved = keys.take(key, Shape{base.model.vocabulary(), base.model.width()}, path + ".weight");
      if (replaced && std::string(inner) == ".original_module.weight") continue;
      if (replaced) {
        const WithSelection selected(base.model, name);
        found.emplace(path, std::make_pair("the table that it is tied to", there->second->value()));
      }
      const auto known = found.emplace(tied && !replaced ? "embed" : path, std::make_pair(key, saved));
      expect<FormatError>(known.second || equal(known.first->second.second, saved), keys.path(), ": \"", key,
                          "\" differs from ", known.first->second.first, ", but the two are one weight in this model, whose ",
                          "head is tied to its embeddings; the adapter was made for a base that is not tied, or its two files ",
                          "do not belong together");
    }
    if (replaced) found.erase(path);
  }
  for (const auto& table : found) {
    const auto there = all.find(table.first + ".weight");
    const Tensor& saved = table.second.second;
    if (equal(saved, numbers_of(base, table.first))) continue;
    expect<FormatError>(there != all.end(), keys.path(), ": \"", table.second.first, "\" differs from this model's ",
                        table.first, ".weight, which is packed and cannot be replaced; load the adapter on the model before ",
                        "it was packed");
    there->second->vary(base.model.selection(), name, saved.clone(), false);
  }
}

void write_tables(const BaseModel& base, const std::string& name, NamedTensors& tensors, const std::string& prefix,
                  bool but_the_head) {
  const auto all = places(base), own = learned(base, name);
  const bool tied = is_tied(base.model);
  for (const std::string& path : tables(base)) {
    if (path == "head" && tied) continue;  // the table's key is enough: it is one weight
    if (but_the_head && (path == "head" || tied)) continue;
    const auto there = all.find(path + ".weight");
    if (there == all.end() || !there->second->varies(name)) continue;
    const WithSelection selected(base.model, name);
    const Tensor table = there->second->value();
    const std::string at = stored_as(base, path, prefix);
    const auto copy = own.find(path + ".weight");
    if (copy != own.end() && copy->second->value().data() == table.data()) continue;  // this one is trained, and is written
    const bool adapted = tensors.count(at + ".lora_A.weight") || tensors.count(at + ".lora_embedding_A");
    tensors[at + (adapted ? ".base_layer.weight" : copy != own.end() ? ".original_module.weight" : ".weight")] = table;
  }
}

void read_repeats(Keys& keys) {
  const std::string copy = ".modules_to_save.", original = ".original_module.";
  for (const std::string& name : keys.left()) {
    const std::size_t at = name.find(copy);
    if (at == std::string::npos) {
      // A bias that a trained copy replaces: PEFT writes it along with bias="all" and computes nothing from it.
      if (name.find(original) != std::string::npos && matches(name, "bias")) (void)keys.take(name, "a bias that is not in use");
      continue;
    }
    const std::string plain = name.substr(0, at + 1) + name.substr(at + copy.size());
    if (!keys.has(plain) || keys.waits(plain)) continue;
    expect<FormatError>(equal(keys.take(name, plain), keys.take(plain, name)), keys.path(), ": the tensors \"", name,
                        "\" and \"", plain, "\" should be the same, but differ");
  }
}

// --- what is left --------------------------------------------------------------------------------------------------------

void expect_all_known(const BaseModel& base, const Keys& keys) {
  const std::vector<std::string> rest = keys.left();
  if (rest.empty()) return;
  std::set<std::string> modules;
  for (const HfModule& module : hf_modules(base)) modules.insert(module.name);
  for (const auto& named : base.root.parameters())
    if (is_norm(named.first)) modules.insert(module_of(place_of(base, module_of(named.first) + ".weight").name));
  std::string bare = rest[0];
  for (const char* prefix : {"base_model.model.", "base_model."})
    if (bare.rfind(prefix, 0) == 0) {
      bare = bare.substr(std::string(prefix).size());
      break;
    }
  const auto known =
      std::find_if(modules.begin(), modules.end(), [&](const std::string& m) { return bare.rfind(m + ".", 0) == 0; });
  const std::string others = rest.size() == 1 ? "" : text(", and ", rest.size() - 1, " more");
  expect<FormatError>(known != modules.end(), keys.path(), ": the tensor \"", rest[0], "\" belongs to no module of this ",
                      model_type(base), " model", others,
                      bare.rfind("score.", 0) == 0 || bare.rfind("classifier.", 0) == 0
                          ? "; it is the head of a classifier, but adapter_config.json does not say so (task_type)"
                          : "; the adapter was made for another base");
  throw FormatError(text(keys.path(), ": the tensor \"", rest[0], "\" is of ", *known,
                         ", which this model has, but adapter_config.json does not mention it (target_modules, ",
                         "modules_to_save, bias)", others, "; the two files do not belong together"));
}

}  // namespace graft::peft
