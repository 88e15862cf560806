// A world that is small enough to be learned in seconds: an alphabet to count along, and guests who say what they liked. Notebooks
// and labs begin here instead of building a text, a tokenizer and a model each.
//     const lesson::World& world = lesson::world();
//     auto base = lesson::base();                      // has read world.lines; what it has not: world.backwards
//     lesson::answer(*base, "after f comes")           // " g"
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "nn/gpt2.h"
#include "tokenizer/tokenizer.h"

namespace graft::lesson {

struct Review {
  std::string text;  ///< "the soup was lovely."
  bool good;
};

std::vector<std::string> texts(const std::vector<Review>& reviews);
std::vector<std::string> verdicts(const std::vector<Review>& reviews);  ///< " all in all good.", " all in all bad."
Ids classes(const std::vector<Review>& reviews);                        ///< (n): 0 bad, 1 good

struct World {
  std::vector<std::string> forwards;   ///< "after f comes g.", 25 of them; the base has read these
  std::vector<std::string> backwards;  ///< "after g comes f."; the base has not
  std::vector<Review> reviews;         ///< 48 to fine-tune on
  std::vector<Review> held_out;        ///< 16 more, of other things
  std::vector<std::string> lines;      ///< what the base has read: forwards, and reviews that go on, " all in all good.", " it was late."
  Tokenizer tokenizer;                 ///< trained on lines
};
const World& world();

/// 64 wide, 2 layers, 4 heads, a context of 48.
Gpt2Config config();

/// A GPT that has read world().lines; a new one on each call, on every machine the same.
std::unique_ptr<Gpt2> base();
/// The training that base() comes from: 1000 steps, some seconds. Equal to it up to rounding, which so many steps amplify.
std::unique_ptr<Gpt2> trained_base();

/// What the model goes on with: the most probable token, again and again.
std::string answer(Model& model, const std::string& prompt, Index tokens = 1);

}  // namespace graft::lesson
