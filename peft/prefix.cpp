#include "peft/prefix.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "autograd/sizes.h"
#include "nn/attention.h"
#include "peft/inside/file_format.h"
#include "peft/p_tuning_v2.h"
#include "peft/registry.h"

namespace graft::peft {

Variable PrefixPart::operator()() const {
  return flat ? flat->variable() : linear(tanh(linear(*embedding, *W1, *b1)), *W2, *b2);
}

Prefix::Prefix(const Selection& s, Index l, Index g, Index d)
    : NamedWrapper(s),
      layers(l),
      heads(g),
      head_dim(d) {}

Index Prefix::length() const {
  const auto of = [&](const std::string& name) {
    const PrefixPart* part = entries.find(name);
    return part ? part->length() : base->length();
  };
  Index longest = of(selection.row(0));
  for (const std::string& name : selection.rows()) longest = std::max(longest, of(name));
  return longest;
}

Past Prefix::operator()(Index batch) {
  const std::vector<std::string> rows =
      selection.rows().empty() ? std::vector<std::string>(static_cast<std::size_t>(batch), selection.one()) : selection.rows();
  expect(size_of(rows) == batch, "prefix tuning: ", rows.size(), " rows were selected, but the batch has ",
         batch);
  std::vector<std::string> distinct;  // those of the rows, each once
  std::vector<Id> which;
  for (const std::string& name : rows) {
    const auto at = std::find(distinct.begin(), distinct.end(), name);
    which.push_back(static_cast<Id>(at - distinct.begin()));
    if (at == distinct.end()) distinct.push_back(name);
  }
  if (distinct.size() == 1 && !entries.find(distinct[0])) return base(batch);

  Index longest = 0;
  std::vector<Variable> flats;
  std::vector<Index> lengths;
  std::vector<real> rates;  // of dropout
  for (const std::string& name : distinct) {
    const PrefixPart* part = entries.find(name);
    expect<ValueError>(part != nullptr || base->length() == 0, "prefix tuning: \"", name,
                       "\" uses the memory below, which cannot share a batch with a prefix");
    flats.push_back(part ? (*part)() : Variable());
    lengths.push_back(part ? part->length() : 0);
    rates.push_back(part && randomness() ? part->dropout : 0);
    longest = std::max(longest, lengths.back());
  }
  const auto shorter = std::find_if(lengths.begin(), lengths.end(), [&](Index length) { return length != longest; });
  expect<ValueError>(!recording() || shorter == lengths.end(), [&] {
    return text("prefix tuning: prefixes of ", *shorter, " and of ", longest, " places in one batch, which the ",
                "cache cannot hold while gradients are recorded; train them in batches of their own, or use NoGrad");
  });
  const bool dropping = std::any_of(rates.begin(), rates.end(), [](real rate) { return rate > 0; });
  Past past;
  for (const Id w : which) past.lengths.push_back(nth(lengths, w));
  const Index W = width();
  const auto masks = [&] {  // (batch, G·longest·d): 0, or 1/(1 - rate), a row at a time
    const NoGrad constant;
    const Variable ones(Tensor(Shape{1, heads * longest * head_dim}, 1));
    std::vector<Variable> each;
    for (const Id w : which) each.push_back(dropout(ones, nth(rates, w), *randomness()));
    return concat(each, 0);
  };
  const auto layer = [&](Index at) {  // (batch, G, longest, d): columns [at, at + W) of each row's prefix
    std::vector<Variable> each;       // shorter rows are padded with zeros that are never attended to
    for (std::size_t n = 0; n < flats.size(); ++n) {
      Variable x = lengths[n] ? slice(flats[n], 1, at, at + W) : Variable(Tensor(Shape{longest, W}, 0));
      if (lengths[n] && lengths[n] < longest) x = concat({x, Variable(Tensor(Shape{longest - lengths[n], W}, 0))}, 0);
      each.push_back(reshape(split_heads(reshape(x, {1, longest, W}), heads), {1, heads * longest * head_dim}));
    }
    const Variable all = each.size() == 1 ? each[0] : concat(each, 0);
    Variable x = lookup(all, Ids({batch}, which));
    if (dropping) x = x * masks();
    return reshape(x, {batch, heads, longest, head_dim});
  };
  for (Index i = 0; i < layers; ++i) {
    const Variable k = layer(2 * i * W);
    past.layers.emplace_back(k, layer((2 * i + 1) * W));
  }
  return past;
}

PrefixPart& Prefix::add(const std::string& name, const PrefixTuning& o) {
  auto part = std::make_unique<PrefixPart>();
  const Index all = 2 * layers * width(), e = o.embedding ? o.embedding : width(), h = o.hidden;
  const auto param = [&](const char* what, const Shape& shape) {
    return std::make_unique<Param>(*this, PartName(what, name), shape);
  };
  part->dropout = o.dropout;
  if (h == 0) {
    part->flat = param("prefix", {o.length, all});
  } else {
    part->embedding = param("embedding", {o.length, e});
    part->W1 = param("transform.0.weight", {h, e}), part->b1 = param("transform.0.bias", Shape{h});
    part->W2 = param("transform.2.weight", {all, h}), part->b2 = param("transform.2.bias", Shape{all});
  }
  return entries.put(name, std::move(part));
}

void Prefix::flatten(const std::string& name) {
  PrefixPart* part = entries.find(name);
  if (!part || part->flat) return;
  const NoGrad no_grad;
  auto flat = std::make_unique<Param>(*this, PartName("prefix", name), Shape{part->length(), 2 * layers * width()});
  flat->learn(part->embedding->learns());
  flat->set((*part)().value());
  part->flat = std::move(flat);
  for (auto* gone : {&part->embedding, &part->W1, &part->b1, &part->W2, &part->b2}) gone->reset();
}

// --- the method ----------------------------------------------------------------------------------------------------------

namespace {

/// The keys and values that the model computes for these words, without any prefix, flat.
Tensor activations(Model& model, const std::vector<Id>& words, Index width) {
  const NoGrad no_grad;
  const Evaluating no_dropout(model);
  const Index P = size_of(words), L = model.layer_count();
  Past past;
  past.expect_fits(1, L);
  model.hidden(Templated::raw(Ids({1, P}, words)), past);
  Tensor flat(Shape{P, 2 * L * width});
  real* to = flat.write();
  for (Index i = 0; i < 2 * L; ++i) {
    const KeyValue& kv = nth(past.layers, i / 2);
    const Tensor x = merge_heads(slice(i % 2 ? kv.v() : kv.k(), 2, 0, P)).value();  // (1, P, G·d)
    for (Index p = 0; p < P; ++p) std::copy_n(x.data() + p * width, width, to + p * 2 * L * width + i * width);
  }
  return flat;
}

}  // namespace

void PrefixTuning::graft(const BaseModel& base, const std::string& name, Rng& rng) const {
  const Index context = base.model.context();
  expect<ValueError>(length > 0 && hidden >= 0 && embedding >= 0, kind(), ": a length of ", length, ", an MLP of ", hidden,
                     " and embeddings of ", embedding, "; at least 1, 0 and 0 are needed");
  expect<ValueError>(embedding == 0 || hidden > 0, kind(), ": embeddings of ", embedding,
                     " need an MLP that reads them; give hidden a width");
  expect<ValueError>(init == Init::random || hidden == 0, kind(), ": ", init == Init::words ? "words" : "zeros",
                     " start a flat prefix, not one that an MLP of ", hidden, " makes; leave the MLP out, or start at random");
  expect<ValueError>(length < context, kind(), ": a prefix of ", length, " leaves nothing of the context of ", context,
                     "; take a shorter one");
  expect<ValueError>(0 <= dropout && dropout < 1, kind(), ": the dropout rate is ", dropout, ", but must be in [0, 1)");
  const auto attentions = base.root.slots<Attention>();
  expect<ValueError>(!attentions.empty(), kind(), ": ", base.model.kind(), " has no attention layers");
  const AttentionSizes& sizes = (*attentions[0].second)->sizes;
  for (const auto& slot : attentions) {
    const AttentionSizes& s = (**slot.second).sizes;
    expect<ValueError>(s.kv_heads == sizes.kv_heads && s.head_dim == sizes.head_dim, kind(), ": ", slot.first,
                       " has other sizes than the first layer; all must have the same");
  }
  Tensor start;
  if (init == Init::words) {
    expect<ValueError>(size_of(words) == length, kind(), ": ", words.size(), " words for a prefix of ",
                       length, "; give one for each place");
    for (const Id word : words)
      expect<ValueError>(0 <= word && word < base.model.vocabulary(), kind(), ": word ", word, " is outside the vocabulary of ",
                         base.model.vocabulary());
    start = activations(base.model, words, sizes.kv_heads * sizes.head_dim);
  }
  auto* prefix = dynamic_cast<Prefix*>(&*base.model.memory);
  if (!prefix) {
    base.model.memory.wrap([&] {
      return std::make_unique<Prefix>(base.model.selection(), base.model.layer_count(), sizes.kv_heads, sizes.head_dim);
    });
    prefix = dynamic_cast<Prefix*>(&*base.model.memory);
  }
  PrefixPart& part = prefix->add(name, *this);
  const auto give = [&](Param& p, real bound) { p.set(uniform(p.shape(), -bound, bound, rng)); };
  if (part.flat) {
    if (!start.defined()) start = init == Init::zero ? Tensor(part.flat->shape(), 0) : normal(part.flat->shape(), 0, 1, rng);
    part.flat->set(start);
    return;
  }
  part.embedding->set(normal(part.embedding->shape(), 0, 1, rng));
  const real one = 1 / std::sqrt(static_cast<real>(part.W1->shape()[1])), two = 1 / std::sqrt(static_cast<real>(hidden));
  give(*part.W1, one), give(*part.b1, one);
  give(*part.W2, two), give(*part.b2, two);
}

namespace {
template <class M>
std::shared_ptr<const Method> make(OptionReader& options) {
  using Init = PrefixTuning::Init;
  const auto prefix = std::make_shared<M>();
  options.take("virtual", "how many virtual tokens", prefix->length, {1, 100000});
  options.take("hidden", "the width of the net that computes the virtual tokens (no net)", prefix->hidden, {1, 100000});
  options.take("dropout", "the method's dropout rate", prefix->dropout, {0, 0.99});
  options.take("init", "initialization", prefix->init,
               {{"random", Init::random}, {"zero", Init::zero}, {"words", Init::words}});
  prefix->words = options.words("text", "the words that initialize the virtual tokens");
  const bool from_words = prefix->init == Init::words;
  expect<ValueError>(from_words || !options.given("text"), "text is for init words only");
  expect<ValueError>(!from_words || !prefix->words.empty(), "init words: text must say which words");
  const std::size_t n = prefix->words.size(), length = static_cast<std::size_t>(prefix->length);
  for (std::size_t i = n; from_words && i < length; ++i) prefix->words.push_back(prefix->words[i % n]);
  if (from_words) prefix->words.resize(length);
  return prefix;
}
}  // namespace

std::vector<MethodRow> PrefixTuning::rows() {
  return {{"prefix", "prefix tuning", "docs/methods/prefix-tuning.md", 5e-3, make<PrefixTuning>, &soft_file}};
}
std::vector<MethodRow> PTuningV2::rows() {
  return {{"p-tuning-v2", "P-tuning v2", "docs/methods/p-tuning-v2.md", 5e-3, make<PTuningV2>, &soft_file, false}};
}

}  // namespace graft::peft
