// Puts a classification head on a loaded language model, in place of the one that predicts words, and removes it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "nn/load.h"

namespace graft {

enum class HeadOf { sequences, tokens };

/// `loaded` becomes a Classifier, or a TokenClassifier, whose head has no values yet. Returns the head that predicted words.
/// Errors: ValueError if it is a classifier already.
std::unique_ptr<Projection> put_head(Loaded& loaded, HeadOf of, std::vector<std::string> labels);
/// A language model again, with this head. Errors: ValueError if it is one already.
void take_head(Loaded& loaded, std::unique_ptr<Projection> words);

}  // namespace graft
