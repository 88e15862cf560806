#include "nn/names.h"

#include <map>

#include "nn/gpt2.h"
#include "nn/llama.h"

namespace graft {
namespace {

/// "layers.3.attn.q.weight" -> 3, "attn.q", "weight"; "norm.weight" -> -1, "norm", "weight"
struct Parsed {
  Index layer = -1;
  std::string module, leaf;
};
Parsed parsed(const std::string& path) {
  Parsed p;
  std::string rest = path;
  if (rest.rfind("layers.", 0) == 0) {
    const std::size_t dot = rest.find('.', 7);
    p.layer = std::stoll(rest.substr(7, dot - 7));
    rest = rest.substr(dot + 1);
  }
  const std::size_t dot = rest.rfind('.');
  p.module = rest.substr(0, dot);
  p.leaf = dot == std::string::npos ? "" : rest.substr(dot + 1);
  return p;
}

[[noreturn]] void unnamed(const std::string& path, const char* files) {
  throw ValueError(text("the parameter ", path, " has no name in ", files, "; only a plain model can be read or written, so what is ",
                        "attached to it must be detached or merged first"));
}

/// These are outside the transformer. "classifier" is that of tokens, which Llama's files call score.
bool is_head(const std::string& module) { return module == "head" || module == "score" || module == "classifier"; }

FilePlace gpt2_place(const std::string& path, const std::string& prefix) {
  const Parsed p = parsed(path);
  static const std::map<std::string, FilePlace> in_layer{{"norm", {"ln_1"}},
                                                     {"attn.q", {"attn.c_attn", true, 0, 3}},
                                                     {"attn.k", {"attn.c_attn", true, 1, 3}},
                                                     {"attn.v", {"attn.c_attn", true, 2, 3}},
                                                     {"attn.out", {"attn.c_proj", true}},
                                                     {"mlp.norm", {"ln_2"}},
                                                     {"mlp.up", {"mlp.c_fc", true}},
                                                     {"mlp.down", {"mlp.c_proj", true}}};
  static const std::map<std::string, FilePlace> outside{{"embed", {"wte"}},   {"positions", {"wpe"}},
                                                    {"norm", {"ln_f"}},   {"head", {"lm_head"}},
                                                    {"score", {"score"}}, {"classifier", {"classifier"}}};
  const auto& table = p.layer >= 0 ? in_layer : outside;
  const auto found = table.find(p.module);
  if (found == table.end()) unnamed(path, "Hugging Face's GPT-2");
  FilePlace place = found->second;
  const bool bare = is_head(p.module);
  place.name = text(bare ? "" : prefix, p.layer >= 0 ? text("h.", p.layer, ".") : "", place.name, ".", p.leaf);
  return place;
}

FilePlace llama_place(const std::string& path, const std::string& prefix) {
  const Parsed p = parsed(path);
  static const std::map<std::string, std::string> in_layer{
      {"norm", "input_layernorm"},    {"attn.q", "self_attn.q_proj"},   {"attn.k", "self_attn.k_proj"},
      {"attn.v", "self_attn.v_proj"}, {"attn.out", "self_attn.o_proj"}, {"mlp.norm", "post_attention_layernorm"},
      {"mlp.gate", "mlp.gate_proj"},  {"mlp.up", "mlp.up_proj"},        {"mlp.down", "mlp.down_proj"}};
  static const std::map<std::string, std::string> outside{
      {"embed", "embed_tokens"}, {"norm", "norm"}, {"head", "lm_head"}, {"score", "score"}, {"classifier", "score"}};
  const auto& table = p.layer >= 0 ? in_layer : outside;
  const auto found = table.find(p.module);
  if (found == table.end()) unnamed(path, "Hugging Face's Llama");
  const bool bare = is_head(p.module);
  return {text(bare ? "" : prefix, p.layer >= 0 ? text("layers.", p.layer, ".") : "", found->second, ".", p.leaf)};
}

}  // namespace

std::string hugging_face_prefix(const Model& model) { return dynamic_cast<const Gpt2*>(&model) ? "transformer." : "model."; }

FilePlace hugging_face_place(const Model& model, const std::string& path, const std::string& prefix) {
  return dynamic_cast<const Gpt2*>(&model) ? gpt2_place(path, prefix) : llama_place(path, prefix);
}

bool is_tied(const Model& model) {
  const void *table = nullptr, *head = nullptr;
  model.each([&](const std::string& path, Part& part) {
    if (path != "embed.weight" && path != "head.weight") return;
    const void* identity = nullptr;
    if (auto* param = dynamic_cast<Param*>(&part)) identity = param->identity();
    if (auto* packed = dynamic_cast<PackedPart*>(&part)) identity = packed->operator->();
    (path == "embed.weight" ? table : head) = identity;
  });
  return head != nullptr && table == head;
}

FilePlace gguf_place(const Model& model, const std::string& path) {
  const auto* llama = dynamic_cast<const Llama*>(&model);
  if (!llama) unnamed(path, "GGUF files");
  const Parsed p = parsed(path);
  static const std::map<std::string, std::string> in_layer{
      {"norm", "attn_norm"},    {"attn.q", "attn_q"},        {"attn.k", "attn_k"},
      {"attn.v", "attn_v"},     {"attn.out", "attn_output"}, {"mlp.norm", "ffn_norm"},
      {"mlp.gate", "ffn_gate"}, {"mlp.up", "ffn_up"},        {"mlp.down", "ffn_down"}};
  static const std::map<std::string, std::string> outside{{"embed", "token_embd"}, {"norm", "output_norm"}, {"head", "output"}};
  const auto& table = p.layer >= 0 ? in_layer : outside;
  const auto found = table.find(p.module);
  if (found == table.end()) unnamed(path, "GGUF files");
  FilePlace place{text(p.layer >= 0 ? text("blk.", p.layer, ".") : "", found->second, ".", p.leaf)};
  if (p.module == "attn.q") place.interleaved = llama->config.heads;
  if (p.module == "attn.k") place.interleaved = llama->config.kv_heads;
  return place;
}

/// llama.cpp stores row (h, s, j) of Hugging Face, s the half and j the pair, at (h, j, s).
std::vector<Index> deinterleaved(Index rows, Index heads) {
  const Index d = rows / heads, half = d / 2;
  std::vector<Index> order;
  order.reserve(static_cast<std::size_t>(rows));
  for (Index h = 0; h < heads; ++h)
    for (Index s = 0; s < 2; ++s)
      for (Index j = 0; j < half; ++j) order.push_back(h * d + 2 * j + s);
  return order;
}

}  // namespace graft
