// The numbers of a training as it goes, line by line, and again from where a checkpoint stands.
#pragma once
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "autograd/real.h"

namespace graft::cli {

/// metrics.jsonl in a folder. Lines of later steps than `done` are dropped, so that none is doubled and none is missing.
class Log {
 public:
  Log(const std::string& folder, Index done);  ///< Errors: FileError, FormatError
  void write(const nlohmann::json& line);      ///< {"step": .., ...}. Errors: FileError
  const std::vector<nlohmann::json>& lines() const { return lines_; }

 private:
  std::string path_;
  std::ofstream out_;
  std::vector<nlohmann::json> lines_;
};

}  // namespace graft::cli
