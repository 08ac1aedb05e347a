// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/axis.h"

#include <algorithm>
#include <cmath>

#include "core/format.h"

namespace espalier {
namespace {

// The power of ten as it is written: 10^-2 by multiplication would be 0.010000000000000002.
double round_number(int digit, int power) {
  return power < 0 ? digit / std::pow(10, -power) : digit * std::pow(10, power);
}

std::vector<double> round_numbers(double low, double high, const std::vector<int>& digits) {
  std::vector<double> numbers;
  const int first = static_cast<int>(std::floor(std::log10(low))), last = static_cast<int>(std::ceil(std::log10(high)));
  for (int power = first; power <= last; ++power)
    for (const int digit : digits)
      if (const double v = round_number(digit, power); v >= low && v <= high) numbers.push_back(v);
  return numbers;
}

}  // namespace

std::vector<double> linear_ticks(double low, double high, int most) {
  const auto between = [&](double step) {
    std::vector<double> ticks;
    for (double i = std::ceil(low / step); i * step <= high; ++i) {
      const double inverse = std::round(1 / step);
      ticks.push_back(step < 1 ? i / inverse : i * step);
      if (std::ssize(ticks) > most) break;
    }
    return ticks;
  };
  if (!(high > low)) return {low};
  for (int power = static_cast<int>(std::floor(std::log10((high - low) / most)));; ++power)
    for (const int digit : {1, 2, 5})
      if (auto ticks = between(round_number(digit, power)); std::ssize(ticks) <= most) return ticks;
}

std::vector<double> log_ticks(double low, double high, int most) {
  auto ticks = round_numbers(low, high, {1, 2, 5});
  if (std::ssize(ticks) < 3) ticks = round_numbers(low, high, {1, 2, 3, 5, 7});
  if (std::ssize(ticks) < 3) return linear_ticks(low, high, most);
  if (std::ssize(ticks) > most) ticks = round_numbers(low, high, {1});
  const size_t every = (ticks.size() + static_cast<size_t>(most) - 1) / static_cast<size_t>(most);
  std::vector<double> kept;
  for (size_t i = 0; i < ticks.size(); i += every) kept.push_back(ticks[i]);
  return kept;
}

std::string tick_text(double value) {
  std::string text = format("%.10g", value == 0 ? 0.0 : value);  // no -0
  const size_t digits = std::min(text.find('.'), text.size()), sign = value < 0 ? 1 : 0;
  if (text.find('e') == std::string::npos && digits - sign >= 5)
    for (size_t at = digits; at > sign + 3;) text.insert(at -= 3, ",");
  return text;
}

Axis::Axis(Scale scale, double low, double high, double from, double to) : scale_(scale), from_(from), to_(to) {
  low_ = on_scale(low);
  high_ = on_scale(high);
  const double room = high_ > low_ ? 0.05 * (high_ - low_) : std::max(0.1, 0.05 * std::abs(low_));
  low_ -= room;
  high_ += room;
}

double Axis::on_scale(double value) const { return scale_ == Scale::linear ? value : std::log10(value); }

double Axis::at(double value) const { return from_ + (on_scale(value) - low_) / (high_ - low_) * (to_ - from_); }

std::vector<double> Axis::ticks(int most) const {
  return scale_ == Scale::linear ? linear_ticks(low_, high_, most)
                                 : log_ticks(std::pow(10, low_), std::pow(10, high_), most);
}

}  // namespace espalier
