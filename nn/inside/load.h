// The two loaders behind load_model(), and how errors in a configuration name its file.
#pragma once
#include "nn/load.h"

namespace graft {

Loaded load_hugging_face(const std::string& folder);
Loaded load_gguf(const std::string& path);

/// make(), whose errors name the file that the sizes came from.
template <class Make>
auto from_config(const std::string& source, const Make& make) {
  try {
    return make();
  } catch (const FormatError&) { throw; } catch (const Error& e) {
    throw FormatError(text(source, ": ", e.what()));
  }
}

}  // namespace graft
