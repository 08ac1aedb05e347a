// SPDX-License-Identifier: Apache-2.0
// Axis: from values to places in a drawing, linear or logarithmic, with ticks at round numbers.
#pragma once

#include <string>
#include <vector>

namespace espalier {

enum class Scale { linear, logarithmic };

// Values from which a tick to the next is 1, 2 or 5 times a power of ten; as many as fit, `most` >= 2 of them at most.
std::vector<double> linear_ticks(double low, double high, int most);
// 1, 2 and 5 times powers of ten; powers of ten alone where those are too many, 3 and 7 times, too, where less than
// three lie between low > 0 and high, and linear ones where even those are less.
std::vector<double> log_ticks(double low, double high, int most);
std::string tick_text(double value);  // "0.05", "2500", "20,000"

class Axis {
 public:
  // Places `low` a little behind `from` and `high` a little before `to`, which may lie in either direction. The values
  // are positive where the scale is logarithmic; both may be equal.
  Axis(Scale scale, double low, double high, double from, double to);

  double at(double value) const;
  std::vector<double> ticks(int most) const;  // between the ends
  double from() const { return from_; }
  double to() const { return to_; }

 private:
  double on_scale(double value) const;

  Scale scale_;
  double low_, high_, from_, to_;  // low_ and high_ on the scale
};

}  // namespace espalier
