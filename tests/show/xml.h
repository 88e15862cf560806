// A reader of XML that is strict about what pictures and tables may be made of: elements, attributes in double quotes, text, the
// five entities. It throws std::runtime_error where a browser's XML parser would stop.
#pragma once
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "autograd/utf8.h"

namespace xml {

struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::vector<Element> children;
  std::string text;  ///< its own, without that of its children

  const std::string& operator[](const std::string& attribute) const {
    static const std::string none;
    const auto found = attributes.find(attribute);
    return found == attributes.end() ? none : found->second;
  }
  double number(const std::string& attribute) const { return std::stod((*this)[attribute]); }
  std::vector<const Element*> all(const std::string& which) const {  ///< below it, in order
    std::vector<const Element*> found;
    for (const Element& child : children) {
      if (child.name == which) found.push_back(&child);
      for (const Element* deeper : child.all(which)) found.push_back(deeper);
    }
    return found;
  }
  std::string all_text() const {
    std::string whole = text;
    for (const Element& child : children) whole += child.all_text();
    return whole;
  }
};

class Parser {
 public:
  explicit Parser(std::string text) : text_(std::move(text)) {
    for (std::size_t i = 0; i < text_.size();) {
      const graft::utf8::Character c = graft::utf8::front(std::string_view(text_).substr(i));
      const bool allowed = c.point == '\n' || c.point == '\t' || (c.point >= 0x20 && c.point < 0xFFFE) ||
                           (c.point >= 0x10000 && c.point <= 0x10FFFF);
      if (!allowed) fail("a character that XML forbids", i);
      i += c.length;
    }
  }
  /// The elements of a piece of a page, under one without a name.
  Element all() {
    Element root;
    content(root);
    if (at_ != text_.size()) fail("an end tag too many", at_);
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& why, std::size_t at) const {
    throw std::runtime_error(why + " at byte " + std::to_string(at) + ": " + text_.substr(at > 30 ? at - 30 : 0, 80));
  }
  bool next(const std::string& what) {
    if (text_.compare(at_, what.size(), what) != 0) return false;
    at_ += what.size();
    return true;
  }
  std::string until(const std::string& stop) {
    const std::size_t end = text_.find_first_of(stop, at_);
    if (end == std::string::npos) fail("no end", at_);
    const std::string taken = text_.substr(at_, end - at_);
    at_ = end;
    return taken;
  }
  std::string decoded(const std::string& raw) const {
    static const std::map<std::string, std::string> entities{
        {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}, {"&#39;", "'"}};
    std::string out;
    for (std::size_t i = 0; i < raw.size();) {
      if (raw[i] == '<') fail("< in a value", at_);
      if (raw[i] != '&') {
        out += raw[i++];
        continue;
      }
      const auto found = entities.find(raw.substr(i, raw.find(';', i) - i + 1));
      if (found == entities.end()) fail("an unknown entity", at_);
      out += found->second;
      i += found->first.size();
    }
    return out;
  }
  void content(Element& into) {
    while (at_ < text_.size()) {
      if (text_[at_] != '<') {
        const std::size_t end = std::min(text_.find('<', at_), text_.size());
        into.text += decoded(text_.substr(at_, end - at_));
        at_ = end;
      } else if (text_.compare(at_, 2, "</") == 0) {
        return;
      } else {
        ++at_;
        into.children.push_back(element());
      }
    }
  }
  Element element() {
    Element e;
    e.name = until(" />");
    if (e.name.empty()) fail("an element without a name", at_);
    while (next(" ")) {
      const std::string name = until("=");
      if (!next("=\"")) fail("an attribute without quotes", at_);
      const std::string value = decoded(until("\""));
      if (!e.attributes.emplace(name, value).second) fail("an attribute twice, " + name, at_);
      next("\"");
    }
    if (next("/>")) return e;
    if (!next(">")) fail("no end of a tag", at_);
    content(e);
    if (!next("</" + e.name + ">")) fail("<" + e.name + "> is not closed", at_);
    return e;
  }

  std::string text_;
  std::size_t at_ = 0;
};

inline Element parse(const std::string& text) { return Parser(text).all(); }

}  // namespace xml
