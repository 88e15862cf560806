#include "peft/prompt_template.h"

#include <algorithm>

#include "autograd/sizes.h"

namespace graft::peft {

PromptTemplate front_template(Index length) {
  return {{Piece::Kind::virtual_tokens, length}, {Piece::Kind::sentence}, {Piece::Kind::answer}};
}

Index virtual_count(const PromptTemplate& pieces) {
  Index count = 0;
  for (const Piece& piece : pieces) count += piece.count;
  return count;
}

std::string shown(const PromptTemplate& pieces) {
  std::string all;
  for (const Piece& piece : pieces) {
    if (!all.empty()) all += " ";
    switch (piece.kind) {
      case Piece::Kind::virtual_tokens: all += text("[v]*", piece.count); break;
      case Piece::Kind::words: all += text("<", piece.ids.size(), " words>"); break;
      case Piece::Kind::sentence: all += "{sentence}"; break;
      case Piece::Kind::answer: all += "[answer]"; break;
    }
  }
  return all;
}

void check_template(const PromptTemplate& pieces) {
  int sentences = 0, answers = 0;
  for (const Piece& piece : pieces) {
    sentences += piece.kind == Piece::Kind::sentence;
    answers += piece.kind == Piece::Kind::answer;
    expect<ValueError>(piece.count >= 0, "template: ", piece.count, " virtual tokens");
  }
  const std::string all = shown(pieces);
  const char* form = "; for example: [v][v] {sentence} [v] it was [answer]";
  expect<ValueError>(sentences == 1, "template \"", all, "\" has ", sentences, " places for the {sentence}, but needs one",
                     form);
  expect<ValueError>(answers == 1, "template \"", all, "\" has ", answers, " places for the [answer], but needs one", form);
  expect<ValueError>(pieces.back().kind == Piece::Kind::answer, "template \"", all,
                     "\" goes on after the [answer], which a model that reads left to right never sees; put it last", form);
  expect<ValueError>(virtual_count(pieces) > 0, "template \"", all, "\" has no virtual token [v] to train", form);
}

PromptTemplate parse_template(const std::string& text_, const Tokenizer& tokenizer) {
  PromptTemplate pieces;
  std::string words;
  const auto flush = [&] {
    while (!words.empty() && words.back() == ' ') words.pop_back();  // the space belongs to what comes next
    if (words.empty()) return;
    Piece piece{Piece::Kind::words};
    for (const TokenId id : tokenizer.encode(words)) piece.ids.push_back(static_cast<Id>(id));
    pieces.push_back(piece);
    words.clear();
  };
  const auto at = [&](std::size_t i, const char* mark) { return text_.compare(i, std::string(mark).size(), mark) == 0; };
  for (std::size_t i = 0; i < text_.size();) {
    if (at(i, "[v]")) {
      flush();
      i += 3;
      Index count = 1;
      const auto digit = [&](std::size_t k) { return k < text_.size() && '0' <= text_[k] && text_[k] <= '9'; };
      if (i < text_.size() && text_[i] == '*' && digit(i + 1))
        for (count = 0, ++i; digit(i); ++i) {
          count = 10 * count + (text_[i] - '0');
          expect<ValueError>(count < 1000000, "template \"", text_, "\": [v]* and a number of 1000000 or more; at most 999999 ",
                             "virtual tokens are understood");
        }
      if (!pieces.empty() && pieces.back().kind == Piece::Kind::virtual_tokens) pieces.back().count += count;
      else pieces.push_back({Piece::Kind::virtual_tokens, count});
      while (i < text_.size() && text_[i] == ' ' && (at(i + 1, "[") || at(i + 1, "{"))) ++i;
    } else if (at(i, "{sentence}")) {
      flush();
      pieces.push_back({Piece::Kind::sentence});
      i += 10;
    } else if (at(i, "[answer]")) {
      flush();
      pieces.push_back({Piece::Kind::answer});
      i += 8;
    } else {
      expect<ValueError>(text_[i] != '[' && text_[i] != '{', "template \"", text_, "\": what does the bracket at byte ", i,
                         " mean? Known are [v], [v]*3, {sentence} and [answer]");
      words += text_[i++];
    }
  }
  flush();
  check_template(pieces);
  return pieces;
}

// --- rows through it ----------------------------------------------------------------------------------------------------------

void VirtualTemplate::add(const std::string& name, PromptTemplate pieces, Id first) {
  entries.put(name, std::unique_ptr<VirtualPlaces>(new VirtualPlaces{std::move(pieces), first}));
}

namespace {

struct Row {
  std::vector<Id> ids, labels;
  Index answer = 0;  ///< where it begins
  void put(Id id, Id label) { ids.push_back(id), labels.push_back(label); }
};

Row through(const PromptTemplate& pieces, Id first, const Row& user) {
  Row row;
  const auto put = [&](Index begin, Index end) {
    for (std::size_t t = static_cast<std::size_t>(begin); t < static_cast<std::size_t>(end); ++t)
      row.put(user.ids[t], user.labels[t]);
  };
  for (const Piece& piece : pieces) switch (piece.kind) {
      case Piece::Kind::virtual_tokens:
        for (Index i = 0; i < piece.count; ++i) row.put(first++, ignored);
        break;
      case Piece::Kind::words:
        for (const Id id : piece.ids) row.put(id, ignored);
        break;
      case Piece::Kind::sentence: put(0, user.answer); break;
      case Piece::Kind::answer:
        row.answer = size_of(row.ids);
        put(user.answer, size_of(user.ids));
        break;
    }
  return row;
}

}  // namespace

Batch VirtualTemplate::filled(const Batch& given) {
  const Batch user = filled_by(*base, given);
  const Index B = user.rows(), T = user.ids.shape()[1];
  expect(selection.rows().empty() || size_of(selection.rows()) == B,
         "virtual tokens: ", selection.rows().size(), " rows were selected, but the batch has ", B);
  const bool labelled = user.labels.numel() > 0;
  std::vector<Row> rows;
  Index longest = 0;
  bool touched = false;
  for (Index b = 0; b < B; ++b) {
    Row row;
    for (Index t = 0; t < user.length(b); ++t) row.put(user.ids[b * T + t], labelled ? user.labels[b * T + t] : ignored);
    row.answer = user.answer(b);
    const VirtualPlaces* e = entries.find(selection.row(static_cast<std::size_t>(b)));
    touched = touched || e;
    rows.push_back(e ? through(e->pieces, e->first, row) : row);
    longest = std::max(longest, size_of(rows.back().ids));
  }
  if (!touched) return user;
  Batch filled;
  std::vector<Id> ids, labels;
  bool ragged = !user.lengths.empty();
  for (const Row& row : rows) {
    const Index length = size_of(row.ids);
    filled.lengths.push_back(length), filled.answers.push_back(row.answer);
    ragged = ragged || length != longest;
    ids.insert(ids.end(), row.ids.begin(), row.ids.end());
    ids.insert(ids.end(), static_cast<std::size_t>(longest - length), 0);  // any id: it is never attended to
    labels.insert(labels.end(), row.labels.begin(), row.labels.end());
    labels.insert(labels.end(), static_cast<std::size_t>(longest - length), ignored);
  }
  if (!ragged) filled.lengths.clear();
  filled.ids = Ids({B, longest}, std::move(ids));
  if (labelled) filled.labels = Ids({B, longest}, std::move(labels));
  return filled;
}

// --- for methods --------------------------------------------------------------------------------------------------------------

void graft_virtual_tokens(const BaseModel& base, const std::string& name, const PromptTemplate& pieces, const MakeRows& make,
                          const std::string& who) {
  Index taken = 0;
  for (const Piece& piece : pieces) taken += piece.count + size_of(piece.ids);
  const Index context = base.model.context();
  expect<ValueError>(taken < context, who, ": ", taken, " tokens of its own leave nothing of the context of ", context,
                     "; take fewer");
  for (const Piece& piece : pieces)
    for (const Id id : piece.ids)
      expect<IndexError>(0 <= id && id < base.model.vocabulary(), who, ": the template has the id ", id,
                         ", but the vocabulary has ", base.model.vocabulary());
  auto& table = wrapper_in<VirtualTable>(base.model.table(), base.model.selection());
  const Id first = table.add(name, virtual_count(pieces), make(table)).first;
  wrapper_in<VirtualTemplate>(base.model.prompt_template, base.model.selection()).add(name, pieces, first);
}

}  // namespace graft::peft
