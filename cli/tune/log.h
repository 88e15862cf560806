// The metrics of a training, line by line, continued from a checkpoint.
#pragma once
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "train/events.h"

namespace graft::cli {

/// metrics.jsonl in a folder, and the same for TensorBoard. Lines of steps after `done` are dropped, so that each step appears
/// exactly once.
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
