// What is put around texts before a model sees them: the token that begins one, the system turn of a chat, the token that ends one.
// Models are trained with these, and their tokenizers and templates tell which.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nn/load.h"
#include "train/data.h"

namespace graft::tune {

/// The user's options for it.
struct TextOptions {
  bool bos = false, no_bos = false;  ///< the token for the beginning is put, or not; neither: as the tokenizer says
  std::string system;                ///< the first turn of chats that have no system turn; empty: as the model's template says
  bool no_system = false;            ///< add none
};

struct Texts {
  std::vector<Id> begin;  ///< before each text, but not before chats
  std::string system;     ///< what chats begin with that have no system turn; empty: nothing
  Id end = -1;            ///< what is learned to end a text; -1: none

  /// Puts `begin` before ids that do not begin so.
  void put_begin(std::vector<Id>& ids) const;
  /// The options for read_dataset().
  train::ReadOptions reading() const;
};

/// A text's ids. note: called with how many bytes the vocabulary lacks, if any.
std::vector<Id> encode(const Tokenizer& tokenizer, const std::string& text, const std::function<void(const std::string&)>& note,
                       Specials specials = Specials::as_text);

/// As the options, or else the model's files say. The tokenizer's end joins those of the model. Errors: ValueError: a token for the
/// beginning is asked for, but no file names one; a token that the model has no row for.
Texts texts_of(Loaded& loaded, const Tokenizer& tokenizer, const TextOptions& options = {});

/// What the run of graft tune in this folder was trained with: none if it holds no run. Runs that kept none put nothing around texts.
std::optional<Texts> texts_of_run(const std::string& folder);

/// texts_of(), but for what the run of graft tune in the adapter's folder was trained with, if it is one.
Texts texts_with_adapter(Loaded& loaded, const Tokenizer& tokenizer, const TextOptions& options, const std::string& adapter);

}  // namespace graft::tune
