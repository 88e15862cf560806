// mime_bundle_repr() of graft's types, as xeus-cling asks for it: what a notebook shows of a value, in several formats.
#include <graft.h>

#include <nlohmann/json.hpp>

namespace graft {
namespace {

using Bundle = nlohmann::json;

Bundle plain(const std::string& words) { return {{"text/plain", words}}; }
Bundle tree(const Module& module) { return plain(module.tree()); }

}  // namespace

Bundle mime_bundle_repr(const Tensor& tensor) { return plain(text(tensor)); }
Bundle mime_bundle_repr(const Ids& ids) {
  return plain(text("ids ", ids.shape(), ": ", joined(std::vector<Id>(ids.begin(), ids.end()), " ")));
}
Bundle mime_bundle_repr(const Variable& variable) { return plain(text(variable)); }
Bundle mime_bundle_repr(const Shape& shape) { return plain(shape.str()); }
Bundle mime_bundle_repr(const Ledger& ledger) { return plain(ledger.str()); }
Bundle mime_bundle_repr(const Svd& svd) { return plain(text("singular values ", svd.S)); }

Bundle mime_bundle_repr(const Module& module) { return tree(module); }
Bundle mime_bundle_repr(const Model& model) { return tree(model); }
Bundle mime_bundle_repr(const Gpt2& model) { return tree(model); }
Bundle mime_bundle_repr(const Gpt2Block& block) { return tree(block); }
Bundle mime_bundle_repr(const Llama& model) { return tree(model); }
Bundle mime_bundle_repr(const LlamaBlock& block) { return tree(block); }
Bundle mime_bundle_repr(const Classifier& classifier) { return tree(classifier); }
Bundle mime_bundle_repr(const TokenClassifier& classifier) { return tree(classifier); }
Bundle mime_bundle_repr(const Attention& attention) { return tree(attention); }
Bundle mime_bundle_repr(const RowMap& map) { return tree(map); }
Bundle mime_bundle_repr(const Projection& projection) { return tree(projection); }
Bundle mime_bundle_repr(const Linear& linear) { return tree(linear); }
Bundle mime_bundle_repr(const Table& table) { return tree(table); }
Bundle mime_bundle_repr(const Embedding& embedding) { return tree(embedding); }

namespace peft {

Bundle mime_bundle_repr(const Attached& attached) {
  return graft::plain(text(attached.method ? attached.method->kind() : "nothing", " \"", attached.name, "\""));
}
Bundle mime_bundle_repr(const LoraLinear& linear) { return tree(linear); }

}  // namespace peft
}  // namespace graft
