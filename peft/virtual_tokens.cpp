#include "peft/virtual_tokens.h"

#include <algorithm>

#include "autograd/ops.h"

namespace graft::peft {

TrainedRows::TrainedRows(Module& owner, const std::string& name, Index count, Index dim)
    : rows(owner, {"prompt", name}, Shape{count, dim}) {}

// --- the table -----------------------------------------------------------------------------------------------------------

Index VirtualTable::rows() const {
  Index end = base->rows();
  for (const auto& entry : entries) end = std::max<Index>(end, entry.second->first + entry.second->count);
  return end;
}

Variable VirtualTable::operator()(const Ids& ids) {
  const Id V = static_cast<Id>(base->rows());
  if (std::all_of(ids.begin(), ids.end(), [V](Id id) { return id < V; })) return base(ids);

  // The real tokens' rows, N of them (an unimportant one stands where a virtual token is), then the virtual rows that occur.
  const Index N = ids.numel(), D = dim();
  std::vector<Id> real_ids(ids.begin(), ids.end()), place(static_cast<std::size_t>(N));
  std::vector<Variable> more;
  Id next = static_cast<Id>(N);
  std::vector<bool> found(static_cast<std::size_t>(N));
  for (const auto& named : entries) {
    const VirtualIds& e = *named.second;
    bool occurs = false;
    for (Index i = 0; i < N; ++i) {
      if (ids[i] < e.first || ids[i] >= e.first + e.count) continue;
      place[static_cast<std::size_t>(i)] = next + (ids[i] - e.first);
      real_ids[static_cast<std::size_t>(i)] = 0;
      occurs = found[static_cast<std::size_t>(i)] = true;
    }
    if (!occurs) continue;
    more.push_back((*e.rows)());
    next += static_cast<Id>(e.count);
  }
  for (Index i = 0; i < N; ++i) {
    if (ids[i] < V) place[static_cast<std::size_t>(i)] = static_cast<Id>(i);
    expect<IndexError>(ids[i] < V || found[static_cast<std::size_t>(i)], "virtual tokens: nobody has the id ", ids[i],
                       "; the vocabulary has ", V, ", and the attached ones end at ", rows());
  }
  const Variable all = base(Ids(ids.shape(), real_ids));  // (.., D)
  const Variable y = reshape(all, {N, D});
  const Variable rows = lookup(y, more.size() == 1 ? more[0] : concat(more, 0), Ids({N}, place));
  return reshape(rows, all.shape());
}

VirtualIds& VirtualTable::add(const std::string& name, Index count, std::unique_ptr<VirtualRows> made) {
  return entries.put(name, std::unique_ptr<VirtualIds>(new VirtualIds{static_cast<Id>(rows()), count, std::move(made)}));
}

void VirtualTable::flatten(const std::string& name) {
  VirtualIds* e = entries.find(name);
  if (!e || e->rows->flat()) return;
  const NoGrad no_grad;
  auto plain = std::make_unique<TrainedRows>(*this, name, e->count, dim());
  plain->rows.learn(e->rows->learns());
  plain->rows.set((*e->rows)().value().clone());
  e->rows = std::move(plain);
}

// --- the template --------------------------------------------------------------------------------------------------------

void VirtualFrame::add(const std::string& name, Pattern pattern, Id first) {
  entries.put(name, std::unique_ptr<VirtualPlaces>(new VirtualPlaces{std::move(pattern), first}));
}

namespace {

struct Row {
  std::vector<Id> ids, labels;
  Index answer = 0;  ///< where it begins
  void put(Id id, Id label) { ids.push_back(id), labels.push_back(label); }
};

Row through(const Pattern& pattern, Id first, const Row& user) {
  Row row;
  const auto put = [&](Index begin, Index end) {
    for (std::size_t t = static_cast<std::size_t>(begin); t < static_cast<std::size_t>(end); ++t)
      row.put(user.ids[t], user.labels[t]);
  };
  for (const Piece& piece : pattern) switch (piece.kind) {
      case Piece::Kind::virtual_tokens:
        for (Index i = 0; i < piece.count; ++i) row.put(first++, ignored);
        break;
      case Piece::Kind::words:
        for (const Id id : piece.ids) row.put(id, ignored);
        break;
      case Piece::Kind::sentence: put(0, user.answer); break;
      case Piece::Kind::answer:
        row.answer = static_cast<Index>(row.ids.size());
        put(user.answer, static_cast<Index>(user.ids.size()));
        break;
    }
  return row;
}

}  // namespace

Batch VirtualFrame::filled(const Batch& given) {
  const Batch user = filled_by(*base, given);
  const Index B = user.rows(), T = user.ids.shape()[1];
  expect(selection.rows().empty() || static_cast<Index>(selection.rows().size()) == B, "virtual tokens: ", selection.rows().size(),
         " rows were chosen for, but the batch has ", B);
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
    rows.push_back(e ? through(e->pattern, e->first, row) : row);
    longest = std::max(longest, static_cast<Index>(rows.back().ids.size()));
  }
  if (!touched) return user;
  Batch filled;
  std::vector<Id> ids, labels;
  bool ragged = !user.lengths.empty();
  for (const Row& row : rows) {
    const Index length = static_cast<Index>(row.ids.size());
    filled.lengths.push_back(length), filled.answers.push_back(row.answer);
    ragged = ragged || length != longest;
    ids.insert(ids.end(), row.ids.begin(), row.ids.end());
    ids.insert(ids.end(), static_cast<std::size_t>(longest - length), 0);  // any id: nothing looks at it
    labels.insert(labels.end(), row.labels.begin(), row.labels.end());
    labels.insert(labels.end(), static_cast<std::size_t>(longest - length), ignored);
  }
  if (!ragged) filled.lengths.clear();
  filled.ids = Ids({B, longest}, std::move(ids));
  if (labelled) filled.labels = Ids({B, longest}, std::move(labels));
  return filled;
}

// --- for methods ---------------------------------------------------------------------------------------------------------

void graft_virtual_tokens(const BaseModel& base, const std::string& name, const Pattern& pattern, const MakeRows& make,
                          const std::string& who) {
  Index taken = 0;
  for (const Piece& piece : pattern) taken += piece.count + static_cast<Index>(piece.ids.size());
  const Index context = base.model.context();
  expect<ValueError>(taken < context, who, ": ", taken, " tokens of its own leave nothing of the context of ", context,
                     "; take fewer");
  for (const Piece& piece : pattern)
    for (const Id id : piece.ids)
      expect<IndexError>(0 <= id && id < base.model.vocabulary(), who, ": the template has the id ", id,
                         ", but the vocabulary has ", base.model.vocabulary());
  auto& table = wrapper_in<VirtualTable>(base.model.table(), base.model.selection());
  const Id first = table.add(name, virtual_count(pattern), make(table)).first;
  wrapper_in<VirtualFrame>(base.model.prompt_template, base.model.selection()).add(name, pattern, first);
}

Tensor rows_of(const BaseModel& base, const std::vector<Id>& ids) {
  const NoGrad no_grad;
  for (const Id id : ids)
    expect<IndexError>(0 <= id && id < base.model.vocabulary(), "virtual tokens: to start from the word ", id,
                       ", but the vocabulary has ", base.model.vocabulary());
  const WithSelection none(base.model, {});  // also for who asks without attach()
  return base.model.table()(Ids({static_cast<Index>(ids.size())}, ids)).value();
}

}  // namespace graft::peft
