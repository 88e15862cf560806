// The texts of tune/texts.h on a command line: their options, and notes for the user on stderr.
#pragma once
#include <string>

#include "tune/texts.h"

namespace graft::cli {

using tune::TextOptions;
using tune::Texts;
using tune::texts_of;
using tune::texts_with_adapter;

/// What a user of chats should know about the model's own template; empty: nothing.
std::string about_template(const Tokenizer& tokenizer, const Texts& texts);

/// The model's tokenizer. Its warnings are printed on stderr.
Tokenizer tokenizer_for(const std::string& path);

}  // namespace graft::cli
