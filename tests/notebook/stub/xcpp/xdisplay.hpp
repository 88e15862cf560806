// What a notebook may use of its kernel, as declarations only: for compiling notebooks outside of any kernel. The names and their
// parameters are those of xeus-cling.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace nl = nlohmann;

namespace xcpp {

template <class T>
void display(const T& t);
template <class T>
void display(const T& t, std::string id, bool update = false);
inline void clear_output(bool wait = false);

}  // namespace xcpp
