// Data: files of text, JSON or tables become examples in tokens, and examples become batches.
//     notes.txt                                       text to continue
//     {"text": "..."}                                 the same, an example each
//     {"prompt": "...", "completion": "..."}          only the completion is learned
//     {"messages": [{"role": .., "content": ..}]}     ChatML; only the assistant's turns and their ends are learned
//     {"text": "...", "label": "..."}                 text and its class
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "nn/batch.h"
#include "tokenizer/tokenizer.h"

namespace graft::train {

struct Example {
  std::vector<Id> ids;
  std::vector<Id> labels;         ///< one for each id; `ignored` is not scored. Empty: all are
  Index answer = -1;              ///< where the answer begins: a completion, or the assistant's last turn; -1: none
  Index label = -1;               ///< the class, of labelled text
  std::string prompt, reference;  ///< as written: the text, or the expected answer
};

struct Dataset {
  enum class Kind { text, completion, chat, labelled };
  Kind kind = Kind::text;
  std::vector<Example> examples;
  std::vector<std::string> labels;  ///< the names of the classes, in alphabetical order
  Index cut = 0;                    ///< how many examples were cut
  std::string unread;               ///< other fields of the first example, which are not used: "id", "labels"

  Index tokens() const;
};
const char* name(Dataset::Kind kind);  ///< "text", "prompts and completions", ...

struct ReadOptions {
  Index longest = 0;                ///< tokens of an example, at most; also the windows that text is cut into
  bool cut = false;                 ///< longer ones are cut instead of refused
  bool by_line = false;             ///< each line of a text file is an example; otherwise windows of `longest` tokens
  Id end = -1;                      ///< the token that ends a text or an answer; -1: none
  std::vector<Id> begin;            ///< the tokens before a text, or before a prompt with its answer; chats have none
  std::string system;               ///< the system turn of chats that have none; empty: nothing
  std::vector<std::string> labels;  ///< the classes, if they are known; empty: those that occur
};

/// By the file's ending, in letters of either case: .jsonl, .ndjson and .json are JSON, an object for each example, one after
/// another or in a list; .csv and .tsv are tables (RFC 4180) whose first row names columns as JSON names fields. All are of the
/// kind of the first. Any other file is text. All are UTF-8.
/// Errors: FileError; FormatError names the line and what was expected there: malformed JSON, a missing field, another kind
/// than the first, a class that is not among options.labels, nothing at all; a file that is no text (.parquet, .gz, UTF-16, NUL
/// bytes), or a text that looks like JSON; ValueError: examples longer than options.longest, counted.
Dataset read_dataset(const std::string& path, const Tokenizer& tokenizer, const ReadOptions& options = {});

/// Whether read_dataset() takes the file for JSON or a table, by its ending. Errors: FormatError: an ending of no text
bool holds_records(const std::string& path);

/// What a file of text, called `path` in messages, holds for a model. Errors: FormatError as read_dataset()
std::string plain_text(std::string content, const std::string& path);

std::vector<std::string> lines_of(const std::string& content);  ///< those that are not blank, without their ends
/// The lines of a text that are not blank, or the field "text" of records. Errors: as read_dataset()
std::vector<std::string> read_texts(const std::string& path);

/// Moves a share of the examples to a validation set: for text the end, otherwise every n-th of a random order.
/// Errors: ValueError if either part is then empty.
Dataset split(Dataset& data, double share, std::uint64_t seed);

/// Examples as a batch: filled up on the right with `pad`, whose labels are ignored. lengths and answers are set for each row.
Batch batch(const Dataset& data, const std::vector<Index>& which, Id pad);
/// Lines of text as a batch, all of whose tokens are learned: language_loss(model, train::batch(tokenizer, lines)).
/// Errors: ValueError for no lines, or one without tokens
Batch batch(const Tokenizer& tokenizer, const std::vector<std::string>& lines);
/// Prompts, and what is to follow each, " good.": only that is learned, and the batch says where it begins.
/// Errors: also ValueError unless there is one answer for each prompt
Batch batch(const Tokenizer& tokenizer, const std::vector<std::string>& prompts, const std::vector<std::string>& answers);
Ids classes(const Dataset& data, const std::vector<Index>& which);  ///< (B)

/// Which examples make batch n = 0, 1, …: every epoch visits all of them in a different order, and a batch may reach into
/// the next epoch. A pure function of seed and n, so that nothing needs saving to resume.
class Order {
 public:
  Order(Index examples, Index batch, std::uint64_t seed, bool shuffled = true);  ///< Errors: ValueError
  std::vector<Index> operator()(Index n) const;

 private:
  Index examples_, batch_;
  std::uint64_t seed_;
  bool shuffled_;
  mutable Index epoch_ = -1;
  mutable std::vector<Index> order_;  // of epoch_, cached for neighbouring batches
};

}  // namespace graft::train
