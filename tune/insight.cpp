#include "tune/insight.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "autograd/linalg.h"
#include "autograd/sizes.h"
#include "nn/attention.h"
#include "peft/lora.h"
#include "peft/prefix.h"
#include "peft/virtual_table.h"

namespace graft::tune {
namespace {

double norm(const Tensor& t) {
  double sum = 0;
  for (Index i = 0; i < t.numel(); ++i) sum += static_cast<double>(t[i]) * static_cast<double>(t[i]);
  return std::sqrt(sum);
}

/// Keeps the last output of a projection.
struct Recorder : Projection {
  Slot<Projection> base;
  Tensor last;
  explicit Recorder(std::unique_ptr<Projection> p) : base(*this, "", std::move(p)) {}
  std::string kind() const override { return "Recorder"; }
  Variable operator()(const Variable& x) override {
    const Variable y = base(x);
    last = y.value();
    return y;
  }
  Index in() const override { return base->in(); }
  Index out() const override { return base->out(); }
  Tensor dense() const override { return base->dense(); }
  Tensor bias() const override { return base->bias(); }
};

/// Recorders behind the q of all layers, for as long as this exists.
class Recorders {
 public:
  explicit Recorders(std::vector<std::pair<std::string, Slot<Attention>*>> layers) : layers_(std::move(layers)) {
    all_.reserve(layers_.size());
    for (const auto& [path, slot] : layers_) {
      auto recorder = std::make_unique<Recorder>((*slot)->q.take());
      all_.push_back(recorder.get());
      (*slot)->q.put(std::move(recorder));
    }
  }
  ~Recorders() {
    for (std::size_t i = 0; i < all_.size(); ++i) (*layers_[i].second)->q.put(all_[i]->base.take());
  }
  Recorders(const Recorders&) = delete;
  Recorders& operator=(const Recorders&) = delete;
  Attention& layer(std::size_t i) const { return **layers_[i].second; }
  const Tensor& queries(std::size_t i) const { return all_[i]->last; }
  std::size_t size() const { return all_.size(); }

 private:
  std::vector<std::pair<std::string, Slot<Attention>*>> layers_;
  std::vector<Recorder*> all_;
};

/// The share of the first P in the softmax over keys 0 .. P + t; the mean over t.
double share_of_first(const real* Q, const real* K, Index P, Index T, Index d, double scale) {
  double sum = 0;
  std::vector<double> scores;
  for (Index t = 0; t < T; ++t) {
    scores.clear();
    for (Index s = 0; s <= P + t; ++s) {
      double dot = 0;
      for (Index i = 0; i < d; ++i) dot += static_cast<double>(Q[t * d + i]) * static_cast<double>(K[s * d + i]);
      scores.push_back(scale * dot);
    }
    const double most = *std::max_element(scores.begin(), scores.end());
    double all = 0, first = 0;
    for (std::size_t s = 0; s < scores.size(); ++s) {
      const double e = std::exp(scores[s] - most);
      all += e;
      if (s < static_cast<std::size_t>(P)) first += e;
    }
    sum += first / all;
  }
  return sum / static_cast<double>(T);
}

const std::string& selected_or(const peft::BaseModel& base, const std::string& name) {
  return name.empty() ? base.model.selection().one() : name;
}

}  // namespace

std::vector<LoraDelta> lora_delta(const peft::BaseModel& base, const std::string& given) {
  const std::string name = selected_or(base, given);
  const std::vector<std::string> attached = peft::names(base);
  expect<ValueError>(std::find(attached.begin(), attached.end(), name) != attached.end(), "lora_delta: \"", name,
                     "\" is not attached");
  std::vector<LoraDelta> all;
  for (const auto& [path, slot] : base.root.slots<Projection>()) {
    if (slot->empty()) continue;
    auto* lora = dynamic_cast<peft::LoraLinear*>(&**slot);
    if (!lora) continue;
    const std::vector<std::string> there = lora->names();
    if (std::find(there.begin(), there.end(), name) == there.end()) continue;
    const peft::LoraPair& pair = lora->entry(name);
    const Svd B = singular_values(pair.B.value()), A = singular_values(pair.A.value());
    const Index r = pair.B.shape()[1], rows = B.S.numel(), columns = A.S.numel();  // r, or the width where r is larger
    Tensor M(Shape{rows, columns});  // S_B·V_Bᵀ·U_A·S_A
    real* m = M.write();
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < columns; ++j) {
        double sum = 0;
        for (Index k = 0; k < r; ++k) sum += static_cast<double>(B.Vt[i * r + k]) * static_cast<double>(A.U[k * columns + j]);
        m[i * columns + j] = static_cast<real>(sum * static_cast<double>(B.S[i]) * static_cast<double>(A.S[j]) *
                                         static_cast<double>(pair.scale));
      }
    const Tensor S = singular_values(M).S;
    LoraDelta one{path, norm(S) / norm(lora->base->dense()), {}};
    for (Index i = 0; i < S.numel(); ++i) one.singular.push_back(static_cast<double>(S[i]));
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<std::vector<double>> prefix_attention(const peft::BaseModel& base, const Batch& user) {
  const NoGrad constant;
  const Evaluating no_dropout(base.root);
  Model& model = base.model;
  expect<ValueError>(model.memory->length() > 0, "prefix_attention: ", model.kind(), " has no prefix, or it is not selected");
  const Templated batch = model.prompt_template(user);
  const Index B = batch.rows(), T = batch.ids.shape()[1], P = model.memory->length();
  const Recorders recorders(model.slots<Attention>());
  Past past = model.begin(B);
  (void)model.hidden(batch, past);
  std::vector<std::vector<double>> all;
  for (std::size_t i = 0; i < recorders.size(); ++i) {
    const AttentionSizes& sizes = recorders.layer(i).sizes;
    Variable Q = split_heads(Variable(recorders.queries(i)), sizes.heads);  // (B, H, T, d)
    if (sizes.frequencies.defined()) {
      std::vector<Id> positions;
      for (Index b = 0; b < B; ++b)
        for (Index t = 0; t < T; ++t) positions.push_back(static_cast<Id>(P + t));
      Q = rotary(Q, Ids({B, T}, std::move(positions)), sizes.frequencies);
    }
    const Tensor K = past.layers[i].k().value();  // (B, G, S, d)
    const Index d = sizes.head_dim, S = K.dim(2), per_key = sizes.heads / sizes.kv_heads;
    const double scale = sizes.scale != 0 ? static_cast<double>(sizes.scale) : 1 / std::sqrt(static_cast<double>(d));
    std::vector<double> heads;
    for (Index h = 0; h < sizes.heads; ++h) {
      double sum = 0;
      for (Index b = 0; b < B; ++b) {
        sum += share_of_first(Q.value().data() + (b * sizes.heads + h) * T * d,
                              K.data() + (b * sizes.kv_heads + h / per_key) * S * d, P, batch.length(b), d, scale);
      }
      heads.push_back(sum / static_cast<double>(B));
    }
    all.push_back(std::move(heads));
  }
  return all;
}

std::vector<VirtualToken> nearest_words(const peft::BaseModel& base, const Tokenizer& tokenizer, const std::string& given,
                                        Index count) {
  const NoGrad constant;
  auto* table = dynamic_cast<peft::VirtualTable*>(&*base.model.table());
  if (!table) return {};
  const Tensor words = table->base->dense();
  const Tensor rows = (*table->entry(selected_or(base, given)).rows)().value();
  const Index V = words.dim(0), D = words.dim(1);
  const auto length = [&](const Tensor& t, Index row) {
    double sum = 0;
    for (Index i = 0; i < D; ++i) sum += static_cast<double>(t[row * D + i]) * static_cast<double>(t[row * D + i]);
    return std::sqrt(sum);
  };
  std::vector<double> lengths;
  for (Index v = 0; v < V; ++v) lengths.push_back(length(words, v));
  std::vector<VirtualToken> all;
  for (Index p = 0; p < rows.dim(0); ++p) {
    const double own = length(rows, p);
    std::vector<std::pair<double, Id>> near;
    for (Index v = 0; v < V; ++v) {
      double dot = 0;
      for (Index i = 0; i < D; ++i) dot += static_cast<double>(words[v * D + i]) * static_cast<double>(rows[p * D + i]);
      near.emplace_back(dot / (nth(lengths, v) * own + 1e-30), static_cast<Id>(v));
    }
    const auto few = near.begin() + std::min<std::ptrdiff_t>(count, static_cast<std::ptrdiff_t>(near.size()));
    std::partial_sort(near.begin(), few, near.end(), std::greater<>());
    VirtualToken token;
    for (auto one = near.begin(); one != few; ++one)
      token.near.push_back({one->second < static_cast<Id>(tokenizer.size()) ? tokenizer.decode({one->second}) : "", one->first});
    all.push_back(std::move(token));
  }
  return all;
}

std::ostream& operator<<(std::ostream& out, const std::vector<LoraDelta>& all) {
  for (const LoraDelta& one : all) {
    out << one.path << "  |dW|/|W| " << one.norm << "  singular values";
    for (const double value : one.singular) out << ' ' << value;
    out << '\n';
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const std::vector<VirtualToken>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    out << "[v" << i << "]";
    for (const VirtualToken::Near& near : all[i].near) out << "  \"" << near.word << "\" " << near.cosine;
    out << '\n';
  }
  return out;
}

}  // namespace graft::tune
