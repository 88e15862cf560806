// A batch: what is told of its rows and what is refused; that the template is applied once is for the compiler to check.
#include "nn/batch.h"

#include <gtest/gtest.h>

#include "nn/classifier.h"
#include "nn/generate.h"
#include "tests/nn/fixture.h"

namespace graft {
namespace {

// Never: the model does not take what no template has seen. Twice: no template takes what one has made.
template <class Rows>
auto hidden_takes(int)
    -> decltype(std::declval<Model&>().hidden(std::declval<const Rows&>(), std::declval<Past&>()), std::true_type());
template <class Rows>
std::false_type hidden_takes(...);
static_assert(decltype(hidden_takes<Templated>(0))::value);
static_assert(!decltype(hidden_takes<Batch>(0))::value && !decltype(hidden_takes<Ids>(0))::value);
static_assert(std::is_invocable_r_v<Templated, Template&, const Batch&> && !std::is_invocable_v<Template&, const Templated&>);
static_assert(!std::is_convertible_v<Templated, Batch> && !std::is_convertible_v<const Templated&, const Batch&>);
static_assert(!std::is_constructible_v<Templated, Batch> && !std::is_constructible_v<Templated, Ids> &&
              !std::is_default_constructible_v<Templated> && !std::is_aggregate_v<Templated>);
static_assert(std::is_invocable_v<Model&, const Templated&> && !std::is_invocable_v<Model&, const Batch&>);
static_assert(std::is_invocable_v<Classifier&, const Batch&> && !std::is_invocable_v<Classifier&, const Templated&>);

template <class F>
std::string refusal(const F& f) {
  try {
    f();
  } catch (const ShapeError& e) { return e.what(); }
  return "no error";
}

TEST(Batch, TellsOfItsRows) {
  const Batch plain{Ids({2, 3}, {1, 2, 3, 4, 5, 6})};
  EXPECT_EQ(plain.rows(), 2);
  EXPECT_EQ(plain.length(1), 3) << "full";
  EXPECT_EQ(plain.answer(1), 3) << "there is none";
  const Batch told{plain.ids, {}, {3, 2}, {1, 2}};
  EXPECT_EQ(told.length(1), 2);
  EXPECT_EQ(told.answer(0), 1);
  EXPECT_EQ(Templated::raw(plain.ids, {3, 2}).last(), (std::vector<Index>{2, 1}));
  EXPECT_EQ(Template()(told).answers, told.answers);
}

TEST(Batch, RefusesWhatDoesNotFit) {
  const auto refused = [](const Batch& b) { return refusal([&] { Template()(b); }); };
  const auto has = [](const std::string& said, const char* part) { EXPECT_NE(said.find(part), std::string::npos) << said; };
  const Ids ids({2, 3}, {1, 2, 3, 4, 5, 6});
  has(refused({Ids({1, 2, 3})}), "Ids({1, 3}, ..) is one row");
  has(refused({Ids({0, 3}, {})}), "at least one row");
  has(refused({ids, Ids({1, 3}, {1, 2, 3})}), "must have the same shape");
  has(refused({ids, {}, {3}}), "1 lengths for 2 rows");
  has(refused({ids, {}, {3, 4}}), "row 1 has 4 tokens");
  has(refused({ids, {}, {-1, 3}}), "row 0 has -1 tokens");
  has(refused({ids, {}, {}, {1, 2, 3}}), "3 places of answers for 2 rows");
  has(refused({ids, {}, {3, 2}, {3, 3}}), "the answer of row 1 begins at 3, but the row has 2 tokens");
  has(refused({ids, {}, {}, {-1, 3}}), "begins at -1");
  has(refusal([&] { Templated::raw(ids, {3, 0}).last(); }), "row 1 has no token");
}

/// A past knows how long rows are from the batch: padding leaves nothing behind.
TEST(Batch, LengthsReachThePast) {
  const NoGrad no_grad;
  const fixture::Built built = fixture::build("gpt2");
  const auto& model = built.model;
  const Index V = model->vocabulary();
  Past past = model->begin(2);
  model->hidden(model->prompt_template(padded({{1, 4, 2}, {5}})), past);
  EXPECT_EQ(past.lengths, (std::vector<Index>{3, 1}));
  const Tensor next = (*model)(Ids({2, 1}, {7, 8}), past).value();
  const Tensor first = (*model)(Ids({1, 4}, {1, 4, 2, 7})).value(), second = (*model)(Ids({1, 2}, {5, 8})).value();
  for (Index v = 0; v < V; ++v) {
    EXPECT_NEAR(next[v], first[3 * V + v], 1e-5);
    EXPECT_NEAR(next[V + v], second[V + v], 1e-5);
  }
}

}  // namespace
}  // namespace graft
