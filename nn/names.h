// Where the parameters of graft's models are in files: names, and how the numbers are rearranged there.
#pragma once
#include <string>

#include "nn/model.h"

namespace graft {

/// A parameter's place in a file.
struct FilePlace {
  std::string name;
  bool transposed = false;  ///< stored (in, out): GPT-2's Conv1D
  int part = 0, parts = 1;  ///< one of this many equal parts along "out" (GPT-2's c_attn holds q, k and v)
  Index interleaved = 0;    ///< rows of this many heads are in GGUF's order: pairs (2j, 2j + 1), not (j, j + d/2)
};

/// In Hugging Face's files; `prefix` is "transformer." or "model.", or empty for files of the bare model.
FilePlace hugging_face_place(const Model& model, const std::string& path, const std::string& prefix);
std::string hugging_face_prefix(const Model& model);  ///< what transformers writes
/// Is the head's weight the table's? A merged model may have a head, or a table, of its own. False without a head.
bool is_tied(const Model& model);
/// In GGUF files of the llama architecture.
FilePlace gguf_place(const Model& model, const std::string& path);
/// Row i of a matrix in Hugging Face's order is row order[i] of the file's.
std::vector<Index> deinterleaved(Index rows, Index heads);

}  // namespace graft
