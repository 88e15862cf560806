// For tests/interop/peft_adapters.py: adapters that graft makes, with the logits that they give here, for PEFT and AdapterHub to
// read.      usage: write_adapters MODELS OUT      (MODELS: tests/fixtures/models)
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>

#include "formats/safetensors.h"
#include "nn/load.h"
#include "peft/adapter_file.h"
#include "tests/peft/methods.h"

namespace fs = std::filesystem;
using namespace graft;

namespace {

const Ids ids({2, 7}, {5, 9, 30, 12, 41, 7, 22, 8, 8, 17, 25, 4, 39, 10});

template <class M>
void write(const fs::path& out, const fs::path& models, const std::string& base, const std::string& name, const M& method,
           bool merged = false) {
  const Loaded loaded = load_model((models / base).string());
  Rng rng(11);
  const peft::Attached attached = peft::attach(loaded, method, rng, "mine");
  table::move(loaded, "mine");
  const NoGrad no_grad;
  const Variable answer = loaded.classifier         ? (*loaded.classifier)(ids)
                          : loaded.token_classifier ? (*loaded.token_classifier)(ids)
                                                    : (*loaded.model)(loaded.model->prompt_template(Batch{ids}));
  const Tensor y = answer.value();
  const fs::path folder = out / (base + "--" + name);
  fs::create_directories(folder);
  if (merged) {
    peft::merge_and_unload(loaded, "mine");
    save_model(loaded, (folder / "merged").string());
  } else {
    peft::save_adapter(loaded, attached, folder.string(), base);
  }
  formats::Numbers numbers;
  numbers.name = "logits";
  for (int i = 0; i < y.rank(); ++i) numbers.shape.push_back(y.dim(i));
  numbers.data = reinterpret_cast<const float*>(y.data());
  formats::write_safetensors((folder / "expected.safetensors").string(), {numbers});
  std::ofstream list(folder / "ids.json");
  list << "[[";
  for (Index i = 0; i < ids.numel(); ++i) list << (i == 7 ? "], [" : i ? ", " : "") << ids[i];
  list << "]]";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: write_adapters MODELS OUT\n";
    return 2;
  }
  const fs::path models = argv[1], out = argv[2];
  const auto lora = [](const std::function<void(peft::Lora&)>& change) {
    peft::Lora l;
    l.r = 2, l.alpha = 3;
    change(l);
    return l;
  };
  for (const char* base :
       {"gpt2", "llama", "gpt2_classifier", "llama_classifier", "gpt2_token_classifier", "llama_token_classifier"}) {
    const bool gpt2 = std::string(base).rfind("gpt2", 0) == 0, classifier = std::string(base).find('_') != std::string::npos;
    const auto go = [&](const std::string& name, const auto& method) { write(out, models, base, name, method); };
    go("lora_qv", lora([](auto&) {}));  // on GPT-2: two of c_attn's three, each with an A of its own
    go("lora_all", lora([&](auto& l) {
         l.targets = {"q", "k", "v", "out", "up", "down"};
         if (!gpt2) l.targets.push_back("gate");
         l.init = peft::Lora::Init::gaussian;
       }));
    go("lora_alphas", lora([](auto& l) {
         l.targets = {"q", "v", "down"}, l.rank_pattern = {{"v", 3}}, l.alpha_pattern = {{"v", 7}};
       }));
    go("lora_rs", lora([](auto& l) { l.rank_stabilized = true, l.targets = {"q", "down"}; }));
    go("lora_bias", lora([](auto& l) { l.bias = true; }));
    go("dora", lora([](auto& l) { l.dora = true, l.targets = {"q", "v", "up"}; }));
    go("pissa", lora([](auto& l) { l.init = peft::Lora::Init::pissa, l.targets = {"v", "down"}; }));
    go("lora_norm", lora([](auto& l) { l.also = {"norm"}; }));
    if (gpt2) {
      go("lora_fused", lora([](auto& l) { l.targets = {"q", "k", "v"}, l.fused = true; }));
      go("lora_fused_rs", lora([](auto& l) { l.targets = {"q", "k", "v"}, l.fused = true, l.rank_stabilized = true; }));
      // Beside a head with a bias PEFT's own file repeats that bias twice under other names; graft's does not.
      if (std::string(base).find("token") == std::string::npos)
        go("lora_biases", lora([](auto& l) { l.train_biases = peft::Lora::Biases::all; }));
      go("lora_own_biases", lora([](auto& l) { l.train_biases = peft::Lora::Biases::lora_only; }));
    }
    if (!classifier) go("lora_table", lora([](auto& l) { l.targets = {"embed", "q"}; }));
    if (!classifier) go("dora_table", lora([](auto& l) { l.targets = {"embed", "q"}, l.dora = true; }));
    if (!classifier) go("lora_whole", lora([](auto& l) { l.also = {"embed", "head", "layers.0.mlp.up", "norm"}; }));
    peft::Ia3 whole;
    whole.also = {"embed", "layers.1.norm"};
    go("ia3_whole", whole);
    go("ia3", peft::Ia3{});
    peft::Vera vera;
    vera.r = 5;
    go("vera_qv", vera);
    vera.targets = {"k", "out", "up", "down"}, vera.key = 9, vera.d_initial = real(0.5), vera.also = {"norm"};
    go("vera_all", vera);
    vera.also.clear(), vera.save_projection = false;
    go("vera_drawn", vera);
    peft::PrefixTuning prefix;
    prefix.length = 4;
    go("prefix", prefix);
    prefix.hidden = 6;
    go("prefix_mlp", prefix);
    peft::PromptTuning prompt;
    prompt.length = 5;
    go("prompt", prompt);
    peft::PTuning p;
    p.prompt_template = peft::front_template(4);
    go("ptuning_lstm", p);
    p.encoder = peft::PTuning::Encoder::mlp, p.flavour = peft::PTuning::Flavour::peft;
    go("ptuning_mlp", p);
    if (std::string(base).find("llama_") != 0) {
      using Form = peft::BottleneckAdapter::Form;
      for (const auto& [name, form] : {std::pair<const char*, Form>{"hub_double", Form::houlsby},
                                       {"hub_seq", Form::after_mlp},
                                       {"hub_par", Form::parallel}}) {
        peft::BottleneckAdapter b;
        b.form = form, b.size = 3, b.scale = form == Form::parallel ? 4 : 1;
        go(name, b);
      }
    }
    const auto fold = [&](const std::string& name, const auto& method) { write(out, models, base, name, method, true); };
    fold("merged_lora", lora([](auto& l) { l.targets = {"q", "k", "v", "out", "up", "down"}; }));
    fold("merged_dora", lora([](auto& l) { l.dora = true, l.targets = {"v", "up"}; }));
    fold("merged_ia3", peft::Ia3{});
    fold("merged_vera", vera);
    fold("merged_pissa", lora([](auto& l) { l.init = peft::Lora::Init::pissa; }));
    fold("merged_norms", peft::LayerNormTuning{});
    if (gpt2) fold("merged_bitfit", peft::BitFit{});
    if (!classifier) fold("merged_table_and_head", lora([](auto& l) { l.targets = {"embed", "head"}; }));
  }
  write(out, models, "llama_tied", "lora_embed", lora([](auto& l) { l.also = {"embed"}; }));
  write(out, models, "llama_tied", "lora_as_one", lora([](auto& l) { l.also = {"embed"}, l.as_one = true; }));
  write(out, models, "llama_tied", "merged_embed", lora([](auto& l) { l.also = {"embed"}; }), true);
  write(out, models, "llama_tied", "merged_as_one", lora([](auto& l) { l.also = {"head"}, l.as_one = true; }), true);
  return 0;
}
