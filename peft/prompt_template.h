// A template: a row of pieces, such as "[v][v] {sentence} [v] it was [answer]" (P-tuning's templates), or plain virtual tokens
// before the sentence (prompt tuning); and what puts a user's rows through it.
#pragma once
#include <string>
#include <vector>

#include "peft/virtual_table.h"
#include "tokenizer/tokenizer.h"

namespace graft::peft {

struct Piece {
  enum class Kind { virtual_tokens, words, sentence, answer };
  Kind kind;
  Index count = 0;        ///< of virtual tokens
  std::vector<Id> ids{};  ///< of words
};
using PromptTemplate = std::vector<Piece>;

PromptTemplate front_template(Index length);        ///< virtual tokens, sentence, answer
Index virtual_count(const PromptTemplate& pieces);  ///< P
/// [v] is a virtual token, [v]*3 three, {sentence} the user's ids, [answer] the answer; all else is words for the
/// tokenizer. Errors: as check_template(); ValueError for an unknown bracket.
PromptTemplate parse_template(const std::string& text, const Tokenizer& tokenizer);
/// Errors: ValueError unless there is one sentence, one answer, at the end, and a virtual token.
void check_template(const PromptTemplate& pieces);
std::string shown(const PromptTemplate& pieces);  ///< "[v]*2 {sentence} <3 words> [answer]"

/// The template of one name.
struct VirtualPlaces {
  PromptTemplate pieces;
  Id first;  ///< the id of its first virtual token
};

/// Puts a user's row through the template of the name selected for it: the sentence and the answer go into their places, a
/// row without an answer is all sentence, and padding is left out. Labels stay with their tokens; virtual tokens and the
/// template's words are `ignored`. Errors: ShapeError for a selection that is not the batch's.
struct VirtualTemplate : NamedWrapper<Template, VirtualPlaces> {
  using NamedWrapper::NamedWrapper;
  std::string method() const override { return "virtual tokens"; }
  void add(const std::string& name, PromptTemplate pieces, Id first);

 protected:
  Batch filled(const Batch& user) override;
};

/// Both, for a method: the table gets the rows, the slot prompt_template the pieces. rows(wrapper) makes the rows inside the table.
using MakeRows = std::function<std::unique_ptr<VirtualRows>(VirtualTable& owner)>;
void graft_virtual_tokens(const BaseModel& base, const std::string& name, const PromptTemplate& pieces, const MakeRows& rows,
                          const std::string& who);

}  // namespace graft::peft
