// GGUF files of the llama architecture: packed blocks stay where they are, in the mapped file; rows of q and k, which llama.cpp
// stores in another order, are copied into Hugging Face's; plain floats become parameters.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "autograd/blocks.h"
#include "autograd/ledger.h"
#include "autograd/sizes.h"
#include "autograd/text.h"
#include "formats/gguf.h"
#include "formats/safetensors.h"
#include "nn/inside/gguf_keys.h"
#include "nn/inside/load.h"
#include "nn/layers.h"
#include "nn/llama.h"
#include "nn/names.h"

namespace graft {
namespace {

using formats::Gguf;
using formats::GgufTensor;

/// The mapped file with its line in the ledger; packed weights hold on to it.
struct Mapped {
  std::shared_ptr<const formats::MappedFile> file;
  Registered registered;
  explicit Mapped(std::shared_ptr<const formats::MappedFile> f)
      : file(std::move(f)),
        registered(Category::mapped, file->size()) {}
};

Index size(const Gguf& g, const std::string& key) {
  const std::int64_t n = g.integer(key);
  expect<FormatError>(n > 0 && n < (std::int64_t(1) << 31), g.path(), ": the key ", key, " is ", n, ", but must be positive");
  return n;
}

/// As llama.cpp reads it: the default type is linear, the factor's older name counts where the newer is missing, and 0 means 1.
RopeScaling scaling_of(const Gguf& g) {
  const std::string type = "llama.rope.scaling.type", key = "llama.rope.scaling.factor", older = "llama.rope.scale_linear";
  const std::string kind = g.has(type) ? g.text(type) : "linear";
  expect<FormatError>(kind == "linear" || kind == "none", g.path(), ": ", type, " is \"", kind,
                      "\"; known are none and linear");
  const double factor = g.has(key) ? g.real(key) : g.real(older, 0);
  expect<FormatError>(std::isfinite(factor) && factor >= 0, g.path(), ": ", g.has(key) ? key : older, " is ", factor,
                      ", but must be above 0");
  RopeScaling s;
  if (kind == "none" || factor == 0 || factor == 1) return s;
  s.kind = RopeScaling::Kind::linear, s.factor = factor;
  return s;
}

LlamaConfig config_of(const Gguf& g) {
  const std::string& architecture = g.text("general.architecture");
  expect<FormatError>(architecture == "llama", g.path(), ": general.architecture is \"", architecture,
                      "\", which graft does not know; known is llama");
  LlamaConfig c;
  c.layers = size(g, "llama.block_count");
  c.context = size(g, "llama.context_length");
  c.dim = size(g, "llama.embedding_length");
  c.hidden = size(g, "llama.feed_forward_length");
  c.heads = size(g, "llama.attention.head_count");
  c.kv_heads = g.integer("llama.attention.head_count_kv", c.heads);
  c.eps = static_cast<real>(g.real("llama.attention.layer_norm_rms_epsilon"));
  c.rope_theta = g.real("llama.rope.freq_base", 10000);
  expect<FormatError>(g.has("llama.attention.key_length") || c.dim % c.heads == 0, g.path(), ": llama.embedding_length ", c.dim,
                      " cannot be cut into llama.attention.head_count ", c.heads, " heads evenly");
  c.head_dim = g.integer("llama.attention.key_length", c.dim / c.heads);
  const Index rotated = g.integer("llama.rope.dimension_count", c.head_dim);
  expect<FormatError>(rotated == c.head_dim, g.path(), ": llama.rope.dimension_count is ", rotated, ", but heads of ",
                      c.head_dim, " are rotated whole");
  expect<FormatError>(g.integer("llama.attention.value_length", c.head_dim) == c.head_dim, g.path(),
                      ": llama.attention.value_length differs from the key's ", c.head_dim, ", which graft does not compute");
  c.rope_scaling = scaling_of(g);
  expect_known_keys(g, static_cast<double>(c.head_dim));
  const GgufTensor* embed = g.find("token_embd.weight");
  expect<FormatError>(embed && embed->shape.size() == 2, g.path(), ": the tensor token_embd.weight is missing or no matrix");
  c.vocabulary = embed->shape[0];
  expect<FormatError>(g.integer("llama.vocab_size", c.vocabulary) == c.vocabulary, g.path(),
                      ": llama.vocab_size differs from the ", c.vocabulary, " rows of token_embd.weight");
  expect<FormatError>(
      !g.has("tokenizer.ggml.tokens") || static_cast<Index>(g.texts("tokenizer.ggml.tokens").size()) == c.vocabulary, g.path(),
      ": tokenizer.ggml.tokens differs in length from the ", c.vocabulary, " rows of token_embd.weight");
  c.tied = g.find("output.weight") == nullptr;
  c.attention_bias = g.find("blk.0.attn_q.bias") != nullptr;
  c.mlp_bias = g.find("blk.0.ffn_up.bias") != nullptr;
  expect<FormatError>(c.layers <= size_of(g.tensors()), g.path(), ": llama.block_count is ", c.layers,
                      ", but there are ", g.tensors().size(), " tensors in all");
  return c;
}

struct Loader {
  const Gguf& g;
  Llama& model;
  std::shared_ptr<const Mapped> mapped;
  std::set<std::string> used;

  const GgufTensor& tensor(const std::string& name, const std::vector<Index>& shape) {
    const GgufTensor* t = g.find(name);
    expect<FormatError>(t != nullptr, g.path(), ": the tensor ", name, " is missing");
    expect<FormatError>(t->shape == shape, [&] {
      return text(g.path(), ": the tensor ", name, " has shape [", joined(t->shape), "], but the keys ask for [", joined(shape), "]");
    });
    used.insert(name);
    return *t;
  }

  BlockFormat block(const GgufTensor& t) const {
    for (const BlockFormat f : {BlockFormat::f32, BlockFormat::f16, BlockFormat::bf16, BlockFormat::q4_0, BlockFormat::q4_1,
                                BlockFormat::q5_0, BlockFormat::q5_1, BlockFormat::q8_0, BlockFormat::q4_K, BlockFormat::q6_K})
      if (static_cast<std::uint32_t>(f) == t.type) return f;
    const char* known = formats::gguf_type_name(t.type);
    throw FormatError(text(g.path(), ": the tensor ", t.name, " is stored as ", known ? known : "an unknown type", " (", t.type,
                           "); graft reads F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4_K Q6_K"));
  }

  /// A small or plain one: unpacked into a parameter.
  void give(Param& param, const std::string& path) {
    const FilePlace place = gguf_place(model, path);
    const Shape& shape = param.shape();
    const GgufTensor& t = tensor(place.name, {shape.begin(), shape.end()});
    Tensor numbers(shape);
    const BlockFormat format = block(t);
    const Index cols = shape.cols(), rows = shape.rows();
    if (place.interleaved > 0 && shape.rank() == 2) {
      packed_blocks_in_order(format, rows, cols, t.data, deinterleaved(rows, place.interleaved))
          ->unpack(0, rows, numbers.write());
    } else if (place.interleaved > 0) {
      Tensor stored(shape);
      unpack_blocks(format, t.data, cols, stored.write());
      const std::vector<Index> order = deinterleaved(cols, place.interleaved);
      real* to = numbers.write();
      for (Index i = 0; i < cols; ++i) to[i] = stored[nth(order, i)];
    } else {
      packed_blocks(format, rows, cols, t.data, mapped)->unpack(0, rows, numbers.write());
    }
    param.set(std::move(numbers));
    mapped->file->forget(t.data, t.bytes);
  }

  /// A matrix that stays packed; null if it is plain F32 and becomes a parameter.
  Packed pack(const std::string& path, Index rows, Index cols) {
    const FilePlace place = gguf_place(model, path);
    const GgufTensor& t = tensor(place.name, {rows, cols});
    const BlockFormat format = block(t);
    if (format == BlockFormat::f32) return nullptr;
    if (place.interleaved == 0) return packed_blocks(format, rows, cols, t.data, mapped);
    Packed copy = packed_blocks_in_order(format, rows, cols, t.data, deinterleaved(rows, place.interleaved));
    mapped->file->forget(t.data, t.bytes);
    return copy;
  }

  void load() {
    if (Packed table = pack("embed.weight", model.embed->rows(), model.embed->dim())) {
      model.embed.put(std::make_unique<PackedEmbedding>(std::move(table)));
      if (model.config.tied) model.head.put(tied_head(*model.embed));
    }
    for (auto& named : model.slots<Projection>()) {
      Slot<Projection>& slot = *named.second;
      if (&slot == &model.head && model.config.tied) continue;
      const auto* plain = dynamic_cast<const Linear*>(&*slot);
      if (Packed W = pack(named.first + ".weight", slot->out(), slot->in()))
        slot.put(std::make_unique<PackedLinear>(std::move(W), plain && plain->b));
    }
    for (auto& named : model.parameters()) give(*named.second, named.first);
    for (const auto& entry : g.tensors())
      expect<FormatError>(used.count(entry.first) != 0, g.path(), ": the tensor ", entry.first,
                          " belongs to nothing in the model that the keys describe");
  }
};

Id token(const Gguf& g, const std::string& key, Index vocabulary) {
  if (!g.has(key)) return -1;
  const std::int64_t id = g.integer(key);
  expect<FormatError>(0 <= id && id < vocabulary, g.path(), ": the key ", key, " is ", id, ", but the vocabulary has ",
                      vocabulary);
  return static_cast<Id>(id);
}

/// The tokens that end generation, as in llama.cpp: those that the keys name, and those with the usual names.
std::vector<Id> ends_of(const Gguf& g, Index vocabulary) {
  std::vector<Id> ends;
  const auto add = [&](Id id) {
    if (id >= 0 && std::find(ends.begin(), ends.end(), id) == ends.end()) ends.push_back(id);
  };
  for (const char* name : {"eos", "eot", "eom"}) add(token(g, text("tokenizer.ggml.", name, "_token_id"), vocabulary));
  if (!g.has("tokenizer.ggml.tokens")) return ends;
  static const std::set<std::string> names{"<|eot_id|>",      "<|im_end|>",         "<|end|>",      "<|return|>", "<|call|>",
                                           "<|flush|>",       "<|calls|>",          "<end_of_turn>", "<|endoftext|>",
                                           "<|eom_id|>",      "<EOT>",              "_<EOT>",       "[EOT]",      "[EOS]",
                                           "<|end_of_text|>", "<end_of_utterance>", "</s>"};
  const std::vector<std::string>& tokens = g.texts("tokenizer.ggml.tokens");
  for (std::size_t i = 0; i < tokens.size(); ++i)
    if (names.count(tokens[i]) != 0) add(static_cast<Id>(i));
  return ends;
}

}  // namespace

Loaded load_gguf(const std::string& path) {
  const Gguf g(path);
  const LlamaConfig config = config_of(g);
  auto model = from_config(path, [&] { return std::make_unique<Llama>(config); });
  from_config(path, [&] {
    Loader{g, *model, std::make_shared<Mapped>(g.file()), {}}.load();
    return 0;
  });
  Loaded loaded;
  loaded.model = model.get();
  loaded.root = std::move(model);
  loaded.path = path;
  loaded.format = "GGUF";
  loaded.bos = token(g, "tokenizer.ggml.bos_token_id", config.vocabulary);
  loaded.ends = ends_of(g, config.vocabulary);
  loaded.eos = loaded.ends.empty() ? -1 : loaded.ends.front();
  loaded.pad = token(g, "tokenizer.ggml.padding_token_id", config.vocabulary);
  return loaded;
}

}  // namespace graft
