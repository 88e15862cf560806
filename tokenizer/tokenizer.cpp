#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "autograd/errors.h"
#include "autograd/sizes.h"
#include "autograd/utf8.h"
#include "tokenizer/inside/added.h"
#include "tokenizer/inside/alphabet.h"
#include "tokenizer/inside/merges.h"
#include "tokenizer/inside/words.h"

namespace graft {

namespace {

/// The tokenizer's name for the start of a message.
const std::string& named(const Tokenizer::Parts& parts) {
  static const std::string nameless = "tokenizer";
  return parts.source.empty() ? nameless : parts.source;
}

enum class Role : std::uint8_t { plain, special, added };

}  // namespace

struct Tokenizer::Tables {
  Parts parts;
  std::vector<Role> role;                            // by id
  std::string blob;                                  // the bytes of all tokens, one after another
  std::vector<std::size_t> begin;                    // token i is blob[begin[i], begin[i + 1])
  std::unordered_map<std::string_view, TokenId> id;  // views of parts.tokens
  std::array<TokenId, 256> single;                   // -1: the vocabulary lacks this byte
  bpe::Merges merges;
  bpe::AddedTokens early, late;
  bool always;  // some added token is matched even in plain text
  bpe::Words words;

  explicit Tables(Parts given);
  std::string_view bytes(TokenId i) const {
    return std::string_view(blob).substr(nth(begin, i),
                                         begin[static_cast<std::size_t>(i) + 1] - nth(begin, i));
  }
  bool known(TokenId i) const { return i >= 0 && static_cast<std::size_t>(i) < parts.tokens.size(); }

  void give_roles();
  void index();
  void read_merges();
  bpe::AddedTokens finder(bool which) const;
  void find_words();
};

namespace {

std::vector<TokenId> sorted(std::vector<TokenId> ids) {
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace

Tokenizer::Tables::Tables(Parts given)
    : parts(std::move(given)),
      merges(parts.merges.size()),
      early({}),
      late({}),
      words(parts.tokens.size()) {
  expect<FormatError>(parts.tokens.size() < std::size_t{std::numeric_limits<TokenId>::max()}, named(parts), ": ",
                      parts.tokens.size(), " tokens are more than there are ids");
  give_roles();
  index();
  read_merges();
  early = finder(false);
  late = finder(true);
  always = !parts.added.empty();
  find_words();
}

void Tokenizer::Tables::give_roles() {
  const auto check = [&](const char* what, TokenId i) {
    expect<FormatError>(known(i), named(parts), ": ", what, " is id ", i, ", but there are ", parts.tokens.size(), " tokens");
  };
  role.assign(parts.tokens.size(), Role::plain);
  const auto give = [&](const char* what, const std::vector<TokenId>& ids, Role its) {
    for (const TokenId i : ids) {
      check(what, i);
      Role& now = nth(role, i);
      expect<FormatError>(now == Role::plain, named(parts), ": token ", i, " is listed twice as special or added");
      expect<FormatError>(!nth(parts.tokens, i).empty(), named(parts), ": ", what, " ", i, " is empty");
      now = its;
    }
  };
  give("a special token", parts.specials, Role::special);
  give("an added token", parts.added, Role::added);
  for (const TokenId i : parts.late) {
    check("a late token", i);
    expect<FormatError>(nth(role, i) != Role::plain, named(parts), ": token ", i,
                        " is late, but neither special nor added");
  }
  const std::pair<const char*, TokenId> ends[] = {
      {"bos", parts.bos}, {"eos", parts.eos}, {"unk", parts.unk}, {"pad", parts.pad}};
  for (const auto& end : ends)
    if (end.second != -1) check(end.first, end.second);
  for (const TokenId i : parts.before) check("the token before a text", i);
  for (const TokenId i : parts.after) check("the token after a text", i);
}

void Tokenizer::Tables::index() {
  id.reserve(parts.tokens.size());
  begin.reserve(parts.tokens.size() + 1);
  for (std::size_t i = 0; i < parts.tokens.size(); ++i) {
    begin.push_back(blob.size());
    const auto place = id.emplace(parts.tokens[i], static_cast<TokenId>(i));
    expect<FormatError>(place.second, named(parts), ": tokens ", place.first->second, " and ", i, " are both \"",
                        parts.tokens[i], "\"");
    // Tokens that are matched literally are not in the byte alphabet, even if all their characters occur in it.
    blob += role[i] == Role::plain ? alphabet::bytes(parts.tokens[i]) : parts.tokens[i];
  }
  begin.push_back(blob.size());
  for (std::size_t b = 0; b < 256; ++b) {
    const auto found = id.find(alphabet::spelled()[b]);
    single[b] = found == id.end() ? -1 : found->second;
  }
}

void Tokenizer::Tables::read_merges() {
  std::string both;
  for (std::size_t rank = 0; rank < parts.merges.size(); ++rank) {
    const auto& pair = parts.merges[rank];
    both.assign(pair.first).append(pair.second);
    TokenId found[3];
    const std::string* const names[3] = {&pair.first, &pair.second, &both};
    for (int i = 0; i < 3; ++i) {
      const auto at = id.find(*names[i]);
      expect<FormatError>(at != id.end(), named(parts), ": merge ", rank, " (\"", pair.first, "\" and \"", pair.second,
                          "\") needs the token \"", *names[i], "\", which the vocabulary lacks");
      found[i] = at->second;
    }
    merges.add(found[0], found[1], static_cast<std::uint32_t>(rank), found[2]);
  }
}

bpe::AddedTokens Tokenizer::Tables::finder(bool which) const {
  const std::vector<TokenId> latecomers = sorted(parts.late);
  std::vector<std::pair<std::string, TokenId>> tokens;
  for (const std::vector<TokenId>* ids : {&parts.specials, &parts.added})
    for (const TokenId i : *ids)
      if (std::binary_search(latecomers.begin(), latecomers.end(), i) == which)
        tokens.emplace_back(nth(parts.tokens, i), i);
  return bpe::AddedTokens(std::move(tokens));
}

/// The tokens that merging produces from their own bytes: a piece equal to one of them need not be merged.
void Tokenizer::Tables::find_words() {
  constexpr std::size_t longest = 64;  // pieces are rarely longer; bounds the cost of a hostile vocabulary
  std::vector<TokenId> ids;
  for (std::size_t i = 0; i < parts.tokens.size(); ++i) {
    const std::string_view word = bytes(static_cast<TokenId>(i));
    if (role[i] == Role::special || word.empty()) continue;
    if (!parts.ignore_merges) {
      if (word.size() > longest) continue;
      ids.clear();
      for (const char b : word) ids.push_back(single[static_cast<unsigned char>(b)]);
      if (std::find(ids.begin(), ids.end(), -1) != ids.end()) continue;
      bpe::merge(ids, 0, merges);
      if (ids.size() != 1 || ids[0] != static_cast<TokenId>(i)) continue;
    } else if (alphabet::spell(word) != parts.tokens[i]) {
      continue;  // not in the byte alphabet: no piece can equal it
    }
    words.add(word, static_cast<TokenId>(i));
  }
}

namespace {

/// Pieces of this text that were merged, so that ids are copied when a piece occurs again. Of fixed size: a piece replaces
/// another with the same hash. Not used for short texts.
class Seen {
 public:
  explicit Seen(std::size_t text) : buckets_(text < 4096 ? 0 : 4096) {}
  struct Bucket {
    std::string_view piece;
    std::size_t first = 0, count = 0;  // its ids, in the output
  };
  Bucket* bucket(std::uint64_t hash) { return buckets_.empty() ? nullptr : &buckets_[hash >> 20 & (buckets_.size() - 1)]; }

 private:
  std::vector<Bucket> buckets_;
};

}  // namespace

std::vector<TokenId> Tokenizer::encode(std::string_view text, Specials specials, std::size_t* dropped) const {
  const Tables& t = *tables_;
  std::vector<TokenId> out;
  out.reserve(text.size() / 4 + 4);
  std::size_t lost = 0;
  Seen seen(text.size());

  const auto one_piece = [&](std::string_view piece) {
    const std::uint64_t hash = bpe::hash(piece);
    const TokenId whole = t.words.find(piece, hash);
    if (whole >= 0) {
      out.push_back(whole);
      return;
    }
    Seen::Bucket* const bucket = seen.bucket(hash);
    if (bucket != nullptr && bucket->piece == piece) {
      for (std::size_t i = 0; i < bucket->count; ++i) out.push_back(out[bucket->first + i]);
      return;
    }
    const std::size_t begin = out.size(), lost_before = lost;
    for (const char b : piece) {
      const TokenId i = t.single[static_cast<unsigned char>(b)];
      if (i >= 0) out.push_back(i);
      else ++lost;
    }
    bpe::merge(out, begin, t.merges);
    if (bucket != nullptr && lost == lost_before) *bucket = {piece, begin, out.size() - begin};
  };
  const auto plain = [&](std::string_view rest) {
    while (!rest.empty()) {
      const std::size_t length = first_piece(rest, t.parts.pre);
      one_piece(rest.substr(0, length));
      rest.remove_prefix(length);
    }
  };
  // Cuts out the tokens that `finder` finds and passes the text between them to `between`.
  const auto around = [&](std::string_view part, const bpe::AddedTokens& finder, const auto& between) {
    std::size_t done = 0;
    if ((specials == Specials::parse || t.always) && !finder.empty())
      for (std::size_t from = 0; from < part.size();) {
        const bpe::AddedTokens::Found found = finder.find(part, from);
        from = found.at + found.length;
        if (found.id < 0 || (specials == Specials::as_text && is_special(found.id))) continue;  // skip special tokens
        between(part.substr(done, found.at - done));
        out.push_back(found.id);
        done = from;
      }
    between(part.substr(done));
  };
  around(text, t.early, [&](std::string_view part) { around(part, t.late, plain); });
  if (dropped != nullptr) *dropped = lost;
  return out;
}

std::string Tokenizer::decode(const std::vector<TokenId>& ids, bool skip_specials) const {
  std::string all, text;
  for (const TokenId i : ids) {
    if (i >= 0 && static_cast<std::size_t>(i) >= size()) continue;  // a model's row beyond the vocabulary
    token(i);                                                       // throws for a negative id
    if (!skip_specials || !is_special(i)) all += tables_->bytes(i);
  }
  utf8::append_repaired(text, all);
  return text;
}

std::string Tokenizer::bytes(TokenId id) const {
  token(id);
  return std::string(tables_->bytes(id));
}

const std::string& Tokenizer::token(TokenId id) const {
  expect<IndexError>(tables_->known(id), named(tables_->parts), ": there is no token ", id, "; ids go from 0 to ",
                     static_cast<std::ptrdiff_t>(size()) - 1);
  return nth(tables_->parts.tokens, id);
}

TokenId Tokenizer::id(std::string_view token) const {
  const auto found = tables_->id.find(token);
  return found == tables_->id.end() ? -1 : found->second;
}

std::size_t Tokenizer::size() const { return tables_->parts.tokens.size(); }
bool Tokenizer::is_special(TokenId id) const {
  return tables_->known(id) && nth(tables_->role, id) == Role::special;
}
const Tokenizer::Parts& Tokenizer::parts() const { return tables_->parts; }

Tokenizer::Tokenizer(Parts parts) : tables_(std::make_unique<const Tables>(std::move(parts))) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

}  // namespace graft
