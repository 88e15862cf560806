// Adapters from and to folders, as Hugging Face PEFT has them: adapter_config.json + adapter_model.safetensors.
// Which types there are the methods' rows say (registry.h): LORA (with rsLoRA, DoRA, PiSSA, OLoRA, biases, patterns, tables), IA3,
// PREFIX_TUNING (P-tuning v2), PROMPT_TUNING, P_TUNING and others.
// Stricter than PEFT, which warns of missing tensors and ignores unknown ones: both are errors here.
// What PEFT has no type for is written in the same form under types of our own (GRAFT_…), so that PEFT refuses it instead of
// computing something else: BitFit, LayerNorm tuning, linear probe, P-tuning with a template. Bottleneck adapters are
// read and written in AdapterHub's form (adapterhub_file.h), by these functions too. Encoders and optimizers are not part of an adapter: train/checkpoint.h.
#pragma once
#include <string>
#include <vector>

#include "peft/method.h"

namespace graft::peft {

struct AdapterOptions {
  /// Fields of adapter_config.json that are read as if they were not there: those that graft does not know, and refuses since
  /// they might change what is computed, although they do not.
  std::vector<std::string> ignored_fields;
};

/// Attaches what the folder holds, as `name`. Errors: FileError, FormatError: an unknown type or field, a missing or unknown
/// tensor, another shape than this base needs, an adapter for another kind of model; ValueError as attach(). The model is then
/// as it was.
Attached load_adapter(const BaseModel& base, const std::string& folder, const std::string& name = "default",
                      const AdapterOptions& options = {});

/// The same; a language model gets the head that a classifier's adapter brings, of sequences or of tokens, with as many labels
/// as that has rows, called LABEL_0 and so on as in transformers. The head is the adapter's alone: without it the classifier
/// says 0. Errors: also ValueError if that would make a classifier of a language model to which something is attached.
Attached load_adapter(Loaded& loaded, const std::string& folder, const std::string& name = "default",
                      const AdapterOptions& options = {});

/// Writes it; both files whole or not at all. Encoders are flattened into the file, not in the model; the three LoRAs of a fused
/// projection become one of rank 3r (A stacked, B block-diagonal), PiSSA plain LoRA of rank 2r. base: how PEFT finds the model.
/// Errors: FileError; ValueError as expect_saveable().
void save_adapter(const BaseModel& base, const Attached& attached, const std::string& folder, const std::string& base_name = "");
/// What save_adapter() would throw when the training is done, before it has begun. Errors: ValueError for full fine-tuning, which
/// save_model() writes; for a method or an option of one that no file format holds; for what is no longer attached.
void expect_saveable(const BaseModel& base, const Attached& attached);

/// What a folder says about itself, without a model.
struct AdapterSummary {
  std::string type, task, base;  ///< "LORA", "CAUSAL_LM", "org/name"; what is not said is empty
  struct Tensor {
    std::string name;
    std::vector<Index> shape;
  };
  std::vector<Tensor> tensors;
  Index numbers = 0;
  std::string config;  ///< the file's own text
};
AdapterSummary describe_adapter(const std::string& folder);  ///< Errors: FileError, FormatError

}  // namespace graft::peft
