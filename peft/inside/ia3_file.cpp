// IA3: <module>.ia3_l, [out, 1] where the output is scaled, [1, in] where the input is (feedforward_modules).
#include <algorithm>
#include <optional>
#include <regex>

#include "nn/names.h"
#include "peft/ia3.h"
#include "peft/inside/adapter_parts.h"

namespace graft::peft {
namespace {

using Json = nlohmann::json;
const std::string prefix = "base_model.model.";

Ia3Linear::Scales* find(const Host& host, const std::string& path, const std::string& name) {
  for (const auto& slot : host.root.slots<Projection>()) {
    if (slot.first != path || slot.second->empty()) continue;
    for (Module* at = &**slot.second; at != nullptr;) {
      auto* wrapper = dynamic_cast<Ia3Linear*>(at);
      if (wrapper && wrapper->holds(name)) return &wrapper->scales(name);
      auto* wraps = dynamic_cast<Wraps<Projection>*>(at);
      at = wraps ? static_cast<Module*>(&*wraps->base) : nullptr;
    }
  }
  return nullptr;
}

}  // namespace

Attached read_ia3(const Host& host, const ConfigReader& config, const Json& json, Keys& keys, const std::string& name) {
  const bool gpt2 = model_type(host) == "gpt2";
  using Words = std::vector<std::string>;
  const std::vector<HfModule> modules =
      targets_of(host, config, json, gpt2 ? Words{"c_attn", "mlp.c_proj"} : Words{"k_proj", "v_proj", "down_proj"});
  Words feedforward = gpt2 ? Words{"mlp.c_proj"} : Words{"down_proj"};
  if (config.has("feedforward_modules")) feedforward = words_of(config, json, "feedforward_modules");
  std::optional<std::regex> expression;
  if (config.has("feedforward_modules") && json["feedforward_modules"].is_string()) try {
      if (feedforward[0].size() > 1000) config.refuse("feedforward_modules", "an expression of more than 1000 bytes");
      expression = std::regex(feedforward[0]);
    } catch (const std::regex_error&) {
      config.refuse("feedforward_modules", "\"" + feedforward[0] + "\", no regular expression");
    }
  Ia3 ia3;
  ia3.outputs.clear(), ia3.inputs.clear();
  ia3.also = saved_modules(host, words_of(config, json, "modules_to_save"));
  const auto at_input = [&](const HfModule& m) {  // PEFT wants no dot before the ending here
    if (expression) return std::regex_match(m.name, *expression);
    return std::any_of(feedforward.begin(), feedforward.end(), [&](const std::string& f) {
      return m.name.size() >= f.size() && m.name.compare(m.name.size() - f.size(), f.size(), f) == 0;
    });
  };
  for (const HfModule& m : modules) {
    if (m.table || m.paths.size() == 0) config.refuse("target_modules", "\"" + m.name + "\", a table");
    if (at_input(m) && m.paths.size() > 1)
      config.refuse("feedforward_modules", "\"" + m.name + "\", which is cut into q, k and v");
    for (const std::string& path : m.paths) (at_input(m) ? ia3.inputs : ia3.outputs).push_back(path);
  }
  expect_vocabulary(host, keys, prefix);
  Rng rng(0);
  Attached attached = attach(host, ia3, rng, name);
  try {
    for (const HfModule& m : modules) {
      const Index parts = static_cast<Index>(m.paths.size()), n = find(host, m.paths[0], name)->l.numel() * parts;
      const Tensor l =
          keys.take(prefix + m.name + ".ia3_l", at_input(m) ? Shape{1, n} : Shape{n, 1}, m.paths[0]).reshape(Shape{n});
      for (Index i = 0; i < parts; ++i)
        find(host, m.paths[static_cast<std::size_t>(i)], name)->l.give(rows_part(l, i, parts).clone());
    }
    read_variants(host, name, keys, [](const std::string&, const std::string& hf) { return prefix + hf; });
    read_head(host, name, keys, prefix);
    read_tables(host, name, keys, prefix);
    read_repeats(keys);
  } catch (...) {
    detach(host, attached);
    throw;
  }
  return attached;
}

void write_ia3(const Host& host, const Attached& attached, Json& config, Named_tensors& tensors) {
  const std::string& name = attached.name;
  Json targets = Json::array(), feedforward = Json::array();
  for (const HfModule& m : hf_modules(host)) {
    std::vector<Tensor> parts;
    bool any = false, input = false;
    for (const std::string& path : m.paths) {
      const Ia3Linear::Scales* s = m.table ? nullptr : find(host, path, name);
      any = any || s;
      input = input || (s && s->at_input);
      Index out = 0;
      for (const auto& slot : host.root.slots<Projection>())
        if (slot.first == path) out = (*slot.second)->out();
      parts.push_back(s ? s->l.value() : Tensor(Shape{out}, 1));  // ones change nothing
    }
    if (!any) continue;
    expect<ValueError>(!input || m.paths.size() == 1, "save_adapter: PEFT cannot scale the input of a part of ", m.name);
    const Tensor l = stacked(parts);
    tensors[prefix + m.name + ".ia3_l"] = l.reshape(input ? Shape{1, l.numel()} : Shape{l.numel(), 1});
    targets.push_back(m.name);
    if (input) feedforward.push_back(m.name);
  }
  config["peft_type"] = "IA3";
  config["target_modules"] = targets, config["feedforward_modules"] = feedforward;
  config["fan_in_fan_out"] = model_type(host) == "gpt2";
  config["modules_to_save"] = saved_names(host, dynamic_cast<const Ia3&>(*attached.method).also);
  write_variants(host, name, tensors, [](const std::string&, const std::string& hf) { return prefix + hf; });
  write_head(host, name, tensors, prefix);
  write_tables(host, name, tensors, prefix);
}

}  // namespace graft::peft
