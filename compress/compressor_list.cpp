// SPDX-License-Identifier: Apache-2.0
#include "compress/compressor_list.h"

#include <algorithm>

namespace espalier {

void CompressorList::attach(Bert& model, ParameterStore& store) {
  for (const auto& c : list_) c->attach(model, store);
}

void CompressorList::before_forward(int64_t step) {
  for (const auto& c : list_) c->before_forward(step);
}

Var CompressorList::loss(const Var& task, const StepOutput& output, const Context& context) {
  Var loss = task;
  for (const auto& c : list_) loss = c->loss(loss, output, context);
  return loss;
}

std::map<std::string, double> CompressorList::terms() const {
  std::map<std::string, double> all;
  for (const auto& c : list_)
    for (const auto& [name, value] : c->terms()) all[name] = value;
  return all;
}

bool CompressorList::looks_inside() const {
  return std::ranges::any_of(list_, [](const auto& c) { return c->looks_inside(); });
}

Observed CompressorList::take_observed() {
  std::vector<Observed> parts;
  for (const auto& c : list_) parts.push_back(c->take_observed());
  return joined(parts);
}

void CompressorList::absorb(std::span<const Observed> lanes) {
  for_parts(lanes, [&](size_t i, std::span<const Observed> part) { list_[i]->absorb(part); });
}

std::vector<ParameterStore*> CompressorList::learned() {
  std::vector<ParameterStore*> all;
  for (const auto& c : list_)
    for (ParameterStore* store : c->learned()) all.push_back(store);
  return all;
}

bool CompressorList::reads_gradients() const {
  return std::ranges::any_of(list_, [](const auto& c) { return c->reads_gradients(); });
}

void CompressorList::after_backward(int64_t step) {
  for (const auto& c : list_) c->after_backward(step);
}

void CompressorList::after_step(int64_t step) {
  for (const auto& c : list_) c->after_step(step);
}

bool CompressorList::complete(int64_t step) const {
  return std::ranges::all_of(list_, [&](const auto& c) { return c->complete(step); });
}

void CompressorList::before_evaluation() {
  for (const auto& c : list_) c->before_evaluation();
}

void CompressorList::after_evaluation() {
  for (const auto& c : list_) c->after_evaluation();
}

void CompressorList::save(const Hdf5Group& group) const {
  for (size_t i = 0; i < list_.size(); ++i) list_[i]->save(group.create_group(std::to_string(i)));
}

void CompressorList::load(const Hdf5Group& group) {
  for (size_t i = 0; i < list_.size(); ++i) list_[i]->load(group.group(std::to_string(i)));
}

std::map<std::string, std::string> CompressorList::inputs() const {
  std::map<std::string, std::string> all;
  for (const auto& c : list_)
    for (const auto& [name, fingerprint] : c->inputs()) all[name] = fingerprint;
  return all;
}

std::string CompressorList::describe() const {
  std::string text;
  for (const auto& c : list_) text += (text.empty() ? "" : "\n") + c->describe();
  return text;
}

}  // namespace espalier
