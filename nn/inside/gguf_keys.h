// Which keys of a GGUF file change numbers.
#pragma once
#include "formats/gguf.h"

namespace graft {

/// Keys of the architecture, of the tokenizer and of others are read by the loader, or known to change no number of the model, or
/// have a value that turns off what they are for. Errors: FormatError for any other key, with its value.
void expect_known_keys(const formats::Gguf& file, double head_dim);

}  // namespace graft
