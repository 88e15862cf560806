#include "peft/adapter_file.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "autograd/text.h"
#include "formats/file.h"
#include "nn/head.h"
#include "peft/adapterhub_file.h"
#include "peft/inside/adapter_parts.h"
#include "peft/registry.h"

namespace graft::peft {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// The format of the method, or null.
const FileFormat* format_of(const Method& method) {
  for (const MethodRow& row : methods())
    if (row.file && row.file->holds(method)) return row.file;
  return nullptr;
}

/// By peft_type.
const std::map<std::string, const FileFormat*>& formats_by_type() {
  static const std::map<std::string, const FileFormat*> all = [] {
    std::map<std::string, const FileFormat*> by_type;
    for (const MethodRow& row : methods())
      if (row.file)
        for (const std::string& type : row.file->types) by_type[type] = row.file;
    return by_type;
  }();
  return all;
}

/// What a folder that is not an adapter holds instead, if that is clear: the end of a message.
std::string instead(const fs::path& folder) {
  const fs::path prompt = folder / "prompt-0";
  if (fs::exists(prompt / "adapter_config.json"))
    return text("; it holds the prompts of an ensemble, and each of them is an adapter: ", prompt.string(), ", ..");
  if (fs::exists(folder / "config.json"))
    return "; it holds a whole model, saved by full fine-tuning; load it with --model";
  if (fs::exists(folder / "run.json"))
    return text("; the training in it is unfinished; graft tune --resume ", folder.string(), " resumes it");
  return "";
}

std::string config_file(const std::string& folder) {
  const fs::path path = fs::path(folder) / "adapter_config.json";
  expect<FileError>(fs::is_directory(folder), folder, ": no such folder; an adapter is a folder with adapter_config.json and ",
                    "adapter_model.safetensors");
  expect<FileError>(fs::exists(path), folder, ": there is no adapter_config.json, so this is not an adapter", instead(folder));
  return path.string();
}

std::string weights_file(const std::string& folder) {
  const fs::path path = fs::path(folder) / "adapter_model.safetensors";
  const bool pickle = fs::exists(fs::path(folder) / "adapter_model.bin");
  expect<FileError>(
      fs::exists(path), folder, ": there is no adapter_model.safetensors",
      pickle ? "; adapter_model.bin is a pickle, which can run code and is not read. Save it again with PEFT" : "");
  return path.string();
}

const std::map<std::string, const char*>& tasks() {
  static const std::map<std::string, const char*> all{
      {"CAUSAL_LM", "a language model"}, {"SEQ_CLS", "a classifier"}, {"TOKEN_CLS", "a classifier of tokens"}};
  return all;
}
const char* task_of(const BaseModel& base) {
  if (!base.score) return "CAUSAL_LM";
  return dynamic_cast<const TokenClassifier*>(&base.root) ? "TOKEN_CLS" : "SEQ_CLS";
}

/// The contents of the two files. Errors: ValueError if they cannot hold it.
struct Contents {
  Json config;
  NamedTensors tensors;
};
Contents contents(const BaseModel& base, const Attached& attached) {
  const Method& method = *attached.method;
  expect<ValueError>(!method.in_place(), "save_adapter: ", method.kind(), " changes the model itself; save_model() writes it");
  expect<ValueError>(base.model.attachments.has(attached.name), "save_adapter: \"", attached.name,
                     "\" is not attached to this model; save it before detach() or merge_and_unload()");
  const FileFormat* format = format_of(method);
  expect<ValueError>(format != nullptr, "save_adapter: no adapter file can hold ", method.kind(),
                     ", and save_model() would write the base without it; train/checkpoint.h keeps its parameters, or give its row ",
                     "in peft/registry.h a file format");
  Contents all;
  format->write(base, attached, all.config, all.tensors);
  all.config["task_type"] = task_of(base);
  all.config["inference_mode"] = true;
  return all;
}

Attached load(const BaseModel& base, const std::string& folder, const std::string& name, const AdapterOptions& options) {
  const std::string path = config_file(folder);
  if (is_adapterhub(folder)) return load_adapterhub(base, folder, name, options);
  const AdapterConfig config(path, options.ignored_fields);
  const std::string type = config.word("peft_type");
  const auto format = formats_by_type().find(type);
  std::string known;
  for (const auto& entry : formats_by_type()) known += " " + entry.first;
  expect<FormatError>(format != formats_by_type().end(), path, ": the peft_type is \"", type, "\"; graft reads", known);
  const std::string task = config.word("task_type", "");
  expect<FormatError>(tasks().count(task) == 0 || task == task_of(base), path, ": the adapter is for ",
                      tasks().count(task) ? tasks().at(task) : "", " (", task, "), but ", base.root.kind(), " is ",
                      tasks().at(task_of(base)), " (", task_of(base), ")");
  Keys keys(weights_file(folder));
  Attached attached = format->second->read(base, config, keys, name);
  expect_all_known(base, keys);
  return attached;
}

}  // namespace

Attached load_adapter(const BaseModel& base, const std::string& folder, const std::string& name, const AdapterOptions& options) {
  const Selection before = base.model.selection();
  const bool taken = base.model.attachments.has(name);
  try {
    return load(base, folder, name, options);
  } catch (...) {
    if (!taken && base.model.attachments.has(name)) detach(base, name);  // attached, and then its file was found wanting
    base.model.select(before);
    throw;
  }
}

void expect_saveable(const BaseModel& base, const Attached& attached) {
  const FileFormat* format = format_of(*attached.method);
  if (format && format->expect_holds) format->expect_holds(base, attached);
  else contents(base, attached);
}

namespace {

/// How many classes the head in the file has; 0 if there is none. Errors: FormatError if it is not a matrix of that many
/// columns: [2^40, 0] takes no space in a file.
Index classes_of(const formats::Safetensors& file, const std::string& head, Index width) {
  for (const char* prefix : {"base_model.model.", "base_model."})
    if (const formats::TensorEntry* entry = file.find(prefix + head + ".weight")) {
      expect<FormatError>(entry->shape.size() == 2 && entry->shape[1] == width, file.path(), ": the tensor \"", entry->name,
                          "\" has shape [", joined(entry->shape), "], but this model's head needs [",
                          entry->shape.empty() ? 0 : entry->shape[0], ", ", width, "]; the adapter was made for another base");
      return static_cast<Index>(entry->shape[0]);
    }
  return 0;
}

}  // namespace

Attached load_adapter(Loaded& loaded, const std::string& folder, const std::string& name, const AdapterOptions& options) {
  const std::string path = config_file(folder);
  const bool whole = loaded.classifier || loaded.token_classifier || is_adapterhub(folder);
  if (whole) return load_adapter(BaseModel(loaded), folder, name, options);
  const std::string task = AdapterConfig(path, options.ignored_fields).word("task_type", "");
  const bool tokens = task == "TOKEN_CLS";
  if (!tokens && task != "SEQ_CLS") return load_adapter(BaseModel(loaded), folder, name, options);
  const char* head = tokens && model_type(BaseModel(loaded)) == "gpt2" ? "classifier" : "score";
  const std::string weights = weights_file(folder);
  const Index labels = classes_of(formats::Safetensors(weights), head, loaded.model->width());
  expect<FormatError>(labels > 0, weights, ": the adapter is for a classifier (", task, "), but holds no head for one (", head,
                      ".weight), and ", loaded.root->kind(), " has none; load it on the classifier that it was trained on");
  expect<ValueError>(loaded.model->attachments.empty(), "load_adapter: ", folder, " turns the model into a classifier, and \"",
                     joined(loaded.model->attachments.names()), "\" is attached to it as a language model; detach that first");
  std::vector<std::string> names;
  for (Index i = 0; i < labels; ++i) names.push_back(text("LABEL_", i));
  std::unique_ptr<Projection> words = put_head(loaded, tokens ? HeadOf::tokens : HeadOf::sequences, std::move(names));
  for (const auto& named : (*BaseModel(loaded).score)->parameters()) named.second->set(Tensor(named.second->shape(), 0));
  try {
    return load_adapter(BaseModel(loaded), folder, name, options);
  } catch (...) {
    take_head(loaded, std::move(words));
    throw;
  }
}

void save_adapter(const BaseModel& base, const Attached& attached, const std::string& folder, const std::string& base_name) {
  const FileFormat* format = format_of(*attached.method);
  if (format && format->save) return format->save(base, attached, folder, base_name);
  Contents all = contents(base, attached);
  all.config["base_model_name_or_path"] = base_name;

  std::error_code error;
  fs::create_directories(folder, error);
  expect<FileError>(!error, folder, ": the folder cannot be made: ", error.message());
  write_tensors((fs::path(folder) / "adapter_model.safetensors").string(), all.tensors);
  formats::write_text((fs::path(folder) / "adapter_config.json").string(),
                      all.config.dump(2) + "\n");  // last: now it is an adapter
}

AdapterSummary describe_adapter(const std::string& folder) {
  const std::string path = config_file(folder);
  const AdapterJson file(path, {});
  const ConfigReader config(file.json, path, "");
  AdapterSummary summary;
  summary.type = is_adapterhub(folder) ? "bottleneck adapter (AdapterHub)" : config.word("peft_type");
  summary.task = config.word("task_type", ""), summary.base = config.word("base_model_name_or_path", "");
  summary.config = file.json.dump(2);
  const formats::Safetensors weights(is_adapterhub(folder) ? (fs::path(folder) / "adapter.safetensors").string()
                                                           : weights_file(folder));
  for (const auto& entry : weights.tensors()) {
    summary.tensors.push_back({entry.first, {entry.second.shape.begin(), entry.second.shape.end()}});
    summary.numbers += entry.second.numel();
  }
  return summary;
}

}  // namespace graft::peft
