// From numbers to pixels: a range, and the round numbers in it.
#pragma once
#include <string>
#include <vector>

namespace graft::show {

/// What an axis shows: from low to high, low < high, both finite, however large or small or alike the numbers were.
class Scale {
 public:
  /// log: low and high are above 0, and so is what is looked up.
  Scale(double low, double high, bool log = false);
  double operator()(double x) const;  ///< 0 at low, 1 at high
  double low() const { return low_; }
  double high() const { return high_; }

  struct Tick {
    double x;
    std::string words;  ///< as many digits as tell it from the next
  };
  /// Some five of them. whole: no halves, for steps and other things that are counted.
  std::vector<Tick> ticks(bool whole = false) const;

 private:
  double low_, high_;
  bool log_;
};

/// The least and the largest of the numbers that can be drawn: finite, and above 0 if log.
class Range {
 public:
  explicit Range(bool log = false) : log_(log) {}
  bool shows(double x) const;  ///< can it be drawn?
  void take(double x);
  bool empty() const { return empty_; }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  bool log_, empty_ = true;
  double low_ = 0, high_ = 0;
};

}  // namespace graft::show
