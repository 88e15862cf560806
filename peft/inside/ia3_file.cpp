// IA3: <module>.ia3_l, [out, 1] where the output is scaled, [1, in] where the input is (feedforward_modules).
#include <algorithm>
#include <optional>

#include "autograd/sizes.h"
#include "nn/names.h"
#include "peft/ia3.h"
#include "peft/inside/adapter_parts.h"
#include "peft/inside/target_modules.h"

namespace graft::peft {
namespace {

using Json = nlohmann::json;
const std::string prefix = "base_model.model.";

/// Which of the modules scale their input. For PEFT the names in a list are ends of text here, not of dotted words.
class Feedforward {
 public:
  Feedforward(const AdapterConfig& config, std::vector<std::string> by_default) : ends_(std::move(by_default)) {
    if (!config.has("feedforward_modules")) return;
    ends_ = config.words("feedforward_modules");
    if (config.is_word("feedforward_modules")) regex_ = config.regex(ends_[0], "feedforward_modules");
  }
  bool has(const std::string& module) const {
    if (regex_) return regex_->fullmatch(module);
    return std::any_of(ends_.begin(), ends_.end(), [&](const std::string& end) {
      return module.size() >= end.size() && module.compare(module.size() - end.size(), std::string::npos, end) == 0;
    });
  }

 private:
  std::optional<Regex> regex_;
  std::vector<std::string> ends_;
};

}  // namespace

static Attached read_ia3(const BaseModel& base, const AdapterConfig& config, Keys& keys, const std::string& name) {
  const bool gpt2 = model_type(base) == "gpt2";
  using Words = std::vector<std::string>;
  const std::vector<HfModule> modules =
      targets_of(base, config, gpt2 ? Words{"c_attn", "mlp.c_proj"} : Words{"k_proj", "v_proj", "down_proj"}, false);
  const Feedforward feedforward(config, gpt2 ? Words{"mlp.c_proj"} : Words{"down_proj"});
  config.expect_all_known({"fan_in_fan_out", "init_ia3_weights"});
  Ia3 ia3;
  ia3.outputs.clear(), ia3.inputs.clear();
  ia3.also = saved_modules(base, config.words("modules_to_save"));
  for (const HfModule& m : modules) {
    if (m.table) config.refuse("target_modules", "\"" + m.name + "\", a table");
    for (const std::string& path : m.paths) (feedforward.has(m.name) ? ia3.inputs : ia3.outputs).push_back(path);
  }
  expect_vocabulary(base, keys, prefix);
  Rng rng(0);
  Attached attached = attach(base, ia3, rng, name);
  const auto wrappers = holders<Ia3Linear, Projection>(base, name);
  for (const HfModule& m : modules) {
    const bool input = feedforward.has(m.name);
    const Index parts = size_of(m.paths), n = input ? m.in : m.out;
    const Tensor l = keys.take(prefix + m.name + ".ia3_l", input ? Shape{1, n} : Shape{n, 1}, m.paths[0]).reshape(Shape{n});
    for (Index i = 0; i < parts; ++i)  // q, k and v of c_attn have one input
      wrappers.at(nth(m.paths, i))
          ->entry(name)
          .l.set(input ? l.clone() : rows_part(l, i, parts).clone());
  }
  read_variants(base, name, keys, [](const std::string&, const std::string& hf) { return prefix + hf; });
  read_head(base, name, keys, prefix);
  read_tables(base, name, keys, prefix);
  read_repeats(keys);
  return attached;
}

static void write_ia3(const BaseModel& base, const Attached& attached, Json& config, NamedTensors& tensors) {
  const std::string& name = attached.name;
  Json targets = Json::array(), feedforward = Json::array();
  const auto wrappers = holders<Ia3Linear, Projection>(base, name);
  for (const HfModule& m : hf_modules(base)) {
    std::vector<Tensor> parts;
    std::size_t scaled = 0, inputs = 0;
    for (const std::string& path : m.paths) {
      const auto found = wrappers.find(path);
      const Ia3Scales* s = found == wrappers.end() ? nullptr : &found->second->entry(name);
      scaled += s != nullptr, inputs += s && s->at_input;
      parts.push_back(s ? s->l.value() : Tensor(Shape{m.out / size_of(m.paths)}, 1));  // ones change nothing
    }
    if (scaled == 0) continue;
    const auto same = [&](const Tensor& l) { return std::equal(l.data(), l.data() + l.numel(), parts[0].data()); };
    expect<ValueError>(inputs == 0 || (inputs == parts.size() && std::all_of(parts.begin(), parts.end(), same)),
                       "save_adapter: the parts of ", m.name,
                       " have different input scales, and PEFT has one scale for all");
    const Tensor l = inputs > 0 ? parts[0] : stacked(parts);
    tensors[prefix + m.name + ".ia3_l"] = l.reshape(inputs > 0 ? Shape{1, l.numel()} : Shape{l.numel(), 1});
    targets.push_back(m.name);
    if (inputs > 0) feedforward.push_back(m.name);
  }
  config["peft_type"] = "IA3";
  config["target_modules"] = targets, config["feedforward_modules"] = feedforward;
  config["fan_in_fan_out"] = model_type(base) == "gpt2";
  config["modules_to_save"] = saved_names(base, dynamic_cast<const Ia3&>(*attached.method).also);
  write_variants(base, name, tensors, [](const std::string&, const std::string& hf) { return prefix + hf; });
  write_head(base, name, tensors, prefix);
  write_tables(base, name, tensors, prefix);
}

const FileFormat ia3_file{{"IA3"}, any_of<Ia3>, read_ia3, write_ia3};

}  // namespace graft::peft
