#include "show/inside/scale.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "show/table.h"

namespace graft::show {
namespace {

/// 1, 2 or 5 times a power of ten, at most a fifth or so of the range.
double round_step(double range) {
  const double rough = range / 5, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * 0.75) return factor * power;
  return 10 * power;
}

std::string tick_words(double x, double step) {
  if (std::abs(x) < step * 1e-6) return "0";
  const double digits = std::floor(std::log10(std::abs(x))) - std::floor(std::log10(step)) + 1;  // that tell it from the next
  char out[64];
  if (std::abs(x) >= 1e6 || step < 1e-5) {
    std::snprintf(out, sizeof out, "%.*g", std::clamp(static_cast<int>(digits), 1, 17), x);
  } else {
    std::snprintf(out, sizeof out, "%.*f", std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9))), x);
  }
  return out;
}

}  // namespace

Scale::Scale(double low, double high, bool log) : low_(low), high_(high), log_(log) {
  if (log_) {
    if (high_ / low_ < 1.001) low_ = std::max(low_ / 2, std::numeric_limits<double>::min()), high_ = std::min(high_ * 2, 1e308);
    return;
  }
  const double most = std::max(std::abs(low_), std::abs(high_));
  low_ = std::clamp(low_, -1e308, 1e308), high_ = std::clamp(high_, -1e308, 1e308);
  if (most < 1e-300) low_ = std::min(low_, 0.0), high_ = std::max(low_ + 1, 1.0);  // all 0, or as good as that
  else if (high_ / 2 - low_ / 2 < most * 1e-12) low_ -= std::abs(low_) / 10, high_ += std::abs(high_) / 10;
  low_ = std::clamp(low_, -1e308, 1e308), high_ = std::clamp(high_, -1e308, 1e308);
}

double Scale::operator()(double x) const {
  const double low = log_ ? std::log(low_) : low_ / 2, high = log_ ? std::log(high_) : high_ / 2;  // halves: no overflow
  return std::clamp(((log_ ? std::log(x) : x / 2) - low) / (high - low), 0.0, 1.0);
}

std::vector<Scale::Tick> Scale::ticks(bool whole) const {
  std::vector<Tick> all;
  if (log_) {
    const int first = static_cast<int>(std::ceil(std::log10(low_) - 1e-9)),
              last = static_cast<int>(std::floor(std::log10(high_) + 1e-9));
    const int every = std::max(1, (last - first) / 5);
    for (int power = first - 1; power <= last; ++power)
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double x = factor * std::pow(10, power);
        if (x < low_ * (1 - 1e-9) || x > high_ * (1 + 1e-9)) continue;
        if (factor == 1 ? (power - first) % every == 0 : last - first < 2) all.push_back({x, number(x)});
      }
    if (all.size() >= 2) return all;
    all.clear();
  }
  const double range = high_ / 2 - low_ / 2;
  double step = round_step(range) * 2;
  if (range > 1e307) step = 5e307;
  if (whole) step = std::max(1.0, step);
  const double begin = std::ceil(low_ / step - 1e-9);
  for (double i = 0; i < 20 && (begin + i) * step <= high_ + step * 1e-9; ++i) {
    const double x = (begin + i) * step;
    all.push_back({x, tick_words(x, step)});
  }
  return all;
}

bool Range::shows(double x) const { return std::isfinite(x) && (!log_ || x > 0); }

void Range::take(double x) {
  if (!shows(x)) return;
  low_ = empty_ ? x : std::min(low_, x);
  high_ = empty_ ? x : std::max(high_, x);
  empty_ = false;
}

}  // namespace graft::show
