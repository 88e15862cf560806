// xeus-cling's xcpp/xdisplay.hpp, by its names, for the kernel of ./run jupyter. A type says how it looks by a function
// nl::json mime_bundle_repr(const T&) in its own namespace.
#pragma once
#include <ios>
#include <string>

#include "xmime.hpp"

namespace xcpp {
namespace kernel {

// Compiled: talk.cpp. What calls mime_bundle_repr is passed on as a pointer, so that no cell compiles JSON.
using Bundle = nl::json (*)(const void* value);
void show(const char* kind, Bundle bundle, const void* value, const char* id);
void clear(bool wait);
int leave();
template <int>
inline int left = leave();  // a template's variables are initialized before all others

template <class T>
nl::json bundle_of(const void* value) {
  using ::xcpp::mime_bundle_repr;
  return mime_bundle_repr(*static_cast<const T*>(value));
}
template <class T>
void show(const char* kind, const T& value, const char* id = nullptr) {
  if constexpr (std::is_function_v<T>) {
    const T* const function = &value;
    show(kind, bundle_of<const T*>, &function, id);
  } else {
    show(kind, bundle_of<T>, std::addressof(value), id);
  }
}

// A cell's last expression is run as result((expression, Void())): an expression that is void stays so and shows nothing.
struct Void {};
template <class T>
struct Shown {
  const T& value;
};
template <class T>
Shown<T> operator,(const T& value, Void) {
  return {value};
}
inline void result(Void) {}
template <class T>
void result(const Shown<T>& shown) {
  if constexpr (!std::is_base_of_v<std::ios_base, T>) show("result", shown.value);  // std::cout << x
}

}  // namespace kernel

template <class T>
void display(const T& value) {
  kernel::show("display", value);
}
template <class T>
void display(const T& value, const std::string& id, bool update = false) {
  kernel::show(update ? "update" : "display", value, id.c_str());
}
inline void clear_output(bool wait = false) { kernel::clear(wait); }

}  // namespace xcpp
