// Quantization to 4 bits, step by step.
#include "autograd/nf4.h"

#include <algorithm>
#include <cmath>

#include "autograd/ledger.h"

namespace graft {

const std::array<float, 16>& four_bit_codes(FourBitOptions::Codes codes) {
  // NF4: normal quantiles at evenly spaced probabilities, 8 below 0 and 8 from 0 up, divided by the largest (Dettmers et al.
  // 2023, eq. 4 and appendix E). FP4, in the order of its bits: 0, 1/16, 8, 12, 4, 6, 2, 3 over 12, then the same negative.
  static const std::array<float, 16> nf4{-1.0F,
                                         -0.6961928009986877F,
                                         -0.5250730514526367F,
                                         -0.39491748809814453F,
                                         -0.28444138169288635F,
                                         -0.18477343022823334F,
                                         -0.09105003625154495F,
                                         0.F,
                                         0.07958029955625534F,
                                         0.16093020141124725F,
                                         0.24611230194568634F,
                                         0.33791524171829224F,
                                         0.44070982933044434F,
                                         0.5626170039176941F,
                                         0.7229568362236023F,
                                         1.0F};
  static const std::array<float, 16> fp4{0.F, 0.0625F / 12,  8.F / 12,  1.F,  4.F / 12,  0.5F,  2.F / 12,  0.25F,
                                         0.F, -0.0625F / 12, -8.F / 12, -1.F, -4.F / 12, -0.5F, -2.F / 12, -0.25F};
  return codes == FourBitOptions::Codes::nf4 ? nf4 : fp4;
}

const std::array<float, 256>& dynamic_map() {
  static const std::array<float, 256> map = [] {
    std::array<float, 256> all{};
    std::size_t n = 0;
    for (int exponent = 0; exponent < 7; ++exponent) {  // 10^(exponent - 6) times the middles of 2^exponent parts of [0.1, 1]
      const int parts = 1 << exponent;
      const float step = (1.F - 0.1F) / static_cast<float>(parts);
      const auto edge = [&](int i) {  // from the nearer end and rounded once, as torch.linspace
        return 2 * i < parts + 1 ? std::fma(step, static_cast<float>(i), 0.1F)
                                 : std::fma(-step, static_cast<float>(parts - i), 1.F);
      };
      const float power = static_cast<float>(std::pow(10.0, exponent - 6));
      for (int i = 0; i < parts; ++i) {
        const float middle = (edge(i) + edge(i + 1)) / 2.F;
        all[n++] = power * middle;
        all[n++] = -(power * middle);
      }
    }
    all[n++] = 0.F;
    all[n++] = 1.F;
    std::sort(all.begin(), all.end());
    return all;
  }();
  return map;
}

namespace {

/// The codes in rising order of value, and the borders between them. A number on a border belongs to the lower.
struct Ladder {
  std::array<int, 16> order;
  std::array<float, 15> borders;
};
Ladder ladder(FourBitOptions::Codes codes) {
  Ladder l{};
  const auto& value = four_bit_codes(codes);
  for (int i = 0; i < 16; ++i) l.order[static_cast<std::size_t>(i)] = i;
  std::stable_sort(l.order.begin(), l.order.end(),
                   [&](int a, int b) { return value[static_cast<std::size_t>(a)] < value[static_cast<std::size_t>(b)]; });
  for (std::size_t i = 0; i < 15; ++i)
    l.borders[i] = (value[static_cast<std::size_t>(l.order[i])] + value[static_cast<std::size_t>(l.order[i + 1])]) / 2;
  return l;
}

/// The nearest of the 256 values, as bitsandbytes finds it: y is first rounded to one of 65536 steps from -1 to 1.
std::uint8_t nearest(float y) {
  const auto step = static_cast<int>(std::fma((std::clamp(y, -1.F, 1.F) + 1.F) * 0.5F, 65535.F, 0.5F));
  y = 2.F * static_cast<float>(step) / 65535.F - 1.F;
  const auto& map = dynamic_map();
  const auto above = std::lower_bound(map.begin(), map.end(), y);
  if (above == map.begin()) return 0;
  if (above == map.end()) return 255;
  const auto below = above - 1;
  return static_cast<std::uint8_t>((y - *below <= *above - y ? below : above) - map.begin());
}

}  // namespace

FourBitMatrix::FourBitMatrix(const Tensor& W, const FourBitOptions& o) : rows_(0), cols_(0), options_(o) {
  expect(W.rank() == 2 && W.numel() > 0, "quantize: W has shape ", W.shape(), ", but a matrix is needed");
  expect<ValueError>(o.block >= 32 && o.block <= 4096 && (o.block & (o.block - 1)) == 0, "quantize: blocks of ", o.block,
                     " numbers; take a power of two from 32 to 4096");
  rows_ = W.dim(0), cols_ = W.dim(1);
  const Index n = W.numel(), blocks = (n + o.block - 1) / o.block;
  const Ladder l = ladder(o.codes);
  packed.assign(static_cast<std::size_t>((n + 1) / 2), 0);
  scales.resize(static_cast<std::size_t>(blocks));
  constexpr float tiny = 1e-38F;
  for (Index b = 0; b < blocks; ++b) {
    const Index begin = b * o.block, end = std::min(n, begin + o.block);
    float largest = 0;
    for (Index i = begin; i < end; ++i) {
      const float w = static_cast<float>(W[i]);
      expect<ValueError>(std::isfinite(w), "quantize: number ", i, " is ", w, "; the weights are damaged");
      largest = std::max(largest, std::abs(w));
    }
    const bool whole = end - begin == o.block;  // bitsandbytes multiplies by 1/absmax in whole blocks and divides in the last
    const float inverse = 1.F / std::max(largest, tiny);
    scales[static_cast<std::size_t>(b)] = whole ? largest : std::max(largest, tiny);
    for (Index i = begin; i < end; ++i) {
      const float w = static_cast<float>(W[i]);
      const float scaled = std::clamp(whole ? w * inverse : w / std::max(largest, tiny), -1.F, 1.F);
      const auto step = std::lower_bound(l.borders.begin(), l.borders.end(), scaled) - l.borders.begin();
      const int code = l.order[static_cast<std::size_t>(step)];
      packed[static_cast<std::size_t>(i / 2)] |= static_cast<std::uint8_t>(i % 2 ? code : code << 4);
    }
  }
  if (n % 2)  // pad the last byte with the code of 0
    packed.back() |= static_cast<std::uint8_t>(
        l.order[static_cast<std::size_t>(std::lower_bound(l.borders.begin(), l.borders.end(), 0.F) - l.borders.begin())]);
  if (o.double_quantized) {
    double sum = 0;
    for (const float a : scales) sum += a;
    offset = static_cast<float>(sum / static_cast<double>(blocks));
    scales8.resize(scales.size());
    for (Index first = 0; first < blocks; first += absmax_block) {
      const Index last = std::min(blocks, first + absmax_block);
      float largest = 0;
      for (Index b = first; b < last; ++b) largest = std::max(largest, std::abs(scales[static_cast<std::size_t>(b)] - offset));
      for (Index b = first; b < last; ++b) {
        const std::size_t at = static_cast<std::size_t>(b);
        scales8[at] = largest > 0 ? nearest((scales[at] - offset) * (1.F / largest)) : 0;  // a block of zeros: code 0
      }
      scales2.push_back(largest);
    }
    scales.clear();
    scales.shrink_to_fit();
  }
  booked_ = std::make_shared<Registered>(Category::frozen, bytes());
}

std::size_t FourBitMatrix::bytes() const {
  const std::size_t extra = options_.double_quantized ? sizeof offset : 0;
  return packed.size() + scales8.size() + sizeof(float) * (scales.size() + scales2.size()) + extra;
}

int FourBitMatrix::code(Index i) const {
  const std::uint8_t byte = packed[static_cast<std::size_t>(i / 2)];
  return i % 2 ? byte & 15 : byte >> 4;
}

float FourBitMatrix::absmax(Index block) const {
  const std::size_t b = static_cast<std::size_t>(block);
  if (!options_.double_quantized) return scales[b];
  // volatile: rounded after the product. One fused multiply-add would differ from bitsandbytes in the last bit.
  const volatile float product = dynamic_map()[scales8[b]] * scales2[b / absmax_block];
  return product + offset;
}

void clear::unpack(const FourBitMatrix& W, Index begin, Index count, real* to) {
  const auto& value = four_bit_codes(W.options().codes);
  for (Index i = begin; i < begin + count; ++i)
    *to++ = static_cast<real>(value[static_cast<std::size_t>(W.code(i))] * W.absmax(i / W.options().block));
}

Tensor FourBitMatrix::dense() const {
  Tensor W(Shape{rows_, cols_});
  clear::unpack(*this, 0, rows_ * cols_, W.write());
  return W;
}

std::vector<FourBitStep> explain(const Tensor& W, Index block, const FourBitOptions& options) {
  const FourBitMatrix q(W, options);
  const Index begin = block * options.block, end = std::min(W.numel(), begin + options.block);
  expect<IndexError>(block >= 0 && begin < W.numel(), "explain: block ", block, " of ",
                     (W.numel() + options.block - 1) / options.block);
  float largest = 0;
  for (Index i = begin; i < end; ++i) largest = std::max(largest, std::abs(static_cast<float>(W[i])));
  std::vector<FourBitStep> steps;
  for (Index i = begin; i < end; ++i) {
    real restored = 0;
    clear::unpack(q, i, 1, &restored);
    const float w = static_cast<float>(W[i]), back = static_cast<float>(restored);
    steps.push_back({w, largest > 0 ? w / largest : 0, q.code(i), back, back - w});
  }
  return steps;
}

}  // namespace graft
