// graft tokenize: a text as a model sees it, as ids and pieces; or ids back to text.
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/texts.h"

namespace graft::cli {
namespace {

struct Options {
  std::string model, words, file;
  bool ids = false, decode = false, specials = false;
  bool bos = false, no_bos = false;
};

/// The length in bytes of the well-formed UTF-8 character at `i`; 0 if there is none (tokens are often parts of one).
std::size_t character(const std::string& s, std::size_t i) {
  const auto byte = [&](std::size_t k) { return k < s.size() ? static_cast<unsigned char>(s[k]) : 0u; };
  const unsigned first = byte(i);
  const std::size_t n = first < 0x80                    ? 1
                        : first >= 0xC2 && first < 0xE0 ? 2
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  for (std::size_t k = 1; k < n; ++k)
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
  const bool too_long = (first == 0xE0 && byte(i + 1) < 0xA0) || (first == 0xF0 && byte(i + 1) < 0x90);
  const bool surrogate = first == 0xED && byte(i + 1) >= 0xA0, too_large = first == 0xF4 && byte(i + 1) >= 0x90;
  return too_long || surrogate || too_large ? 0 : n;
}

/// In quotes, so that spaces are visible; bytes that are not printable as \n or \xE2.
std::string quoted(const std::string& bytes) {
  std::string out = "\"";
  for (std::size_t i = 0; i < bytes.size();) {
    const unsigned char c = static_cast<unsigned char>(bytes[i]);
    const std::size_t n = character(bytes, i);
    if (c == '\n' || c == '\t' || c == '\r') out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
    else if (c == '"' || c == '\\') out += std::string("\\") + bytes[i];
    else if (n > 1 || (n == 1 && c >= 0x20 && c != 0x7F)) out += bytes.substr(i, n);
    else {
      const char* const digit = "0123456789ABCDEF";
      out += std::string("\\x") + digit[c >> 4] + digit[c & 15];
    }
    i += std::max<std::size_t>(n, 1);
  }
  return out + "\"";
}

/// "1 2 3", "1,2,3" or "[1, 2, 3]"
std::vector<TokenId> parse_ids(const std::string& list, const Tokenizer& tokenizer) {
  std::string rest = list;
  const std::size_t first = rest.find_first_not_of(" \t\n\r"), last = rest.find_last_not_of(" \t\n\r");
  if (first != std::string::npos && rest[first] == '[' && rest[last] == ']') rest[first] = rest[last] = ' ';
  std::replace(rest.begin(), rest.end(), ',', ' ');
  std::istringstream in(rest);
  std::vector<TokenId> ids;
  for (std::string word; in >> word;) {
    const bool digits = word.size() <= 9 && word.find_first_not_of("0123456789") == std::string::npos;
    expect<ValueError>(digits, "--decode: \"", word, "\" is not an id; give whole numbers such as \"1 2 3\" or [1,2,3]");
    ids.push_back(static_cast<TokenId>(std::stol(word)));
    if (static_cast<std::size_t>(ids.back()) >= tokenizer.size())
      std::cerr << "graft: no token has the id " << ids.back() << "; ids go from 0 to " << tokenizer.size() - 1
                << std::endl;
  }
  return ids;
}

void tokenize(const Options& options) {
  const Tokenizer tokenizer = tokenizer_for(find_model(options.model));
  const std::string words =
      options.file.empty() && options.words != "-" ? options.words : read_input(options.file.empty() ? "-" : options.file);
  if (options.decode) {
    std::cout << tokenizer.decode(parse_ids(words, tokenizer)) << '\n';
    return;
  }
  std::vector<Id> ids = encode(tokenizer, words, options.specials ? Specials::parse : Specials::as_text);
  const Tokenizer::Parts& parts = tokenizer.parts();
  Texts around;
  if (!options.no_bos) around.begin.assign(parts.before.begin(), parts.before.end());
  if (options.bos && around.begin.empty()) {
    expect<ValueError>(parts.bos >= 0, "--bos: ", parts.source, " names no token for the beginning of a text");
    around.begin = {parts.bos};
  }
  around.put_begin(ids);
  if (options.ids) {
    std::cout << '[';
    for (std::size_t i = 0; i < ids.size(); ++i) std::cout << (i ? "," : "") << ids[i];
    std::cout << "]\n";
    return;
  }
  std::cout << "    id  piece\n";
  for (const Id id : ids) {
    std::cout << std::setw(6) << id << "  " << quoted(tokenizer.bytes(id)) << (tokenizer.is_special(id) ? "  special" : "")
              << '\n';
  }
  std::cout << ids.size() << (ids.size() == 1 ? " token, " : " tokens, ") << words.size() << " bytes\n";
}

}  // namespace

void add_tokenize(const Command& program) {
  const auto options = std::make_shared<Options>();
  const Command command = program.add_command("tokenize", "show a text as the model sees it, ids and pieces, or decode ids");
  add_model_option(command, options->model);
  const Option words = command.add_option("TEXT", options->words, "the text; - reads standard input").type_name("");
  const Option file = command.add_option("--file", options->file, "read the text from this file instead")
                          .check(filled())
                          .excludes(words)
                          .type_name("FILE");
  const Option ids = command.add_flag("--ids", options->ids, "print one JSON list, [1,2,3]");
  const Option specials = command.add_flag("--specials", options->specials,
                                           "read names such as <|im_start|> as the special tokens they name; otherwise "
                                           "they are plain text");
  const Option decode =
      command.add_flag("--decode", options->decode, "decode: TEXT is a list of ids").excludes(ids).excludes(specials);
  add_bos_options(command, options->bos, options->no_bos, "it", "", {decode});
  command.footer(
      "Examples:\n"
      "  graft tokenize --model smollm2-135m \"Hello world\"\n"
      "  graft tokenize --model smollm2-135m --decode \"19556 905\"");
  command.callback([options, words, file] {
    if (words.count() + file.count() == 0) wrong_call("tokenize", "give a text, - for standard input, or --file FILE");
    tokenize(*options);
  });
}

}  // namespace graft::cli
