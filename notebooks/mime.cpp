// mime_bundle_repr() of graft's types, as xeus-cling asks for it: what a notebook shows of a value, in several formats.
#include <graft.h>

#include <nlohmann/json.hpp>

extern "C" __attribute__((weak)) bool graft_kernel_interrupted();  // kernel/interrupt.cpp; null in another kernel

namespace graft {
namespace {

using Bundle = nlohmann::json;

Bundle plain(const std::string& words) { return {{"text/plain", words}}; }
Bundle picture(const show::Picture& p) { return {{"image/svg+xml", p.svg}, {"text/plain", p.text}}; }
Bundle html(const show::Html& h) { return {{"text/html", h.html}, {"text/plain", h.text}}; }
Bundle tree(const Module& module) { return html(show::tree(module)); }

// Fewer are better read as numbers, more are no picture.
constexpr Index least_in_picture = 65, most_in_picture = 4096;

}  // namespace

Bundle mime_bundle_repr(const Tensor& tensor) {
  Bundle bundle = Bundle::object();
  if (tensor.rank() == 2 && tensor.numel() >= least_in_picture && tensor.numel() <= most_in_picture)
    bundle = picture(show::heat_map(tensor));
  bundle["text/plain"] = text(tensor);
  return bundle;
}
Bundle mime_bundle_repr(const Ids& ids) {
  return plain(text("ids ", ids.shape(), ": ", joined(std::vector<Id>(ids.begin(), ids.end()), " ")));
}
Bundle mime_bundle_repr(const Variable& variable) { return plain(text(variable)); }
Bundle mime_bundle_repr(const Shape& shape) { return plain(shape.str()); }
Bundle mime_bundle_repr(const Ledger& ledger) { return html(show::memory(ledger)); }
Bundle mime_bundle_repr(const Svd& svd) {
  show::Axes axes;
  axes.title = text("singular values of ", svd.U.dim(0), " x ", svd.Vt.dim(1));
  axes.x = "which", axes.y = "value";
  const std::vector<real> S = svd.S.values();
  Bundle bundle = picture(show::bars(std::vector<double>(S.begin(), S.end()), axes));
  bundle["text/plain"] = text("singular values ", svd.S);
  return bundle;
}

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
Bundle mime_bundle_repr(const Memory& memory) { return tree(memory); }
Bundle mime_bundle_repr(const Template& words) { return tree(words); }
Bundle mime_bundle_repr(const Param& parameter) {
  if (parameter.initialized()) return mime_bundle_repr(parameter.value());
  return plain(text("a parameter ", parameter.shape(), " without numbers yet"));
}

namespace peft {

Bundle mime_bundle_repr(const Attached& attached) {
  return graft::plain(text(attached.method ? attached.method->kind() : "nothing", " \"", attached.name, "\""));
}
Bundle mime_bundle_repr(const LoraLinear& linear) { return tree(linear); }

}  // namespace peft

namespace show {

Bundle mime_bundle_repr(const Picture& p) { return picture(p); }
Bundle mime_bundle_repr(const Html& h) { return html(h); }

}  // namespace show

namespace notebook {

void progress_draws_by(void (*draw)(const show::Picture& picture, const std::string& id, bool again)) {
  show::Progress::screen({draw});
  interrupt_when(graft_kernel_interrupted);
}

}  // namespace notebook
}  // namespace graft
