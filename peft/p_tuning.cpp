#include "peft/p_tuning.h"

#include <cmath>

#include "autograd/ops.h"
#include "autograd/sizes.h"
#include "nn/lstm.h"
#include "peft/inside/file_format.h"
#include "peft/registry.h"

namespace graft::peft {

PromptEncoder::PromptEncoder(Module& owner, const std::string& name, const PTuning& o, Index D, Rng& rng)
    : embedding(owner, {"embedding", name}, Shape{virtual_count(o.prompt_template), D}) {
  const bool paper = o.flavour == PTuning::Flavour::paper, recurrent = o.encoder == PTuning::Encoder::lstm;
  const Index h = paper ? D / 2 : o.hidden ? o.hidden : D;
  if (recurrent) {
    auto net = std::make_unique<Lstm>(D, h, o.layers, true);
    net->initialize(rng);
    lstm = std::make_unique<Slot<RowMap>>(owner, PartName("lstm_head", name), std::move(net));
  }
  // The sizes of the MLP, from its input to its output.
  const Index in = recurrent ? 2 * h : D;
  std::vector<Index> sizes{in, recurrent ? 2 * h : h, D};
  if (paper) sizes = {in, D, D};
  else if (!recurrent) sizes = {D, h, h, D};
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    const real bound = 1 / std::sqrt(static_cast<real>(sizes[i]));
    const std::string place = text("mlp_head.", 2 * i, ".");
    weights.push_back(std::make_unique<Param>(owner, PartName(place + "weight", name), Shape{sizes[i + 1], sizes[i]}));
    biases.push_back(std::make_unique<Param>(owner, PartName(place + "bias", name), Shape{sizes[i + 1]}));
    weights.back()->set(uniform(weights.back()->shape(), -bound, bound, rng));
    biases.back()->set(uniform(biases.back()->shape(), -bound, bound, rng));
  }
}

Variable PromptEncoder::operator()() const {
  const Index P = embedding.shape()[0], D = embedding.shape()[1];
  Variable x = embedding;
  if (lstm) {
    const Variable h = (*lstm)(reshape(x, {1, P, D}));  // (1, P, 2h)
    x = reshape(h, {P, h.dim(-1)});
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    x = linear(x, *weights[i], *biases[i]);
    if (i + 1 < weights.size()) x = relu(x);
  }
  return x;
}

void PTuning::graft(const BaseModel& base, const std::string& name, Rng& rng) const {
  check_template(prompt_template);
  const Index P = virtual_count(prompt_template), D = base.model.width();
  expect<ValueError>(layers > 0 && hidden >= 0, kind(), ": an encoder of ", layers, " layers, ", hidden,
                     " wide; at least 1 and 0 are needed");
  expect<ValueError>(flavour != Flavour::paper || encoder != Encoder::lstm || D % 2 == 0, kind(), ": ", D,
                     " features cannot be halved for the two directions of the paper's LSTM; take Flavour::peft");
  expect<ValueError>(words.empty() || size_of(words) == P, kind(), ": ", words.size(), " words for ", P,
                     " virtual tokens; give one for each, or none");
  const Tensor start = words.empty() ? normal({P, D}, 0, 1, rng) : rows_of(base, words).clone();
  graft_virtual_tokens(
      base, name, prompt_template,
      [&](VirtualTable& owner) -> std::unique_ptr<VirtualRows> {
        if (encoder == Encoder::none) {
          auto rows = std::make_unique<TrainedRows>(owner, name, P, D);
          rows->rows.set(start);
          return rows;
        }
        auto rows = std::make_unique<PromptEncoder>(owner, name, *this, D, rng);
        rows->embedding.set(start);
        return rows;
      },
      kind());
}

namespace {
std::shared_ptr<const Method> make(OptionReader& options) {
  using P = PTuning;
  const auto method = std::make_shared<P>();
  std::string template_text;
  Index length = virtual_count(method->prompt_template);
  options.take("template", "\"[v][v] {sentence} [v] it was [answer]\"", template_text);
  options.take("virtual", "how many virtual tokens", length, {1, 100000});
  options.take("encoder", "what computes their rows", method->encoder,
               {{"lstm", P::Encoder::lstm}, {"mlp", P::Encoder::mlp}, {"none", P::Encoder::none}});
  options.take("hidden",
               "the width of the net that computes the virtual tokens (the paper's encoder, whose width follows the model's: "
               "with this option the encoder is PEFT's)",
               method->hidden, {1, 100000});
  method->words = options.words("text", "the words that initialize the virtual tokens");
  expect<ValueError>(template_text.empty() || !options.given("virtual"),
                     "virtual and template exclude each other: a template has one virtual token for each [v]");
  expect<ValueError>(method->encoder != P::Encoder::none || method->hidden == 0,
                     "hidden is the width of an encoder, but encoder is none");
  method->prompt_template = template_text.empty() ? front_template(length) : parse_template(template_text, options.tokenizer());
  if (method->hidden > 0) method->flavour = P::Flavour::peft;
  return method;
}
}  // namespace

std::vector<MethodRow> PTuning::rows() {
  std::vector<MethodRow> all{{"p-tuning", "P-tuning", "docs/methods/p-tuning.md", 1e-3, make, &soft_file}};
  all.back().by_words = true;  // its templates end with a place for them
  return all;
}

}  // namespace graft::peft
