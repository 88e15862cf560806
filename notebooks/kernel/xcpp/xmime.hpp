// xeus-cling's xcpp/xmime.hpp, by its names, for the kernel of ./run jupyter: how a value looks of which nobody says anything else.
#pragma once
#include <iosfwd>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace nl = nlohmann;

namespace xcpp {
namespace kernel {

// Compiled: text.cpp, talk.cpp.
void write(std::string& out, const std::type_info& type);  ///< "(a graft::Batch)": nobody says how it looks
void write(std::string& out, bool x);
void write(std::string& out, char x);
void write(std::string& out, long long x);
void write(std::string& out, unsigned long long x);
void write(std::string& out, float x);
void write(std::string& out, double x);
void write(std::string& out, long double x);
void write(std::string& out, const std::string& x);
void write(std::string& out, const char* x);
void write_pointer(std::string& out, const void* x);
void write_streamed(std::string& out, void (*print)(std::ostream&, const void*), const void* value);
nl::json plain(const std::string& text);

template <class T, class = void>
struct is_range : std::false_type {};
template <class T>
struct is_range<T, std::void_t<decltype(std::declval<const T&>().begin() != std::declval<const T&>().end())>> : std::true_type {};
template <class T, class = void>
struct is_streamed : std::false_type {};
template <class T>
struct is_streamed<T, std::void_t<decltype(std::declval<std::ostream&>() << std::declval<const T&>())>> : std::true_type {};
template <class T, class = void>
struct is_tuple : std::false_type {};
template <class T>
struct is_tuple<T, std::void_t<decltype(std::tuple_size<T>::value)>> : std::true_type {};
template <class T, class = void>
struct is_handle : std::false_type {};  // a smart pointer
template <class T>
struct is_handle<T, std::void_t<typename T::element_type, decltype(std::declval<const T&>().get())>> : std::true_type {};

template <class T>
void print(std::ostream& out, const void* value) {
  out << *static_cast<const T*>(value);
}

template <class T>
void text(std::string& out, const T& x) {
  if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, char> || std::is_floating_point_v<T> || std::is_same_v<T, std::string>) {
    write(out, x);
  } else if constexpr (std::is_integral_v<T>) {
    write(out, static_cast<std::conditional_t<std::is_signed_v<T>, long long, unsigned long long>>(x));
  } else if constexpr (std::is_null_pointer_v<T>) {
    out += "nullptr";
  } else if constexpr (std::is_function_v<T>) {
    out += "a function";
  } else if constexpr (std::is_convertible_v<const T&, const char*>) {
    write(out, static_cast<const char*>(x));
  } else if constexpr (std::is_pointer_v<T>) {
    write_pointer(out, reinterpret_cast<const void*>(x));
  } else if constexpr (is_streamed<T>::value && !is_handle<T>::value && !std::is_array_v<T>) {
    write_streamed(out, print<T>, &x);
  } else if constexpr (std::is_enum_v<T>) {
    text(out, static_cast<std::underlying_type_t<T>>(x));
  } else if constexpr (is_handle<T>::value) {
    write_pointer(out, x.get());
  } else if constexpr (is_range<T>::value || std::is_array_v<T>) {
    const char* before = "{";
    std::size_t n = 0;
    for (const auto& one : x) {
      out += before, before = ", ";
      if (++n > 1000) {
        out += "...";
        break;
      }
      text(out, static_cast<const std::decay_t<decltype(one)>&>(one));
    }
    out += n == 0 ? "{}" : "}";
  } else if constexpr (is_tuple<T>::value) {
    const char* before = "(";
    std::apply([&](const auto&... one) { ((out += before, before = ", ", text(out, one)), ...); }, x);
    out += std::tuple_size<T>::value == 0 ? "()" : ")";
  } else {
    write(out, typeid(T));
  }
}

}  // namespace kernel

template <class T>
nl::json mime_bundle_repr(const T& value) {
  std::string text;
  kernel::text(text, value);
  return kernel::plain(text);
}

}  // namespace xcpp
