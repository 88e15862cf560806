#include "peft/lora.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "nn/gpt2.h"
#include "peft/dora.h"
#include "peft/inside/file_format.h"
#include "peft/lora_plus.h"
#include "peft/lora_table.h"
#include "peft/olora.h"
#include "peft/quantize.h"
#include "peft/registry.h"
#include "peft/trained_copy.h"

namespace graft::peft {

Variable LoraLinear::operator()(const Variable& x) {
  return by_entry({x}, base(x), [&](const LoraPair& p, const Rows& rows, const Variable& wx) {
    Variable bax = linear(p.scale * linear(p.dropout(rows[0], randomness()), p.A), p.B);  // s·B·A·x
    if (p.b) bax = bax + p.scale * *p.b;
    return p.magnitude ? dora(wx, bax, *this, p) : wx + bax;
  });
}

Tensor LoraLinear::merged_weight(const LoraPair& p) const {
  Tensor W =
      kernel::binary(kernel::Binary::add, base->dense(), kernel::scale(kernel::multiply_nn(p.B.value(), p.A.value()), p.scale));
  return p.magnitude ? with_magnitude(W, p.magnitude->value()) : W;
}

Tensor LoraLinear::merged_bias(const LoraPair& p) const {
  if (!p.b) return base->bias();
  const Tensor more = kernel::scale(p.b->value(), p.scale);
  return base->bias().defined() ? kernel::binary(kernel::Binary::add, base->bias(), more) : more;
}

LoraPair& LoraLinear::add(const std::string& name, Index r, real scale, real dropout, bool bias, const Param* shared_A) {
  expect<ValueError>(r > 0, "LoRA: a rank of ", r, "; it must be at least 1");
  expect<ValueError>(0 <= dropout && dropout < 1, "LoRA: the dropout rate is ", dropout, ", but must be in [0, 1)");
  expect<ValueError>(std::isfinite(scale), "LoRA: alpha gives a scale of ", scale, "; a finite number is needed");
  std::unique_ptr<LoraPair> pair(
      new LoraPair{shared_A ? Param(*this, {"lora_A", name}, *shared_A) : Param(*this, {"lora_A", name}, Shape{r, in()}),
                   Param(*this, {"lora_B", name}, Shape{out(), r}),
                   {},
                   {},
                   scale,
                   SharedDropout{dropout}});
  if (bias) pair->b.emplace(*this, PartName("lora_bias", name), Shape{out()});
  return entries.put(name, std::move(pair));
}

// --- the method ----------------------------------------------------------------------------------------------------------

namespace {

template <class T>
T of_pattern(const std::map<std::string, T>& pattern, const std::string& path, T otherwise) {
  for (const auto& entry : pattern)
    if (matches(path, entry.first)) return entry.second;
  return otherwise;
}

/// What a target can be besides a projection, for the error about an unknown target.
std::string other_targets(const BaseModel& base, const std::vector<std::string>& targets) {
  std::string more;
  for (const auto& slot : base.root.slots<Table>()) more += (more.empty() ? ", and of tables " : ", ") + slot.first;
  std::string norm;
  for (const auto& named : base.root.parameters()) {
    const std::string module = named.first.substr(0, named.first.rfind('.'));
    for (const std::string& target : targets)
      if (is_norm(named.first) && matches(module, target) && (norm.empty() || module == target)) norm = module;
  }
  return norm.empty() ? more : text(more, "; a norm is trained in full: also = {\"", norm, "\"}");
}

/// The part of a path up to its last word: q, k and v of one attention have the same.
std::string parent(const std::string& path) { return path.substr(0, path.rfind('.') + 1); }

}  // namespace

Index Lora::rank_of(const std::string& path) const { return of_pattern(rank_pattern, path, r); }
real Lora::scale_of(const std::string& path) const {
  const real a = of_pattern(alpha_pattern, path, usual_alpha()), rank = static_cast<real>(rank_of(path));
  return rank_stabilized ? a / std::sqrt(rank) : a / rank;
}

void Lora::graft(const BaseModel& base, const std::string& name, Rng& rng) const {
  expect<ValueError>(r > 0, "LoRA: a rank of ", r, "; it must be at least 1");
  std::vector<std::string> projections, tables;  // a target may be a table
  for (const std::string& target : targets) (is_table(base, target) ? tables : projections).push_back(target);
  const bool of_weight = init == Init::pissa || init == Init::olora;
  const auto slots = targeted<Projection>(base, projections, kind(), other_targets(base, projections));
  const auto shares = [&](const std::string& path) {
    return fused && (matches(path, "q") || matches(path, "k") || matches(path, "v"));
  };
  const auto group_of = [&](const std::string& path) { return shares(path) ? parent(path) : path; };
  std::map<std::string, Index> outs;  // of a group together
  for (const auto& slot : slots) outs[group_of(slot.first)] += (*slot.second)->out();
  std::map<std::string, LoraGroup> groups;  // whose A is shared
  for (const auto& slot : slots) {
    auto& wrapper = wrapper_in<LoraLinear>(*slot.second, base.model.selection());
    LoraGroup& group = groups[group_of(slot.first)];
    LoraPair* first = group.pairs.empty() ? nullptr : group.pairs[0];
    const Index asked = rank_of(slot.first), most = std::min(wrapper.in(), outs[group_of(slot.first)]);
    LoraPair& p = wrapper.add(name, of_weight ? std::min(asked, most) : asked, scale_of(slot.first), dropout, bias,
                              first ? &first->A : nullptr);
    if (first) p.dropout = first->dropout.beside();
    group.wrappers.push_back(&wrapper), group.pairs.push_back(&p);
    const Index in = wrapper.in(), rank = p.A.shape()[0];
    expect<ValueError>(p.B.shape()[1] == rank, "LoRA: ", slot.first, " has rank ", p.B.shape()[1], ", but shares an A of rank ",
                       rank, " with its neighbours (fused); give q, k and v of a layer one rank");
    const real bound = 1 / std::sqrt(static_cast<real>(in));
    if (!p.A.initialized())
      p.A.set(init == Init::gaussian ? normal({rank, in}, 0, 1 / static_cast<real>(rank), rng)
                                      : uniform({rank, in}, -bound, bound, rng));
    p.B.set(Tensor(p.B.shape(), 0));
    if (p.b) p.b->set(Tensor(p.b->shape(), 0));
  }
  for (const auto& group : groups) {
    if (init == Init::pissa) start_pissa(group.second, name);
    if (init == Init::olora) start_olora(group.second, name, dynamic_cast<const Gpt2*>(&base.model) != nullptr);
    for (LoraLinear* wrapper : group.second.wrappers)
      if (dora) add_magnitude(*wrapper, name);
  }
  for (const auto& slot : targeted<Table>(base, tables, kind()))
    wrapper_in<LoraTable>(*slot.second, base.model.selection()).add(name, rank_of(slot.first), scale_of(slot.first), dora, rng);
  learn_whole(base, name, also, as_one, kind());

  const auto is_bias = [&](const std::string& path) {
    return matches(path, "bias") && std::find(also.begin(), also.end(), path.substr(0, path.rfind('.'))) == also.end();
  };
  if (train_biases == Biases::all) vary(base, name, is_bias);
  if (train_biases == Biases::lora_only)
    for (const auto& slot : targeted<Projection>(base, projections, kind()))
      vary(base, name, [&](const std::string& path) { return path == slot.first + ".bias"; });
}

// --- its rows, and those of its family -------------------------------------------------------------------------------------

namespace {

/// `lora` with the options that the whole family has; init only if the method does not fix it.
template <class Member>
std::shared_ptr<const Method> made(OptionReader& options, Member lora) {
  using Init = Lora::Init;
  options.take("r", "the rank", lora.r, {1, 100000});
  options.take("alpha", "the scale is alpha/r, for rslora alpha/√r (default: r)", lora.alpha, above(0));
  options.take("dropout", "the method's dropout rate", lora.dropout, {0, 0.99});
  options.take("targets", "projections, by the ends of their names, such as q,v or q,k,v,out,up,down", lora.targets);
  if (lora.init == Init::kaiming)
    options.take("init", "initialization", lora.init,
                 {{"kaiming", Init::kaiming}, {"gaussian", Init::gaussian}, {"pissa", Init::pissa}, {"olora", Init::olora}});
  return std::make_shared<Member>(std::move(lora));
}

std::shared_ptr<const Method> make_lora(OptionReader& options) { return made(options, Lora()); }
std::shared_ptr<const Method> make_rslora(OptionReader& options) {
  Lora lora;
  lora.rank_stabilized = true;
  return made(options, lora);
}
std::shared_ptr<const Method> make_dora(OptionReader& options) {
  Lora lora;
  lora.dora = true;
  return made(options, lora);
}
std::shared_ptr<const Method> make_pissa(OptionReader& options) {
  Lora lora;
  lora.init = Lora::Init::pissa;
  return made(options, lora);
}
std::shared_ptr<const Method> make_lora_plus(OptionReader& options) {
  LoraPlus lora;
  options.take("ratio", "B's learning rate divided by A's", lora.ratio, {1, 10000});
  return made(options, lora);
}

Index pack(const BaseModel& base) {
  bool packed = false;  // a model that came in blocks is packed already
  base.root.each([&](const std::string&, Part& part) { packed = packed || dynamic_cast<PackedPart*>(&part) != nullptr; });
  return packed ? 0 : quantize(base);
}

}  // namespace

std::vector<MethodRow> Lora::rows() {
  const std::string page = "docs/methods/lora.md";
  std::vector<MethodRow> all{{"lora", "LoRA", page, 5e-4, make_lora, &lora_file},
                             {"rslora", "rsLoRA", page, 5e-4, make_rslora, &lora_file},
                             {"lora-plus", "LoRA+", page, 1e-4, make_lora_plus, &lora_file},
                             {"dora", "DoRA", page, 5e-4, make_dora, &lora_file},
                             {"pissa", "PiSSA", page, 2e-4, make_pissa, &lora_file},
                             {"qlora", "QLoRA", "docs/methods/qlora.md", 5e-4, make_lora, &lora_file}};
  all.back().prepare = pack;
  return all;
}

}  // namespace graft::peft
