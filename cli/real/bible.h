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
/// Errors: FileError; FormatError names a line that is not a verse, or says that books are missing.
std::vector<Verse> read_bible(const std::string& file);

/// The books of each kind.
const std::map<std::string, std::vector<std::string>>& books_by_kind();
/// Law, History, Poetry, Prophets, Gospels or Letters; "" for Revelation, which belongs to none.
std::string kind_of_book(const std::string& book);

/// One chapter in ten is held out as a whole, so that no scored verse has neighbours in the training data. The
/// recipes were not chosen with them.
bool held_out(const Verse& verse);

}  // namespace graft::cli
