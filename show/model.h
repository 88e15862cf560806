// A model as a tree of modules, and its parameters.
#pragma once
#include "nn/module.h"
#include "peft/method.h"
#include "show/picture.h"

namespace graft::show {

/// What Module::tree() says, folded: members of a list that are alike are one line, "layers.0–11: 12 × Gpt2Block", which unfolds.
/// Each line of what is folded stands for as many as there are members.
Html tree(const Module& module);

/// Every weight: shape, how many numbers, and whether it learns; sums at the end. Weights that differ in a layer's number only
/// are one row, which unfolds.
Html parameters(const peft::BaseModel& base);

}  // namespace graft::show
