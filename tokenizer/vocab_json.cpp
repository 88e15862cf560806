// GPT-2's own files, vocab.json and merges.txt, and the small files that Hugging Face puts beside them.
#include <algorithm>
#include <set>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "tokenizer/files.h"
#include "tokenizer/inside/json.h"

namespace graft {

namespace {

using json::Field;

void read_merges(Tokenizer::Parts& parts, const std::string& merges) {
  std::istringstream lines(merges);
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || (number == 1 && line.rfind("#version", 0) == 0)) continue;
    const std::size_t space = line.find(' ');
    expect<FormatError>(
        space != std::string::npos && space > 0 && space + 1 < line.size() && line.find(' ', space + 1) == std::string::npos,
        parts.source, ": merges.txt line ", number, " is \"", line, "\", expected two tokens with one space between");
    parts.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
}

/// Collects tokens that are matched literally, each once; a token is special if any file says so.
struct Literals {
  Tokenizer::Parts& parts;
  std::vector<std::pair<TokenId, std::string>> later = {};  // not in vocab.json
  std::vector<std::string> specials = {}, added = {};

  void add(const std::string& token, bool special) { (special ? specials : added).push_back(token); }
  void finish();
};

void Literals::finish() {
  std::sort(later.begin(), later.end());
  later.erase(std::unique(later.begin(), later.end()), later.end());
  for (const auto& token : later)
    json::put(parts.tokens, token.first, token.second, {nullptr, parts.source + ": an added token"});
  std::unordered_map<std::string, TokenId> known;
  for (std::size_t i = 0; i < parts.tokens.size(); ++i) known.emplace(parts.tokens[i], static_cast<TokenId>(i));
  std::set<TokenId> done;
  const auto give = [&](const std::vector<std::string>& tokens, std::vector<TokenId>& to) {
    for (const std::string& token : tokens) {
      const auto found = known.emplace(token, static_cast<TokenId>(parts.tokens.size()));
      if (found.second) parts.tokens.push_back(token);  // named, but missing from the vocabulary: it gets the next id
      if (done.insert(found.first->second).second) to.push_back(found.first->second);
    }
  };
  give(specials, parts.specials);
  give(added, parts.added);
}

void read_special_map(const Field& map, Literals& literals) {
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"})
    if (const std::string token = json::token_name(map, key); !token.empty()) literals.add(token, true);
  const Field more = map.at("additional_special_tokens");
  if (more.null()) return;
  for (std::size_t i = 0; i < more.array().value->size(); ++i) {
    const Field token = more.at(i);
    literals.add(token.value->is_object() ? token.at("content").text() : token.text(), true);
  }
}

void read_added_decoder(const Field& decoder, const std::vector<std::string>& tokens, Literals& literals) {
  if (decoder.null()) return;
  for (auto at = decoder.object().value->begin(); at != decoder.value->end(); ++at) {
    const Field token{&at.value(), decoder.name + "." + at.key()};
    const std::string& content = token.at("content").text();
    for (const char* flag : {"single_word", "lstrip", "rstrip"})
      token.check(!token.at(flag).flag(false), " (\"", content, "\") has ", flag,
                  ", which is not supported: it changes what is matched");
    const bool number =
        !at.key().empty() && at.key().size() < 10 && at.key().find_first_not_of("0123456789") == std::string::npos;
    token.check(number, ": the key must be a token's id");
    const std::size_t id = std::stoul(at.key());
    if (id < tokens.size())
      token.check(tokens[id] == content, " is \"", content, "\", but in vocab.json that id is \"", tokens[id], "\"");
    else literals.later.emplace_back(static_cast<TokenId>(id), content);
    literals.add(content, token.at("special").flag(false));
  }
}

}  // namespace

Tokenizer from_vocab_and_merges(const std::string& vocab, const std::string& merges, const std::string& source,
                                const std::string& config, const std::string& special_map, const std::string& added,
                                const std::string& chat_template) {
  Tokenizer::Parts parts;
  parts.source = source;
  const json::Value document = json::parse(vocab, source + ": vocab.json");
  parts.tokens = json::vocabulary({&document, source + ": vocab.json"});
  read_merges(parts, merges);

  Literals literals{parts};
  const auto read = [&](const std::string& text, const char* file, const auto& use) {
    if (text.empty()) return;
    const std::string name = source + ": " + file;
    const json::Value settings = json::parse(text, name);
    use(Field{&settings, name});
  };
  read(config, "tokenizer_config.json", [&](const Field& all) {
    all.check(!all.at("add_prefix_space").flag(false), ": add_prefix_space is true, which is not supported");
    read_special_map(all, literals);
    read_added_decoder(all.at("added_tokens_decoder"), parts.tokens, literals);
  });
  read(special_map, "special_tokens_map.json", [&](const Field& all) { read_special_map(all, literals); });
  read(added, "added_tokens.json", [&](const Field& all) {
    const std::unordered_set<std::string> known(parts.tokens.begin(), parts.tokens.end());
    for (auto at = all.object().value->begin(); at != all.value->end(); ++at) {
      const TokenId id = Field{&at.value(), all.name + "." + at.key()}.id();
      if (known.count(at.key()) == 0) literals.later.emplace_back(id, at.key());
      literals.add(at.key(), false);
    }
  });
  const char* const end = "<|endoftext|>";
  if (literals.specials.empty() && std::find(parts.tokens.begin(), parts.tokens.end(), end) != parts.tokens.end())
    literals.add(end, true);
  literals.finish();
  read(special_map, "special_tokens_map.json", [&](const Field& all) { json::read_ends(parts, all); });
  read(config, "tokenizer_config.json", [&](const Field& all) { json::read_ends(parts, all); });
  json::default_end(parts);
  // There is no tokenizer.json with a post-processor that could say so.
  read(config, "tokenizer_config.json", [&](const Field& all) {
    if (all.at("add_bos_token").flag(false) && parts.bos >= 0) parts.before.push_back(parts.bos);
    if (all.at("add_eos_token").flag(false) && parts.eos >= 0) parts.after.push_back(parts.eos);
    parts.chat_template = json::chat_template(all);
  });
  json::keep(parts, config, special_map, chat_template);
  return Tokenizer(std::move(parts));
}

}  // namespace graft
