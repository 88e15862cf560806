#include "cli/tune/log.h"

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "autograd/errors.h"
#include "formats/file.h"

namespace graft::cli {
namespace {
double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }
}  // namespace

Log::Log(const std::string& folder, Index done) : path_(folder + "/metrics.jsonl") {
  std::string kept;
  if (std::filesystem::exists(path_)) {
    std::istringstream in(formats::read_text(path_));
    for (std::string line; std::getline(in, line);) {
      const nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
      if (!object.is_object() || !object.contains("step") || !object["step"].is_number_integer())
        break;  // truncated when the program was killed
      if (object["step"].get<Index>() > done) continue;
      lines_.push_back(object);
      kept += line + "\n";
    }
  }
  formats::write_text(path_, kept);
  out_.open(path_, std::ios::app | std::ios::binary);
  expect<FileError>(out_.good(), path_, ": cannot be opened for writing");
  events_.emplace(folder + "/events.out.tfevents.0.graft", now());  // rewritten from the lines that are kept
  for (const nlohmann::json& line : lines_) show(line);
}

void Log::show(const nlohmann::json& line) {
  for (const auto& [key, value] : line.items())
    if (value.is_number() && key != "step" && key != "time")
      events_->scalar(key == "held_out_loss" ? "held_out/loss" : "train/" + key, line["step"].get<Index>(), value.get<double>(),
                      line.value("time", 0.0));
}

void Log::write(nlohmann::json line) {
  line["time"] = now();
  lines_.push_back(line);
  out_ << line.dump() << '\n' << std::flush;
  expect<FileError>(out_.good(), path_,
                    ": cannot be written to; is the disk full? The last checkpoint is intact, and --resume "
                    "continues from it");
  show(line);
}

}  // namespace graft::cli
