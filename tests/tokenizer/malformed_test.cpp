// What each kind of malformed tokenizer.json, vocab.json or merges.txt is told: the file and the key.
#include "tests/tokenizer/fixture.h"

namespace graft {
namespace {

using fixture::Ids;
using fixture::Json;

TEST(Malformed, WrongTokenizersAreNamedByFileAndKey) {
  const struct {
    const char* word;
    void (*spoil)(Json&);
  } table[] = {
      {": model is missing", [](Json& j) { j.erase("model"); }},
      {": model is array", [](Json& j) { j["model"] = Json::array(); }},
      {": model is of type WordPiece", [](Json& j) { j["model"]["type"] = "WordPiece"; }},
      {": model.type is number", [](Json& j) { j["model"]["type"] = 3; }},
      {": model.vocab is missing", [](Json& j) { j["model"].erase("vocab"); }},
      {": model.vocab is array", [](Json& j) { j["model"]["vocab"] = Json::array(); }},
      {": model.vocab[\"a\"] is string", [](Json& j) { j["model"]["vocab"]["a"] = "7"; }},
      {": model.vocab[\"a\"] is -1", [](Json& j) { j["model"]["vocab"]["a"] = -1; }},
      {": model.vocab[\"a\"] is 1.5", [](Json& j) { j["model"]["vocab"]["a"] = 1.5; }},
      {": model.vocab[\"a\"] is 400, but there are only 400", [](Json& j) { j["model"]["vocab"]["a"] = 400; }},
      {": model.vocab[\"a\"] is 18446744073709551615", [](Json& j) { j["model"]["vocab"]["a"] = ~std::uint64_t{0}; }},
      {": model.vocab: id 5 is both", [](Json& j) { j["model"]["vocab"]["a"] = 5; }},
      {": model.merges is missing", [](Json& j) { j["model"].erase("merges"); }},
      {": model.merges is object", [](Json& j) { j["model"]["merges"] = Json::object(); }},
      {": model.merges[3] has 3 tokens",
       [](Json& j) {
         j["model"]["merges"][3] = {"a", "b", "c"};
       }},
      {": model.merges[3][1] is number",
       [](Json& j) {
         j["model"]["merges"][3] = {"a", 1};
       }},
      {": model.merges[3] is number", [](Json& j) { j["model"]["merges"][3] = 1; }},
      {": model.merges[3] is \"ab\"", [](Json& j) { j["model"]["merges"][3] = "ab"; }},
      {": model.merges[3] is \"a b c\"", [](Json& j) { j["model"]["merges"][3] = "a b c"; }},
      {"merge 3 (\"q\" and \"z\") needs the token \"qz\"",
       [](Json& j) {
         j["model"]["merges"][3] = {"q", "z"};
       }},
      {": model.dropout is set", [](Json& j) { j["model"]["dropout"] = 0.1; }},
      {": model.continuing_subword_prefix is set", [](Json& j) { j["model"]["continuing_subword_prefix"] = "##"; }},
      {": model.end_of_word_suffix is set", [](Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }},
      {": model.ignore_merges is string", [](Json& j) { j["model"]["ignore_merges"] = "yes"; }},
      {": there is a normalizer",
       [](Json& j) {
         j["normalizer"] = {{"type", "NFC"}};
       }},
      {": pre_tokenizer is []", [](Json& j) { j["pre_tokenizer"] = nullptr; }},
      {": pre_tokenizer is [Whitespace]",
       [](Json& j) {
         j["pre_tokenizer"] = {{"type", "Whitespace"}};
       }},
      {": pre_tokenizer is [ByteLevel] with add_prefix_space", [](Json& j) { j["pre_tokenizer"]["add_prefix_space"] = true; }},
      {": pre_tokenizer is [ByteLevel] without use_regex", [](Json& j) { j["pre_tokenizer"]["use_regex"] = false; }},
      {": pre_tokenizer.type is null", [](Json& j) { j["pre_tokenizer"].erase("type"); }},
      {": pre_tokenizer.pretokenizers is missing",
       [](Json& j) {
         j["pre_tokenizer"] = {{"type", "Sequence"}};
       }},
      {": pre_tokenizer is [Digits, ByteLevel] with digits kept together",
       [](Json& j) {
         j["pre_tokenizer"] = fixture::row("smollm").at("file").at("pre_tokenizer");
         j["pre_tokenizer"]["pretokenizers"][0]["individual_digits"] = false;
       }},
      {": pre_tokenizer is [Split, ByteLevel] with another expression",
       [](Json& j) {
         j["pre_tokenizer"] = fixture::row("added").at("file").at("pre_tokenizer");
         j["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\s+";
       }},
      {": decoder is WordPiece", [](Json& j) { j["decoder"]["type"] = "WordPiece"; }},
      {": added_tokens is object", [](Json& j) { j["added_tokens"] = Json::object(); }},
      {": added_tokens[1] is number", [](Json& j) { j["added_tokens"][1] = 5; }},
      {": added_tokens[1].content is null", [](Json& j) { j["added_tokens"][1].erase("content"); }},
      {": added_tokens[1].id is null", [](Json& j) { j["added_tokens"][1].erase("id"); }},
      {": added_tokens[1].id is 2147483648, too large", [](Json& j) { j["added_tokens"][1]["id"] = 2147483648u; }},
      {": added_tokens[1] (\"<|im_start|>\") has id 7, but in model.vocab it is 1",
       [](Json& j) { j["added_tokens"][1]["id"] = 7; }},
      {": added_tokens[1] (\"<|im_start|>\") has lstrip", [](Json& j) { j["added_tokens"][1]["lstrip"] = true; }},
      {": added_tokens[1] (\"<|im_start|>\") has rstrip", [](Json& j) { j["added_tokens"][1]["rstrip"] = true; }},
      {": added_tokens[1] (\"<|im_start|>\") has single_word", [](Json& j) { j["added_tokens"][1]["single_word"] = true; }},
      {": added_tokens[1] (\"<new>\"): id 500, but the next free id is 400",
       [](Json& j) { j["added_tokens"][1]["content"] = "<new>", j["added_tokens"][1]["id"] = 500; }},
      {": added_tokens[2]: id 400 is given to another",
       [](Json& j) {
         j["added_tokens"][1]["content"] = "<new>", j["added_tokens"][1]["id"] = 400;
         j["added_tokens"][2]["content"] = "<newer>", j["added_tokens"][2]["id"] = 400;
       }},
      {"token 1 is listed twice", [](Json& j) { j["added_tokens"].push_back(j["added_tokens"][1]); }},
      {": post_processor.single is missing",
       [](Json& j) {
         j["post_processor"] = {{"type", "TemplateProcessing"}};
       }},
      {": post_processor is Sandwich; supported are", [](Json& j) { j["post_processor"] = {{"type", "Sandwich"}}; }},
      {": post_processor.processors[1] is Sandwich",
       [](Json& j) {
         j["post_processor"] = {{"type", "Sequence"}, {"processors", {{{"type", "ByteLevel"}}, {{"type", "Sandwich"}}}}};
       }},
      {": post_processor.cls is missing",
       [](Json& j) {
         j["post_processor"] = {{"type", "RobertaProcessing"}};
       }},
      {": post_processor.cls has 1",
       [](Json& j) {
         j["post_processor"] = {{"type", "BertProcessing"}, {"cls", {"<s>"}}, {"sep", {"</s>", 1}}};
       }},
      {": post_processor.special_tokens.<s>",
       [](Json& j) {
         j["post_processor"] = {{"type", "TemplateProcessing"},
                                {"special_tokens", Json::object()},
                                {"single", Json::array({{{"SpecialToken", {{"id", "<s>"}}}}})}};
       }},
  };
  for (const auto& row : table) {
    Json bad = fixture::row("gpt2").at("file");
    row.spoil(bad);
    const std::string what = fixture::message<FormatError>([&] { from_json(bad.dump(), "here/tokenizer.json"); });
    fixture::expect_has(what, row.word);
    EXPECT_EQ(what.rfind("here/tokenizer.json: ", 0), 0u) << what;
  }
  Json lacks = fixture::row("smollm").at("file");  // a byte without a token would not be dropped
  lacks["model"]["unk_token"] = "<|endoftext|>";
  fixture::expect_has(fixture::message<FormatError>([&] { from_json(lacks.dump(), "file"); }),
                      "unk_token or byte_fallback is set");
  const std::string good = fixture::row("gpt2").at("file").dump();
  fixture::expect_has(fixture::message<FormatError>([&] { from_json(good, "file", R"({"eos_token": 5})"); }),
                      "tokenizer_config.json: eos_token is number");
  fixture::expect_has(fixture::message<FormatError>([&] { from_json(good, "file", R"({"add_prefix_space": true})"); }),
                      "add_prefix_space");
}

TEST(Malformed, WhatIsNotJsonIsNamed) {
  const std::string good = fixture::row("gpt2").at("file").dump();
  const auto once_more = [&](const std::string& before, const std::string& key) {
    std::string text = good;
    return text.insert(text.find(before) + before.size(), key);
  };
  const struct {
    std::string text;
    const char* word;
  } table[] = {
      {"", "is not JSON"},
      {"{", "is not JSON"},
      {good.substr(0, good.size() / 2), "is not JSON"},
      {good + "x", "is not JSON"},
      {"\"" + std::string(100000, 'x'), "is not JSON"},
      {"{\"model\": \"\xFF\"}", "is not JSON"},
      {"[1]", "expected an object"},
      {"null", "expected an object"},
      {std::string(100000, '['), "nested deeper than 64"},
      {once_more("\"vocab\":{", "\"a\":7,"), "the key \"a\" is given twice"},
      {once_more("{", "\"version\":\"0\","), "the key \"version\" is given twice"},
      {once_more("\"added_tokens\":[{", "\"id\":1,"), "the key \"id\" is given twice"},
  };
  for (const auto& row : table) {
    const std::string what = fixture::message<FormatError>([&] { from_json(row.text, "here/tokenizer.json"); });
    fixture::expect_has(what, row.word);
    EXPECT_EQ(what.rfind("here/tokenizer.json", 0), 0u) << what;
    EXPECT_LT(what.size(), 500u);
  }
}

TEST(Malformed, WrongVocabulariesAndMergesAreNamed) {
  const std::string vocab = R"({"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3})", merges = "#version: 0.2\na b\n";
  EXPECT_EQ(from_vocab_and_merges(vocab, merges, "dir").encode("ab", Specials::parse), Ids{2});
  const struct {
    std::string vocab, merges, config, special, added, word;
  } table[] = {
      {"[]", merges, "", "", "", "dir: vocab.json is array"},
      {R"({"a": 0, "a": 1})", "", "", "", "", "dir: vocab.json: the key \"a\" is given twice"},
      {R"({"a": 0, "b": 2})", "", "", "", "", "dir: vocab.json[\"b\"] is 2"},
      {vocab, "#version: 0.2\na b\nab\n", "", "", "", "merges.txt line 3 is \"ab\""},
      {vocab, "a b\n#version: 0.2\n", "", "", "", "merge 1 (\"#version:\" and \"0.2\")"},
      {vocab, "a b c\n", "", "", "", "merges.txt line 1 is \"a b c\""},
      {vocab, " a\n", "", "", "", "merges.txt line 1"},
      {vocab, "a \n", "", "", "", "merges.txt line 1"},
      {vocab, "b a\n", "", "", "", "needs the token \"ba\""},
      {vocab, merges, "{", "", "", "dir: tokenizer_config.json is not JSON"},
      {vocab, merges, R"({"add_prefix_space": true})", "", "", "tokenizer_config.json: add_prefix_space is true"},
      {vocab, merges, R"({"added_tokens_decoder": {"x": {"content": "<s>"}}})", "", "", "added_tokens_decoder.x: the key"},
      {vocab, merges, R"({"added_tokens_decoder": {"1": {"content": "<s>"}}})", "", "", "in vocab.json that id is \"b\""},
      {vocab, merges, R"({"added_tokens_decoder": {"9": {"content": "<s>"}}})", "", "", "id 9, but the next free id is 4"},
      {vocab, merges, R"({"added_tokens_decoder": {"4": {"content": "<s>", "lstrip": true}}})", "", "", "has lstrip"},
      {vocab, merges, "", R"({"eos_token": 5})", "", "special_tokens_map.json.eos_token is number"},
      {vocab, merges, "", R"({"additional_special_tokens": "x"})", "", "additional_special_tokens is string"},
      {vocab, merges, "", "", R"({"<s>": -4})", "added_tokens.json.<s> is -4"},
      {vocab, merges, "", "", R"({"<s>": 4, "<t>": 4})", "id 4, but the next free id is 5"},
  };
  for (const auto& row : table) {
    const std::string what = fixture::message<FormatError>(
        [&] { from_vocab_and_merges(row.vocab, row.merges, "dir", row.config, row.special, row.added); });
    fixture::expect_has(what, row.word);
    EXPECT_EQ(what.rfind("dir: ", 0), 0u) << what;
  }
}

}  // namespace
}  // namespace graft
