// What the fields of adapter_config.json mean: PEFT's own folders (tests/fixtures/adapter_configs, by make_adapter_configs.py),
// and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "autograd/sizes.h"
#include "formats/file.h"
#include "peft/adapter_file.h"
#include "peft/lora.h"
#include "tests/formats/scratch_folder.h"
#include "tests/nn/fixture.h"

namespace graft {
namespace {

namespace fs = std::filesystem;
using fixture::Numbers;
using Json = nlohmann::json;

std::string folder_of(const std::string& name) { return here::fixtures() + "/adapter_configs/" + name; }

struct Base {
  fixture::Built built;
  explicit Base(const std::string& name) : built(fixture::build(name)) {}
  peft::BaseModel host() { return built.classifier ? peft::BaseModel(*built.classifier) : peft::BaseModel(*built.model); }
  Numbers logits(const Ids& ids) {
    const NoGrad no_grad;
    if (!built.classifier) return table::numbers((*built.model)(ids).value());
    const std::vector<Index> lengths(static_cast<std::size_t>(ids.shape()[0]), ids.shape()[1]);
    return table::numbers((*built.classifier)(Batch{ids, {}, lengths}).value());
  }
};

Ids ids_of(const fixture::RawFile& reference) {
  const fixture::Raw& raw = reference.at("ids");
  std::vector<Id> v;
  for (const double x : raw.numbers()) v.push_back(static_cast<Id>(x));
  return Ids({raw.shape[0], raw.shape[1]}, v);
}

std::string base_of(const std::string& folder) {
  return fixture::json_of(folder + "/adapter_config.json").at("base_model_name_or_path").get<std::string>().substr(5);
}

class AdapterConfigs : public testing::TestWithParam<std::string> {};

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& entry : fs::directory_iterator(folder_of("")))
    if (entry.is_directory()) all.push_back(entry.path().filename());
  std::sort(all.begin(), all.end());
  return all;
}

TEST_P(AdapterConfigs, LogitsOfPeft) {
  Base base(base_of(folder_of(GetParam())));
  const fixture::RawFile reference = fixture::read_raw(folder_of(GetParam()) + "/reference.safetensors");
  const Ids ids = ids_of(reference);
  const Numbers plain = base.logits(ids);
  const peft::Attached attached = peft::load_adapter(base.host(), folder_of(GetParam()));
  const Numbers right = reference.at("logits").numbers(), ours = base.logits(ids);
  EXPECT_LE(fixture::apart(ours, right), 5e-5);
  EXPECT_GT(fixture::apart(plain, right), 1e-2) << "the adapter does something";

  const formats::ScratchFolder scratch;  // and again by a file of our own, in which nothing is left to interpretation
  peft::save_adapter(base.host(), attached, scratch.path("out"));
  peft::detach(base.host(), attached);
  EXPECT_EQ(base.logits(ids), plain) << "the base comes back";
  peft::load_adapter(base.host(), scratch.path("out"), "again");
  EXPECT_LE(fixture::apart(base.logits(ids), ours), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(All, AdapterConfigs, testing::ValuesIn(names()), [](const auto& c) { return c.param; });

// --- one folder, with fields changed ---------------------------------------------------------------------------------------

/// The folder of a case with some fields changed (or, given as text, its whole configuration).
class Changed {
 public:
  Changed(const std::string& name, const Json& fields) {
    fs::create_directories(path());
    for (const auto& file : fs::directory_iterator(from(name))) fs::copy_file(file, fs::path(path()) / file.path().filename());
    Json config = fixture::json_of(path() + "/adapter_config.json");
    if (fields.is_object()) config.update(fields);
    formats::write_text(path() + "/adapter_config.json", fields.is_string() ? fields.get<std::string>() : config.dump());
  }
  std::string path() const { return scratch_.path("adapter"); }

 private:
  static std::string from(const std::string& name) {
    const std::string here = folder_of(name);
    if (fs::exists(here)) return here;
    return here::fixtures() + (name.find("_bn_") != std::string::npos ? "/adapterhub/" : "/peft/") + name;
  }
  formats::ScratchFolder scratch_;
};

/// What load_adapter() says, or "" if it loads.
std::string refusal(const std::string& name, const std::string& base, const Json& fields,
                    const std::vector<std::string>& ignored = {}) {
  const Changed changed(name, fields);
  Base model(base);
  try {
    peft::load_adapter(model.host(), changed.path(), "default", {ignored});
  } catch (const Error& error) { return error.what(); }
  return "";
}
void expect_says(const std::string& said, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) EXPECT_NE(said.find(part), std::string::npos) << part << " is not in: " << said;
}

TEST(AdapterConfigFields, StartsThatLeaveTheBaseAlone) {
  const fixture::RawFile reference = fixture::read_raw(folder_of("alpha_regex") + "/reference.safetensors");
  const Json starts = fixture::json_of(folder_of("starts.json"));
  ASSERT_GT(starts.size(), 10u);
  for (const auto& [start, peft_says] : starts.items()) {
    const Changed changed("alpha_regex", {{"init_lora_weights", Json::parse(start)}});
    Base base("llama");
    if (peft_says == "refused" || start == "\"pissa_niter_4\"") {  // that one is other numbers at every loading
      EXPECT_THROW(peft::load_adapter(base.host(), changed.path()), FormatError) << start;
      continue;
    }
    peft::load_adapter(base.host(), changed.path());
    const double apart = fixture::apart(base.logits(ids_of(reference)), reference.at("logits").numbers());
    if (peft_says == "same") EXPECT_LE(apart, 5e-5) << start;
    else EXPECT_GT(apart, 1e-2) << start;
  }
  expect_says(refusal("alpha_regex", "llama", {{"init_lora_weights", "pissa_niter_4"}}),
              {"init_lora_weights", "pissa_niter_4", "random", "path_initial_model_for_weight_conversion"});
}

TEST(AdapterConfigFields, UnknownOnesAreRefusedUnlessTheySayNothing) {
  const std::vector<std::pair<std::string, std::string>> adapters{
      {"alpha_regex", "llama"}, {"ia3_regex", "llama"},       {"prefix_gpt2", "gpt2"},
      {"prompt_gpt2", "gpt2"},  {"ptuning_mlp_gpt2", "gpt2"}, {"double_seq_bn_gpt2", "gpt2"}};
  for (const auto& [name, base] : adapters) {
    for (const Json& nothing : {Json(nullptr), Json(false), Json(0), Json(0.0), Json(""), Json::array()})
      EXPECT_EQ(refusal(name, base, {{"new_field", nothing}}), "") << name << nothing;
    for (const Json& something : {Json(true), Json(1), Json("x"), Json::array({0}), Json{{"a", nullptr}}}) {
      expect_says(refusal(name, base, {{"new_field", something}}),
                  {"adapter_config.json", "new_field", something.dump(), "--ignore-field"});
      EXPECT_EQ(refusal(name, base, {{"new_field", something}}, {"other", "new_field"}), "") << name << something;
    }
  }
  for (const char* field : {"use_qalora", "trainable_token_indices", "layer_replication", "target_parameters", "arrow_config"})
    expect_says(refusal("alpha_regex", "llama", {{field, Json::array({1})}}), {field, "[1]"});
  // fields of LoRA say nothing to IA3: PEFT drops them with a warning
  expect_says(refusal("ia3_regex", "llama", {{"layers_to_transform", 1}}), {"layers_to_transform", "--ignore-field"});
  Json hub = fixture::json_of(here::fixtures() + "/adapterhub/double_seq_bn_gpt2/adapter_config.json").at("config");
  hub["mystery"] = 3;
  expect_says(refusal("double_seq_bn_gpt2", "gpt2", {{"config", hub}}), {"config.mystery", "3"});
  EXPECT_EQ(refusal("double_seq_bn_gpt2", "gpt2", {{"config", hub}}, {"mystery"}), "");
}

TEST(AdapterConfigFields, PatternsThatMakeNoSense) {
  const auto says = [](const Json& fields) { return refusal("rank_regex", "llama", fields); };
  for (const Json& rank : {Json(1e300), Json(-1), Json(0), Json(2.5), Json("4"), Json(nullptr), Json(1e15), Json(1ull << 40)})
    expect_says(says({{"rank_pattern", {{"q_proj", rank}}}}), {"rank_pattern", "q_proj", "whole number"});
  expect_says(says({{"rank_pattern", {{"q_proj", 2147483647}}}}), {"lora_A", "2147483647"});  // before anything so large is made
  expect_says(says({{"alpha_pattern", {{"q_proj", "x"}}}}), {"alpha_pattern", "number"});
  expect_says(says({{"alpha_pattern", Json::array({1})}}), {"alpha_pattern", "array"});
  if (sizeof(real) == sizeof(float)) expect_says(says({{"alpha_pattern", {{"q_proj", 1e300}}}}), {"alpha"});
  expect_says(says({{"alpha_pattern", {{"q(_proj", 1}}}}), {"alpha_pattern", "q(_proj", "character", "unterminated subpattern"});
  expect_says(says({{"target_modules", ".*(proj"}}), {"target_modules", ".*(proj", "character 3"});
  expect_says(says({{"exclude_modules", "["}}), {"exclude_modules", "unterminated character set"});
  expect_says(says({{"target_modules", "q_proj"}}), {"target_modules", "q_proj", "no module"});  // an expression for a whole name
  expect_says(says({{"target_modules", ".*q_proj"}, {"layers_to_transform", 1}}), {"layers_to_transform", "target_modules"});
  expect_says(says({{"layers_pattern", "layers"}}), {"layers_pattern", "layers_to_transform"});
  expect_says(says({{"target_modules", Json::array({"q_proj", 1})}}), {"target_modules", "list of texts"});
}

TEST(AdapterConfigFields, NoExpressionHangs) {
  const auto begin = std::chrono::steady_clock::now();
  for (const char* field : {"target_modules", "exclude_modules"})
    EXPECT_NE(refusal("alpha_regex", "llama", {{field, "(.*)*x"}, {"modules_to_save", nullptr}}), "hangs");
  refusal("alpha_regex", "llama", {{"alpha_pattern", {{"(.*)*x", 1}, {"((a*)*)*b", 2}}}});
  refusal("ia3_regex", "llama", {{"feedforward_modules", "(.*)*x"}});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
}

/// PEFT makes {} a KasaConfig, a VeloraConfig and so on with all defaults: what they are for is on.
TEST(AdapterConfigFields, AnEmptyObjectIsNotNothing) {
  for (const char* field : {"kasa_config", "velora_config", "arrow_config", "use_bdlora", "monteclora_config", "new_config"})
    expect_says(refusal("alpha_regex", "llama", {{field, Json::object()}}), {field, "{}", "--ignore-field"});
  EXPECT_EQ(refusal("alpha_regex", "llama", {{"loftq_config", Json::object()}, {"eva_config", Json::object()}}), "");
}

TEST(AdapterConfigFields, SizeIsBoundedBeforeItIsParsed) {
  const std::string many(300'000, 'a');
  for (const std::string& expression : {many, std::string("[") + many + "]", many + "|" + many})
    for (const char* field : {"target_modules", "exclude_modules"})
      expect_says(refusal("alpha_regex", "llama", {{field, expression}, {"modules_to_save", nullptr}}), {field, "characters; at most"});
  expect_says(refusal("alpha_regex", "llama", {{"alpha_pattern", {{many, 3}}}}), {"alpha_pattern", "characters; at most"});
  Json list = Json::array();
  for (int i = 0; i < 200'000; ++i) list.push_back("x" + std::to_string(i));
  const std::string said = refusal("alpha_regex", "llama", {{"target_modules", list}});
  expect_says(said, {"adapter_config.json", "bytes", "at most"});
  EXPECT_LT(said.size(), 1000u);
}

/// Of a key that comes twice Python keeps the first place and the last value.
TEST(AdapterConfigFields, KeysStandInTheOrderOfTheFile) {
  const auto alphas = [](const std::string& pattern) {
    Json config = fixture::json_of(folder_of("alpha_order") + "/adapter_config.json");
    config.erase("alpha_pattern");
    const std::string all = config.dump();
    const Changed changed("alpha_order", Json(all.substr(0, all.size() - 1) + ", \"alpha_pattern\": " + pattern + "}"));
    Base base("llama");
    const peft::Attached attached = peft::load_adapter(base.host(), changed.path());
    return dynamic_cast<const peft::Lora&>(*attached.method).alpha_pattern.at("layers.0.attn.q");
  };
  EXPECT_EQ(alphas(R"({"z|q_proj": 3, "q_proj": 4})"), 3);
  EXPECT_EQ(alphas(R"({"q_proj": 4, "z|q_proj": 3})"), 4);
  EXPECT_EQ(alphas(R"({"z|q_proj": 3, "q_proj": 4, "z|q_proj": 5})"), 5);
  EXPECT_EQ(alphas(R"({"q_proj": 9}, "alpha_pattern": {"v_proj": 1, "q_proj": 4, "z|q_proj": 3})"), 4);
}

TEST(Lora, ARankAboveTheWidthIsAllowed) {
  Base base("llama");
  const Ids ids({1, 3}, {4, 5, 6});
  const Numbers plain = base.logits(ids);
  for (const peft::Lora::Init init : {peft::Lora::Init::kaiming, peft::Lora::Init::pissa, peft::Lora::Init::olora}) {
    peft::Lora lora;
    lora.r = 50, lora.init = init, lora.targets = {"k", "up", "embed"};
    Rng rng(1);
    const peft::Attached attached = peft::attach(base.host(), lora, rng);
    EXPECT_LE(fixture::apart(base.logits(ids), plain), 1e-5) << "silent at first";
    EXPECT_GT(peft::learning(base.host()).size(), 0u);
    peft::detach(base.host(), attached);
  }
  peft::Lora none;
  none.r = 0;
  Rng rng(1);
  EXPECT_THROW(peft::attach(base.host(), none, rng), ValueError);
}

/// W = Q·R as LAPACK has it: a column of zeros is not reflected, so the first q is the first unit vector, and the second is what
/// the second column has below its first number. (Gram and Schmidt would make nothing of a column of zeros.)
TEST(Lora, OLoRAOfAColumnOfZeros) {
  Base base("llama");
  Param& weight = base.built.model->parameter("layers.0.attn.q.weight");
  Tensor W = weight.value().clone();
  const Index m = W.rows(), n = W.cols();
  for (Index i = 0; i < m; ++i) W.write()[i * n] = 0;
  weight.set(W.clone());
  peft::Lora lora;
  lora.r = 2, lora.init = peft::Lora::Init::olora, lora.targets = {"layers.0.attn.q"};
  Rng rng(1);
  peft::attach(base.host(), lora, rng);
  std::vector<double> u;
  double norm = 0;
  for (Index i = 0; i < m; ++i) u.push_back(i == 0 ? 0 : W[i * n + 1]), norm += u.back() * u.back();
  Numbers right;
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j) {
      double along = 0;
      for (Index k = 0; k < m; ++k) along += nth(u, k) * W[k * n + j];
      right.push_back((i == 0 ? 0 : W[i * n + j]) - nth(u, i) * along / norm);
    }
  EXPECT_LE(fixture::apart(table::numbers(weight.value()), right), 1e-5) << "the base goes without Q_r·R_r";
}

/// q, k and v that share an A start from one decomposition, as PEFT's c_attn.
TEST(Lora, FusedProjectionsStartFromOneDecomposition) {
  for (const peft::Lora::Init init : {peft::Lora::Init::pissa, peft::Lora::Init::olora}) {
    Base base("gpt2");
    const Ids ids({1, 3}, {4, 5, 6});
    const Numbers plain = base.logits(ids);
    peft::Lora lora;
    lora.r = 3, lora.init = init, lora.targets = {"q", "k", "v"}, lora.fused = true;
    Rng rng(1);
    peft::attach(base.host(), lora, rng);
    EXPECT_LE(fixture::apart(base.logits(ids), plain), 1e-5);
  }
}

}  // namespace
}  // namespace graft
