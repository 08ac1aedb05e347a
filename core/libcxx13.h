// SPDX-License-Identifier: Apache-2.0
// What the standard library of Debian 12's Emscripten, libc++ 13, lacks of C++20. The wasm preset includes it before
// each source; nothing else does.
#pragma once

#include <algorithm>
#include <functional>
#include <iterator>

#if _LIBCPP_VERSION < 15000
namespace std {

template <class To, class From>
constexpr To bit_cast(const From& from) noexcept {
  return __builtin_bit_cast(To, from);
}

namespace ranges {

template <class Range, class F, class Projection = identity>
constexpr auto find_if(Range&& range, F f, Projection project = {}) {
  return std::find_if(std::begin(range), std::end(range), [&](auto&& x) { return invoke(f, invoke(project, x)); });
}
template <class Range, class T, class Projection = identity>
constexpr auto find(Range&& range, const T& value, Projection project = {}) {
  return std::find_if(std::begin(range), std::end(range), [&](auto&& x) { return invoke(project, x) == value; });
}
template <class Range, class F>
constexpr bool all_of(Range&& range, F f) {
  return std::all_of(std::begin(range), std::end(range), f);
}
template <class Range, class F>
constexpr bool any_of(Range&& range, F f) {
  return std::any_of(std::begin(range), std::end(range), f);
}
template <class Range, class F>
constexpr bool none_of(Range&& range, F f) {
  return std::none_of(std::begin(range), std::end(range), f);
}
template <class Range, class Other, class F = std::equal_to<>>
constexpr bool equal(Range&& a, Other&& b, F f = {}) {
  return std::equal(std::begin(a), std::end(a), std::begin(b), std::end(b), f);
}
template <class Range, class Out>
constexpr void copy(Range&& range, Out out) {
  std::copy(std::begin(range), std::end(range), out);
}
template <class Range, class F = std::less<>>
constexpr void sort(Range&& range, F f = {}) {
  std::sort(std::begin(range), std::end(range), f);
}
template <class Range, class F = std::less<>>
constexpr bool is_sorted(Range&& range, F f = {}) {
  return std::is_sorted(std::begin(range), std::end(range), f);
}
template <class Range, class F = std::less<>>
constexpr auto min_element(Range&& range, F f = {}) {
  return std::min_element(std::begin(range), std::end(range), f);
}
template <class Range, class F = std::less<>>
constexpr auto max_element(Range&& range, F f = {}) {
  return std::max_element(std::begin(range), std::end(range), f);
}

}  // namespace ranges
}  // namespace std
#endif
