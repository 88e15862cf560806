// Modules, parameters and slots: paths, sharing, wrapping, who learns, training mode, the printed tree.
#include "nn/module.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <type_traits>

#include "nn/gpt2.h"
#include "nn/layers.h"
#include "nn/llama.h"
#include "nn/load.h"

namespace graft {
namespace {

struct Wrapper : Projection {
  Slot<Projection> base;
  Param more;
  explicit Wrapper(bool breaks = false) : base(*this, ""), more(*this, "more", {2, 3}) {
    expect<ValueError>(!breaks, "this wrapper cannot be made");
  }
  std::string kind() const override { return "Wrapper"; }
  Variable operator()(const Variable& x) override { return base(x); }
  Index in() const override { return base->in(); }
  Index out() const override { return base->out(); }
  Tensor dense() const override { return base->dense(); }
  Tensor bias() const override { return base->bias(); }
};

/// Two projections, the second sharing the first's weight if so wished, and a list.
struct House : Module {
  Slot<Projection> a{*this, "a", std::make_unique<Linear>(3, 4, true)};
  Slot<Projection> b{*this, "b"};
  Slot<RowMap> drop{*this, "drop", std::make_unique<Dropout>(real(0.5))};
  List<Linear> rooms{*this, "rooms"};
  House() {
    rooms.add(std::make_unique<Linear>(4, 4, false));
    rooms.add(std::make_unique<Linear>(4, 5, false));
  }
  std::string kind() const override { return "House"; }
};

std::vector<std::string> paths(const Module& m) {
  std::vector<std::string> all;
  for (const auto& p : m.parameters()) all.push_back(p.first);
  return all;
}
using Strings = std::vector<std::string>;

TEST(Module, PathsInOrderOfDeclaration) {
  const House house;
  EXPECT_EQ(paths(house), (Strings{"a.weight", "a.bias", "rooms.0.weight", "rooms.1.weight"}));
  EXPECT_EQ(house.parameter("rooms.1.weight").shape(), Shape({5, 4}));
}

TEST(Module, AnUnknownPathIsNamedWithThoseThatResembleIt) {
  const House house;
  try {
    house.parameter("rooms.1.wieght");
    FAIL() << "found";
  } catch (const IndexError& e) {
    const std::string message = e.what();
    EXPECT_NE(message.find("rooms.1.wieght"), std::string::npos) << message;
    EXPECT_NE(message.find("rooms.1.weight"), std::string::npos) << message;
  }
  Gpt2Config c;
  c.vocabulary = 11, c.context = 8, c.dim = 4, c.layers = 1, c.heads = 2;
  try {
    Gpt2(c).parameter("layers.0.attn.query.weight");
    FAIL() << "found";
  } catch (const IndexError& e) {
    const std::string message = e.what();
    EXPECT_NE(message.find("most: layers.0.attn.q.weight"), std::string::npos) << message;
    EXPECT_EQ(message.find("embed.weight"), std::string::npos) << "does not resemble it: " << message;
  }
}

TEST(Module, IsNotCopied) {
  EXPECT_FALSE(std::is_copy_constructible_v<Gpt2> || std::is_copy_constructible_v<Llama>);
}

/// A parameter does not know its path; the model that needs it says it.
TEST(Model, NumbersThatWereNotGivenAreNamedByTheirPath) {
  Gpt2Config c;
  c.vocabulary = 11, c.context = 8, c.dim = 4, c.layers = 2, c.heads = 2;
  Gpt2 gpt2(c);
  for (const auto& p : gpt2.parameters())
    if (p.first != "layers.1.attn.v.weight") p.second->set(Tensor(p.second->shape(), 1));
  const auto message = [&](const Ids& ids) -> std::string {
    try {
      gpt2(ids);
    } catch (const Error& e) { return e.what(); }
    return "nothing was thrown";
  };
  EXPECT_NE(message(Ids({1, 2}, {1, 2})).find("parameter layers.1.attn.v.weight [4, 4] has no numbers yet"), std::string::npos)
      << message(Ids({1, 2}, {1, 2}));
  EXPECT_NE(message(Ids({1, 2})).find("Ids({1, 2}, ..) is one row"), std::string::npos) << message(Ids({1, 2}));
  std::string unsaved;
  try {
    save_model(gpt2, ::testing::TempDir() + "graft-without-numbers");
  } catch (const ValueError& e) { unsaved = e.what(); }
  EXPECT_NE(unsaved.find("layers.1.attn.v.weight"), std::string::npos) << unsaved;
  EXPECT_FALSE(std::filesystem::exists(::testing::TempDir() + "graft-without-numbers/model.safetensors"));
}

TEST(Module, EachVisitsAPartBeforeWhatIsInIt) {
  const House house;
  Strings seen;
  house.each([&](const std::string& path, Part&) { seen.push_back(path); });
  EXPECT_EQ(seen, (Strings{"a", "a.weight", "a.bias", "b", "drop", "rooms", "rooms.0.weight", "rooms.1.weight"}));
}

TEST(Module, ASharedParameterIsOne) {
  House house;
  const Index before = house.count(false);
  const Param& weight = dynamic_cast<Linear&>(*house.a).weight;
  house.b.put(std::make_unique<Linear>(weight));
  EXPECT_EQ(house.count(false), before);
  EXPECT_EQ(paths(house), (Strings{"a.weight", "a.bias", "rooms.0.weight", "rooms.1.weight"}));
  const Param& second = dynamic_cast<Linear&>(*house.b).weight;
  EXPECT_TRUE(weight.same(second));
  house.parameter("a.weight").set(Tensor(Shape{4, 3}, 2));
  EXPECT_EQ(second.value()[0], 2) << "given in one place, there in both";
  EXPECT_EQ(second.variable().node(), weight.variable().node());
}

TEST(Param, Errors) {
  House house;
  EXPECT_THROW(house.parameter("a.weight").value(), ValueError);
  EXPECT_THROW(house.parameter("a.weight").set(Tensor(Shape{3, 4}, 1)), ShapeError);
  EXPECT_THROW(*house.b, ValueError);
}

/// A Variable is a value: a copy keeps the numbers it was made with. The node is the parameter's, so gradients still find it.
TEST(Param, GivenAgain) {
  House house;
  Param& weight = house.parameter("a.weight");
  weight.set(Tensor(Shape{4, 3}, 1));
  const Variable copy = weight.variable();
  const Variable& reference = weight.variable();
  weight.set(Tensor(Shape{4, 3}, 2));
  EXPECT_EQ(weight.value()[0], 2);
  EXPECT_EQ(reference.value()[0], 2) << "the parameter's own";
  EXPECT_EQ(copy.value()[0], 1);
  sum(copy * copy).backward();
  ASSERT_TRUE(weight.variable().grad().defined());
  EXPECT_EQ(weight.variable().grad()[0], 2) << "of the numbers that the copy has";
}

TEST(Slot, WrappingKeepsTheNamesOfWhatIsWrapped) {
  House house;
  const Param* weight = &house.parameter("a.weight");
  for (int depth = 1; depth <= 2; ++depth) {
    house.a.wrap([] { return std::make_unique<Wrapper>(); });
    EXPECT_EQ(&house.parameter("a.weight"), weight);
    EXPECT_EQ(house.slots<Projection>().size(), 2u) << "of nested wrappers only the outer";
    EXPECT_EQ(house.slots<Projection>()[0].first, "a");
    EXPECT_EQ(house.slots<Projection>()[0].second, &house.a);
  }
  auto outer = house.a.take();
  EXPECT_TRUE(house.a.empty());
  house.a.put(dynamic_cast<Wrapper&>(*outer).base.take());
  EXPECT_EQ(paths(house).size(), 5u);
  EXPECT_EQ(&house.parameter("a.weight"), weight);
}

TEST(Slot, AWrapperThatCannotBeMadeLosesNothing) {
  House house;
  const Projection* before = &*house.a;
  EXPECT_THROW(house.a.wrap([] { return std::make_unique<Wrapper>(true); }), ValueError);
  ASSERT_FALSE(house.a.empty());
  EXPECT_EQ(&*house.a, before);
}

TEST(Slot, SlotsOfAModel) {
  Gpt2Config c;
  c.vocabulary = 11, c.context = 8, c.dim = 4, c.layers = 1, c.heads = 2;
  const Gpt2 gpt2(c);
  Strings names;
  for (const auto& s : gpt2.slots<Projection>()) names.push_back(s.first);
  EXPECT_EQ(names, (Strings{"layers.0.attn.q", "layers.0.attn.k", "layers.0.attn.v", "layers.0.attn.out", "layers.0.mlp.up",
                            "layers.0.mlp.down", "head"}));
  EXPECT_EQ(gpt2.count(false), 11 * 4 + 8 * 4 + (4 * 4 * 4 + 4 * 4) + (2 * 16 * 4 + 16 + 4) + 3 * 8) << "the head is tied";
}

TEST(Learn, CountsAndFreezes) {
  House house;
  house.learn(false);
  EXPECT_EQ(house.count(true), 0);
  EXPECT_EQ(house.count(false), 12 + 4 + 16 + 20);
  house.rooms[0].learn(true);
  EXPECT_EQ(house.count(true), 16);
  for (const auto& p : house.parameters()) {
    p.second->set(Tensor(p.second->shape(), 1));  // the flag was set before there were numbers, and holds after
    EXPECT_EQ(p.second->variable().learns(), p.first == "rooms.0.weight") << p.first;
  }
  house.parameter("a.bias").learn(true);
  EXPECT_TRUE(house.parameter("a.bias").variable().learns());
  EXPECT_EQ(house.count(true), 20);
}

TEST(Training, ReachesWhatIsPutInLater) {
  House house;
  Rng rng(1);
  EXPECT_EQ(house.drop->randomness(), nullptr);
  house.training(&rng);
  EXPECT_EQ(house.drop->randomness(), &rng);
  EXPECT_EQ(house.rooms[1].randomness(), &rng);
  house.a.wrap([] { return std::make_unique<Wrapper>(); });
  EXPECT_EQ(house.a->randomness(), &rng);
  EXPECT_EQ(dynamic_cast<Wrapper&>(*house.a).base->randomness(), &rng);
  house.training(nullptr);
  EXPECT_EQ(dynamic_cast<Wrapper&>(*house.a).base->randomness(), nullptr);
  house.b.put(std::make_unique<Linear>(2, 2, false));
  EXPECT_EQ(house.b->randomness(), nullptr);
}

TEST(Training, DropsOnlyThen) {
  House house;
  Rng rng(1);
  const Variable x(Tensor(Shape{100}, 1));
  EXPECT_EQ(house.drop(x).value().values(), x.value().values());
  house.training(&rng);
  const std::vector<real> y = house.drop(x).value().values();
  EXPECT_GT(std::count(y.begin(), y.end(), real(0)), 20);
  EXPECT_GT(std::count(y.begin(), y.end(), real(2)), 20);
  EXPECT_THROW(Dropout(1), ValueError);
}

TEST(Tree, SaysWhatIsThere) {
  House house;
  for (const auto& p : house.parameters()) p.second->set(Tensor(p.second->shape(), 1));
  house.b.put(std::make_unique<Linear>(dynamic_cast<Linear&>(*house.a).weight));
  house.rooms[0].learn(false);
  const std::string tree = house.tree();
  for (const char* part : {"House", "a: Linear", "weight [4, 3]", "the same as a.weight", "rooms.1: Linear", "frozen",
                           "52 parameters, 36 of them learning"})
    EXPECT_NE(tree.find(part), std::string::npos) << part << "\n" << tree;
}

// --- what models refuse ------------------------------------------------------------------------------------------------

TEST(Models, SizesThatDoNotFit) {
  Gpt2Config g;
  g.vocabulary = 11, g.context = 8, g.dim = 6, g.layers = 1, g.heads = 4;
  EXPECT_THROW(Gpt2{g}, ValueError);
  LlamaConfig l;
  l.vocabulary = 11, l.context = 8, l.dim = 8, l.hidden = 5, l.layers = 1, l.heads = 4, l.kv_heads = 3;
  EXPECT_THROW(Llama{l}, ValueError);
  l.kv_heads = 2, l.head_dim = 3;  // rotation needs pairs
  EXPECT_THROW(Llama{l}, ValueError);
  EXPECT_THROW(activation("swoosh"), ValueError);
  const real nan = std::numeric_limits<real>::quiet_NaN();
  for (const real eps : {nan, real(-1), real(1), std::numeric_limits<real>::infinity()}) {
    g = Gpt2Config(), g.eps = eps, g.layers = 0;
    EXPECT_THROW(Gpt2{g}, ValueError) << eps;
    l = LlamaConfig(), l.eps = eps, l.layers = 0;
    EXPECT_THROW(Llama{l}, ValueError) << eps;
  }
  for (const Index size : {Index(-1), Index(1) << 31}) {
    g = Gpt2Config(), g.hidden = size;
    EXPECT_THROW(Gpt2{g}, ValueError) << size;
    l = LlamaConfig(), l.head_dim = size;
    EXPECT_THROW(Llama{l}, ValueError) << size;
  }
}

TEST(Models, IdsAndContext) {
  LlamaConfig l;
  l.vocabulary = 11, l.context = 4, l.dim = 8, l.hidden = 5, l.layers = 1, l.heads = 2, l.kv_heads = 1;
  Llama m(l);
  Rng rng(1);
  m.initialize(rng);
  EXPECT_NO_THROW(m(Ids({1, 4}, {0, 1, 2, 10})));
  EXPECT_THROW(m(Ids({1, 2}, {0, 11})), IndexError);
  EXPECT_THROW(m(Ids({1, 2}, {0, -1})), IndexError);
  EXPECT_THROW(m(Ids({1, 5}, {0, 1, 2, 3, 4})), IndexError);
  EXPECT_THROW(m(Ids({0, 1, 2})), ShapeError);
}

TEST(RowsAt, OnePlaceOfEachRow) {
  const Variable x(Tensor(Shape{2, 3, 2}, std::vector<real>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  const Variable y = rows_at(x, {2, 0});
  EXPECT_EQ(y.shape(), Shape({2, 2}));
  EXPECT_EQ(y.value().values(), (std::vector<real>{4, 5, 6, 7}));
  EXPECT_THROW(rows_at(x, {3, 0}), IndexError) << "a place of the next row";
  EXPECT_THROW(rows_at(x, {0, -1}), IndexError) << "a place of the row before";
  EXPECT_THROW(rows_at(x, {0}), ShapeError);
  EXPECT_THROW(rows_at(reshape(x, {6, 2}), {0, 1}), ShapeError);
}

TEST(NextLabels, OnePlaceToTheLeft) {
  const Ids next = next_labels(Ids({2, 3}, {1, 2, 3, ignored, 5, 6}));
  EXPECT_EQ(std::vector<Id>(next.begin(), next.end()), (std::vector<Id>{2, 3, ignored, 5, 6, ignored}));
  EXPECT_THROW(next_labels(Ids({4}, {1, 2, 3, 4})), ShapeError);
}

}  // namespace
}  // namespace graft
