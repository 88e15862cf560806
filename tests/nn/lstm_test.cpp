// Lstm against torch.nn.LSTM: output, and gradients of the input and of every parameter (tests/fixtures/make_lstm.py).
#include "nn/lstm.h"

#include <gtest/gtest.h>

#include "tests/here.h"
#include "tests/nn/fixture.h"

namespace graft {
namespace {

using namespace fixture;

Tensor tensor(const Raw& raw) {
  const Numbers v = raw.numbers();
  return Tensor(Shape(raw.shape), std::vector<real>(v.begin(), v.end()));
}

class LstmOf : public testing::TestWithParam<std::pair<Index, bool>> {};

TEST_P(LstmOf, AgreesWithTorch) {
  const Index layers = GetParam().first;
  const bool both = GetParam().second;
  const RawFile file = read_raw(text(here::fixtures(), "/lstm_", layers, "_", both ? 2 : 1, ".safetensors"));
  Lstm lstm(5, 3, layers, both);
  const auto parameters = lstm.parameters();
  EXPECT_EQ(parameters.size(), static_cast<std::size_t>(4 * layers * (both ? 2 : 1)));
  for (const auto& p : parameters) p.second->set(tensor(file.at(p.first)));
  const Variable x = parameter(tensor(file.at("x")));
  const Variable y = lstm(x);
  ASSERT_EQ(y.shape(), Shape(file.at("y").shape));
  EXPECT_LE(apart(table::numbers(y.value()), file.at("y").numbers()), 1e-6);
  y.backward(tensor(file.at("dy")));
  EXPECT_LE(table::distance(x.grad(), tensor(file.at("grad.x"))), 1e-5);
  for (const auto& p : parameters)
    EXPECT_LE(table::distance(p.second->variable().grad(), tensor(file.at("grad." + p.first))), 1e-5) << p.first;
}

INSTANTIATE_TEST_SUITE_P(Layers, LstmOf, testing::Values(std::make_pair(Index(1), false), std::make_pair(Index(2), true)));

}  // namespace
}  // namespace graft
