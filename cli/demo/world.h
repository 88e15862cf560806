// A small world told in simple English: people, places, things, weather, food, feelings. It is written by rules, so that the demo
// needs no download and its data are the same everywhere: stories to learn the language from, and two tasks that stories do not
// teach. What is said hangs together (warm soup makes glad, burnt bread does not), so there is something to understand.
#pragma once
#include <string>

#include "autograd/rng.h"

namespace graft::cli {

/// Some sentences about one person on one day, and some questions with their answers.
std::string story(Rng& rng);

/// A table of attributes and the sentence that tells them: "food: soup, name: Anna, weather: rain" -> "While it rained, Anna …".
struct Description {
  std::string table, sentence;
};
Description description(Rng& rng);

/// A guest's review with two opinions: "good" if he liked both, "bad" if neither, otherwise "mixed".
struct Review {
  std::string text, label;
};
Review review(Rng& rng);

}  // namespace graft::cli
