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
struct NetPlace {
  Bottleneck* net;
  std::string key;  ///< "transformer.h.0.output_adapters.adapters."
};
std::vector<NetPlace> nets(const BaseModel& base, const std::string& name) {
  std::vector<NetPlace> all;
  const auto key = [&](const std::string& path, const char* which) {
    const std::string norm = place_of(base, path.substr(0, path.find('.', 7)) + ".norm.weight").name;  // in the block itself
    const std::string block = norm.substr(0, norm.rfind('.', norm.rfind('.') - 1) + 1);
    return block + which + "_adapters.adapters.";
  };
  const auto search = [&](auto wrapper, auto interface, const std::string& path, Module* at, const char* which) {
    using W = std::remove_pointer_t<decltype(wrapper)>;
    using I = std::remove_pointer_t<decltype(interface)>;
    while (at != nullptr) {
      if (auto* found = dynamic_cast<W*>(at); found && found->holds(name))
        all.push_back({&found->entry(name), key(path, which)});
      auto* wraps = dynamic_cast<Wraps<I>*>(at);
      at = wraps ? static_cast<Module*>(&*wraps->base) : nullptr;
    }
  };
  for (const auto& slot : base.root.slots<Projection>())
    if (!slot.second->empty() && matches(slot.first, "attn.out"))
      search(static_cast<AdaptedProjection*>(nullptr), static_cast<Projection*>(nullptr), slot.first, &**slot.second,
             "attention");
  for (const auto& slot : base.root.slots<RowMap>())
    if (!slot.second->empty() && matches(slot.first, "mlp"))
      search(static_cast<AdaptedBranch*>(nullptr), static_cast<RowMap*>(nullptr), slot.first, &**slot.second, "output");
  return all;
}

/// Every other option must be at its default, or be empty.
void expect_known(const ConfigReader& config) {
  for (const char* off : {"adapter_residual_before_ln", "cross_adapter", "ln_after", "ln_before", "phm_layer", "use_gating"})
    config.only(off, false);
  for (const char* on : {"original_ln_after", "residual_before_ln"}) config.only(on, true);
  // The start, what happens while training, and the shape of layers that phm_layer would switch on or inv_adapter would add.
  config.expect_one_of("architecture", config.word("architecture", "bottleneck"), {"bottleneck"});
  config.expect_all_known(
      {"init_weights", "init_weights_seed", "dropout", "stochastic_depth", "inv_adapter_reduction_factor",
       "hypercomplex_nonlinearity", "factorized_phm_W", "factorized_phm_rule", "learn_phm", "phm_bias", "phm_c_init", "phm_dim",
       "phm_init_range", "phm_rank", "shared_W_phm", "shared_phm_rule"},
      way_round_a_field);
}

}  // namespace

bool is_adapterhub(const std::string& folder) { return fs::exists(fs::path(folder) / "adapter.safetensors"); }

Attached load_adapterhub(const BaseModel& base, const std::string& folder, const std::string& name, const AdapterOptions& options) {
  const AdapterConfig top((fs::path(folder) / "adapter_config.json").string(), options.ignored_fields);
  const std::string theirs = top.word("name");
  const ConfigReader config = top.inner("config");
  top.expect_all_known({"hidden_size", "model_type", "model_name", "model_class", "version", "config_id"});  // its origin
  BottleneckAdapter b;
  const bool attention = config.flag("mh_adapter", false), output = config.flag("output_adapter", true);
  if (!output) config.refuse("output_adapter", "false");
  const bool before = config.flag("original_ln_before", false), parallel = config.flag("is_parallel", false);
  if (attention && (before || parallel))
    config.refuse(before ? "original_ln_before" : "is_parallel", "true, together with mh_adapter");
  if (!attention && !before && !parallel) config.refuse("original_ln_before", "false, without mh_adapter");
  b.form = attention ? Form::houlsby : parallel ? Form::parallel : Form::after_mlp;
  b.activation = config.word("non_linearity");
  b.scale = static_cast<real>(config.number("scaling", 1));
  const Index dim = base.model.width();
  const double reduction = config.number("reduction_factor");
  if (!(reduction > 0)) config.refuse("reduction_factor", text(reduction));
  const double size = static_cast<double>(dim) / reduction;
  if (!(size >= 1 && size <= (1 << 24))) config.refuse("reduction_factor", text(reduction, ", for ", dim, " features"));
  b.size = static_cast<Index>(size);
  expect_known(config);
  Keys keys((fs::path(folder) / "adapter.safetensors").string());
  bool any = false;  // before a wrong size allocates a lot of memory
  for (const std::string& tensor : keys.left())
    if (tensor.find("adapter_down.0.weight") != std::string::npos) {
      any = true;
      keys.expect_shape(tensor, {b.size, dim}, "the adapter");
    }
  expect<FormatError>(any, keys.path(), ": there is no tensor of an adapter");
  Rng rng(0);
  Attached attached = attach(base, b, rng, name);
  try {
    for (const NetPlace& at : nets(base, name)) {
      const std::string key = at.key + theirs + ".";
      at.net->down.set(keys.take(key + "adapter_down.0.weight", at.net->down.shape(), "the adapter"));
      at.net->down_bias.set(keys.take(key + "adapter_down.0.bias", at.net->down_bias.shape(), "the adapter"));
      at.net->up.set(keys.take(key + "adapter_up.weight", at.net->up.shape(), "the adapter"));
      at.net->up_bias.set(keys.take(key + "adapter_up.bias", at.net->up_bias.shape(), "the adapter"));
    }
    keys.expect_all_taken();
    if (base.score) {
      const fs::path head = fs::path(folder) / "model_head.safetensors";
      expect<FileError>(fs::exists(head), folder, ": there is no model_head.safetensors with the classifier's head");
      Keys of_head(head.string());
      read_head(base, name, of_head, "");
      of_head.expect_all_taken();
    }
  } catch (...) {
    detach(base, attached);
    throw;
  }
  return attached;
}

namespace {
/// AdapterHub reads a head into a model of the same class only.
std::string model_class(const BaseModel& base) {
  const bool gpt2 = model_type(base) == "gpt2";
  if (!base.score) return gpt2 ? "GPT2LMHeadModel" : "LlamaForCausalLM";
  const bool tokens = dynamic_cast<const TokenClassifier*>(&base.root) != nullptr;
  return text(gpt2 ? "GPT2" : "Llama", tokens ? "ForTokenClassification" : "ForSequenceClassification");
}

/// Errors: ValueError if these files cannot hold it.
void expect_adapterhub_holds(const BaseModel& base, const Attached& attached) {
  const auto* b = dynamic_cast<const BottleneckAdapter*>(attached.method.get());
  expect<ValueError>(b != nullptr, "save_adapterhub: ", attached.method->kind(),
                     " is not a bottleneck adapter; save_adapter() writes it");
  expect<ValueError>(!b->layer_norms,
                     "save_adapterhub: this adapter has trained LayerNorms, and AdapterHub's files cannot ",
                     "hold them; attach it without layer_norms");
  expect<ValueError>(!nets(base, attached.name).empty(), "save_adapterhub: \"", attached.name,
                     "\" is not attached to this model; save it before detach()");
}
}  // namespace

void save_adapterhub(const BaseModel& base, const Attached& attached, const std::string& folder, const std::string& base_name) {
  expect_adapterhub_holds(base, attached);
  const auto* b = dynamic_cast<const BottleneckAdapter*>(attached.method.get());
  const std::vector<NetPlace> all = nets(base, attached.name);
  const Index dim = base.model.width(), size = all[0].net->down.shape()[0];
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
  Json json{{"config", config},   {"name", attached.name},           {"hidden_size", dim}, {"model_type", model_type(base)},
            {"model_name", base_name}, {"model_class", model_class(base)}};
  NamedTensors tensors;
  for (const NetPlace& at : all) {
    const std::string key = at.key + attached.name + ".";
    tensors[key + "adapter_down.0.weight"] = at.net->down.value(),
                  tensors[key + "adapter_down.0.bias"] = at.net->down_bias.value();
    tensors[key + "adapter_up.weight"] = at.net->up.value(), tensors[key + "adapter_up.bias"] = at.net->up_bias.value();
  }
  std::error_code error;
  fs::create_directories(folder, error);
  expect<FileError>(!error, folder, ": the folder cannot be made: ", error.message());
  if (base.score) {
    NamedTensors head;
    write_head(base, attached.name, head, "");
    write_tensors((fs::path(folder) / "model_head.safetensors").string(), head);
    Json labels = Json::object();
    const Index count = head.begin()->second.rows();
    for (Index i = 0; i < count; ++i) labels[text("LABEL_", i)] = i;
    const Json head_config{{"config", nullptr},
                           {"hidden_size", dim},
                           {"label2id", labels},
                           {"model_class", json["model_class"]},
                           {"model_type", json["model_type"]},
                           {"model_name", base_name},
                           {"name", nullptr},
                           {"num_labels", count},
                           {"version", "adapters.1.3.0"}};
    formats::write_text((fs::path(folder) / "head_config.json").string(), head_config.dump(2) + "\n");
  }
  write_tensors((fs::path(folder) / "adapter.safetensors").string(), tensors);
  formats::write_text((fs::path(folder) / "adapter_config.json").string(), json.dump(2) + "\n");
}

const FileFormat adapterhub_file{{}, any_of<BottleneckAdapter>, nullptr, nullptr, save_adapterhub, expect_adapterhub_holds};

}  // namespace graft::peft
