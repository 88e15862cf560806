// The King James Bible as `bible -f gen1:1-rev22:21` prints it (Debian's bible-kjv), one verse a line: "Ge1:1 In the beginning …".
#pragma once
#include <map>
#include <string>
#include <vector>

namespace graft::cli {

struct Verse {
  std::string book, text;
  int chapter = 0, verse = 0;
};
/// Errors: FileError; FormatError names the line that is no verse, or says that books are missing.
std::vector<Verse> read_bible(const std::string& file);

/// The books by their kind, "" for none.
const std::map<std::string, std::vector<std::string>>& books_by_kind();
/// Law, History, Poetry, Prophets, Gospels or Letters; "" for Revelation, which is none of them.
std::string kind_of_book(const std::string& book);

/// One chapter in ten is held out, whole, so that no verse is judged whose neighbours were learned. The
/// recipes were not chosen by them.
bool held_out(const Verse& verse);

}  // namespace graft::cli
