// From the MODEL on a command line to a loaded model, and from text to ids.
#pragma once
#include <string>
#include <vector>

#include "nn/load.h"

namespace graft::cli {

/// The file or folder that MODEL names: itself if it exists, otherwise what `./run fetch MODEL` put into the cache,
/// ${GRAFT_MODELS:-${XDG_CACHE_HOME:-$HOME/.cache}/graft/models}. Errors: FileError says where it searched and what to do.
std::string find_model(const std::string& name);

/// load_model() with its notes printed on stderr.
Loaded load(const std::string& path);
/// Loads it and checks that it is a language model. Errors: ValueError says that `command` needs one.
Loaded load_language_model(const std::string& path, const char* command);

/// Puts an adapter on a language model. Errors: ValueError for a classifier's adapter names the command for it.
void put_adapter(const Loaded& loaded, const std::string& folder, const std::vector<std::string>& ignored_fields);

bool is_gguf(const std::string& path);
/// Whether the model comes with a tokenizer, even one that graft cannot read.
bool has_tokenizer(const std::string& path);

/// A whole file; "-" is standard input. Errors: FileError
std::string read_input(const std::string& path);

/// The ids of a text. Reports on stderr how many bytes the vocabulary lacks, if any.
std::vector<Id> encode(const Tokenizer& tokenizer, const std::string& words, Specials specials = Specials::as_text);

}  // namespace graft::cli
