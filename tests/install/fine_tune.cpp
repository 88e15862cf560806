// The programs of docs/tune.md, "From C++": fine-tuning and using what was learned, in a few lines. The model and the data are
// small ones that are made here first, in the folder where it is started.
#include <graft.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

using namespace graft;

void make_files() {
  const Tokenizer words = train_tokenizer({"the soup was warm and the bread was cold. i liked the soup. user assistant"}, 300,
                                          PreTokenizer::gpt2, {"<|endoftext|>", "<|im_start|>", "<|im_end|>"});
  Gpt2Config config;
  config.vocabulary = static_cast<Index>(words.size()), config.context = 64, config.dim = 32, config.layers = 2, config.heads = 4;
  Gpt2 model(config);
  Rng rng(1);
  model.initialize(rng);
  std::filesystem::create_directories("smollm2-135m.gguf");  // stands in for the file of this name
  save_model(model, "smollm2-135m.gguf", &words);
  std::string reviews, pairs, chats;
  for (int i = 0; i < 60; ++i) {
    const std::string what = i % 3 == 0 ? "soup" : i % 3 == 1 ? "bread" : "tea", how = i % 2 == 0 ? "warm" : "cold";
    reviews += R"({"text": "the )" + what + " was " + how + R"(", "label": ")" + (i % 2 == 0 ? "good" : "bad") + "\"}\n";
    pairs += R"({"prompt": "the )" + what + R"( was", "completion": " )" + how + "\"}\n";
    chats += R"({"messages": [{"role": "user", "content": ")" + what + R"("}, {"role": "assistant", "content": ")" + how + "\"}]}\n";
  }
  formats::write_text("reviews.jsonl", reviews);
  formats::write_text("pairs.jsonl", pairs);
  formats::write_text("chats.jsonl", chats);
}

void classes() {
  Loaded base = load_model("smollm2-135m.gguf");
  const Tokenizer words = load_tokenizer_of(base.path);
  Rng rng(1);
  train::Dataset data = train::read_dataset("reviews.jsonl", words), held = train::split(data, 0.1, 1);
  tune::make_classifier(base, data.labels, rng);                // a head, which every method trains as well
  const peft::Attached lora = peft::attach(base, peft::Lora{}, rng);
  tune::ClassTask task(base, data, held, 16, rng);              // batches of 16
  train::AdamW adam(peft::learning(base));
  train::run(task, adam, train::Plan(200, 5e-3));               // steps, rate
  std::cout << tune::accuracy(task, held) << '\n' << tune::lora_delta(base);

  std::filesystem::create_directories("my-reviews");
  peft::save_adapter(base, lora, "my-reviews");
  tune::save_classes({data.labels, {}, false}, "my-reviews");
}

void label_words() {
  Loaded base = load_model("smollm2-135m.gguf");
  const Tokenizer words = load_tokenizer_of(base.path);
  Rng rng(1);
  const train::Dataset data = train::read_dataset("reviews.jsonl", words);
  const peft::Verbalizer answers(tune::label_words(data.labels, {{"good", {"!"}}, {"bad", {"?"}}}), words, base.model->vocabulary());
  peft::attach(base, peft::PTuning{}, rng);
  tune::ClassTask task(base, data, data, 16, rng, answers);     // no head: the model's own logits of these words
  train::AdamW adam(peft::learning(base));
  train::run(task, adam, train::Plan(20, 1e-3));
  std::cout << tune::accuracy(task, data) << '\n';
}

void ensemble() {
  Loaded base = load_model("smollm2-135m.gguf");
  const Tokenizer words = load_tokenizer_of(base.path);
  Rng rng(1);
  const train::Dataset data = train::read_dataset("reviews.jsonl", words);
  tune::make_classifier(base, data.labels, rng);
  const auto prompts = peft::names_of(peft::attach_ensemble(base, peft::PromptTuning{}, 3, rng, "prompt"));
  tune::ClassTask task(base, data, data, 16, rng, prompts);     // three prompts learn in one batch, and vote
  train::AdamW adam(peft::learning(base));
  train::run(task, adam, train::Plan(20, 1e-2));
  std::cout << tune::accuracy(task, data) << '\n';
}

void text() {
  Loaded base = load_model("smollm2-135m.gguf");
  const Tokenizer words = load_tokenizer_of(base.path);
  Rng rng(1);
  for (const char* file : {"pairs.jsonl", "chats.jsonl"}) {
    const train::Dataset data = train::read_dataset(file, words, tune::texts_of(base, words).reading());
    peft::attach(base, peft::Lora{}, rng, "lora");
    tune::LanguageTask task(base, data, data, 16, rng);
    train::AdamW adam(peft::learning(base));
    train::run(task, adam, train::Plan(50, 5e-3));
    std::cout << task.loss(data) << "  " << tune::complete(task, data, words, base.ends, base.bos, 1)[0] << '\n';
    peft::detach(base, "lora");
  }
}

void use() {
  const tune::TextClassifier reviews("smollm2-135m.gguf", "my-reviews");
  const tune::TextClassifier::Answer said = reviews("the bread was cold");
  std::cout << said.label << ' ' << said.probability << '\n';
}

int main() {
  make_files();
  classes();
  label_words();
  ensemble();
  text();
  use();
}
