// What the small files beside a tokenizer say, templates of chats, and texts that nobody said how to cut: as transformers has them
// (make_tokenizer_edges.py).
#include <algorithm>
#include <filesystem>
#include <set>

#include "tests/formats/scratch_folder.h"
#include "tests/tokenizer/fixture.h"
#include "tokenizer/chat.h"
#include "tokenizer/gguf.h"
#include "tokenizer/stream.h"

namespace graft {
namespace {

using fixture::Ids;
using fixture::Json;

const Json& edges() {
  static const Json read = Json::parse(std::ifstream(here::fixtures() + "/tokenizer_edges.json"));
  return read;
}

const std::vector<std::string>& texts() {
  static const std::vector<std::string> all{"the tree", "a[PAD]b <mask>", "<s>the</s> trees", "<|im_end|>x<extra>"};
  return all;
}

/// The row's tokenizer, as its files say.
Tokenizer made(const Json& row) {
  const auto beside = [&](const char* name) { return row.at("beside").value(name, std::string()); };
  if (row.contains("folder")) {
    const Json& folder = fixture::all().at("folder");
    return from_vocab_and_merges(folder.at("vocab.json"), folder.at("merges.txt"), "folder", beside("tokenizer_config.json"));
  }
  Json file = fixture::row("gpt2").at("file");
  if (!row.at("patch").is_null()) file.update(row.at("patch"));
  return from_json(file.dump(), "file", beside("tokenizer_config.json"), beside("special_tokens_map.json"));
}

/// Ids 395 to three beyond the last: those of added tokens, and of rows of a model that no token has.
Ids last_ids(const Tokenizer& tokenizer) {
  Ids ids;
  for (TokenId id = 395; id < static_cast<TokenId>(tokenizer.size()) + 3; ++id) ids.push_back(id);
  return ids;
}

TEST(Edges, SmallFilesMeanWhatTheyMeanToTransformers) {
  for (const Json& row : edges().at("files")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const Tokenizer tokenizer = made(row);
    const Tokenizer::Parts& parts = tokenizer.parts();
    for (std::size_t i = 0; i < texts().size(); ++i)
      EXPECT_EQ(tokenizer.encode(texts()[i], Specials::parse), row.at("parse")[i].get<Ids>()) << texts()[i];
    EXPECT_EQ((Ids{parts.bos, parts.eos, parts.pad}), row.at("ends").get<Ids>());
    EXPECT_EQ(parts.before, row.at("before").get<Ids>());
    EXPECT_EQ(parts.after, row.at("after").get<Ids>());
    for (const TokenId id : row.at("specials").get<Ids>()) EXPECT_TRUE(tokenizer.is_special(id)) << id;
    EXPECT_EQ(tokenizer.decode(last_ids(tokenizer)), row.at("all").get<std::string>());
    EXPECT_EQ(tokenizer.decode(last_ids(tokenizer), true), row.at("skip").get<std::string>());
    const Tokenizer again = from_json(to_json(tokenizer), "again");
    EXPECT_EQ(again.parts().tokens, parts.tokens);
    EXPECT_EQ(again.parts().before, parts.before);
  }
}

TEST(Edges, WhatCannotBeAddedIsRefused) {
  const std::string file = fixture::row("gpt2").at("file").dump();
  const struct {
    const char *config, *word;
  } table[] = {
      {R"({"pad_token": {"content": "[PAD]", "lstrip": true}})", "has lstrip"},
      {R"({"added_tokens_decoder": {"2": {"content": "[PAD]"}}})", "id 2, but the next free id is 400"},
      {R"({"added_tokens_decoder": {"400": {"content": "<|im_end|>"}}})", "which has another id"},
      {R"({"added_tokens_decoder": {"x": {"content": "[PAD]"}}})", "the key must be a token's id"},
      {R"({"added_tokens_decoder": {"99999999": {"content": "[PAD]"}}})", "id 99999999, but the next free id is 400"},
      {R"({"additional_special_tokens": "[PAD]"})", "expected an array"},
      {R"({"chat_template": 5})", "expected a string"},
  };
  for (const auto& row : table)
    fixture::expect_has(fixture::message<FormatError>([&] { from_json(file, "file", row.config); }), row.word);
}

TEST(Edges, AnIdWithoutATokenIsNoText) {
  const Tokenizer tokenizer = fixture::tokenizer("gpt2");
  const Ids tree = tokenizer.encode("tree");
  Ids padded = tree;
  padded.insert(padded.begin(), 400);
  padded.push_back(2147483647);
  EXPECT_EQ(tokenizer.decode(padded), "tree");
  TextStream stream(tokenizer);
  std::string all;
  for (const TokenId id : padded) all += stream.push(id);
  EXPECT_EQ(all + stream.finish(), "tree");
  EXPECT_THROW(stream.push(-1), IndexError);
}

TEST(Edges, AddedTokensDecodeToWhatTheyAreMatchedAs) {
  for (const bool special : {true, false}) {
    Json file = fixture::row("gpt2").at("file");
    Json token = file["added_tokens"][0];
    token["special"] = special;
    const std::vector<std::string> names{
        "\xC3\xB1"
        "and\xC3\xBA",
        "\xC3\xA9\xC3\xA9", "\xC4\xA0xq", "\xE6\x97\xA5\xE6\x9C\xAC"};  // ñandú éé Ġxq 日本
    for (std::size_t i = 0; i < names.size(); ++i) {
      token["id"] = 400 + i, token["content"] = names[i];
      file["added_tokens"].push_back(token);
    }
    const Tokenizer tokenizer = from_json(file.dump(), "file");
    const std::string text = "una " + names[0] + " " + names[1] + names[2] + names[3] + " \xC3\xA1";
    const Ids ids = tokenizer.encode(text, Specials::parse);
    for (TokenId id = 400; id < 404; ++id) EXPECT_EQ(std::count(ids.begin(), ids.end(), id), 1) << id;
    EXPECT_EQ(tokenizer.decode(ids), text);
    EXPECT_EQ(tokenizer.bytes(400), names[0]);
  }
}

TEST(Edges, UnnamedIsCutAsLlamaCppDoes) {
  for (const Json& one : edges().at("pieces")) {
    const std::string text = one.at("text");
    const auto views = pre_tokenize(text, PreTokenizer::unnamed);
    EXPECT_EQ(std::vector<std::string>(views.begin(), views.end()), one.at("pieces").get<std::vector<std::string>>())
        << one.at("text");
  }
}

TEST(Edges, AGgufThatDoesNotSayHowToCutIsCutSoAndSaysSo) {
  GgufVocabulary from;
  const Tokenizer gpt2 = fixture::tokenizer("gpt2");
  from.tokens = gpt2.parts().tokens;
  for (const auto& merge : gpt2.parts().merges) from.merges.push_back(merge.first + " " + merge.second);
  from.source = "a.gguf", from.eos = 2, from.chat_template = "{{ x }}", from.context = 48;
  for (const char* pre : {"", "default"}) {
    from.pre = pre;
    const Tokenizer tokenizer = from_gguf(from);
    ASSERT_EQ(tokenizer.parts().warnings.size(), 1u);
    fixture::expect_has(tokenizer.parts().warnings[0],
                        "a.gguf: tokenizer.ggml.pre is " + std::string(*pre ? "\"default\"" : "missing"));
    EXPECT_NE(tokenizer.encode("it's"), gpt2.encode("it's")) << "the sign is a piece of its own";
    const Tokenizer again = from_json(to_json(tokenizer), "again");
    EXPECT_EQ(again.parts().pre, PreTokenizer::unnamed);
  }
  from.pre = "gpt-2";
  EXPECT_TRUE(from_gguf(from).parts().warnings.empty());
}

/// What the template of this style writes, by chatml() itself.
std::string written(const Tokenizer& tokenizer, const Json& chat, const ChatStyle& style) {
  std::vector<Message> messages;
  for (const Json& one : chat.at("messages")) messages.push_back({one.at("role"), one.at("content")});
  return tokenizer.decode(chatml(tokenizer, messages, chat.at("answer"), style.default_system));
}

TEST(Edges, TemplatesOfChatMLAreRecognizedAndNoOthers) {
  const Tokenizer tokenizer = fixture::tokenizer("gpt2");
  const std::set<std::string> known{"plain",    "system",        "dots, other quotes, other names",
                                    "on lines", "texts outside", "defined first"};
  for (const Json& row : edges().at("chats")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const ChatStyle style = chat_style(row.at("template").get<std::string>());
    EXPECT_EQ(style.kind, known.count(row.at("name")) ? ChatStyle::Kind::chatml : ChatStyle::Kind::other);
    if (style.kind != ChatStyle::Kind::chatml) continue;
    const Json& chats = edges().at("messages");
    for (std::size_t i = 0; i < chats.size(); ++i)
      EXPECT_EQ(written(tokenizer, chats[i], style), row.at("written")[i].get<std::string>()) << chats[i];
  }
  EXPECT_EQ(chat_style("").kind, ChatStyle::Kind::none);
  EXPECT_EQ(chat_style(edges().at("chats")[1].at("template").get<std::string>()).default_system, "You graft trees.");
  for (const char* broken :
       {"{{", "{%", "{{ 'a", "{% for", "{{ '\\x41' }}", "{{}}", "{{ + }}", "{", "{{-", "{%-%}", "}}", "{#"})
    EXPECT_EQ(chat_style(broken).kind, ChatStyle::Kind::other) << broken;
  EXPECT_EQ(chat_style(std::string(1 << 20, '{')).kind, ChatStyle::Kind::other);
}

TEST(Edges, SmallFilesAreHandedOn) {
  const formats::ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path("model");
  std::filesystem::create_directories(folder / "out");
  const auto write = [&](const char* name, const std::string& text) { std::ofstream(folder / name, std::ios::binary) << text; };
  const auto read = [&](const char* name) {
    std::ifstream in(folder / "out" / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  write("tokenizer.json", fixture::row("gpt2").at("file").dump());
  write(
      "tokenizer_config.json",
      R"({"chat_template": "old", "model_max_length": 77, "eos_token": {"content": "<|im_end|>"}, "pad_token": "[PAD]", "tokenizer_class": "GPT2Tokenizer",
            "add_bos_token": true, "auto_map": {"a": "b"}})");
  write("special_tokens_map.json", R"({"pad_token": "[PAD]"})");
  write("chat_template.jinja", "{{ new }}\n");
  const Tokenizer tokenizer = load_tokenizer(folder.string());
  EXPECT_EQ(tokenizer.parts().chat_template, "{{ new }}\n");
  save_tokenizer(tokenizer, (folder / "out").string());
  EXPECT_EQ(read("chat_template.jinja"), "{{ new }}\n");
  EXPECT_EQ(read("special_tokens_map.json"), R"({"pad_token": "[PAD]"})");
  const Json config = Json::parse(read("tokenizer_config.json"));
  EXPECT_EQ(
      config,
      Json::parse(
          R"({"chat_template": "old", "model_max_length": 77, "eos_token": {"content": "<|im_end|>"}, "pad_token": "[PAD]",
                                    "tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": false})"));
  const Tokenizer again = load_tokenizer((folder / "out").string());
  EXPECT_EQ(again.parts().beside.at("chat_template.jinja"), "{{ new }}\n");
  EXPECT_EQ(again.parts().pad, 400);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace graft
