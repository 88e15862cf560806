#include "tune/methods.h"

#include <algorithm>

#include "autograd/text.h"
#include "peft/bottleneck.h"
#include "peft/dora.h"
#include "peft/ensemble.h"
#include "peft/ia3.h"
#include "peft/lora.h"
#include "peft/lora_plus.h"
#include "peft/p_tuning.h"
#include "peft/p_tuning_v2.h"
#include "peft/prefix.h"
#include "peft/prompt.h"
#include "peft/quantize.h"
#include "peft/tune.h"

namespace graft::tune {
namespace {

using Strings = std::vector<std::string>;

/// value of the option among the words that it may be. Errors: ValueError lists them.
template <class T>
T one_of(const std::string& word, const char* option, const std::vector<std::pair<std::string, T>>& known) {
  std::string all;
  for (const auto& [name, value] : known) {
    if (name == word) return value;
    all += (all.empty() ? "" : ", ") + name;
  }
  throw ValueError(text(option, " \"", word, "\" is not one of ", all));
}

std::vector<Id> words(const MethodChoice& choice, const Tokenizer& tokenizer) { return tokenizer.encode(choice.text); }

peft::Lora lora(const MethodChoice& c) {
  using Init = peft::Lora::Init;
  peft::Lora method;
  if (c.r > 0) method.r = c.r;
  method.alpha = c.alpha > 0 ? static_cast<real>(c.alpha) : static_cast<real>(method.r);
  if (c.dropout >= 0) method.dropout = static_cast<real>(c.dropout);
  if (!c.targets.empty()) method.targets = c.targets;
  if (!c.init.empty())
    method.init = one_of<Init>(
        c.init, "init",
        {{"kaiming", Init::kaiming}, {"gaussian", Init::gaussian}, {"pissa", Init::pissa}, {"olora", Init::olora}});
  if (c.name == "pissa") method.init = Init::pissa;
  method.dora = c.name == "dora";
  method.rank_stabilized = c.name == "rslora";
  return method;
}

peft::BottleneckAdapter adapter(const MethodChoice& c) {
  using B = peft::BottleneckAdapter;
  B method;
  method.size = c.size;
  if (c.scale > 0) method.scale = static_cast<real>(c.scale);
  method.activation = c.activation;
  if (!c.form.empty())
    method.form = one_of<B::Form>(
        c.form, "form", {{"houlsby", B::Form::houlsby}, {"after-mlp", B::Form::after_mlp}, {"parallel", B::Form::parallel}});
  if (!c.init.empty())
    method.init = one_of<B::Init>(
        c.init, "init", {{"near-identity", B::Init::near_identity}, {"bert", B::Init::bert}, {"zero-up", B::Init::zero_up}});
  return method;
}

void set_prefix(peft::PrefixTuning& method, const MethodChoice& c, const Tokenizer& tokenizer) {
  using Init = peft::PrefixTuning::Init;
  if (c.length > 0) method.length = c.length;
  method.hidden = c.hidden;
  if (c.dropout >= 0) method.dropout = static_cast<real>(c.dropout);
  if (!c.init.empty())
    method.init = one_of<Init>(c.init, "init", {{"random", Init::random}, {"zero", Init::zero}, {"words", Init::words}});
  expect<ValueError>(c.text.empty() || method.init == Init::words, "text is for init words only");
  if (method.init != Init::words) return;
  method.words = words(c, tokenizer);
  expect<ValueError>(!method.words.empty(), "init words: text must say which words");
  const std::size_t n = method.words.size();
  for (std::size_t i = n; i < static_cast<std::size_t>(method.length); ++i) method.words.push_back(method.words[i % n]);
  method.words.resize(static_cast<std::size_t>(method.length));
}

peft::PromptTuning prompt(const MethodChoice& c, const Tokenizer& tokenizer, const Strings& labels) {
  using Init = peft::PromptTuning::Init;
  peft::PromptTuning method;
  if (c.length > 0) method.length = c.length;
  if (!c.init.empty())
    method.init = one_of<Init>(c.init, "init",
                               {{"vocabulary", Init::vocabulary},
                                {"random", Init::random},
                                {"uniform", Init::uniform},
                                {"text", Init::text},
                                {"labels", Init::labels}});
  expect<ValueError>(c.text.empty() || method.init == Init::text, "text is for init text only");
  if (method.init == Init::text) {
    method.text = words(c, tokenizer);
    expect<ValueError>(!method.text.empty(), "init text: text must say which words");
  }
  if (method.init == Init::labels) {
    expect<ValueError>(!labels.empty(), "init labels: the data have no labels");
    for (const std::string& label : labels) method.labels.push_back(tokenizer.encode(" " + label));
  }
  return method;
}

peft::PTuning p_tuning(const MethodChoice& c, const Tokenizer& tokenizer) {
  using P = peft::PTuning;
  P method;
  expect<ValueError>(c.pattern.empty() || c.length == 0, "virtual and template do not go together: a template has as many virtual tokens as [v]");
  expect<ValueError>(c.encoder != "none" || c.hidden == 0, "hidden is the width of an encoder, but encoder is none");
  if (!c.pattern.empty()) method.prompt_template = peft::parse_template(c.pattern, tokenizer);
  else if (c.length > 0) method.prompt_template = peft::front_template(c.length);
  if (!c.encoder.empty())
    method.encoder = one_of<P::Encoder>(c.encoder, "encoder",
                                        {{"lstm", P::Encoder::lstm}, {"mlp", P::Encoder::mlp}, {"none", P::Encoder::none}});
  method.hidden = c.hidden;
  if (c.hidden > 0) method.flavour = P::Flavour::peft;
  method.words = words(c, tokenizer);
  return method;
}

/// Which of the options were given, by the names in MethodKind::options.
Strings given(const MethodChoice& c) {
  Strings all;
  const auto add = [&](bool there, const char* name) {
    if (there) all.emplace_back(name);
  };
  add(c.r > 0, "r"), add(c.alpha > 0, "alpha"), add(c.dropout >= 0, "dropout"), add(c.ratio > 0, "ratio");
  add(!c.targets.empty(), "targets"), add(!c.init.empty(), "init"), add(!c.text.empty(), "text"), add(!c.form.empty(), "form");
  add(!c.encoder.empty(), "encoder"), add(!c.pattern.empty(), "template"), add(c.length > 0, "virtual"),
      add(c.hidden > 0, "hidden"), add(c.size > 0, "bottleneck"), add(c.prompts > 0, "prompts"), add(c.scale > 0, "scale"),
      add(!c.activation.empty(), "activation");
  return all;
}

/// Of a method that has no options.
template <class Method>
void plain(Making& m) {
  m.put(Method());
}

void qlora(Making& m) {
  bool packed = false;  // a model that came in blocks is packed already
  m.base.root.each([&](const std::string&, Part& part) { packed = packed || dynamic_cast<PackedPart*>(&part) != nullptr; });
  if (!packed) m.chosen.quantized = peft::quantize(m.base);
  m.put(lora(m.choice));
}

template <class Prefix>
void prefix(Making& m) {
  Prefix method;
  set_prefix(method, m.choice, m.tokenizer);
  m.put(method);
}

void ensemble(Making& m) {
  m.chosen.attached = peft::attach_ensemble(m.base, prompt(m.choice, m.tokenizer, m.labels),
                                            m.choice.prompts > 0 ? m.choice.prompts : 5, m.rng, "prompt");
}

}  // namespace

const std::vector<MethodKind>& method_kinds() {
  static const Strings of_lora{"r", "alpha", "dropout", "targets", "init"}, of_pissa{"r", "alpha", "dropout", "targets"},
      of_lora_plus{"r", "alpha", "dropout", "targets", "init", "ratio"},
      of_adapter{"bottleneck", "form", "scale", "activation", "init"},
      of_prefix{"virtual", "hidden", "dropout", "init", "text"},
      of_prompt{"virtual", "init", "text"}, of_ensemble{"virtual", "init", "text", "prompts"},
      of_p_tuning{"template", "virtual", "encoder", "hidden", "text"};
  const auto any_lora = [](Making& m) { m.put(lora(m.choice)); };
  const auto one_adapter = [](Making& m) { m.put(adapter(m.choice)); };
  const auto one_prompt = [](Making& m) { m.put(prompt(m.choice, m.tokenizer, m.labels)); };
  const auto one_p_tuning = [](Making& m) { m.put(p_tuning(m.choice, m.tokenizer)); };
  const std::string folder = "docs/methods/";
  static const std::vector<MethodKind> all{
      {"full", plain<peft::FullFineTuning>, "full fine-tuning", folder + "others.md", 5e-5, {}, true, true},
      {"probe", plain<peft::LinearProbe>, "linear probe", folder + "others.md", 1e-2, {}, false, true},
      {"bitfit", plain<peft::BitFit>, "BitFit", folder + "others.md", 1e-3, {}, true, true},
      {"layernorm", plain<peft::LayerNormTuning>, "LayerNorm tuning", folder + "others.md", 1e-3, {}, true, true},
      {"ia3", plain<peft::Ia3>, "IA3", folder + "others.md", 5e-3, {}, true, true},
      {"lora", any_lora, "LoRA", folder + "lora.md", 5e-4, of_lora, true, true},
      {"rslora", any_lora, "rsLoRA", folder + "lora.md", 5e-4, of_lora, true, true},
      {"lora-plus", any_lora, "LoRA+", folder + "lora.md", 1e-4, of_lora_plus, true, true},
      {"dora", any_lora, "DoRA", folder + "lora.md", 5e-4, of_lora, true, true},
      {"pissa", any_lora, "PiSSA", folder + "lora.md", 2e-4, of_pissa, true, true},
      {"qlora", qlora, "QLoRA", folder + "qlora.md", 5e-4, of_lora, true, true},
      {"adapter", one_adapter, "Adapter", folder + "adapter.md", 1e-3, of_adapter, true, true},
      {"prefix", prefix<peft::PrefixTuning>, "prefix tuning", folder + "prefix-tuning.md", 5e-3, of_prefix, true, true},
      {"prompt", one_prompt, "prompt tuning", folder + "prompt-tuning.md", 1e-2, of_prompt, true, true},
      {"ensemble", ensemble, "prompt ensemble", folder + "prompt-tuning.md", 1e-2, of_ensemble, true, true},
      {"p-tuning", one_p_tuning, "P-tuning", folder + "p-tuning.md", 1e-3, of_p_tuning, true, true},
      {"p-tuning-v2", prefix<peft::PTuningV2>, "P-tuning v2", folder + "p-tuning-v2.md", 5e-3, of_prefix, false, true},
  };
  return all;
}

const MethodKind& method_kind(const std::string& name) {
  std::string known;
  for (const MethodKind& kind : method_kinds()) {
    if (kind.name == name) return kind;
    known += (known.empty() ? "" : ", ") + kind.name;
  }
  throw ValueError(text("there is no method \"", name, "\", but ", known));
}

Strings Chosen::names() const { return peft::names_of(attached); }

Chosen attach(const peft::BaseModel& base, const MethodChoice& c, const Tokenizer& tokenizer, const Strings& labels, Rng& rng) {
  const MethodKind& kind = method_kind(c.name);
  for (const std::string& option : given(c))
    expect<ValueError>(std::find(kind.options.begin(), kind.options.end(), option) != kind.options.end(), kind.title, " has no option ",
                       option, kind.options.empty() ? "; it has none" : "; it has " + joined(kind.options));
  Chosen chosen{c, {}, 0};
  Making making{base, c, tokenizer, labels, rng, chosen};
  kind.put(making);
  return chosen;
}

std::string Chosen::title() const {
  const std::string &name = method_kind(choice.name).title, made = attached.at(0).method->kind();
  return name.find(made) != std::string::npos ? name : name + " (" + made + ")";
}

std::vector<train::Group> groups(const peft::BaseModel& base, const Chosen& chosen) {
  std::map<const Param*, real> factors;
  if (chosen.choice.name == "lora-plus")
    for (const peft::RateGroup& group :
         peft::lora_plus(base, chosen.attached[0].name, chosen.choice.ratio > 0 ? static_cast<real>(chosen.choice.ratio) : 16))
      for (const Param* parameter : group.parameters) factors[parameter] = group.factor;
  std::map<std::pair<real, bool>, train::NamedParams> sorted;
  for (const auto& named : peft::learning(base)) {
    const auto factor = factors.find(named.second);
    sorted[{factor == factors.end() ? 1 : factor->second, named.second->shape().rank() > 1}].push_back(named);
  }
  std::vector<train::Group> all;
  for (auto& [key, parameters] : sorted) all.push_back({std::move(parameters), key.first, key.second});
  return all;
}

}  // namespace graft::tune
