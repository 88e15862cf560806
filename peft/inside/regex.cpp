#include "peft/inside/regex.h"

#include <algorithm>
#include <cctype>

#include "autograd/errors.h"
#include "autograd/sizes.h"
#include "peft/inside/regex_tree.h"

namespace graft::peft {
namespace {

using Kind = RegexNode::Kind;

/// One step of the matcher. It continues with the next step unless noted otherwise.
struct Op {
  enum class Do { one_of, fork, jump, open, close, place, look, atomic, accept };
  Do what;
  int a = 0, b = 0;  ///< fork: first a, then b; jump: a; open, close: which group; one_of: which set; look, atomic: behind it
  Kind place = Kind::end;
  bool negative = false;
  unsigned behind = 0;  ///< how far back a lookaround begins
};

}  // namespace

struct RegexProgram {
  std::vector<Op> ops;
  std::vector<std::bitset<256>> sets;
  std::vector<std::string> names;  ///< of groups
};

namespace {

using Do = Op::Do;

constexpr std::size_t longest = 5'000;

/// A tree as steps; counted repetitions are written out.
class Writer {
 public:
  Writer(RegexProgram& program, const std::string& what, RegexBudget& budget)
      : program_(program),
        what_(what),
        budget_(budget) {}

  void write(const RegexNode& n) {
    switch (n.kind) {
      case Kind::sequence:
        for (const RegexNode& part : n.parts) write(part);
        break;
      case Kind::choice: {
        std::vector<int> ends;
        for (std::size_t i = 0; i < n.parts.size(); ++i) {
          const bool last = i + 1 == n.parts.size();
          const int fork = last ? 0 : add(Do::fork);
          if (!last) op(fork).a = here();
          write(n.parts[i]);
          if (!last) ends.push_back(add(Do::jump)), op(fork).b = here();
        }
        for (const int end : ends) op(end).a = here();
        break;
      }
      case Kind::one_of: {
        const int at = add(Do::one_of);
        op(at).a = static_cast<int>(program_.sets.size());
        program_.sets.push_back(n.set);
        break;
      }
      case Kind::repeat: repeat(n); break;
      case Kind::group: {
        const auto known = std::find(program_.names.begin(), program_.names.end(), n.name);  // by a repetition written out
        const int which = static_cast<int>(known - program_.names.begin());
        if (known == program_.names.end()) program_.names.push_back(n.name);
        op(add(Do::open)).a = which;
        write(n.parts[0]);
        op(add(Do::close)).a = which;
        break;
      }
      case Kind::look:
      case Kind::atomic: {
        const int at = add(n.kind == Kind::look ? Do::look : Do::atomic);
        op(at).negative = n.negative, op(at).behind = n.behind ? n.width : 0;
        write(n.parts[0]);
        add(Do::accept);
        op(at).a = here();
        break;
      }
      default: op(add(Do::place)).place = n.kind;
    }
  }
  void end() { add(Do::accept); }

 private:
  int here() const { return static_cast<int>(program_.ops.size()); }
  Op& op(int i) { return nth(program_.ops, i); }
  int add(Do what) {
    expect<FormatError>(program_.ops.size() < longest, what_, " is too large: with its repetitions written out it has more ",
                        "than ", longest, " steps");
    expect<FormatError>(--budget_.size >= 0, what_, " exceeds the limit: the expressions of one file may have ",
                        RegexBudget{}.size, " steps in total");
    program_.ops.push_back({what});
    return here() - 1;
  }
  void fork(int at, bool lazy, int body, int after) { op(at).a = lazy ? after : body, op(at).b = lazy ? body : after; }

  void repeat(const RegexNode& n) {
    for (unsigned i = 0; i < n.min; ++i) {
      const int begin = here();
      write(n.parts[0]);
      if (here() == begin) return;  // nothing, however often
    }
    if (n.max == RegexNode::no_limit) {
      const int again = add(Do::fork);
      write(n.parts[0]);
      op(add(Do::jump)).a = again;
      fork(again, n.lazy, again + 1, here());
      return;
    }
    std::vector<int> forks;
    for (unsigned i = n.min; i < n.max; ++i) {
      forks.push_back(add(Do::fork));
      write(n.parts[0]);
    }
    for (const int at : forks) fork(at, n.lazy, at + 1, here());
  }

  RegexProgram& program_;
  const std::string& what_;
  RegexBudget& budget_;
};

constexpr int nowhere = -1;

/// One match against one text.
class Run {
 public:
  Run(const RegexProgram& program, const std::string& text, bool whole, RegexBudget& budget)
      : program_(program),
        text_(text),
        length_(static_cast<int>(text.size())),
        whole_(whole),
        budget_(budget),
        begins(program.names.size(), nowhere),
        ends(program.names.size(), nowhere) {}

  bool match() { return from(0, static_cast<int>(program_.ops.size()), 0) != nowhere; }

 private:
  /// A place to continue from if all since has failed; or, with op < 0, what a group's mark was.
  struct Todo {
    int op, at;
    std::vector<int>* marks = nullptr;
    std::size_t which = 0;
  };

  /// Where the match of ops[first, last) from `at` ends.
  int from(int first, int last, int at) {
    const std::size_t places = static_cast<std::size_t>(length_) + 1;
    std::vector<bool> visited(static_cast<std::size_t>(last - first) * places);
    constexpr long long to_begin = 100;  // the cost of its two vectors in steps: nested lookarounds create millions
    budget_.steps -= to_begin + static_cast<long long>(visited.size() / 64);
    if (budget_.steps < 0) return nowhere;
    std::vector<Todo> todo{{first, at}};
    while (!todo.empty()) {
      const Todo next = todo.back();
      todo.pop_back();
      if (next.op < 0) {
        (*next.marks)[next.which] = next.at;
        continue;
      }
      at = next.at;
      for (int i = next.op; i != nowhere;) {
        if (--budget_.steps < 0) return nowhere;
        const std::size_t pair = static_cast<std::size_t>(i - first) * places + static_cast<std::size_t>(at);
        if (visited[pair]) break;
        visited[pair] = true;
        const Op& op = nth(program_.ops, i);
        switch (op.what) {
          case Do::one_of:
            i = at < length_ && nth(program_.sets, op.a)[letter(at)] ? i + 1 : nowhere;
            at += i != nowhere;
            break;
          case Do::fork:
            todo.push_back({op.b, at});
            i = op.a;
            break;
          case Do::jump: i = op.a; break;
          case Do::open:
          case Do::close: {
            std::vector<int>& marks = op.what == Do::open ? begins : ends;
            const std::size_t which = static_cast<std::size_t>(op.a);
            todo.push_back({-1, marks[which], &marks, which});
            marks[which] = at;
            ++i;
            break;
          }
          case Do::place: i = stands(op.place, at) ? i + 1 : nowhere; break;
          case Do::look: {
            const int begin = at - static_cast<int>(op.behind);
            const bool found = begin >= 0 && from(i + 1, op.a, begin) != nowhere;
            i = found != op.negative ? op.a : nowhere;
            break;
          }
          case Do::atomic: {
            const int end = from(i + 1, op.a, at);
            i = end == nowhere ? nowhere : op.a;
            if (end != nowhere) at = end;
            break;
          }
          case Do::accept:
            if (!whole_ || first > 0 || at == length_) return at;  // bodies of lookarounds begin after the first step
            i = nowhere;
            break;
        }
      }
    }
    return nowhere;
  }

  unsigned char letter(int at) const { return static_cast<unsigned char>(nth(text_, at)); }
  bool word(int at) const {
    return at >= 0 && at < length_ && letter(at) < 128 && (std::isalnum(letter(at)) || letter(at) == '_');
  }
  bool stands(Kind place, int at) const {
    switch (place) {
      case Kind::text_start: return at == 0;
      case Kind::line_start: return at == 0 || letter(at - 1) == '\n';
      case Kind::text_end: return at == length_;
      case Kind::end: return at == length_ || (at == length_ - 1 && letter(at) == '\n');
      case Kind::line_end: return at == length_ || letter(at) == '\n';
      case Kind::word_edge: return length_ > 0 && word(at - 1) != word(at);
      default: return length_ > 0 && word(at - 1) == word(at);
    }
  }

  const RegexProgram& program_;
  const std::string& text_;
  const int length_;
  const bool whole_;
  RegexBudget& budget_;

 public:
  std::vector<int> begins, ends;  ///< of the groups, in the match that was found
};

}  // namespace

Regex::Regex(const std::string& expression, const std::string& where, RegexBudget& budget)
    : expression_(expression),
      where_(where),
      budget_(&budget) {
  const RegexNode tree = parse_regex(expression, where);
  auto program = std::make_shared<RegexProgram>();
  const std::string what = text(where, ": the regular expression ", shown_regex(expression));
  Writer writer(*program, what, budget);
  writer.write(tree);
  writer.end();
  program_ = std::move(program);
}

void Regex::expect_done(const std::string& text) const {
  expect<FormatError>(budget_->steps >= 0, where_, ": matching ", shown_regex(expression_), " with \"", text, "\" exceeds the ",
                      RegexBudget{}.steps, " steps that the expressions of one file may take together; use simpler ones");
}

bool Regex::fullmatch(const std::string& text) const {
  const bool found = Run(*program_, text, true, *budget_).match();
  expect_done(text);
  return found;
}

bool Regex::match(const std::string& text) const {
  const bool found = Run(*program_, text, false, *budget_).match();
  expect_done(text);
  return found;
}

std::optional<std::string> Regex::group(const std::string& name, const std::string& text) const {
  Run run(*program_, text, false, *budget_);
  const bool found = run.match();
  expect_done(text);
  const auto at = std::find(program_->names.begin(), program_->names.end(), name);
  const auto which = static_cast<std::size_t>(at - program_->names.begin());
  if (!found || at == program_->names.end() || run.ends[which] == nowhere) return {};
  const auto begin = static_cast<std::size_t>(run.begins[which]);
  return text.substr(begin, static_cast<std::size_t>(run.ends[which]) - begin);
}

}  // namespace graft::peft
