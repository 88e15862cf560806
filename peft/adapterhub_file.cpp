#include "peft/adapterhub_file.h"

#include <cmath>
#include <filesystem>

#include "formats/file.h"
#include "peft/bottleneck.h"
#include "peft/inside/adapter_parts.h"

namespace graft::peft {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Form = BottleneckAdapter::Form;

/// The net of `name` in layer i, behind attention or at the MLP, with its key up to the adapter's own name.
struct Place_of_net {
  Bottleneck* net;
  std::string key;  ///< "transformer.h.0.output_adapters.adapters."
};
std::vector<Place_of_net> nets(const Host& host, const std::string& name) {
  std::vector<Place_of_net> all;
  const auto key = [&](const std::string& path, const char* which) {
    const std::string norm = place_of(host, path.substr(0, path.find('.', 7)) + ".norm.weight").name;  // in the block itself
    const std::string block = norm.substr(0, norm.rfind('.', norm.rfind('.') - 1) + 1);
    return block + which + "_adapters.adapters.";
  };
  const auto search = [&](auto wrapper, auto interface, const std::string& path, Module* at, const char* which) {
    using W = std::remove_pointer_t<decltype(wrapper)>;
    using I = std::remove_pointer_t<decltype(interface)>;
    while (at != nullptr) {
      if (auto* found = dynamic_cast<W*>(at); found && found->holds(name))
        all.push_back({&found->nets.at(name), key(path, which)});
      auto* wraps = dynamic_cast<Wraps<I>*>(at);
      at = wraps ? static_cast<Module*>(&*wraps->base) : nullptr;
    }
  };
  for (const auto& slot : host.root.slots<Projection>())
    if (!slot.second->empty() && matches(slot.first, "attn.out"))
      search(static_cast<AdaptedProjection*>(nullptr), static_cast<Projection*>(nullptr), slot.first, &**slot.second,
             "attention");
  for (const auto& slot : host.root.slots<RowMap>())
    if (!slot.second->empty() && matches(slot.first, "mlp"))
      search(static_cast<AdaptedBranch*>(nullptr), static_cast<RowMap*>(nullptr), slot.first, &**slot.second, "output");
  return all;
}

/// Options that change what is computed and that graft does not have.
void refuse_others(const ConfigReader& config, const Json& json) {
  const Json defaults{{"adapter_residual_before_ln", false},
                      {"cross_adapter", false},
                      {"ln_after", false},
                      {"ln_before", false},
                      {"phm_layer", false},
                      {"use_gating", false},
                      {"original_ln_after", true},
                      {"residual_before_ln", true}};
  for (const auto& entry : defaults.items())
    if (json.contains(entry.key()) && json[entry.key()] != entry.value()) config.refuse(entry.key(), json[entry.key()].dump());
  for (const char* none : {"inv_adapter", "leave_out"})
    if (json.contains(none) && !json[none].is_null() && !(json[none].is_array() && json[none].empty()))
      config.refuse(none, json[none].dump().substr(0, 40));
}

}  // namespace

bool is_adapterhub(const std::string& folder) { return fs::exists(fs::path(folder) / "adapter.safetensors"); }

Attached load_adapterhub(const Host& host, const std::string& folder, const std::string& name) {
  const std::string path = (fs::path(folder) / "adapter_config.json").string();
  const Json json = parse_config(formats::read_text(path), path);
  expect<FormatError>(json.is_object(), path, ": it must hold an object, not ", json.type_name());
  const ConfigReader top(json, path, "");
  const std::string theirs = top.word("name");
  const ConfigReader config = top.inner("config");
  refuse_others(config, json["config"]);
  BottleneckAdapter b;
  const bool attention = config.flag("mh_adapter", false), output = config.flag("output_adapter", true);
  if (!output) config.refuse("output_adapter", "false");
  const bool before = config.flag("original_ln_before", false), parallel = config.flag("is_parallel", false);
  if (attention && (before || parallel))
    config.refuse(before ? "original_ln_before" : "is_parallel", "true, together with mh_adapter");
  if (!attention && !before && !parallel) config.refuse("original_ln_before", "false, without mh_adapter");
  b.form = attention ? Form::houlsby : parallel ? Form::parallel : Form::after_mlp;
  b.activation = config.word("non_linearity");
  const double scale = config.number("scaling", 1);
  b.scale = static_cast<real>(scale);
  const Index dim = host.model.width();
  const double reduction = config.number("reduction_factor");
  if (!(reduction > 0)) config.refuse("reduction_factor", text(reduction));
  b.size = static_cast<Index>(static_cast<double>(dim) / reduction);
  if (b.size < 1 || b.size > (Index(1) << 24)) config.refuse("reduction_factor", text(reduction, ", for ", dim, " features"));
  Keys keys((fs::path(folder) / "adapter.safetensors").string());
  Rng rng(0);
  Attached attached = attach(host, b, rng, name);
  try {
    for (const Place_of_net& at : nets(host, name)) {
      const std::string key = at.key + theirs + ".";
      at.net->down.give(keys.take(key + "adapter_down.0.weight", at.net->down.shape(), "the adapter"));
      at.net->down_bias.give(keys.take(key + "adapter_down.0.bias", at.net->down_bias.shape(), "the adapter"));
      at.net->up.give(keys.take(key + "adapter_up.weight", at.net->up.shape(), "the adapter"));
      at.net->up_bias.give(keys.take(key + "adapter_up.bias", at.net->up_bias.shape(), "the adapter"));
    }
    keys.expect_all_taken();
    if (host.score) {
      const fs::path head = fs::path(folder) / "model_head.safetensors";
      expect<FileError>(fs::exists(head), folder, ": there is no model_head.safetensors with the classifier's head");
      Keys of_head(head.string());
      read_head(host, name, of_head, "");
      of_head.expect_all_taken();
    }
  } catch (...) {
    detach(host, attached);
    throw;
  }
  return attached;
}

namespace {
/// AdapterHub reads a head into a model of the same class only.
std::string model_class(const Host& host) {
  const bool gpt2 = model_type(host) == "gpt2";
  if (!host.score) return gpt2 ? "GPT2LMHeadModel" : "LlamaForCausalLM";
  const bool tokens = dynamic_cast<const TokenClassifier*>(&host.root) != nullptr;
  return text(gpt2 ? "GPT2" : "Llama", tokens ? "ForTokenClassification" : "ForSequenceClassification");
}
}  // namespace

void expect_adapterhub_holds(const Host& host, const Attached& attached) {
  const auto* b = dynamic_cast<const BottleneckAdapter*>(attached.method.get());
  expect<ValueError>(b != nullptr, "save_adapterhub: ", attached.method->kind(),
                     " is no bottleneck adapter; save_adapter() writes it");
  expect<ValueError>(!b->layer_norms,
                     "save_adapterhub: the LayerNorms of this adapter learned too, and AdapterHub's files cannot ",
                     "hold them; attach it without layer_norms");
  expect<ValueError>(!nets(host, attached.name).empty(), "save_adapterhub: \"", attached.name,
                     "\" is not attached to this model; save it before detach()");
}

void save_adapterhub(const Host& host, const Attached& attached, const std::string& folder, const std::string& base) {
  expect_adapterhub_holds(host, attached);
  const auto* b = dynamic_cast<const BottleneckAdapter*>(attached.method.get());
  const std::vector<Place_of_net> all = nets(host, attached.name);
  const Index dim = host.model.width(), size = all[0].net->down.shape()[0];
  const std::string usual = b->form == Form::houlsby ? "swish" : "relu";
  const double factor = static_cast<double>(dim) / static_cast<double>(size);
  Json config{{"mh_adapter", b->form == Form::houlsby},
              {"output_adapter", true},
              {"original_ln_before", b->form == Form::after_mlp},
              {"original_ln_after", true},
              {"residual_before_ln", true},
              {"is_parallel", b->form == Form::parallel},
              {"scaling", b->scale},
              {"non_linearity", b->activation.empty() ? usual : b->activation},
              {"reduction_factor", factor == std::floor(factor) ? Json(static_cast<Index>(factor)) : Json(factor)}};
  Json json{{"config", config},   {"name", attached.name},           {"hidden_size", dim}, {"model_type", model_type(host)},
            {"model_name", base}, {"model_class", model_class(host)}};
  Named_tensors tensors;
  for (const Place_of_net& at : all) {
    const std::string key = at.key + attached.name + ".";
    tensors[key + "adapter_down.0.weight"] = at.net->down.value(),
                  tensors[key + "adapter_down.0.bias"] = at.net->down_bias.value();
    tensors[key + "adapter_up.weight"] = at.net->up.value(), tensors[key + "adapter_up.bias"] = at.net->up_bias.value();
  }
  std::error_code error;
  fs::create_directories(folder, error);
  expect<FileError>(!error, folder, ": the folder cannot be made: ", error.message());
  if (host.score) {
    Named_tensors head;
    write_head(host, attached.name, head, "");
    write_tensors((fs::path(folder) / "model_head.safetensors").string(), head);
    Json labels = Json::object();
    const Index count = head.begin()->second.rows();
    for (Index i = 0; i < count; ++i) labels[text("LABEL_", i)] = i;
    const Json head_config{{"config", nullptr},
                           {"hidden_size", dim},
                           {"label2id", labels},
                           {"model_class", json["model_class"]},
                           {"model_type", json["model_type"]},
                           {"model_name", base},
                           {"name", nullptr},
                           {"num_labels", count},
                           {"version", "adapters.1.3.0"}};
    formats::write_text((fs::path(folder) / "head_config.json").string(), head_config.dump(2) + "\n");
  }
  write_tensors((fs::path(folder) / "adapter.safetensors").string(), tensors);
  formats::write_text((fs::path(folder) / "adapter_config.json").string(), json.dump(2) + "\n");
}

}  // namespace graft::peft
