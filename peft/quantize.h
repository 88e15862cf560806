// QLoRA: Dettmers et al. 2023, "QLoRA: efficient finetuning of quantized LLMs": the base in 4 bits, LoRA over it.
//     Y = X·dequant(W_nf4)ᵀ + s·X·Aᵀ·Bᵀ        (eq. 5)   only A and B are trained
// Quantizing is a separate, final step before attach(); LoRA then wraps the packed projection as it would any other.
// Three ways to merge: merge_and_unload() into the dequantized base (a float model, no new error); merge_and_requantize()
// into 4 bits again (small again, but each weight is rounded again); or keep the adapter apart, which costs a few percent of
// time and no error.
// The paged optimizer is train/paged.h.
#pragma once
#include <string>
#include <vector>

#include "autograd/nf4.h"
#include "peft/method.h"

namespace graft::peft {

struct Quantize : FourBitOptions {
  /// Ends of slot paths; empty: every projection but the head (and a classifier's score), as in bitsandbytes.
  std::vector<std::string> targets;
};

/// Each projection's weight becomes 4 bits, one tensor at a time. GPT-2's q, k and v of a layer are quantized as one, as their
/// file holds them, so that the bits are those of bitsandbytes. Returns how many numbers were quantized.
/// Errors: ValueError for a target that matches nothing, is packed already, or has an adapter on it; nothing is changed then.
Index quantize(const BaseModel& base, const Quantize& options = {});

/// merge_and_unload(), then what was in 4 bits is quantized again, in the same way.
void merge_and_requantize(const BaseModel& base, const std::string& name, const Quantize& options = {});

}  // namespace graft::peft
