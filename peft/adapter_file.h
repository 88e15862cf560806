// Reads and writes adapters in Hugging Face PEFT's format: adapter_config.json + adapter_model.safetensors.
// The methods' rows list the types (registry.h): LORA (with rsLoRA, DoRA, PiSSA, OLoRA, biases, patterns, tables), IA3,
// PREFIX_TUNING (P-tuning v2), PROMPT_TUNING, P_TUNING and others.
// Stricter than PEFT, which warns of missing tensors and ignores unknown ones: both are errors here.
// Methods that PEFT lacks are written in the same form under types of our own (GRAFT_…), so that PEFT refuses them instead of
// computing something else: BitFit, LayerNorm tuning, linear probe, P-tuning with a template. Bottleneck adapters are
// read and written in AdapterHub's form (adapterhub_file.h), by these functions too. Encoders and optimizers are not part of an adapter: train/checkpoint.h.
#pragma once
#include <string>
#include <vector>

#include "peft/method.h"

namespace graft::peft {

struct AdapterOptions {
  /// Unknown fields of adapter_config.json that are to be ignored. Otherwise graft refuses them,
  /// since they might change what is computed.
  std::vector<std::string> ignored_fields;
};

/// Attaches what the folder holds, as `name`. Errors: FileError, FormatError: an unknown type or field, a missing or unknown
/// tensor, another shape than this base needs, an adapter for another kind of model; ValueError as attach(). The model is
/// unchanged then.
Attached load_adapter(const BaseModel& base, const std::string& folder, const std::string& name = "default",
                      const AdapterOptions& options = {});

/// The same; a language model gets the head in a classifier's adapter, for sequences or for tokens, with one label for each of
/// its rows, named LABEL_0 and so on as in transformers. The head belongs to the adapter: without it the classifier
/// returns 0. Errors: also ValueError if that would turn a language model with something attached into a classifier.
Attached load_adapter(Loaded& loaded, const std::string& folder, const std::string& name = "default",
                      const AdapterOptions& options = {});

/// Writes both files, or none. Encoders are flattened into the file, not in the model; the three LoRAs of a fused
/// projection become one of rank 3r (A stacked, B block-diagonal), PiSSA plain LoRA of rank 2r. base: how PEFT finds the model.
/// Errors: FileError; ValueError as expect_saveable().
void save_adapter(const BaseModel& base, const Attached& attached, const std::string& folder, const std::string& base_name = "");
/// Throws before a training what save_adapter() would throw after it. Errors: ValueError for full fine-tuning, which
/// save_model() writes; for a method or an option of one that no file format holds; for what is no longer attached.
void expect_saveable(const BaseModel& base, const Attached& attached);

/// A summary of a folder, read without a model.
struct AdapterSummary {
  std::string type, task, base;  ///< "LORA", "CAUSAL_LM", "org/name"; empty if missing
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
