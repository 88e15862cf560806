// What an exception was that nobody in a cell caught. Cling catches it and prints no more than what(); its type is lost there. This
// library is loaded before libstdc++, so its __cxa_begin_catch() is the process's: it sees the moment when a handler in Cling's own
// library takes the exception.
#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>

#include "talk.h"

namespace {

thread_local bool in_cell = false, thrown = false;

bool is_cling(const void* caller) {
  Dl_info where;
  return dladdr(caller, &where) != 0 && where.dli_fname != nullptr && std::strstr(where.dli_fname, "libCling") != nullptr;
}

std::string name_of(const std::type_info* type) {
  int status = 0;
  char* readable = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? readable : type->name();
  std::free(readable);
  for (const char* noise : {"std::__cxx11::", "[abi:cxx11]"})
    for (std::size_t at; (at = name.find(noise)) != std::string::npos;)
      name.replace(at, std::strlen(noise), noise[0] == 's' ? "std::" : "");
  const std::string words = "std::basic_string<char, std::char_traits<char>, std::allocator<char> >";
  for (std::size_t at; (at = name.find(words)) != std::string::npos;) name.replace(at, words.size(), "std::string");
  for (std::size_t at; (at = name.find("__cling_N")) != std::string::npos;) {  // the namespace of a cell
    const std::size_t end = name.find("::", at);
    name.erase(at, end == std::string::npos ? end : end + 2 - at);
  }
  return name;
}

/// Called while an exception is handled.
void tell() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  std::string name = type == nullptr ? "an exception of another language" : name_of(type), text;
  try {
    throw;
  } catch (const std::exception& e) {
    text = e.what();
  } catch (const std::string& s) {
    text = s;
  } catch (const char* s) {
    text = s == nullptr ? "nullptr" : s;
  } catch (bool x) {
    text = x ? "true" : "false";
  } catch (int x) {
    text = std::to_string(x);
  } catch (long x) {
    text = std::to_string(x);
  } catch (double x) {
    text = nlohmann::json(x).dump();
  } catch (...) {
  }
  graft_kernel::say({{"kind", "thrown"}, {"type", name}, {"text", text}});
}

}  // namespace

extern "C" {

/// From here on an exception that Cling catches is told of.
void graft_kernel_watch_exceptions() { in_cell = true, thrown = false; }
/// No longer. Was there one?
bool graft_kernel_caught_exception() {
  in_cell = false;
  return thrown;
}

void* __cxa_begin_catch(void* exception) noexcept {
  using Begin = void* (*)(void*);
  static const Begin begin = reinterpret_cast<Begin>(dlsym(RTLD_NEXT, "__cxa_begin_catch"));
  void* const object = begin(exception);
  if (in_cell && is_cling(__builtin_return_address(0))) {
    in_cell = false, thrown = true;
    tell();
  }
  return object;
}
}
