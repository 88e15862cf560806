// PREFIX_TUNING, PROMPT_TUNING, P_TUNING: one tensor prompt_embeddings, and base_model.score.weight for classifiers (GPT-2's of
// tokens: base_model.classifier).
#include "nn/attention.h"
#include "nn/names.h"
#include "peft/inside/adapter_parts.h"
#include "peft/p_tuning.h"
#include "peft/p_tuning_v2.h"
#include "peft/prefix.h"
#include "peft/prompt.h"

namespace graft::peft {
namespace {

using Json = nlohmann::json;
const char* const key = "prompt_embeddings";

Prefix* prefix_of(const BaseModel& base) { return dynamic_cast<Prefix*>(&*base.model.memory); }
VirtualTable* table_of(const BaseModel& base, const std::string& name) {
  for (Module* at = &*base.model.table(); at != nullptr;) {
    auto* table = dynamic_cast<VirtualTable*>(at);
    if (table && table->holds(name)) return table;
    auto* wraps = dynamic_cast<Wraps<Table>*>(at);
    at = wraps ? static_cast<Module*>(&*wraps->base) : nullptr;
  }
  return nullptr;
}

Json to_json(const PromptTemplate& prompt_template) {
  Json pieces = Json::array();
  for (const Piece& piece : prompt_template) switch (piece.kind) {
      case Piece::Kind::virtual_tokens: pieces.push_back({{"virtual_tokens", piece.count}}); break;
      case Piece::Kind::words: pieces.push_back({{"words", piece.ids}}); break;
      case Piece::Kind::sentence: pieces.push_back("sentence"); break;
      case Piece::Kind::answer: pieces.push_back("answer"); break;
    }
  return pieces;
}

PromptTemplate from_json(const AdapterConfig& config, const Json& pieces) {
  PromptTemplate prompt_template;
  if (!pieces.is_array()) config.refuse("graft_template", pieces.type_name());
  for (const Json& piece : pieces) {
    if (piece == "sentence") prompt_template.push_back({Piece::Kind::sentence});
    else if (piece == "answer") prompt_template.push_back({Piece::Kind::answer});
    else if (piece.is_object() && piece.size() == 1 && piece.contains("virtual_tokens") &&
             piece["virtual_tokens"].is_number_unsigned() && piece["virtual_tokens"].get<std::uint64_t>() < (1u << 24))
      prompt_template.push_back({Piece::Kind::virtual_tokens, piece["virtual_tokens"].get<Index>()});
    else if (piece.is_object() && piece.size() == 1 && piece.contains("words") && piece["words"].is_array()) {
      Piece words{Piece::Kind::words};
      for (const Json& id : piece["words"]) {
        if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= (1u << 31)) config.refuse("graft_template", id.dump());
        words.ids.push_back(id.get<Id>());
      }
      prompt_template.push_back(words);
    } else config.refuse("graft_template", piece.dump().substr(0, 60));
  }
  check_template(prompt_template);
  return prompt_template;
}

}  // namespace

static Attached read_soft(const BaseModel& base, const AdapterConfig& config, Keys& keys, const std::string& name) {
  const std::string type = config.word("peft_type");
  const Index P = config.size("num_virtual_tokens");
  const auto same = [&](const char* field, Index here) {
    if (config.has(field) && config.size(field) != here)
      config.refuse(field, text(config.size(field), ", but this model has ", here));
  };
  same("num_layers", base.model.layer_count());
  if (type == "PREFIX_TUNING") {
    const auto attentions = base.root.slots<Attention>();
    const AttentionSizes sizes = attentions.empty() ? AttentionSizes{} : (*attentions[0].second)->sizes;
    same("token_dim", sizes.kv_heads * sizes.head_dim);
    same("num_attention_heads", sizes.kv_heads);
  } else {
    same("token_dim", base.model.width());
  }
  const Json* pieces = type == "GRAFT_P_TUNING" ? config.find("graft_template") : nullptr;
  // How the tokens were trained: encoders are flattened in the file, a start is past. modules_to_save is what the tensors say.
  config.expect_all_known({"num_attention_heads", "num_transformer_submodules", "modules_to_save", "prefix_projection",
                           "encoder_hidden_size",
                           "init_weights", "prompt_tuning_init", "prompt_tuning_init_text", "tokenizer_name_or_path",
                           "tokenizer_kwargs", "encoder_reparameterization_type", "encoder_num_layers", "encoder_dropout"});
  expect_vocabulary(base, keys, "base_model.");
  Rng rng(0);
  Attached attached;
  const formats::TensorEntry* entry = keys.find(key);  // before a wrong P allocates a lot of memory
  expect<FormatError>(entry && !entry->shape.empty() && entry->shape[0] == P, [&] {
    return text(keys.path(), ": \"", key, "\" must have ", P, " rows, as num_virtual_tokens says, but has ",
                entry && !entry->shape.empty() ? entry->shape[0] : 0);
  });
  if (type == "PREFIX_TUNING") {
    PrefixTuning prefix;
    prefix.length = P, prefix.init = PrefixTuning::Init::zero;
    attached = attach(base, prefix, rng, name);
  } else if (type == "PROMPT_TUNING") {
    PromptTuning prompt;
    prompt.length = P, prompt.init = PromptTuning::Init::vocabulary;
    attached = attach(base, prompt, rng, name);
  } else {
    PTuning p;
    p.encoder = PTuning::Encoder::none;
    p.prompt_template = pieces ? from_json(config, *pieces) : front_template(P);
    if (virtual_count(p.prompt_template) != P)
      config.refuse("num_virtual_tokens", text(P, ", but the template has ", virtual_count(p.prompt_template)));
    attached = attach(base, p, rng, name);
  }
  Param& rows = type == "PREFIX_TUNING" ? *prefix_of(base)->entry(name).flat
                                        : dynamic_cast<TrainedRows&>(*table_of(base, name)->entry(name).rows).rows;
  rows.set(keys.take(key, rows.shape(), attached.method->kind()));
  read_head(base, name, keys, "base_model.");
  read_tables(base, name, keys, "base_model.");
  return attached;
}

static void write_soft(const BaseModel& base, const Attached& attached, Json& config, NamedTensors& tensors) {
  const std::string& name = attached.name;
  const NoGrad no_grad;
  Tensor rows;
  config["num_layers"] = base.model.layer_count();
  config["num_transformer_submodules"] = 1;
  if (dynamic_cast<const PrefixTuning*>(attached.method.get())) {
    const Prefix& prefix = *prefix_of(base);
    rows = prefix.entry(name)().value();
    config["peft_type"] = "PREFIX_TUNING";
    config["prefix_projection"] = false;  // flat now, whatever it was
    config["token_dim"] = prefix.width(), config["num_attention_heads"] = prefix.heads;
    config["encoder_hidden_size"] = prefix.width();
  } else {
    rows = (*table_of(base, name)->entry(name).rows)().value();
    config["token_dim"] = base.model.width();
    const auto* p = dynamic_cast<const PTuning*>(attached.method.get());
    config["peft_type"] = p ? "P_TUNING" : "PROMPT_TUNING";
    const auto front = [](const PromptTemplate& t) {
      return t.size() == 3 && t[0].kind == Piece::Kind::virtual_tokens && t[1].kind == Piece::Kind::sentence;
    };
    if (p) config["encoder_hidden_size"] = base.model.width();
    if (p && !front(p->prompt_template)) {  // PEFT knows virtual tokens in front only, and must not read this as such
      config["peft_type"] = "GRAFT_P_TUNING";
      config["graft_template"] = to_json(p->prompt_template);
    }
  }
  config["num_virtual_tokens"] = rows.rows();
  config["modules_to_save"] = base.score ? Json::array({"classifier", "score"}) : Json(nullptr);
  tensors[key] = rows;
  write_head(base, name, tensors, "base_model.");
  write_tables(base, name, tensors, "base_model.");
}

const FileFormat soft_file{{"PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING", "GRAFT_P_TUNING"},
                           any_of<PrefixTuning, PromptTuning, PTuning>,
                           read_soft,
                           write_soft};

}  // namespace graft::peft
