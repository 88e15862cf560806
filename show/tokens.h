// A text as its tokens.
#pragma once
#include <vector>

#include "autograd/real.h"
#include "show/picture.h"
#include "tokenizer/tokenizer.h"

namespace graft::show {

/// A chip for each token. Spaces are dots, ends of lines ↵; bytes that are no character are shown as <0xE4>. Ids from `vocabulary`
/// on are virtual tokens, shown as v0, v1, …; -1: there are none.
/// values: one number for each token, its shade (a loss: the larger, the stronger; below 0 in blue); empty: neighbours differ in colour.
/// Errors: IndexError for an id that the tokenizer does not have; ValueError for another number of values.
Html tokens(const Tokenizer& tokenizer, const std::vector<Id>& ids, Index vocabulary = -1,
            const std::vector<double>& values = {});

}  // namespace graft::show
