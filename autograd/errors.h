// The typed errors of the library and expect(), the check that throws them.
// A message names the operation, both facts and the next step: "linear: x has 3 features but W takes 4; ...".
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace graft {

/// The base of all graft's errors: catch it to catch them all.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
  ~Error() override;  // defined in the library, so that programs, plug-ins and notebooks share one copy of the type
};
struct ShapeError : Error {
  using Error::Error;
  ~ShapeError() override;
};  ///< shapes that do not fit together
struct IndexError : Error {
  using Error::Error;
  ~IndexError() override;
};  ///< an id, axis or range that does not exist
struct SizeError : Error {
  using Error::Error;
  ~SizeError() override;
};  ///< a negative size, or one too large to hold
struct ValueError : Error {
  using Error::Error;
  ~ValueError() override;
};  ///< an argument outside its range
struct GraphError : Error {
  using Error::Error;
  ~GraphError() override;
};  ///< backward without a graph to go back through
struct FileError : Error {
  using Error::Error;
  ~FileError() override;
};  ///< a file that cannot be opened, read or written: names the path and the system's reason
struct FormatError : Error {
  using Error::Error;
  ~FormatError() override;
};  ///< a file that is not what it claims to be: names the file, the field and, in binary files, the offset

/// The parts written one after another: text("a", 1, 'b') == "a1b".
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Throws E with the parts as its message unless ok. The parts are evaluated either way; only the text is built on failure.
template <class E = ShapeError, class... Parts>
void expect(bool ok, const Parts&... parts) {
  if (!ok) throw E(text(parts...));
}
/// The same for parts that are expensive, or exist only after a failure: the message is what say() returns.
///     expect<IndexError>(found != end, [&] { return text("there is no ", name, ", but ", joined(all)); });
template <class E = ShapeError, class Say, class = std::enable_if_t<std::is_invocable_v<const Say&>>>
void expect(bool ok, const Say& say) {
  if (!ok) throw E(say());
}

}  // namespace graft
