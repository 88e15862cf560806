// The texts of the small world, and what a model says about them.
#include "lesson/world.h"

#include "nn/generate.h"
#include "tokenizer/train.h"

namespace graft::lesson {
namespace {

constexpr const char* things[] = {"food", "room", "view", "staff", "music", "bed", "soup", "lobby"};
constexpr int to_fine_tune = 6;  // of the things; the others are held out
constexpr const char* praise[] = {"great", "lovely", "superb", "kind"};
constexpr const char* blame[] = {"awful", "dirty", "rude", "cold"};
constexpr const char* beside_the_point[] = {" they left on monday.", " it was late.", " we paid by card."};

std::vector<Review> reviews_of(int from, int to) {
  std::vector<Review> all;
  for (int thing = from; thing < to; ++thing)
    for (std::size_t word = 0; word < std::size(praise); ++word) {
      all.push_back({text("the ", things[thing], " was ", praise[word], "."), true});
      all.push_back({text("the ", things[thing], " was ", blame[word], "."), false});
    }
  return all;
}

std::string verdict(bool good) { return good ? " all in all good." : " all in all bad."; }

World made() {
  std::vector<std::string> forwards, backwards;
  for (char letter = 'a'; letter < 'z'; ++letter) {
    const char next = static_cast<char>(letter + 1);
    forwards.push_back(text("after ", letter, " comes ", next, "."));
    backwards.push_back(text("after ", next, " comes ", letter, "."));
  }
  const std::vector<Review> reviews = reviews_of(0, to_fine_tune),
                            held_out = reviews_of(to_fine_tune, static_cast<int>(std::size(things)));
  std::vector<std::string> lines = forwards;
  for (const std::vector<Review>* some : {&reviews, &held_out})
    for (const Review& review : *some) {
      lines.push_back(review.text + verdict(review.good));
      for (const char* more : beside_the_point) lines.push_back(review.text + more);
    }
  Tokenizer tokenizer = train_tokenizer(lines, 1000, PreTokenizer::gpt2, {}, 1);
  return {forwards, backwards, reviews, held_out, lines, std::move(tokenizer)};
}

}  // namespace

std::vector<std::string> texts(const std::vector<Review>& reviews) {
  std::vector<std::string> all;
  for (const Review& review : reviews) all.push_back(review.text);
  return all;
}

std::vector<std::string> verdicts(const std::vector<Review>& reviews) {
  std::vector<std::string> all;
  for (const Review& review : reviews) all.push_back(verdict(review.good));
  return all;
}

Ids classes(const std::vector<Review>& reviews) {
  std::vector<Id> all;
  for (const Review& review : reviews) all.push_back(review.good ? 1 : 0);
  return {{size_of(all)}, all};
}

const World& world() {
  static const World one = made();
  return one;
}

std::string answer(Model& model, const std::string& prompt, Index tokens) {
  const Tokenizer& tokenizer = world().tokenizer;
  GenerateOptions options;
  options.max_tokens = tokens;
  Rng draws(1);  // none are drawn: the most probable token is taken
  return tokenizer.decode(generate_one(model, tokenizer.encode(prompt), options, draws));
}

}  // namespace graft::lesson
