// Module::tree(): the model as text, one line per module and per weight.
#include <map>
#include <set>
#include <sstream>

#include "autograd/text.h"
#include "nn/module.h"

namespace graft {
namespace {

struct Printer {
  std::ostringstream out;
  std::map<const void*, std::string> seen;  // a shared weight is printed where it comes first, and named after that

  void weight(const std::string& indent, const std::string& name, const std::string& path, const void* identity,
              const Shape& shape, std::size_t bytes, const std::string& state) {
    out << indent << name << " " << shape.str();
    const auto known = seen.emplace(identity, path);
    if (!known.second) out << "  the same as " << known.first->second << "\n";
    else out << "  " << grouped(shape.numel()) << "  " << short_bytes(static_cast<double>(bytes)) << "  " << state << "\n";
  }

  void module(const Module& m, const std::string& name, const std::string& path, const std::string& indent) {
    out << indent << (name.empty() ? "" : name + ": ") << m.kind() << "\n";
    const std::string deeper = indent + "  ";
    for (Part* part : m.parts()) {
      const std::string here = path + (path.empty() || part->name().empty() ? "" : ".") + part->name();
      if (auto* param = dynamic_cast<Param*>(part)) {
        weight(deeper, param->name(), here, param->identity(), param->shape(),
               static_cast<std::size_t>(param->numel()) * sizeof(real),
               !param->initialized()   ? "no numbers yet"
               : param->learns() ? "learning"
                                 : "frozen");
      } else if (auto* packed = dynamic_cast<PackedPart*>(part)) {
        const PackedMatrix& W = **packed;
        weight(deeper, packed->name(), here, &W, Shape{W.rows(), W.cols()}, W.bytes(), "frozen, " + W.format());
      }
      for (const auto& child : part->children()) {
        const std::string below = child.first.empty() ? part->name() : part->name() + "." + child.first;
        const std::string to = child.first.empty() ? here : here + "." + child.first;
        module(*child.second, below, to, deeper);
      }
    }
  }
};

}  // namespace

std::string Module::tree() const {
  Printer printer;
  printer.module(*this, "", "", "");
  printer.out << grouped(count(false)) << " parameters, " << grouped(count(true)) << " of them learning\n";
  return printer.out.str();
}

}  // namespace graft
