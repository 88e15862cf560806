// Event files as TensorBoard reads them: records of a length, its checksum, a protobuf message, its checksum (TFRecord; CRC-32C, masked),
// the messages written by hand since they have six fields in all. Scalars only.
#pragma once
#include <cstdint>
#include <fstream>
#include <string>

#include "autograd/real.h"

namespace graft::train {

/// CRC-32C (Castagnoli): of "123456789" it is 0xE3069283.
std::uint32_t crc32c(const std::string& bytes);

class EventFile {
 public:
  /// Begins a file (replacing one of that name). TensorBoard finds it if its name holds "tfevents". Errors: FileError
  EventFile(const std::string& path, double wall_time);
  ~EventFile();  ///< in the library, which has made the stream: the two may have a C++ runtime each
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;
  /// Appends a number under a tag ("train/loss") and writes it out. Errors: FileError
  void scalar(const std::string& tag, Index step, double value, double wall_time);

 private:
  void record(const std::string& message);
  std::string path_;
  std::ofstream out_;
};

}  // namespace graft::train
