#include "nn/batch.h"

#include <algorithm>

#include "autograd/errors.h"
#include "autograd/sizes.h"
#include "nn/interfaces.h"

namespace graft {

void Batch::check() const {
  expect(ids.shape().rank() == 2 && ids.numel() > 0, [&] {
    return text("batch: ids have shape ", ids.shape(), ", but (B, T) is needed, with at least one row of at least one token",
                ids.shape().rank() == 1 ? text("; Ids({1, ", ids.numel(), "}, ..) is one row") : "");
  });
  const Index B = rows(), T = ids.shape()[1];
  expect(labels.numel() == 0 || labels.shape() == ids.shape(), "batch: ids ", ids.shape(), " and labels ", labels.shape(),
         " must have the same shape");
  const auto expect_each = [&](const std::vector<Index>& all, const char* what) {
    expect(all.empty() || size_of(all) == B, "batch: ", all.size(), " ", what, " for ", B,
           " rows; give one for each, or none");
  };
  expect_each(lengths, "lengths"), expect_each(answers, "places of answers");
  for (Index b = 0; b < B; ++b) {
    expect(0 <= length(b) && length(b) <= T, "batch: row ", b, " has ", length(b), " tokens, but ids are ", ids.shape(),
           "; lengths must be 0 to ", T);
    expect(0 <= answer(b) && answer(b) <= length(b), "batch: the answer of row ", b, " begins at ", answer(b),
           ", but the row has ", length(b), " tokens; answers must be 0 to that");
  }
}

Templated Template::operator()(const Batch& user) {
  user.check();
  return Templated(filled(user));
}

Templated Templated::raw(Ids ids, std::vector<Index> lengths) {
  return Templated(Batch{std::move(ids), {}, std::move(lengths), {}});
}

std::vector<Index> Templated::last() const {
  std::vector<Index> places;
  for (Index b = 0; b < rows(); ++b) {
    expect(length(b) > 0, "batch: row ", b, " has no token, so there is nothing to predict from; give it at least one");
    places.push_back(length(b) - 1);
  }
  return places;
}

Batch padded(const std::vector<std::vector<Id>>& rows, Id pad) {
  Batch batch;
  Index longest = 0;
  for (const auto& row : rows) {
    batch.lengths.push_back(size_of(row));
    longest = std::max(longest, batch.lengths.back());
  }
  const Index B = size_of(rows);
  std::vector<Id> ids(static_cast<std::size_t>(B * longest), pad);
  for (std::size_t b = 0; b < rows.size(); ++b)
    std::copy(rows[b].begin(), rows[b].end(), ids.begin() + static_cast<std::ptrdiff_t>(b) * longest);
  batch.ids = Ids({B, longest}, std::move(ids));
  return batch;
}

}  // namespace graft
