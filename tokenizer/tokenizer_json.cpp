// tokenizer.json, the file of Hugging Face's tokenizers (format "1.0"), read and written.
#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>

#include "tokenizer/files.h"
#include "tokenizer/inside/json.h"

namespace graft {

namespace {

using json::Field;

const char* const gpt2_expression = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
/// PreTokenizer::unnamed, one after another.
const char* const unnamed_expressions[] = {R"([\p{P}\$\+<=>\^~\|]+)", gpt2_expression, R"(\p{N}+)", "[0-9][0-9][0-9]"};

std::string type_of(const Field& field) { return field.at("type").text(); }

/// Flattens nested sequences. parse() has bounded the depth.
void flatten(const Field& field, const char* members, std::vector<Field>& out) {
  if (field.null()) return;
  if (type_of(field) != "Sequence") {
    out.push_back(field);
    return;
  }
  const Field all = field.at(members);
  for (std::size_t i = 0; i < all.array().value->size(); ++i) flatten(all.at(i), members, out);
}

bool splits_by(const Field& split, const std::string& expression) {
  const Field pattern = split.at("pattern");
  const std::string behavior = split.at("behavior").text();
  const bool invert = split.at("invert").flag(false);
  return !pattern.at("Regex").null() && pattern.at("Regex").text() == expression &&
         ((behavior == "Isolated" && !invert) || (behavior == "Removed" && invert));
}

PreTokenizer read_pre_tokenizer(const Field& field) {
  std::vector<Field> steps;
  flatten(field, "pretokenizers", steps);
  std::string found;
  for (const Field& step : steps) found += (found.empty() ? "" : ", ") + type_of(step);
  const auto supported = [&](bool ok, const std::string& why) {
    field.check(ok, " is [", found, "]", why, "; supported are [ByteLevel], [Digits, ByteLevel] and [Split, ByteLevel] with ",
                "GPT-2's expression, individual_digits and no add_prefix_space");
  };
  if (steps.size() == std::size(unnamed_expressions) + 1) {  // as graft writes it
    bool same = type_of(steps.back()) == "ByteLevel" && !steps.back().at("use_regex").flag(true);
    for (std::size_t i = 0; same && i < std::size(unnamed_expressions); ++i)
      same = type_of(steps[i]) == "Split" && splits_by(steps[i], unnamed_expressions[i]);
    supported(same, "");
    supported(!steps.back().at("add_prefix_space").flag(true), " with add_prefix_space");
    return PreTokenizer::unnamed;
  }
  supported(!steps.empty() && steps.size() <= 2 && type_of(steps.back()) == "ByteLevel", "");
  supported(!steps.back().at("add_prefix_space").flag(true), " with add_prefix_space");
  const bool expression = steps.back().at("use_regex").flag(true);
  if (steps.size() == 1) {
    supported(expression, " without use_regex");
    return PreTokenizer::gpt2;
  }
  const std::string first = type_of(steps[0]);
  if (first == "Digits") {
    supported(expression, " without use_regex");
    supported(steps[0].at("individual_digits").flag(false), " with digits kept together");
    return PreTokenizer::smollm;
  }
  supported(first == "Split" && !expression, "");
  supported(splits_by(steps[0], gpt2_expression), " with another expression");
  return PreTokenizer::gpt2;
}

void read_merges(Tokenizer::Parts& parts, const Field& merges) {
  parts.merges.reserve(merges.array().value->size());
  for (std::size_t i = 0; i < merges.value->size(); ++i) {
    const json::Value& pair = (*merges)[i];
    if (pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string()) {  // the usual form
      parts.merges.emplace_back(pair[0].get_ref<const std::string&>(), pair[1].get_ref<const std::string&>());
      continue;
    }
    const Field merge = merges.at(i);
    if (merge.value->is_array()) {
      merge.check(merge.value->size() == 2, " has ", merge.value->size(), " tokens, expected 2");
      parts.merges.emplace_back(merge.at(std::size_t{0}).text(), merge.at(1).text());
    } else {
      const std::string& both = merge.text();
      const std::size_t space = both.find(' ');
      merge.check(space != std::string::npos && both.find(' ', space + 1) == std::string::npos, " is \"", both,
                  "\", expected two tokens with one space between");
      parts.merges.emplace_back(both.substr(0, space), both.substr(space + 1));
    }
  }
}

bool has_all_bytes(const Tokenizer& tokenizer) {
  std::vector<bool> found(256, false);
  for (std::size_t i = 0; i < tokenizer.size(); ++i) {
    const std::string bytes = tokenizer.bytes(static_cast<TokenId>(i));
    if (bytes.size() == 1 && !tokenizer.is_special(static_cast<TokenId>(i))) found[static_cast<unsigned char>(bytes[0])] = true;
  }
  return std::find(found.begin(), found.end(), false) == found.end();
}

void read_added(Tokenizer::Parts& parts, const Field& added) {
  if (added.null()) return;
  std::map<TokenId, Field> later;  // those missing from the model's vocabulary, by id
  std::unordered_map<std::string, TokenId> known;
  for (std::size_t i = 0; i < parts.tokens.size(); ++i) known.emplace(parts.tokens[i], static_cast<TokenId>(i));
  for (std::size_t i = 0; i < added.array().value->size(); ++i) {
    const Field token = added.at(i);
    const std::string& content = token.at("content").text();
    const TokenId id = token.at("id").id();
    for (const char* flag : {"single_word", "lstrip", "rstrip"})
      token.check(!token.at(flag).flag(false), " (\"", content, "\") has ", flag,
                  ", which is not supported: it changes what is matched");
    const auto found = known.find(content);
    if (found == known.end()) token.check(later.emplace(id, token).second, ": id ", id, " is given to another added token too");
    else token.check(found->second == id, " (\"", content, "\") has id ", id, ", but in model.vocab it is ", found->second);
    (token.at("special").flag(false) ? parts.specials : parts.added).push_back(id);
    if (token.at("normalized").flag(false)) parts.late.push_back(id);
  }
  for (const auto& one : later) json::put(parts.tokens, one.first, one.second.at("content").text(), one.second);
}

/// Reads what the post-processor would put around a single text.
void read_template(Tokenizer::Parts& parts, const Field& processor) {
  std::vector<Field> steps;
  flatten(processor, "processors", steps);
  for (const Field& step : steps) {
    const std::string type = type_of(step);
    if (type == "ByteLevel") continue;  // sets offsets only, which do not affect ids
    if (type == "BertProcessing" || type == "RobertaProcessing") {  // "cls": ["<s>", 0]
      const auto id = [&](const char* which) {
        const Field pair = step.at(which).array();
        pair.check(pair.value->size() == 2, " has ", pair.value->size(), " entries, expected a token and its id");
        return pair.at(1).id();
      };
      parts.before.push_back(id("cls")), parts.after.push_back(id("sep"));
      continue;
    }
    step.check(type == "TemplateProcessing", " is ", type, "; supported are TemplateProcessing, BertProcessing, ",
               "RobertaProcessing and ByteLevel");
    std::vector<TokenId>* side = &parts.before;
    const Field single = step.at("single");
    for (std::size_t i = 0; i < single.array().value->size(); ++i) {
      const Field piece = single.at(i).object();
      if (!piece.at("Sequence").null()) side = &parts.after;
      if (piece.at("SpecialToken").null()) continue;
      const Field ids = step.at("special_tokens").at(piece.at("SpecialToken").at("id").text()).at("ids");
      for (std::size_t k = 0; k < ids.array().value->size(); ++k) side->push_back(ids.at(k).id());
    }
  }
}

}  // namespace

Tokenizer from_json(const std::string& text, const std::string& source, const std::string& config,
                    const std::string& special_map, const std::string& chat_template) {
  const json::Value document = json::parse(text, source);
  const Field root{&document, source}, model = root.at("model").object();
  if (!model.at("type").null())
    model.check(model.at("type").text() == "BPE", " is of type ", model.at("type").text(),
                "; only byte-level BPE is supported");
  root.check(root.at("normalizer").null(), ": there is a normalizer, which is not supported (texts are taken as they are)");
  for (const char* mark : {"continuing_subword_prefix", "end_of_word_suffix"})
    model.check(model.at(mark).null() || model.at(mark).text().empty(), ".", mark, " is set; byte-level BPE does not use it");
  const Field dropout = model.at("dropout");
  dropout.check(dropout.null() || (dropout.value->is_number() && dropout.value->get<double>() == 0),
                " is set, so ids would be ", "random; this is not supported");
  std::vector<Field> decoders;
  flatten(root.at("decoder"), "decoders", decoders);
  for (const Field& decoder : decoders)
    decoder.check(type_of(decoder) == "ByteLevel", " is ", type_of(decoder), "; supported is ByteLevel");

  Tokenizer::Parts parts;
  parts.source = source;
  parts.pre = read_pre_tokenizer(root.at("pre_tokenizer"));
  parts.ignore_merges = model.at("ignore_merges").flag(false);
  parts.tokens = json::vocabulary(model.at("vocab"));
  read_merges(parts, model.at("merges"));
  read_added(parts, root.at("added_tokens"));
  read_template(parts, root.at("post_processor"));
  if (config.empty() && special_map.empty()) {
    json::default_end(parts);
  } else {
    const std::string name = source + " with its " + (config.empty() ? "special_tokens_map.json" : "tokenizer_config.json");
    json::Value settings = config.empty() ? json::Value::object() : json::parse(config, name);
    const Field beside{&settings, name};
    if (!special_map.empty() && beside.at("added_tokens_decoder").null()) {
      const std::string map_name = source + " with its special_tokens_map.json";
      const json::Value map = json::parse(special_map, map_name);
      Field{&map, map_name}.object();
      settings.update(map);
    }
    beside.check(!beside.at("add_prefix_space").flag(false), ": add_prefix_space is true, which is not supported");
    json::add_named(parts, beside);
    json::read_ends(parts, beside);
    parts.chat_template = json::chat_template(beside);
  }
  json::keep(parts, config, special_map, chat_template);
  Tokenizer made(std::move(parts));
  const bool unknown = !model.at("unk_token").null() || model.at("byte_fallback").flag(false);
  model.check(!unknown || has_all_bytes(made),
              ": unk_token or byte_fallback is set, but some bytes have no token; supported are ",
              "vocabularies with all 256 bytes, or neither setting (such bytes are dropped)");
  return made;
}

std::string to_json(const Tokenizer& tokenizer) try {
  const Tokenizer::Parts& parts = tokenizer.parts();
  const auto quoted = [](const std::string& text) { return json::Value(text).dump(); };
  const auto listed = [&](const std::vector<TokenId>& ids, TokenId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  std::string out = "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n  \"added_tokens\": [";
  std::vector<TokenId> added = parts.specials;
  added.insert(added.end(), parts.added.begin(), parts.added.end());
  std::sort(added.begin(), added.end());
  const char* comma = "";
  for (const TokenId id : added) {
    const json::Value token = {{"id", id},
                               {"content", tokenizer.token(id)},
                               {"single_word", false},
                               {"lstrip", false},
                               {"rstrip", false},
                               {"normalized", listed(parts.late, id)},
                               {"special", tokenizer.is_special(id)}};
    out += comma + ("\n    " + token.dump());
    comma = ",";
  }
  const json::Value bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  json::Value pre = bytes, post;
  if (parts.pre == PreTokenizer::smollm)
    pre = {{"type", "Sequence"}, {"pretokenizers", {{{"type", "Digits"}, {"individual_digits", true}}, bytes}}};
  if (parts.pre == PreTokenizer::unnamed) {
    pre = {{"type", "Sequence"}, {"pretokenizers", json::Value::array()}};
    for (const char* expression : unnamed_expressions)
      pre["pretokenizers"].push_back(
          {{"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", "Isolated"}, {"invert", false}});
    pre["pretokenizers"].push_back(bytes);
    pre["pretokenizers"].back()["use_regex"] = false;
  }
  if (!parts.before.empty() || !parts.after.empty()) {
    json::Value single = json::Value::array(), names = json::Value::object();
    const auto put = [&](const std::vector<TokenId>& ids) {
      for (const TokenId id : ids) {
        const std::string& name = tokenizer.token(id);
        single.push_back({{"SpecialToken", {{"id", name}, {"type_id", 0}}}});
        names[name] = {{"id", name}, {"ids", {id}}, {"tokens", {name}}};
      }
    };
    put(parts.before);
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    put(parts.after);
    json::Value pair = single;
    pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 0}}}});
    post = {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", names}};
  }
  out += "\n  ],\n  \"normalizer\": null,\n  \"pre_tokenizer\": " + pre.dump() + ",\n  \"post_processor\": " + post.dump() +
         ",\n  \"decoder\": " + bytes.dump() +
         ",\n  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": null,\n"
         "    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n    \"fuse_unk\": false,\n"
         "    \"byte_fallback\": false,\n    \"ignore_merges\": " +
         (parts.ignore_merges ? "true" : "false") + ",\n    \"vocab\": {";
  comma = "";
  for (std::size_t i = 0; i < parts.tokens.size(); ++i) {
    out += comma + ("\n      " + quoted(parts.tokens[i]) + ": " + std::to_string(i));
    comma = ",";
  }
  out += "\n    },\n    \"merges\": [";
  comma = "";
  for (const auto& merge : parts.merges) {
    out += comma + ("\n      [" + quoted(merge.first) + ", " + quoted(merge.second) + "]");
    comma = ",";
  }
  return out + "\n    ]\n  }\n}\n";
} catch (const json::Value::exception& error) {
  throw FormatError(std::string("to_json: a token cannot be written as JSON: ") + error.what());
}

}  // namespace graft
