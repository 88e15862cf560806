#include "peft/bottleneck.h"

#include <cmath>

#include "autograd/ops.h"
#include "peft/inside/file_format.h"
#include "peft/registry.h"

namespace graft::peft {

Bottleneck::Bottleneck(Module& owner, const std::string& name, Index dim, Index size, Activation function, real s, bool x,
                       bool h)
    : down(owner, {"adapter_down", name}, Shape{size, dim}),
      down_bias(owner, {"adapter_down_bias", name}, Shape{size}),
      up(owner, {"adapter_up", name}, Shape{dim, size}),
      up_bias(owner, {"adapter_up_bias", name}, Shape{dim}),
      f(function),
      scale(s),
      reads_residual(x),
      reads_output(h) {}

Variable Bottleneck::operator()(const Variable& h, const Variable& x) const {
  const Variable v = reads_residual && reads_output ? h + x : reads_residual ? x : h;
  const Variable y = linear(f(linear(v, down, down_bias)), up, up_bias);
  return h + (scale == 1 ? y : scale * y);
}

Variable AdaptedProjection::operator()(const Variable& x) {
  return by_entry({}, base(x), [&](const Bottleneck& net, const Rows&, const Variable& h) { return net(h, h); });
}

Variable AdaptedBranch::operator()(const Variable& x) {
  return by_entry({x}, base(x), [&](const Bottleneck& net, const Rows& in, const Variable& h) { return net(h, in[0]); });
}

void BottleneckAdapter::graft(const BaseModel& base, const std::string& name, Rng& rng) const {
  const Index dim = base.model.width(), m = size > 0 ? size : reduction > 0 ? dim / reduction : 0;
  expect<ValueError>(m > 0, "Adapter: a bottleneck of ", m, " (", dim, " features over ", reduction,
                     "); give a size, or a reduction of at most ", dim);
  expect<ValueError>(std::isfinite(scale) && scale != 0, "Adapter: the scale is ", scale, ", but must be finite and not 0");
  const Activation f = graft::activation(!activation.empty() ? activation : form == Form::houlsby ? "silu" : "relu");
  const bool x = form != Form::houlsby, h = form != Form::parallel;

  const auto start = [&](Bottleneck& net) {
    const real bound = 1 / std::sqrt(static_cast<real>(dim));
    const real deviation = init == Init::bert ? real(0.02) : real(1e-3);
    net.down.set(init == Init::zero_up ? uniform({m, dim}, -bound, bound, rng) : normal({m, dim}, 0, deviation, rng));
    net.up.set(init == Init::zero_up ? Tensor(Shape{dim, m}, 0) : normal({dim, m}, 0, deviation, rng));
    net.down_bias.set(Tensor(Shape{m}, 0));
    net.up_bias.set(Tensor(Shape{dim}, 0));
  };
  const auto net_in = [&](auto& wrapper) {
    start(wrapper.entries.put(name, std::make_unique<Bottleneck>(wrapper, name, dim, m, f, scale, x, h)));
  };
  if (form == Form::houlsby)
    for (const auto& slot : targeted<Projection>(base, {"attn.out"}, kind()))
      net_in(wrapper_in<AdaptedProjection>(*slot.second, base.model.selection()));
  for (const auto& slot : targeted<RowMap>(base, {"mlp"}, kind()))
    net_in(wrapper_in<AdaptedBranch>(*slot.second, base.model.selection()));
  if (layer_norms) vary(base, name, [](const std::string& path) { return path.rfind("layers.", 0) == 0 && is_norm(path); });
}

namespace {
std::shared_ptr<const Method> make(OptionReader& options) {
  using B = BottleneckAdapter;
  const auto adapter = std::make_shared<B>();
  options.take("bottleneck", "bottleneck width (1/16 of the model's)", adapter->size, {1, 100000});
  options.take("form", "where the small networks are placed", adapter->form,
               {{"houlsby", B::Form::houlsby}, {"after-mlp", B::Form::after_mlp}, {"parallel", B::Form::parallel}});
  options.take("scale", "factor on what it adds; 4 in He et al., with --form parallel", adapter->scale, above(0));
  options.take("activation", "activation: gelu (Houlsby et al.), relu, silu, .. (silu for houlsby, else relu)",
               adapter->activation);
  options.take("init", "initialization", adapter->init,
               {{"near-identity", B::Init::near_identity}, {"bert", B::Init::bert}, {"zero-up", B::Init::zero_up}});
  return adapter;
}
}  // namespace

std::vector<MethodRow> BottleneckAdapter::rows() {
  return {{"adapter", "Adapter", "docs/methods/adapter.md", 1e-3, make, &adapterhub_file}};
}

}  // namespace graft::peft
