// Read first: clear/bpe.h, the same without files and speed, in 60 lines.
// Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019): text to ids and back, without loss. A pre-tokenizer splits a
// text into pieces, each piece is split into bytes, and pairs are merged by rank, lowest first. Ids equal those of Hugging
// Face's tokenizers 0.22.2. A Tokenizer is immutable, so threads may share one. Not here: normalization, dropout, other models.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/pretokenizer.h"

namespace graft {

using TokenId = std::int32_t;

/// Special tokens ("<|im_start|>") in a user's text stay plain text unless parse is given: a text must not be able to
/// impersonate another role.
enum class Specials { as_text, parse };

class Tokenizer {
 public:
  /// What a tokenizer is made of. Tokens are written with the byte alphabet of GPT-2 (space is Ġ); special and added ones
  /// literally.
  struct Parts {
    std::vector<std::string> tokens;                          ///< index = id
    std::vector<std::pair<std::string, std::string>> merges;  ///< rank = index
    std::vector<TokenId> specials;                            ///< ids matched literally under Specials::parse
    std::vector<TokenId> added;                               ///< ids always matched literally
    std::vector<TokenId> late;                                ///< specials or added ones matched only in what the others
                                                              ///< left over (Hugging Face's "normalized": true)
    PreTokenizer pre = PreTokenizer::gpt2;
    bool ignore_merges = false;                      ///< a piece that is a token stays whole, whatever the merges
    TokenId bos = -1, eos = -1, unk = -1, pad = -1;  ///< -1: none
    std::vector<TokenId> before, after;              ///< what the file's post-processor puts around a text;
                                                     ///< encode() does not
    std::string chat_template;                       ///< how the model writes chats: a program, which is never run
    std::map<std::string, std::string> beside;       ///< small files that belong to it, by name, which
                                                     ///< save_tokenizer() writes again
    std::vector<std::string> warnings;               ///< what a user should be told
    std::string source;                              ///< for messages: a file name
  };
  /// Errors: FormatError for duplicate tokens, a merge of unknown tokens, ids out of range.
  explicit Tokenizer(Parts parts);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  /// Bytes need not be UTF-8. Bytes that the vocabulary lacks are dropped, as Hugging Face does; *dropped counts them.
  std::vector<TokenId> encode(std::string_view text, Specials specials = Specials::as_text,
                              std::size_t* dropped = nullptr) const;
  /// Ill-formed UTF-8 becomes U+FFFD, one per maximal ill-formed part. An id beyond the vocabulary gives no text: models often
  /// have more rows than there are tokens. Errors: IndexError for a negative id.
  std::string decode(const std::vector<TokenId>& ids, bool skip_specials = false) const;
  /// The raw bytes of one token; for a special or added token the text it matches, so that decode() undoes encode(). (If such
  /// a token consists of characters of the byte alphabet only, "ñandú", tokenizers 0.23 takes it for bytes and decodes
  /// "\xF1and\xFA".) Errors: IndexError
  std::string bytes(TokenId id) const;
  const std::string& token(TokenId id) const;  ///< as in the vocabulary ("Ġthe"). Errors: IndexError
  TokenId id(std::string_view token) const;    ///< -1 if there is none
  std::size_t size() const;
  bool is_special(TokenId id) const;
  const Parts& parts() const;

 private:
  struct Tables;
  std::unique_ptr<const Tables> tables_;
};

}  // namespace graft
