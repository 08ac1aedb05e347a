// SPDX-License-Identifier: Apache-2.0
#include "nn/parameter.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/check.h"
#include "core/hash.h"
#include "core/kernels/fake_quant.h"
#include "core/parallel.h"

namespace espalier {

const char* name_of(Role role) {
  constexpr const char* names[] = {"weight", "embedding", "bias", "norm weight", "norm bias"};
  return names[static_cast<size_t>(role)];
}

Var Parameter::use(const Context& context) { return use_rows(context, {}); }

Var Parameter::use_rows(const Context& context, std::span<const int32_t> rows) {
  if (settle) settle(transforms.empty() ? rows : std::span<const int32_t>());
  Var v = context.tape != nullptr && !frozen ? context.tape->leaf(value, grad) : Var{value};
  for (const auto& transform : transforms) v = transform->apply(v, context);
  return v;
}

bool Parameter::keeps_value() const {
  return std::ranges::all_of(transforms, [](const auto& transform) { return transform->keeps_value(); });
}

std::shared_ptr<const QuantizedWeight> Parameter::integers() const {
  return transforms.empty() ? nullptr : transforms.back()->integers();
}

void Parameter::updated(int64_t first_element, int64_t count) const {
  for (const auto& transform : transforms)
    transform->after_update(first_element, value.span<float>().subspan(first_element, count));
  if (has_copy()) copy.refresh(first_element, count);
}

void Parameter::updated() const {
  parallel_rows(shape.size(), std::max<int64_t>(1, 16384 / copy.step) * copy.step,
                [&](int64_t begin, int64_t end) { updated(begin, end - begin); });
}

void ParameterStore::check_finite(const std::string& source) const {
  std::vector<uint8_t> finite(sorted_.size());
  parallel_for(std::ssize(sorted_), [&](int64_t i) {
    const Tensor& value = sorted_[static_cast<size_t>(i)]->value;
    finite[static_cast<size_t>(i)] = 1;
    if (!value) return;  // integers
    float least = 0, most = 0;
    kernels::range(value.size(), value.data<float>(), least, most);
    finite[static_cast<size_t>(i)] = std::isfinite(least) && std::isfinite(most) ? 1 : 0;
  });
  for (size_t i = 0; i < finite.size(); ++i)
    CHECK(finite[i] != 0, source, ": ", sorted_[i]->name, " holds a NaN or an infinity; has the training diverged?");
}

void ParameterStore::settle() const {
  for (Parameter* p : sorted_)
    if (p->settle) p->settle({});
}

Parameter& ParameterStore::add(const std::string& name, const Shape& shape, Role role) {
  CHECK(!values_, "parameters: ", name, " was added after the layout was made");
  auto [place, is_new] =
      by_name_.try_emplace(name, std::make_unique<Parameter>(Parameter{.name = name, .shape = shape, .role = role}));
  CHECK(is_new, "parameters: ", name, " exists already");
  const auto after = std::ranges::upper_bound(sorted_, name, {}, [](const Parameter* p) { return p->name; });
  sorted_.insert(after, place->second.get());
  return *place->second;
}

void ParameterStore::lay_out() {
  lay_out_unset();
  values_.fill_zero();
}

void ParameterStore::lay_out_unset() { lay_out_without({}); }

void ParameterStore::lay_out_without(const std::set<std::string>& names) {
  CHECK(!values_, "parameters: the layout is made already");
  int64_t total = 0;
  std::vector<Parameter*> placed;
  std::ranges::copy_if(sorted_, std::back_inserter(placed),
                       [&](const Parameter* p) { return !names.contains(p->name); });
  for (Parameter* p : placed) {
    p->first = total;
    total += (p->shape.size() + 15) / 16 * 16;
  }
  values_ = Tensor({total});
  for (Parameter* p : placed) {
    p->value = values_.view(p->first, p->shape);
    const int64_t n = p->shape.size(), with_gap = (n + 15) / 16 * 16;
    std::fill(values_.data<float>() + p->first + n, values_.data<float>() + p->first + with_gap, 0.0F);
  }
}

void ParameterStore::allocate(uint64_t seed, float range) {
  lay_out_unset();
  parallel_for(static_cast<int64_t>(sorted_.size()),
               [&](int64_t i) { initialise(*sorted_[static_cast<size_t>(i)], seed, range); });
}

void ParameterStore::initialise(Parameter& p, uint64_t seed, float range) const {
  float* const to = p.value.data<float>();
  if (p.role == Role::norm_weight) {
    std::fill_n(to, p.value.size(), 1.0F);
    return;
  }
  if (p.role == Role::bias || p.role == Role::norm_bias) return p.value.fill_zero();
  Rng rng(seed, fnv1a(p.name));  // the name's own stream of numbers
  for (int64_t i = 0; i < p.value.size(); ++i) to[i] = static_cast<float>(rng.normal() * range);
}

Parameter* ParameterStore::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

Parameter& ParameterStore::at(std::string_view name) const {
  Parameter* const p = find(name);
  CHECK(p != nullptr, "parameters: there is no ", name);
  return *p;
}

int64_t ParameterStore::count() const {
  int64_t total = 0;
  for (const Parameter* p : sorted_) total += p->shape.size();
  return total;
}

ParameterStore::Gradients ParameterStore::new_gradients() const {
  Gradients made{Tensor::zeros(values_.shape()), std::vector<LeafGrad>(sorted_.size())};
  for (size_t i = 0; i < sorted_.size(); ++i) {
    const Parameter& p = *sorted_[i];
    made.leaves[i].grad = made.values.view(p.first, p.shape);
    if (p.role == Role::embedding && !p.whole_gradient) made.leaves[i].rows.emplace(p.shape[0]);
  }
  return made;
}

void ParameterStore::swap_gradients(Gradients& others) {
  std::swap(gradients_, others.values);
  for (size_t i = 0; i < sorted_.size(); ++i) std::swap(sorted_[i]->grad, others.leaves[i]);
}

void ParameterStore::make_gradients() {
  if (gradients_) return;
  Gradients made = new_gradients();
  swap_gradients(made);
}

void ParameterStore::clear_gradients() {
  for (Parameter* p : sorted_) p->grad.written = false;
}

}  // namespace espalier
