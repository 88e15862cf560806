// The tokenizer of the tests of data and of tasks: a few words of English and the marks of ChatML.
#pragma once
#include "tokenizer/train.h"

namespace graft::train {

inline const Tokenizer& tokenizer() {
  static const Tokenizer t = train_tokenizer({"the cat sat on the mat, and the dog sat on the cat. user assistant system"}, 300,
                                             PreTokenizer::gpt2, {"<|endoftext|>", "<|im_start|>", "<|im_end|>"});
  return t;
}

}  // namespace graft::train
