// Tokenizers out of files and back into them; malformed_test.cpp has the wrong ones.
#include "tokenizer/files.h"

#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "tests/tokenizer/fixture.h"
#include "tokenizer/gguf.h"

namespace graft {
namespace {

namespace fs = std::filesystem;
using fixture::Ids;
using fixture::Json;

/// A fresh folder, removed with all that is in it.
struct Folder {
  fs::path path = fs::path(testing::TempDir()) / ("graft_tokenizer_" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path / name, std::ios::binary) << text; }
};

void expect_same_ids(const Tokenizer& tokenizer, const std::string& name, const std::string& title) {
  for (const Json& one : fixture::row(name).at("cases")) {
    const std::string text = one.at("text");
    EXPECT_EQ(tokenizer.encode(text, Specials::parse), one.at("parse").get<Ids>()) << title << ": " << one.at("text");
    EXPECT_EQ(tokenizer.encode(text), one.value("as_text", one.at("parse")).get<Ids>()) << title << ": " << one.at("text");
  }
}

void expect_same_parts(const Tokenizer::Parts& a, const Tokenizer::Parts& b) {
  EXPECT_TRUE(a.tokens == b.tokens && a.merges == b.merges);
  EXPECT_EQ(std::tie(a.specials, a.added, a.late, a.pre, a.ignore_merges, a.before, a.after),
            std::tie(b.specials, b.added, b.late, b.pre, b.ignore_merges, b.before, b.after));
  EXPECT_EQ(std::tie(a.bos, a.eos, a.unk, a.pad), std::tie(b.bos, b.eos, b.unk, b.pad));
}

TEST(Files, WhatIsSavedIsLoadedAgain) {
  const Folder folder;
  for (const char* name : {"gpt2", "smollm", "added", "whole"}) {
    const Tokenizer tokenizer = fixture::tokenizer(name);
    save_tokenizer(tokenizer, folder / "some.json");
    const Tokenizer again = load_tokenizer(folder / "some.json");
    expect_same_ids(again, name, name);
    expect_same_parts(again.parts(), tokenizer.parts());
  }
  Tokenizer::Parts parts = fixture::tokenizer("gpt2").parts();
  parts.bos = 1, parts.eos = 2, parts.unk = 0, parts.pad = 2;
  const Tokenizer with_ends(parts);
  save_tokenizer(with_ends, folder.path.string());  // into a folder: the ends as well
  expect_same_parts(load_tokenizer(folder.path.string()).parts(), parts);
  std::size_t files = 0;
  for (const auto& file : fs::directory_iterator(folder.path)) files += file.is_regular_file();
  EXPECT_EQ(files, 3u);  // nothing half-written stays behind
}

TEST(Files, SettingsOfTheFileAreRead) {
  const Tokenizer added = fixture::tokenizer("added");
  EXPECT_EQ(added.parts().before, Ids{added.id("<|im_start|>")});
  EXPECT_EQ(added.parts().after, Ids{added.id("<|im_end|>")});
  EXPECT_EQ(added.parts().late, (Ids{added.id("New York"), added.id("<late>")}));
  EXPECT_EQ(added.parts().eos, added.id("<|endoftext|>"));
  EXPECT_TRUE(fixture::tokenizer("whole").parts().ignore_merges);
  EXPECT_EQ(fixture::tokenizer("smollm").parts().pre, PreTokenizer::smollm);
  const Tokenizer named =
      from_json(fixture::row("gpt2").at("file").dump(), "file",
                R"({"bos_token": "<|im_start|>", "eos_token": {"content": "<|im_end|>"}, "pad_token": null})");
  EXPECT_EQ(std::tie(named.parts().bos, named.parts().eos, named.parts().pad), std::make_tuple(1, 2, -1));
}

/// [1, 0, 2] for "a" with {"a": 0, "<s>": 1, "</s>": 2} by tokenizers 0.22: cls goes before, sep after.
TEST(Files, OtherPostProcessorsPutTheirTokensAround) {
  for (const char* type : {"BertProcessing", "RobertaProcessing"}) {
    Json file = fixture::row("gpt2").at("file");
    file["post_processor"] = {{"type", type}, {"sep", {"<|im_end|>", 2}}, {"cls", {"<|im_start|>", 1}}};
    const Tokenizer tokenizer = from_json(file.dump(), "file");
    EXPECT_EQ(tokenizer.parts().before, Ids{1}) << type;
    EXPECT_EQ(tokenizer.parts().after, Ids{2}) << type;
    EXPECT_EQ(from_json(to_json(tokenizer), "again").parts().before, Ids{1}) << type;
  }
}

TEST(Files, OtherSpellingsOfTheSameAreRead) {
  const struct {
    const char* title;
    void (*change)(Json&);
  } table[] = {
      {"merges as strings",
       [](Json& j) {
         for (Json& m : j["model"]["merges"]) m = m[0].get<std::string>() + " " + m[1].get<std::string>();
       }},
      {"a Sequence of one",
       [](Json& j) {
         j["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", Json::array({j["pre_tokenizer"]})}};
       }},
      {"a Sequence of decoders",
       [](Json& j) {
         j["decoder"] = {{"type", "Sequence"}, {"decoders", Json::array({j["decoder"]})}};
       }},
      {"Split that removes what does not match",
       [](Json& j) {
         j["pre_tokenizer"] = fixture::row("added").at("file").at("pre_tokenizer");
         j["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Removed";
         j["pre_tokenizer"]["pretokenizers"][0]["invert"] = true;
       }},
      {"no decoder", [](Json& j) { j["decoder"] = nullptr; }},
      {"no type of model, as older files", [](Json& j) { j["model"].erase("type"); }},
      {"byte_fallback with all bytes", [](Json& j) { j["model"]["byte_fallback"] = true; }},
      {"truncation and padding, which are not applied",
       [](Json& j) {
         j["truncation"] = {{"max_length", 2}}, j["padding"] = {{"x", 1}};
       }},
      {"dropout 0", [](Json& j) { j["model"]["dropout"] = 0.0; }},
      {"a ByteLevel post-processor", [](Json& j) { j["post_processor"] = j["decoder"]; }},
      {"empty marks", [](Json& j) { j["model"]["continuing_subword_prefix"] = j["model"]["end_of_word_suffix"] = ""; }},
  };
  for (const auto& row : table) {
    Json file = fixture::row("gpt2").at("file");
    row.change(file);
    expect_same_ids(from_json(file.dump(), row.title), "gpt2", row.title);
  }
}

TEST(Files, AFolderOfVocabularyAndMerges) {
  const Json& texts = fixture::all().at("folder");
  const char* const three = R"(["<|endoftext|>", "<|im_start|>", {"content": "<|im_end|>"}])";
  const struct {
    const char *title, *file;
    std::string text;
    TokenId eos;
  } table[] = {
      {"special_tokens_map", "special_tokens_map.json",
       R"({"eos_token": "<|im_end|>", "bos_token": {"content": "<|im_start|>"}, "unk_token": "<|endoftext|>"})", 2},
      {"additional", "special_tokens_map.json", R"({"additional_special_tokens": )" + std::string(three) + "}", 0},
      {"tokenizer_config", "tokenizer_config.json",
       R"({"eos_token": "<|im_start|>", "additional_special_tokens": )" + std::string(three) + "}", 1},
      {"added_tokens_decoder", "tokenizer_config.json",
       R"({"added_tokens_decoder": {"0": {"content": "<|endoftext|>", "special": true}, "1": {"content": "<|im_start|>", "special": true},
           "2": {"content": "<|im_end|>", "special": true}}})",
       0},
  };
  for (const auto& row : table) {
    const Folder folder;
    for (const char* name : {"vocab.json", "merges.txt"}) folder.write(name, texts.at(name));
    folder.write(row.file, row.text);
    const Tokenizer tokenizer = load_tokenizer(folder.path.string());
    expect_same_ids(tokenizer, "gpt2", row.title);
    EXPECT_EQ(tokenizer.parts().eos, row.eos) << row.title;
  }
  const Folder folder;  // alone, GPT-2's own end of text is special, as in GPT-2
  folder.write("vocab.json", texts.at("vocab.json"));
  std::string windows;
  for (const char c : texts.at("merges.txt").get<std::string>()) windows += c == '\n' ? "\r\n" : std::string(1, c);
  folder.write("merges.txt", windows);
  const Tokenizer alone = load_tokenizer(folder.path.string());
  EXPECT_EQ(alone.parts().specials, Ids{0});
  EXPECT_EQ(alone.parts().eos, 0);
  EXPECT_EQ(alone.parts().merges, fixture::tokenizer("gpt2").parts().merges);
  folder.write("added_tokens.json", R"({"<new>": 400, "<newer>": 401})");  // ids after the vocabulary's
  const Tokenizer more = load_tokenizer(folder.path.string());
  EXPECT_EQ(more.parts().added, (Ids{400, 401}));
  EXPECT_EQ(more.encode("<newer><new>"), (Ids{401, 400}));
}

GgufVocabulary gguf() {
  GgufVocabulary from;
  const Tokenizer tokenizer = fixture::tokenizer("smollm");
  from.pre = "smollm";
  from.source = "a.gguf";
  from.tokens = tokenizer.parts().tokens;
  for (const auto& merge : tokenizer.parts().merges) from.merges.push_back(merge.first + " " + merge.second);
  from.types.assign(from.tokens.size(), 1);
  from.types[0] = from.types[1] = from.types[2] = 3;
  from.bos = 1, from.eos = 2;
  return from;
}

TEST(Files, TheVocabularyOfAGguf) {
  const Tokenizer tokenizer = from_gguf(gguf());
  expect_same_ids(tokenizer, "smollm", "gguf");
  EXPECT_EQ(std::tie(tokenizer.parts().bos, tokenizer.parts().eos, tokenizer.parts().unk), std::make_tuple(1, 2, -1));
  EXPECT_TRUE(tokenizer.parts().before.empty());
  for (const char* pre : {"", "gpt-2", "gpt2", "default"}) {
    GgufVocabulary from = gguf();
    from.pre = pre, from.add_bos = true;
    from.types[300] = 4, from.types[2] = 2;
    const Tokenizer other = from_gguf(from);
    EXPECT_EQ(other.parts().pre, *pre == 'g' ? PreTokenizer::gpt2 : PreTokenizer::unnamed);
    EXPECT_EQ(other.parts().before, Ids{1});
    EXPECT_EQ(other.parts().added, Ids{300});
    EXPECT_EQ(other.parts().specials, (Ids{0, 1, 2}));
  }
  const struct {
    const char* word;
    void (*spoil)(GgufVocabulary&);
  } table[] = {
      {"tokenizer.ggml.model is \"llama\"", [](GgufVocabulary& g) { g.model = "llama"; }},
      {"tokenizer.ggml.pre is \"llama-bpe\"", [](GgufVocabulary& g) { g.pre = "llama-bpe"; }},
      {"tokenizer.ggml.token_type has 399 entries for 400", [](GgufVocabulary& g) { g.types.pop_back(); }},
      {"tokenizer.ggml.bos_token_id is 400", [](GgufVocabulary& g) { g.bos = 400; }},
      {"tokenizer.ggml.padding_token_id is 4294967296", [](GgufVocabulary& g) { g.pad = std::int64_t{1} << 32; }},
      {"tokenizer.ggml.merges[1] is \"ab\"", [](GgufVocabulary& g) { g.merges[1] = "ab"; }},
      {"tokenizer.ggml.merges[1] is \"a b c\"", [](GgufVocabulary& g) { g.merges[1] = "a b c"; }},
      {"needs the token \"", [](GgufVocabulary& g) { g.merges[1] = "q z"; }},
      {"tokens 5 and 7 are both", [](GgufVocabulary& g) { g.tokens[7] = g.tokens[5]; }},
  };
  for (const auto& row : table) {
    GgufVocabulary bad = gguf();
    row.spoil(bad);
    const std::string what = fixture::message<FormatError>([&] { from_gguf(bad); });
    fixture::expect_has(what, row.word);
    EXPECT_EQ(what.rfind("a.gguf: ", 0), 0u) << what;
  }
}

TEST(Files, WhatCannotBeReadOrWrittenIsNamed) {
  const Folder folder;
  const std::string too_long = folder / std::string(300, 'x');
  fixture::expect_has(fixture::message<FileError>([&] { load_tokenizer(folder / "none.json"); }), "none.json cannot be read");
  fixture::expect_has(fixture::message<FileError>([&] { load_tokenizer(too_long); }), "cannot be read");
  fixture::expect_has(fixture::message<FileError>([&] { load_tokenizer(folder.path.string()); }),
                      "has neither tokenizer.json nor vocab.json");
  fs::create_directory(folder / "tokenizer.json");
  fixture::expect_has(fixture::message<FileError>([&] { load_tokenizer(folder.path.string()); }), "it is a folder");
  const Tokenizer tokenizer = fixture::tokenizer("gpt2");
  fixture::expect_has(fixture::message<FileError>([&] { save_tokenizer(tokenizer, folder / "none/t.json"); }),
                      "cannot be written");
  fixture::expect_has(fixture::message<FileError>([&] { save_tokenizer(tokenizer, too_long); }), "cannot be written");
  fixture::expect_has(fixture::message<FileError>([&] { save_tokenizer(tokenizer, folder.path.string()); }),
                      "cannot be written");
  std::size_t left = 0;
  for (const auto& file : fs::directory_iterator(folder.path)) left += file.is_regular_file();
  EXPECT_EQ(left, 0u);
  Tokenizer::Parts parts;
  parts.tokens = {"\xFF"};
  fixture::expect_has(fixture::message<FormatError>([&] { to_json(Tokenizer(parts)); }), "cannot be written as JSON");
}

}  // namespace
}  // namespace graft
