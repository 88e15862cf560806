// The numbers of a training as it goes, line by line, and again from where a checkpoint stands.
#pragma once
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "train/events.h"

namespace graft::cli {

/// metrics.jsonl in a folder, and the same for TensorBoard. Lines of later steps than `done` are dropped, so that none is doubled and
/// none is missing.
class Log {
 public:
  Log(const std::string& folder, Index done);  ///< Errors: FileError, FormatError
  void write(nlohmann::json line);             ///< {"step": .., ...}; the time is added. Errors: FileError
  const std::vector<nlohmann::json>& lines() const { return lines_; }

 private:
  std::string path_;
  void show(const nlohmann::json& line);  // to TensorBoard
  std::ofstream out_;
  std::optional<train::EventFile> events_;
  std::vector<nlohmann::json> lines_;
};

}  // namespace graft::cli
