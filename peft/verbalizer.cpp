#include "peft/verbalizer.h"

#include <algorithm>
#include <map>

#include "autograd/ops.h"

namespace graft::peft {

Verbalizer::Verbalizer(std::vector<std::vector<Id>> words, Index vocabulary) : words_(std::move(words)) {
  for (auto& ids : words_) {  // words of one label may begin with the same token: it counts once
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }
  expect<ValueError>(words_.size() > 1, "verbalizer: ", words_.size(), " labels; at least 2 are needed to choose from");
  mean_ = Tensor(Shape{labels(), vocabulary}, 0);
  real* mean = mean_.write();
  std::map<Id, std::size_t> taken;
  for (std::size_t l = 0; l < words_.size(); ++l) {
    expect<ValueError>(!words_[l].empty(), "verbalizer: label ", l, " has no word");
    for (const Id id : words_[l]) {
      expect<IndexError>(0 <= id && id < vocabulary, "verbalizer: label ", l, " has the id ", id, ", but the vocabulary has ",
                         vocabulary);
      const auto known = taken.emplace(id, l);
      expect<ValueError>(known.second || known.first->second == l, "verbalizer: the id ", id, " is used for label ",
                         known.first->second, " and label ", l, "; choose words whose first tokens differ");
      mean[static_cast<Index>(l) * vocabulary + id] = 1 / static_cast<real>(words_[l].size());
    }
  }
}

namespace {
std::vector<std::vector<Id>> first_tokens(const std::vector<std::vector<std::string>>& words, const Tokenizer& tokenizer) {
  std::vector<std::vector<Id>> ids(words.size());
  std::map<TokenId, std::pair<std::size_t, std::string>> taken;  // the label, and the word of it
  for (std::size_t l = 0; l < words.size(); ++l)
    for (const std::string& word : words[l]) {
      const std::vector<TokenId> tokens = tokenizer.encode(word);
      expect<ValueError>(!tokens.empty(), "verbalizer: the word \"", word, "\" of label ", l, " gives no token");
      const auto known = taken.emplace(tokens[0], std::make_pair(l, word));
      expect<ValueError>(known.second || known.first->second.first == l, [&, first = tokens[0]] {
        return text("verbalizer: the words \"", known.first->second.second, "\" and \"", word, "\", of different labels, begin ",
                    "with the same token, \"", tokenizer.decode(std::vector<TokenId>{first}), "\" (", first,
                    "), and only the first token of a word counts; choose words whose first tokens differ (--words)");
      });
      ids[l].push_back(static_cast<Id>(tokens[0]));
    }
  return ids;
}
}  // namespace

Verbalizer::Verbalizer(const std::vector<std::vector<std::string>>& words, const Tokenizer& tokenizer, Index vocabulary)
    : Verbalizer(first_tokens(words, tokenizer), vocabulary) {}

Variable Verbalizer::operator()(const Variable& logits) const { return linear(logits, Variable(mean_)); }

Variable Verbalizer::operator()(Model& model, const Batch& user) const {
  const Templated batch = model.prompt_template(user);
  std::vector<Index> before;  // the answer, whose first token the word would be
  for (Index b = 0; b < batch.rows(); ++b) before.push_back(batch.answer(b) - 1);
  Past past = model.begin(batch.rows());
  return (*this)(model.output()(rows_at(model.hidden(batch, past), before)));
}

}  // namespace graft::peft
