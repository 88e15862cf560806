#include "peft/vera.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/sizes.h"
#include "nn/gpt2.h"
#include "nn/names.h"
#include "peft/inside/adapter_parts.h"
#include "peft/inside/target_modules.h"
#include "peft/registry.h"
#include "peft/trained_copy.h"

namespace graft::peft {

// --- the formula ---------------------------------------------------------------------------------------------------------

Variable VeraLinear::operator()(const Variable& x) {
  return by_entry({x}, base(x), [&](const VeraVectors& v, const Rows& rows, const Variable& wx) {
    const Variable dax = linear(v.dropout(rows[0], randomness()), v.A) * v.d;  // d∘(A·x)
    return wx + linear(dax, v.B) * v.b;
  });
}

Tensor VeraLinear::merged_weight(const VeraVectors& v) const {
  const Tensor Bd = kernel::binary(kernel::Binary::mul, v.B.value(), v.d.value()), b = v.b.value();
  Tensor change = kernel::multiply_nn(Bd, v.A.value());  // B·diag(d)·A
  real* row = change.write();
  for (Index o = 0; o < change.rows(); ++o, row += change.cols())
    for (Index i = 0; i < change.cols(); ++i) row[i] *= b[o];
  return kernel::binary(kernel::Binary::add, base->dense(), change);
}

// --- A and B -------------------------------------------------------------------------------------------------------------

namespace {

/// uniform_(-bound, bound) of torch's CPU generator: 24 bits of each word, scaled in single precision by one fused operation.
Tensor kaiming(Index rows, Index cols, std::mt19937& words) {
  const float bound = static_cast<float>(std::sqrt(3.0) * (std::sqrt(2.0) / std::sqrt(static_cast<double>(cols))));
  Tensor t(Shape{rows, cols});
  real* to = t.write();
  for (Index i = 0; i < t.numel(); ++i) {
    const float x = static_cast<float>(words() & 0xffffffu) / 16777216.0f;
    to[i] = static_cast<real>(std::fma(x, bound - -bound, -bound));
  }
  return t;
}

}  // namespace

VeraProjections::VeraProjections(Tensor A, Tensor B) : A_(std::move(A)), B_(std::move(B)) {}

std::shared_ptr<VeraProjections> VeraProjections::drawn(Index r, Index in, Index out, std::uint32_t key) {
  std::mt19937 words(key);
  Tensor A = kaiming(r, in, words), B = kaiming(out, r, words);
  return std::make_shared<VeraProjections>(std::move(A), std::move(B));
}

Variable VeraProjections::columns_of_A(Index in) {
  Variable& part = of_A_[in];
  if (!part.defined()) part = frozen(in == A_.cols() ? A_ : slice(Variable(A_), 1, 0, in).value());
  return part;
}

Variable VeraProjections::rows_of_B(Index first, Index out) {
  Variable& part = of_B_[{first, out}];
  if (!part.defined()) part = frozen(out == B_.rows() ? B_ : slice(Variable(B_), 0, first, first + out).value());
  return part;
}

// --- the method ----------------------------------------------------------------------------------------------------------

namespace {

/// Which rows of B a target has, and whose d: parts of one module of the file have their rows one after another, and one d.
struct Place {
  std::string module;  ///< the path of the target, or of what its module has in common
  Index first, whole;  ///< rows of B: where this target's begin, how many the module has
};
Place place_in(const BaseModel& base, const std::string& path, Index out) {
  const char* const parts[] = {"q", "k", "v"};
  for (Index i = 0; i < 3; ++i)
    if (dynamic_cast<const Gpt2*>(&base.model) && matches(path, parts[i])) return {path.substr(0, path.rfind('.')), i * out, 3 * out};
  return {path, 0, out};
}

}  // namespace

void Vera::graft(const BaseModel& base, const std::string& name, Rng&) const {
  expect<ValueError>(r > 0, "VeRA: a rank of ", r, "; it must be at least 1");
  expect<ValueError>(0 <= dropout && dropout < 1, "VeRA: the dropout rate is ", dropout, ", but must be in [0, 1)");
  expect<ValueError>(std::isfinite(d_initial), "VeRA: d starts at ", d_initial, "; a finite number is needed");
  const auto slots = targeted<Projection>(base, targets, kind());
  Index in = 0, out = 0;
  for (const auto& [path, slot] : slots)
    in = std::max(in, (*slot)->in()), out = std::max(out, place_in(base, path, (*slot)->out()).whole);
  const std::shared_ptr<VeraProjections> shared = projections ? projections : VeraProjections::drawn(r, in, out, key);
  expect<ValueError>(shared->A().shape() == Shape{r, in} && shared->B().shape() == Shape{out, r}, "VeRA: A is ",
                     shared->A().shape(), " and B ", shared->B().shape(), ", but these targets need ", Shape{r, in}, " and ",
                     Shape{out, r});
  std::map<std::string, VeraVectors*> of_module;
  for (const auto& [path, slot] : slots) {
    auto& wrapper = wrapper_in<VeraLinear>(*slot, base.model.selection());
    const Place place = place_in(base, path, wrapper.out());
    VeraVectors*& first = of_module[place.module];
    std::unique_ptr<VeraVectors> vectors(
        new VeraVectors{first ? Param(wrapper, {"vera_lambda_d", name}, first->d) : Param(wrapper, {"vera_lambda_d", name}, Shape{r}),
                        Param(wrapper, {"vera_lambda_b", name}, Shape{wrapper.out()}), shared->columns_of_A(wrapper.in()),
                        shared->rows_of_B(place.first, wrapper.out()), first ? first->dropout.beside() : SharedDropout{dropout},
                        shared});
    if (!first) vectors->d.set(Tensor(Shape{r}, d_initial));
    vectors->b.set(Tensor(vectors->b.shape(), 0));
    VeraVectors& put = wrapper.entries.put(name, std::move(vectors));
    if (!first) first = &put;
  }
  learn_whole(base, name, also, false, kind());
  const auto learns_as_bias = [&](const std::string& path) {
    const std::string module = path.substr(0, path.rfind('.'));
    if (!matches(path, "bias") || std::find(also.begin(), also.end(), module) != also.end()) return false;
    return train_biases == Biases::all ||
           std::any_of(slots.begin(), slots.end(), [&](const auto& slot) { return slot.first == module; });
  };
  if (train_biases != Biases::none) vary(base, name, learns_as_bias);
}

// --- its file: <module>.vera_lambda_d (r) and .vera_lambda_b (out); base_model.vera_A and .vera_B once, if they are saved -------

namespace {

const std::string prefix = "base_model.model.";

/// The key of a base's parameter: the biases that learn are those of the layer that PEFT has wrapped.
KeyOf key_of(const std::vector<HfModule>& adapted, bool biases) {
  return [&adapted, biases](const std::string&, const std::string& hf) {
    const std::string module = hf.substr(0, hf.rfind('.'));
    const bool wrapped = std::any_of(adapted.begin(), adapted.end(), [&](const HfModule& m) { return m.name == module; });
    return prefix + (biases && wrapped && matches(hf, "bias") ? module + ".base_layer.bias" : hf);
  };
}

std::uint32_t key_from(const AdapterConfig& config) {
  const std::vector<std::int64_t> keys = config.integers("projection_prng_key");
  if (keys.size() > 1) config.refuse("projection_prng_key", text("a list of ", keys.size(), " numbers"));
  return keys.empty() ? 0 : static_cast<std::uint32_t>(keys[0]);  // the twister takes 32 bits of a seed, torch's too
}

Attached read(const BaseModel& base, const AdapterConfig& config, Keys& keys, const std::string& name) {
  using Words = std::vector<std::string>;
  Vera vera;
  vera.r = config.size("r", 256);
  vera.d_initial = static_cast<real>(config.number("d_initial", 0.1));
  vera.dropout = static_cast<real>(config.number("vera_dropout", 0));
  vera.key = key_from(config);
  const std::string bias = config.word("bias", "none");
  config.expect_one_of("bias", bias, {"none", "all", "vera_only"});
  vera.train_biases = bias == "none" ? Vera::Biases::none : bias == "all" ? Vera::Biases::all : Vera::Biases::vera_only;
  vera.also = saved_modules(base, config.words("modules_to_save"));
  vera.save_projection = config.flag("save_projection", true);
  const std::vector<HfModule> modules =
      targets_of(base, config, model_type(base) == "gpt2" ? Words{"c_attn"} : Words{"q_proj", "v_proj"}, true);
  config.expect_all_known({"fan_in_fan_out", "init_weights"});  // PEFT puts the first right; the other is a start
  vera.targets.clear();
  Index in = 0, out = 0;
  for (const HfModule& m : modules) {
    if (m.table) config.refuse("target_modules", "\"" + m.name + "\", a table");
    vera.targets.insert(vera.targets.end(), m.paths.begin(), m.paths.end());
    keys.expect_shape(prefix + m.name + ".vera_lambda_d", {vera.r}, m.paths[0]);  // before a wrong r asks for a lot of memory
    in = std::max(in, m.in), out = std::max(out, m.out);
  }
  if (vera.save_projection) {
    Tensor A = keys.take("base_model.vera_A", Shape{vera.r, in}, "save_projection is true");
    Tensor B = keys.take("base_model.vera_B", Shape{out, vera.r}, "save_projection is true");
    vera.projections = std::make_shared<VeraProjections>(std::move(A), std::move(B));
  }
  expect_vocabulary(base, keys, prefix);
  Rng rng(0);
  Attached attached = attach(base, vera, rng, name);
  const auto wrappers = holders<VeraLinear, Projection>(base, name);
  for (const HfModule& m : modules) {
    const std::string at = prefix + m.name + ".vera_lambda_";
    wrappers.at(m.paths[0])->entry(name).d.set(keys.take(at + "d", Shape{vera.r}, m.paths[0]));  // one for all parts
    const Tensor b = keys.take(at + "b", Shape{m.out}, m.paths[0]);
    const Index parts = size_of(m.paths);
    for (Index i = 0; i < parts; ++i)
      wrappers.at(nth(m.paths, i))->entry(name).b.set(rows_part(b, i, parts));
  }
  read_variants(base, name, keys, key_of(modules, vera.train_biases != Vera::Biases::none));
  read_head(base, name, keys, prefix);
  read_tables(base, name, keys, prefix);
  read_repeats(keys);
  return attached;
}

void write(const BaseModel& base, const Attached& attached, nlohmann::json& config, NamedTensors& tensors) {
  const auto& vera = dynamic_cast<const Vera&>(*attached.method);
  const std::string& name = attached.name;
  const bool saved = vera.save_projection || vera.projections;
  const auto wrappers = holders<VeraLinear, Projection>(base, name);
  std::vector<HfModule> adapted;
  for (const HfModule& m : hf_modules(base)) {
    const VeraVectors* one = nullptr;
    std::vector<Tensor> b;
    for (const std::string& path : m.paths) {
      const auto found = wrappers.find(path);
      if (found != wrappers.end()) one = &found->second->entry(name);
      const Index out = m.out / size_of(m.paths);
      b.push_back(found == wrappers.end() ? Tensor(Shape{out}, 0) : found->second->entry(name).b.value());  // 0 changes nothing
    }
    if (!one) continue;
    adapted.push_back(m);
    tensors[prefix + m.name + ".vera_lambda_d"] = one->d.value();
    tensors[prefix + m.name + ".vera_lambda_b"] = stacked(b);
    if (!saved) continue;
    tensors["base_model.vera_A"] = one->projections->A(), tensors["base_model.vera_B"] = one->projections->B();
  }
  config["peft_type"] = "VERA";
  config["r"] = vera.r, config["d_initial"] = vera.d_initial, config["vera_dropout"] = vera.dropout;
  config["projection_prng_key"] = vera.key, config["save_projection"] = saved;
  for (const HfModule& m : adapted) config["target_modules"].push_back(m.name);
  config["fan_in_fan_out"] = model_type(base) == "gpt2";
  config["bias"] = vera.train_biases == Vera::Biases::none  ? "none"
                   : vera.train_biases == Vera::Biases::all ? "all"
                                                            : "vera_only";
  config["modules_to_save"] = saved_names(base, vera.also);
  write_variants(base, name, tensors, key_of(adapted, vera.train_biases != Vera::Biases::none));
  write_head(base, name, tensors, prefix);
  write_tables(base, name, tensors, prefix);
}

const FileFormat file{{"VERA"}, any_of<Vera>, read, write};

// --- its row -------------------------------------------------------------------------------------------------------------

std::shared_ptr<const Method> make(OptionReader& options) {
  const auto vera = std::make_shared<Vera>();
  Index key = 0;
  options.take("r", "the rank of A and B", vera->r, {1, 100000});
  options.take("d-initial", "every number of d at first", vera->d_initial, {-100, 100});
  options.take("dropout", "the method's dropout rate", vera->dropout, {0, 0.99});
  options.take("targets", "projections, by the ends of their names, such as q,v or q,k,v,out,up,down", vera->targets);
  options.take("key", "the seed that A and B are drawn from, beside --seed (0)", key, {0, 4294967295.0});
  vera->key = static_cast<std::uint32_t>(key);
  return vera;
}

}  // namespace

std::vector<MethodRow> Vera::rows() { return {{"vera", "VeRA", "docs/methods/vera.md", 1e-2, make, &file}}; }

}  // namespace graft::peft
