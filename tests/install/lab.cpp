// A first program with graft: a small GPT learns a sentence, LoRA teaches it another, and both are saved for the program `graft`.
// docs/program.md explains it.
#include <graft.h>

#include <iostream>
#include <string>
#include <vector>

using namespace graft;

namespace {

/// Learns to go on with the text: all of it is one row, which every step sees.
void teach(Model& model, const std::vector<Id>& text, int steps, real rate) {
  train::AdamW optimizer(peft::learning(model));  // what learns now: make the optimizer after attach()
  const Ids row({1, static_cast<Index>(text.size())}, text);
  for (int step = 0; step < steps; ++step) {
    const Variable loss = language_loss(model, row, row);  // labels are the ids: it looks one token ahead by itself
    loss.backward();
    train::clip_gradients(peft::learning(model), 1);
    optimizer.step(rate);
    optimizer.clear_gradients();
    if (step == 0 || step == steps - 1) std::cout << "  step " << step + 1 << "  loss " << loss.item() << "\n";
  }
}

std::string asked(Model& model, const Tokenizer& tokenizer, const std::string& prompt) {
  GenerateOptions options;
  options.max_tokens = 20;
  Rng rng(1);  // draws nothing: the most likely token is taken
  return prompt + tokenizer.decode(generate_one(model, tokenizer.encode(prompt), options, rng));
}

}  // namespace

int main() {
  const std::string first = "the cat sat on the mat and the dog lay in the hall.";
  const std::string second = "the cat lay in the hall and the dog sat on the mat.";
  const Tokenizer tokenizer = train_tokenizer({first, second}, 280, PreTokenizer::gpt2, {"<|endoftext|>"});

  Gpt2Config config;
  config.vocabulary = static_cast<Index>(tokenizer.size());
  config.context = 64, config.dim = 32, config.layers = 2, config.heads = 4;
  Gpt2 model(config);
  Rng rng(1);
  model.initialize(rng);

  std::cout << "pretraining\n";
  teach(model, tokenizer.encode(first), 150, real(3e-3));
  const std::string before = asked(model, tokenizer, "the cat");
  save_model(model, "lab-model", &tokenizer);  // graft generate --model lab-model --prompt "the cat"

  peft::Lora lora;
  lora.r = 4, lora.alpha = 4;
  lora.targets = {"q", "k", "v", "out", "up", "down"};
  const peft::Attached attached = peft::attach(model, lora, rng);  // the base is frozen now
  std::cout << "LoRA: " << peft::report(model) << "\n";
  teach(model, tokenizer.encode(second), 150, real(1e-2));
  const std::string after = asked(model, tokenizer, "the cat");
  peft::save_adapter(model, attached, "lab-lora");  // graft generate ... --adapter lab-lora

  peft::detach(model, attached);
  const std::string again = asked(model, tokenizer, "the cat");
  std::cout << "base:          " << before << "\nwith LoRA:     " << after << "\nwithout again: " << again << "\n";
  return before == again && before != after ? 0 : 1;
}
