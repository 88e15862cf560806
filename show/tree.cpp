// The tree of modules, with those members of a list that are alike folded into one.
#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <vector>

#include "autograd/text.h"
#include "show/inside/words.h"
#include "show/model.h"

namespace graft::show {
namespace {

/// A line of the tree: a module with what is in it, or a weight.
struct Branch {
  std::string name, path, line;
  std::string same_as;  // of a weight that has been here before: the path of its first place
  bool learns = false;
  Index numbers = 0, learning = 0;
  std::vector<Branch> below;
};

class Reader {
 public:
  Branch module(const Module& m, const std::string& name, const std::string& path) {
    Branch branch{name, path, m.kind(), {}, false, 0, 0, {}};
    for (Part* part : m.parts()) {
      const std::string here = path + (path.empty() || part->name().empty() ? "" : ".") + part->name();
      if (auto* param = dynamic_cast<Param*>(part)) {
        const bool learns = param->learns();
        branch.below.push_back(weight(param->name(), here, param->identity(), param->shape(),
                                      sizeof(real) * static_cast<std::size_t>(param->numel()),
                                      !param->initialized() ? "no numbers yet"
                                      : learns              ? "learning"
                                                            : "frozen",
                                      learns));
      } else if (auto* packed = dynamic_cast<PackedPart*>(part)) {
        const PackedMatrix& W = **packed;
        branch.below.push_back(
            weight(packed->name(), here, &W, {W.rows(), W.cols()}, W.bytes(), "frozen, " + W.format(), false));
      }
      for (const auto& child : part->children()) {
        const std::string more = child.first.empty() ? "" : "." + child.first;
        branch.below.push_back(module(*child.second, part->name() + more, here + more));
      }
    }
    for (const Branch& one : branch.below) branch.numbers += one.numbers, branch.learning += one.learning;
    return branch;
  }

 private:
  Branch weight(const std::string& name, const std::string& path, const void* identity, const Shape& shape, std::size_t bytes,
                const std::string& state, bool learns) {
    const auto known = seen_.emplace(identity, path);
    if (!known.second) return {name, path, shape.str() + "  the same as ", known.first->second, false, 0, 0, {}};
    const Index n = shape.numel();
    return {name,
            path,
            text(shape, "  ", grouped(n), "  ", short_bytes(static_cast<double>(bytes)), "  ", state),
            {},
            learns,
            n,
            learns ? n : 0,
            {}};
  }
  std::map<const void*, std::string> seen_;
};

/// Everything that is printed of a branch but its own name; what is shared within `root` is named from there.
std::string likeness(const Branch& branch, const std::string& root) {
  const bool inside = branch.same_as.rfind(root + ".", 0) == 0;
  std::string all = branch.line + (inside ? branch.same_as.substr(root.size()) : branch.same_as);
  for (const Branch& one : branch.below) all += "\n(" + one.name + ": " + likeness(one, root) + ")";
  return all;
}

/// Where the number of a member of a list begins in its name, "layers.11"; npos if it is none.
std::size_t number_in(const std::string& name) {
  const std::size_t digits = name.find_last_not_of("0123456789");
  return digits != std::string::npos && digits + 1 < name.size() && name[digits] == '.' ? digits + 1 : std::string::npos;
}

/// How many branches from the i-th on are members of one list and alike.
std::size_t alike(const std::vector<Branch>& all, std::size_t i) {
  const std::size_t number = number_in(all[i].name);
  if (number == std::string::npos) return 1;
  const std::string mine = likeness(all[i], all[i].path);
  std::size_t n = 1;
  while (i + n < all.size() && number_in(all[i + n].name) == number &&
         all[i + n].name.compare(0, number, all[i].name, 0, number) == 0 && likeness(all[i + n], all[i + n].path) == mine)
    ++n;
  return n;
}

class Printer {
 public:
  void all_of(const std::vector<Branch>& branches, const std::string& indent) {
    for (std::size_t i = 0, n = 1; i < branches.size(); i += n) {
      n = alike(branches, i);
      const Branch& first = branches[i];
      if (n == 1) {
        one(first,
            first.name + (first.below.empty() && (first.numbers != 0 || !first.same_as.empty()) ? " " : ": ") + first.line +
                first.same_as,
            indent);
      } else {
        const auto times = static_cast<Index>(n);
        const std::string line =
            text(first.name, "–", branches[i + n - 1].name.substr(number_in(first.name)), ": ", n, " × ", first.line, ", ",
                 grouped(first.numbers * times), " parameters, ", grouped(first.learning * times), " of them learning; each:");
        folded(first, line, indent);
      }
    }
  }

  void one(const Branch& branch, const std::string& line, const std::string& indent) {
    out.text += indent + plain(line) + "\n";
    const bool bold = branch.learns && branch.below.empty();
    out.html += bold ? "<div><b>" + escaped(line) + "</b></div>" : "<div>" + escaped(line) + "</div>";
    deeper(branch, indent);
  }

  Html out;

 private:
  void folded(const Branch& branch, const std::string& line, const std::string& indent) {
    out.text += indent + plain(line) + "\n";
    out.html += "<details><summary style=\"cursor:pointer\">" + escaped(line) + "</summary>";
    deeper(branch, indent);
    out.html += "</details>";
  }
  void deeper(const Branch& branch, const std::string& indent) {
    if (branch.below.empty()) return;
    out.html += "<div style=\"margin-left:0.5em;padding-left:1em;border-left:1px solid #8884\">";
    all_of(branch.below, indent + "  ");
    out.html += "</div>";
  }
};

}  // namespace

Html tree(const Module& module) {
  const Branch root = Reader().module(module, "", "");
  Printer printer;
  printer.out.html =
      "<div style=\"font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans "
      "Mono',monospace;font-size:0.92em;line-height:1.45;white-space:pre;overflow-x:auto\">";
  printer.one(root, root.line, "");
  const std::string sum = text(grouped(root.numbers), " parameters, ", grouped(root.learning), " of them learning");
  printer.out.html += "<div>" + sum + "</div></div>\n";
  printer.out.text += sum + "\n";
  return printer.out;
}

}  // namespace graft::show
