// Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019): text to ids and back, without loss. A text is cut into pieces by
// a pre-tokenizer, each piece into bytes, and pairs are merged by rank, lowest first.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

using TokenId = std::int32_t;

/// How a text is cut before merging. gpt2: the regular expression of GPT-2. smollm: every numeric character by itself first.
enum class PreTokenizer { gpt2, smollm };

/// Special tokens ("<|im_start|>") in a user's text stay plain text unless asked for: text must not be able to speak as
/// somebody else.
enum class Specials { as_text, parse };

class Tokenizer {
 public:
  /// What a tokenizer is made of. Tokens are written with the byte alphabet of GPT-2 (space is Ġ); special ones literally.
  struct Parts {
    std::vector<std::string> tokens;                          ///< index = id
    std::vector<std::pair<std::string, std::string>> merges;  ///< rank = index
    std::vector<TokenId> specials;                            ///< ids matched literally when asked for
    PreTokenizer pre = PreTokenizer::gpt2;
    TokenId bos = -1, eos = -1, unk = -1, pad = -1;           ///< -1: none
    std::string source;                                       ///< for messages: a file name
  };
  /// Errors: FormatError for duplicate tokens, a merge of unknown tokens, ids out of range.
  explicit Tokenizer(Parts parts);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  /// Bytes need not be UTF-8. Bytes that the vocabulary lacks are dropped, as Hugging Face does; *dropped counts them.
  std::vector<TokenId> encode(std::string_view text, Specials specials = Specials::as_text, std::size_t* dropped = nullptr) const;
  /// Ill-formed UTF-8 becomes U+FFFD, one per maximal ill-formed part. Errors: IndexError names the id and the vocabulary.
  std::string decode(const std::vector<TokenId>& ids, bool skip_specials = false) const;
  std::string bytes(TokenId id) const;         ///< the raw bytes of one token; of a special token its name
  const std::string& token(TokenId id) const;  ///< as in the vocabulary ("Ġthe"). Errors: IndexError
  TokenId id(std::string_view token) const;    ///< -1 if there is none
  std::size_t size() const;
  bool is_special(TokenId id) const;
  const Parts& parts() const;

 private:
  struct Tables;
  std::unique_ptr<const Tables> tables_;
};

/// The pieces that merging works on. Exposed for labs and tests.
std::vector<std::string_view> pre_tokenize(std::string_view text, PreTokenizer pre);

/// Learns merges: the most frequent pair of neighbours becomes a token, again and again (ties: the pair of lower ids), until
/// `vocabulary` tokens or no pair occurs min_count times. Ids: specials first, then the 256 bytes, then merges.
Tokenizer train_tokenizer(const std::vector<std::string>& texts, std::size_t vocabulary, PreTokenizer pre = PreTokenizer::gpt2,
                          const std::vector<std::string>& specials = {}, std::size_t min_count = 2);

// --- files (files.cpp) ---
Tokenizer load_tokenizer(const std::string& path);  ///< a tokenizer.json, or a folder with one or with vocab.json + merges.txt
void save_tokenizer(const Tokenizer& tokenizer, const std::string& path);  ///< as tokenizer.json, whole or not at all

// --- stream.h: decoding while ids arrive ---
/// Turns ids into text as they come: never half a UTF-8 character, and nothing of a stop string.
class TextStream {
 public:
  explicit TextStream(const Tokenizer& tokenizer, std::vector<std::string> stops = {}, bool skip_specials = true);
  std::string push(TokenId id);           ///< the text that is now certain
  std::string finish();                   ///< the rest: ill-formed bytes become U+FFFD
  bool stopped() const { return stopped_; }  ///< a stop string has appeared; what follows it is not given out

 private:
  std::string release(bool all);
  const Tokenizer* tokenizer_;
  std::vector<std::string> stops_;
  bool skip_specials_, stopped_ = false;
  std::string held_;
};

// --- chat.h: ChatML ---
struct Message {
  std::string role, content;  ///< role: system, user or assistant
};
/// <|im_start|>role\ncontent<|im_end|>\n ... and, to be answered, <|im_start|>assistant\n. Contents are encoded as plain text,
/// so that nobody can close his turn from inside. Errors: FormatError if the vocabulary lacks the two markers.
std::vector<TokenId> chatml(const Tokenizer& tokenizer, const std::vector<Message>& messages, bool to_be_answered = true);

}  // namespace graft
