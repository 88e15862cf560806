// How numbers and words are read: what is wrong with a text that should be one. For command lines, and for whatever has options
// by name. Open to all folders, as text.h is.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace graft {

/// From a text to what is wrong with it, as the end of a message: "must be .., not ..". "" if nothing is.
using Check = std::function<std::string(const std::string&)>;

namespace must_be {
Check whole(long low, long high);       ///< a whole number in [low, high], in decimal digits
Check number(double low, double high);  ///< a number in [low, high]; neither nan nor anything after it
Check above(double low);                ///< a number > low
Check filled();                         ///< not empty
Check one_of(std::vector<std::string> all);
}  // namespace must_be

}  // namespace graft
