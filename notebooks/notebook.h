// For C++ notebooks: graft, and how a notebook shows what graft has. Needs ./run jupyter, xeus-cling or xeus-cpp.
#pragma once
#include <graft.h>

#include <xcpp/xdisplay.hpp>

#ifdef __CLING__
#pragma cling load("libgraft_notebook")
#endif

// Found by the kernel, since each is declared beside its type; compiled in libgraft_notebook (mime.cpp). The kernel asks for the
// exact type, so each kind of model has its own.
namespace graft {
nlohmann::json mime_bundle_repr(const Tensor& tensor);  ///< a matrix of 65 to 4096 numbers is a heat map, others are their numbers
nlohmann::json mime_bundle_repr(const Ids& ids);
nlohmann::json mime_bundle_repr(const Variable& variable);
nlohmann::json mime_bundle_repr(const Shape& shape);
nlohmann::json mime_bundle_repr(const Ledger& ledger);
nlohmann::json mime_bundle_repr(const Svd& svd);
nlohmann::json mime_bundle_repr(const Module& module);
nlohmann::json mime_bundle_repr(const Model& model);
nlohmann::json mime_bundle_repr(const Gpt2& model);
nlohmann::json mime_bundle_repr(const Gpt2Block& block);
nlohmann::json mime_bundle_repr(const Llama& model);
nlohmann::json mime_bundle_repr(const LlamaBlock& block);
nlohmann::json mime_bundle_repr(const Classifier& classifier);
nlohmann::json mime_bundle_repr(const TokenClassifier& classifier);
nlohmann::json mime_bundle_repr(const Attention& attention);
nlohmann::json mime_bundle_repr(const RowMap& map);
nlohmann::json mime_bundle_repr(const Projection& projection);
nlohmann::json mime_bundle_repr(const Linear& linear);
nlohmann::json mime_bundle_repr(const Table& table);
nlohmann::json mime_bundle_repr(const Embedding& embedding);
nlohmann::json mime_bundle_repr(const Memory& memory);
nlohmann::json mime_bundle_repr(const Template& words);
nlohmann::json mime_bundle_repr(const Param& parameter);
template <class T>
nlohmann::json mime_bundle_repr(const Slot<T>& slot) {
  return mime_bundle_repr(static_cast<const Module&>(*slot));
}
namespace peft {
nlohmann::json mime_bundle_repr(const Attached& attached);
nlohmann::json mime_bundle_repr(const LoraLinear& linear);
}  // namespace peft
namespace show {
nlohmann::json mime_bundle_repr(const Picture& picture);
nlohmann::json mime_bundle_repr(const Html& html);
}  // namespace show

// A training's Progress draws through the kernel.
namespace notebook {
using Draw = void (*)(const show::Picture& picture, const std::string& id, bool again);
void progress_draws_by(Draw draw);
inline void draw(const show::Picture& picture, const std::string& id, bool again) { xcpp::display(picture, id, again); }
inline const bool draws = (progress_draws_by(draw), true);
}  // namespace notebook
}  // namespace graft
