// A method's adapters in a folder. A FileFormat is defined beside its reader and writer; a method's row points to it,
// and peft/adapter_file.cpp finds it both ways: by the file's peft_type, and by the method that is to be saved.
#pragma once
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "peft/method.h"

namespace graft::peft {

class AdapterConfig;
class Keys;
using NamedTensors = std::map<std::string, Tensor>;  ///< to be written

struct FileFormat {
  std::vector<std::string> types;  ///< peft_type: what read() reads
  bool (*holds)(const Method&);    ///< is it this method's format?
  /// Attaches what the two files hold, as `name`. Errors: FormatError; load_adapter() then detaches what was attached.
  Attached (*read)(const BaseModel&, const AdapterConfig&, Keys&, const std::string& name);
  /// The fields of adapter_config.json, peft_type among them, and the tensors. Errors: ValueError for what it cannot hold.
  void (*write)(const BaseModel&, const Attached&, nlohmann::json& config, NamedTensors&);
  /// For folders that are not PEFT's, instead of read and write: all of save_adapter() and expect_saveable().
  void (*save)(const BaseModel&, const Attached&, const std::string& folder, const std::string& base_name) = nullptr;
  void (*expect_holds)(const BaseModel&, const Attached&) = nullptr;
};

/// FileFormat::holds: methods of type M, and of those derived from it.
template <class... M>
bool any_of(const Method& method) {
  return (... || (dynamic_cast<const M*>(&method) != nullptr));
}

extern const FileFormat lora_file, ia3_file, soft_file, tuned_file, adapterhub_file;

}  // namespace graft::peft
