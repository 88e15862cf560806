// The first page on byte-pair encoding and the tokenizer learn the same merges and give the same ids.
#include "autograd/sizes.h"
#include "tokenizer/clear/bpe.h"

#include <gtest/gtest.h>

#include "autograd/rng.h"
#include "tokenizer/train.h"

namespace graft {
namespace {

std::string random_text(Rng& rng) {
  static const std::vector<std::string> parts{"the", "cat", "sat", " on", " ", "  ", "aaaa", "ab", "'s", "12", "3", ".", "\n", "é", "好", "!?", "\xff"};
  std::string text;
  const Index n = 1 + rng.below(40);
  for (Index i = 0; i < n; ++i) text += nth(parts, rng.below(size_of(parts)));
  return text;
}

TEST(BytePairs, MergesAndIdsAreThoseOfTheTokenizerOn100Texts) {
  Rng rng(1);
  for (int round = 0; round < 10; ++round) {
    std::vector<std::string> texts;
    for (int i = 0; i < 5; ++i) texts.push_back(random_text(rng));
    const clear::BytePairs clear(texts, 300);
    const Tokenizer fast = train_tokenizer(texts, 300);
    ASSERT_EQ(clear.tokens.size(), fast.size());
    ASSERT_GT(clear.merges.size(), 5u);
    for (int i = 0; i < 10; ++i) {
      const std::string text = random_text(rng);
      const std::vector<TokenId> ids = fast.encode(text);
      EXPECT_EQ(clear.encode(text), clear::BytePairs::Ids(ids.begin(), ids.end())) << text;
      EXPECT_EQ(clear.decode(clear.encode(text)), text);
    }
  }
}

}  // namespace
}  // namespace graft
