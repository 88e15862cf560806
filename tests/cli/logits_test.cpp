// graft logits against what transformers computed for the tiny models (tests/fixtures/make_models.py).
#include <nlohmann/json.hpp>

#include "formats/safetensors.h"
#include "tests/cli/models.h"
#include "tests/here.h"

namespace graft::testing {
namespace {

using Json = nlohmann::json;

std::string fixture(const std::string& name) { return here::fixtures() + "/models/" + name; }

class Logits : public ::testing::Test {
 protected:
  Result logits(const std::string& model, const std::string& json) {
    write_file(folder / "ids.json", json);
    return graft({"logits", "--model", model, "--ids", folder / "ids.json", "--out", folder / "out.safetensors"});
  }
  /// And leaves nothing behind.
  void fails(const std::string& json, const std::string& what) {
    expect_fails(logits(fixture("llama"), json), what);
    EXPECT_EQ(folder.names(), std::vector<std::string>{"ids.json"}) << json;
  }
  TemporaryFolder folder;
};

TEST_F(Logits, EqualThoseOfTransformers) {
  for (const char* model : {"gpt2", "gpt2_classifier", "gpt2_token_classifier", "llama", "llama_tied", "llama_classifier",
                            "llama_token_classifier"}) {
    const Json golden = Json::parse(read_file(fixture(model) + "/golden.json"));
    const formats::Safetensors expected(fixture(model) + "/golden.safetensors");
    for (const auto& [ids, name] : {std::pair<Json, std::string>{golden["ids"], "logits"},
                                    std::pair<Json, std::string>{golden["padded"]["ids"], "padded_logits"}}) {
      const auto* want = expected.find(name);
      ASSERT_NE(want, nullptr) << model << " " << name;
      const Result r = logits(fixture(model), Json{{"ids", ids}}.dump());
      ASSERT_EQ(r.code, 0) << model << r;
      EXPECT_EQ(r.out + r.err, "");
      const formats::Safetensors written(folder / "out.safetensors");
      ASSERT_EQ(written.tensors().size(), 1u);
      const auto* got = written.find("logits");
      ASSERT_NE(got, nullptr);
      EXPECT_EQ(got->dtype, formats::Dtype::F32);
      ASSERT_EQ(got->shape, want->shape) << model << " " << name;
      std::vector<float> a(static_cast<std::size_t>(got->numel())), b(a);
      formats::read_numbers(*got, a.data(), "");
      formats::read_numbers(*want, b.data(), "");
      // Of a padded batch of a language model only the real tokens: what it says after padding is nobody's business.
      const bool by_token = got->shape.size() == 3, padded = name != "logits";
      const std::size_t V = static_cast<std::size_t>(got->shape.back()), T = by_token ? ids[0].size() : 1;
      for (std::size_t i = 0; i < a.size(); ++i) {
        const std::size_t row = i / (T * V), t = i / V % T;
        if (by_token && padded && t >= golden["padded"]["lengths"][row].get<std::size_t>()) continue;
        ASSERT_NEAR(a[i], b[i], 1e-4) << model << " " << name << " row " << row << " token " << t;
      }
    }
  }
}

TEST_F(Logits, NeverOverItsOwnInput) {
  fs::copy(fixture("gpt2"), folder / "model");
  write_file(folder / "ids.json", "{\"ids\": [[1, 2]]}");
  const std::string model = read_file(folder / "model/model.safetensors");
  for (const char* out : {"ids.json", "model/model.safetensors", "model/new.safetensors"})
    expect_fails(graft({"logits", "--model", folder / "model", "--ids", folder / "ids.json", "--out", folder / out}), "--out");
  EXPECT_EQ(read_file(folder / "ids.json"), "{\"ids\": [[1, 2]]}");
  EXPECT_EQ(read_file(folder / "model/model.safetensors"), model);
  EXPECT_FALSE(fs::exists(folder / "model/new.safetensors"));
  fs::copy(fixture("gguf_q4_1.gguf"), folder / "m.gguf");
  fs::create_hard_link(folder / "m.gguf", folder / "same");
  for (const char* out : {"m.gguf", "same"})
    expect_fails(graft({"logits", "--model", folder / "m.gguf", "--ids", folder / "ids.json", "--out", folder / out}), "--out");
  EXPECT_EQ(read_file(folder / "same"), read_file(fixture("gguf_q4_1.gguf")));
  fs::copy(fixture("../peft/lora_gpt2"), folder / "adapter");
  expect_fails(graft({"logits", "--model", folder / "model", "--adapter", folder / "adapter", "--ids", folder / "ids.json",
                      "--out", folder / "adapter/adapter_model.safetensors"}),
               "--out");
  EXPECT_EQ(read_file(folder / "adapter/adapter_model.safetensors"),
            read_file(fixture("../peft/lora_gpt2/adapter_model.safetensors")));
}

TEST_F(Logits, WrongIds) {
  fails("", "not JSON");
  fails("{\"prompt\": 1}\n{\"prompt\": 2}\n", "expected end of input; the file must be {\"ids\": [[");
  fails("{\"ids\": [[1, 2]", "not JSON");
  fails("[[1, 2]]", "there is no \"ids\"");
  fails("{\"id\": [[1]]}", "there is no \"ids\"");
  fails("{\"ids\": [[1]], \"attention_mask\": [[1]]}", "attention_mask");
  fails("{\"ids\": []}", "at least one row");
  fails("{\"ids\": [[]]}", "at least one id");
  fails("{\"ids\": [1, 2]}", "at least one row");
  fails("{\"ids\": [[1], 2]}", "ids[1] is number, not a row");
  fails("{\"ids\": [[1, 2], [3]]}", "row 0 has 2 ids and row 1 has 1");
  fails("{\"ids\": [[1, 2.5]]}", "ids[0][1] is 2.5, not a whole number");
  fails("{\"ids\": [[1, \"2\"]]}", "ids[0][1] is \"2\"");
  fails("{\"ids\": [[1], [-1]]}", "ids[1][0] is -1, but this model has the ids 0 to 42");
  fails("{\"ids\": [[43]]}", "ids[0][0] is 43");
  fails("{\"ids\": [[18446744073709551615]]}", "18446744073709551615");
  std::string row = "0";
  for (int i = 0; i < 1000; ++i) row += ",0";
  fails("{\"ids\": [[" + row + "]]}", "1001");  // beyond the context
}

TEST_F(Logits, WrongPlaces) {
  write_file(folder / "ids.json", "{\"ids\": [[1]]}");
  const auto to = [&](const std::string& ids, const std::string& out) {
    return graft({"logits", "--model", fixture("llama"), "--ids", ids, "--out", out});
  };
  expect_fails(to(folder / "none.json", folder / "out"), "none.json");
  expect_fails(to(folder / "", folder / "out"), "");
  expect_fails(to(folder / "ids.json", folder / "nowhere/out"), "there is no folder");
  expect_fails(to(folder / "ids.json", folder / ""), "is a folder");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"ids.json"});
  expect_works(to(folder / "ids.json", folder / "out"));
}

/// What load_model() notes is said, on stderr: the head of the file differs from the table that it should be tied to.
TEST_F(Logits, SaysThatAHeadIsKept) {
  const formats::Safetensors tied(fixture("llama_tied") + "/model.safetensors");
  std::vector<std::vector<float>> held;
  std::vector<formats::Numbers> tensors;
  const auto add = [&](const std::string& name, const formats::TensorEntry& entry) {
    held.emplace_back(static_cast<std::size_t>(entry.numel()));
    formats::read_numbers(entry, held.back().data(), "");
    formats::Numbers n;
    n.name = name, n.shape.assign(entry.shape.begin(), entry.shape.end()), n.data = held.back().data();
    tensors.push_back(n);
  };
  for (const auto& entry : tied.tensors()) add(entry.first, entry.second);
  add("lm_head.weight", *tied.find("model.embed_tokens.weight"));
  fs::create_directory(folder / "model");
  fs::copy(fixture("llama_tied") + "/config.json", folder / "model/config.json");
  const auto says = [&] {
    formats::write_safetensors(folder / "model/model.safetensors", tensors);
    const Result r = logits(folder / "model", R"({"ids": [[1, 2]]})");
    EXPECT_EQ(r.code, 0) << r;
    return r.err;
  };
  EXPECT_EQ(says(), "") << "the same numbers";
  held.back()[3] += 1;
  EXPECT_NE(says().find("lm_head.weight"), std::string::npos);
}

}  // namespace
}  // namespace graft::testing
