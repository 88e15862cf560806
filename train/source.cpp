// What the extension and the first bytes of a data file tell, and UTF-8; see inside/source.h.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <string_view>
#include <utility>

#include "autograd/utf8.h"
#include "train/inside/source.h"

namespace graft::train {
namespace {

/// Kinds of files that are not text, and how to convert them.
enum class Other { table, packed, document, numbers };

const char* next_step(Other kind) {
  switch (kind) {
    case Other::table:
      return "write it as .jsonl or .csv; pandas, for one, reads it and writes frame.to_json(\"data.jsonl\", "
             "orient=\"records\", lines=True)";
    case Other::packed: return "unpack it first (gunzip, unzip, tar -x, ..) and give a file from it";
    case Other::document: return "save its text as .txt first";
    case Other::numbers: break;
  }
  return "data are text (.txt), JSON (.jsonl, .json) or a table (.csv, .tsv)";
}

struct Ending {
  const char* name;
  Other kind;
};
const Ending no_text[] = {
    {"parquet", Other::table},   {"arrow", Other::table},    {"feather", Other::table},      {"orc", Other::table},
    {"avro", Other::table},      {"xlsx", Other::table},     {"xls", Other::table},          {"ods", Other::table},
    {"sqlite", Other::table},    {"db", Other::table},       {"gz", Other::packed},          {"tgz", Other::packed},
    {"bz2", Other::packed},      {"xz", Other::packed},      {"zst", Other::packed},         {"lz4", Other::packed},
    {"zip", Other::packed},      {"tar", Other::packed},     {"7z", Other::packed},          {"rar", Other::packed},
    {"pdf", Other::document},    {"docx", Other::document},  {"doc", Other::document},       {"odt", Other::document},
    {"epub", Other::document},   {"pptx", Other::document},  {"pkl", Other::numbers},        {"pickle", Other::numbers},
    {"npy", Other::numbers},     {"npz", Other::numbers},    {"pt", Other::numbers},         {"pth", Other::numbers},
    {"bin", Other::numbers},     {"gguf", Other::numbers},   {"safetensors", Other::numbers}, {"h5", Other::numbers},
    {"tfrecord", Other::numbers}};

/// The first bytes of such files, whatever their name.
struct Magic {
  std::string_view bytes;
  const char* name;
  Other kind;
};
const Magic magics[] = {{"PAR1", "a Parquet file", Other::table},
                        {"ARROW1", "an Arrow file", Other::table},
                        {"SQLite format 3", "an SQLite database", Other::table},
                        {"\x1f\x8b", "packed by gzip", Other::packed},
                        {"BZh", "packed by bzip2", Other::packed},
                        {"\xfd" "7zXZ", "packed by xz", Other::packed},
                        {"\x28\xb5\x2f\xfd", "packed by zstd", Other::packed},
                        {"PK\x03\x04", "a ZIP file (as .zip, .xlsx, .docx are)", Other::packed},
                        {"%PDF-", "a PDF document", Other::document}};

std::string lower(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return word;
}

/// What stands after the last dot of the file's name, in small letters.
std::string ending(const std::string& path) {
  const std::size_t dot = path.rfind('.'), slash = path.rfind('/');
  return dot == std::string::npos || (slash != std::string::npos && dot < slash) ? "" : lower(path.substr(dot + 1));
}

std::string hex(const std::string& bytes, std::size_t at, std::size_t count) {
  std::string all;
  for (std::size_t i = at; i < std::min(bytes.size(), at + count); ++i) {
    char two[4];
    std::snprintf(two, sizeof two, "%02X", static_cast<unsigned>(static_cast<unsigned char>(bytes[i])));
    all += (all.empty() ? "" : " ") + std::string(two);
  }
  return all;
}

std::string converted_by(const char* encoding) {
  return text("write it as UTF-8 (iconv -f ", encoding, " -t UTF-8 OLD > NEW)");
}

bool begins(const std::string& content, std::string_view with) { return content.compare(0, with.size(), with) == 0; }

/// UTF-16 or UTF-32, by the byte order mark or by the zero bytes that letters have there.
void expect_one_byte_letters(const std::string& content, const std::string& path) {
  using namespace std::string_view_literals;
  const auto refuse = [&](const char* encoding) {
    throw FormatError(text(path, " is written in ", encoding, " (it begins with the bytes ", hex(content, 0, 4),
                           "), as PowerShell's > or Windows programs do; ", converted_by(encoding)));
  };
  if (begins(content, "\xff\xfe\0\0"sv) || begins(content, "\0\0\xfe\xff"sv)) refuse("UTF-32");
  if (begins(content, "\xff\xfe"sv) || begins(content, "\xfe\xff"sv)) refuse("UTF-16");
  const std::size_t looked = std::min<std::size_t>(content.size(), 64) / 2 * 2;
  std::size_t even = 0, odd = 0;
  for (std::size_t i = 0; i < looked; ++i) (i % 2 ? odd : even) += content[i] == '\0' ? 1 : 0;
  if (looked >= 4 && odd * 4 > looked && even == 0) refuse("UTF-16LE");
  if (looked >= 4 && even * 4 > looked && odd == 0) refuse("UTF-16BE");
}

}  // namespace

Format format_of(const std::string& path) {
  const std::string last = ending(path);
  for (const Ending& one : no_text)
    expect<FormatError>(last != one.name, path, ": a .", last, " file is not plain text; ", next_step(one.kind));
  if (last == "jsonl" || last == "ndjson" || last == "json") return Format::json;
  return last == "csv" ? Format::csv : last == "tsv" ? Format::tsv : Format::text;
}

std::string as_utf8(std::string content, const std::string& path) {
  for (const Magic& one : magics)
    expect<FormatError>(!begins(content, one.bytes), path, " is ", one.name, ", by its first bytes, not text; ",
                        next_step(one.kind));
  expect_one_byte_letters(content, path);
  if (begins(content, "\xef\xbb\xbf")) content.erase(0, 3);
  if (const std::size_t zero = content.find('\0'); zero != std::string::npos)
    throw FormatError(text(path, ", line ", line_at(content, zero), ": a NUL byte, which is not text; is this a binary file? ",
                           "Otherwise remove it"));
  const std::string_view all = content;
  for (std::size_t at = 0; at < all.size();) {
    if (static_cast<unsigned char>(all[at]) < 0x80) {
      ++at;
      continue;
    }
    const utf8::Character c = utf8::front(all.substr(at, 4));
    if (c.point != utf8::Character::none) {
      at += c.length;
      continue;
    }
    const std::size_t before = at == 0 ? std::string::npos : content.rfind('\n', at - 1);
    const std::string where =
        text(path, ", line ", line_at(content, at), ", byte ", before == std::string::npos ? at + 1 : at - before, ": ");
    throw FormatError(text(where, "the byte ", hex(content, at, 1), " is not valid UTF-8. ",
                           c.cut ? "Was the file cut off? " : "", "If it is in GBK, ", converted_by("GB18030"),
                           "; if in Latin-1, with -f LATIN1"));
  }
  return content;
}

std::size_t line_at(const std::string& content, std::size_t at) {
  const auto end = content.begin() + static_cast<std::ptrdiff_t>(std::min(at, content.size()));
  return 1 + static_cast<std::size_t>(std::count(content.begin(), end, '\n'));
}

}  // namespace graft::train
