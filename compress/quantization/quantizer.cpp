// SPDX-License-Identifier: Apache-2.0
#include "compress/quantization/quantizer.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/check.h"
#include "core/kernels/fake_quant.h"
#include "core/pattern.h"
#include "nn/integers.h"

namespace espalier {
namespace {

const char* const table = "bert.embeddings.word_embeddings.weight";
const char* const on_key = "on";  // attribute of a state: whether numbers were rounded in its last step

// The weight that the quantizer's transform meets: behind those before it.
Tensor before(Parameter& p, const WeightTransform* transform) {
  if (p.settle) p.settle({});
  Var w{p.value};
  for (const auto& t : p.transforms) {
    if (t.get() == transform) break;
    w = t->apply(w, {});
  }
  return w.value;
}

}  // namespace

Quantizer::Quantizer(const QuantizeOptions& options) : options_(options), matched_(options.keep_f32.size()) {
  options_.check();
}

void Quantizer::add(const std::vector<Linear*>& linears) {
  bool keep = false;
  for (const Linear* linear : linears)
    for (size_t i = 0; i < options_.keep_f32.size(); ++i)
      if (matches(options_.keep_f32[i], linear->weight.name)) {
        keep = true;
        matched_[i] = 1;
      }
  if (keep) return;
  Site site{
      linears.front(),
      std::make_shared<InputFakeQuant>(options_.observes() ? options_.observer->make(8) : nullptr, options_.symmetric),
      {}};
  site.first->input_transforms.push_back(site.input);
  for (const Linear* linear : linears) {
    Parameter& w = linear->weight;
    CHECK(w.integers() == nullptr, "quantize: ", w.name, " is int8 already; start from the f32 checkpoint");
    site.weights.emplace_back(&w, std::make_shared<WeightFakeQuant>(options_.bits, site.input));
    w.transforms.push_back(site.weights.back().second);
  }
  sites_.push_back(std::move(site));
}

void Quantizer::attach(Bert& model, ParameterStore& store) {
  store.check_finite("quantize");
  for (EncoderLayer& layer : model.layers())
    for (const auto& linears : layer.by_input()) add(linears);
  for (Linear* linear : model.head().quantizable()) add({linear});
  for (size_t i = 0; i < matched_.size(); ++i)
    CHECK(matched_[i] != 0, "quantize: the pattern '", options_.keep_f32[i],
          "' matches no weight that would be quantized; expected a name with * for any text, such as "
          "bert.encoder.layer.0.*");
  if (options_.embedding_bits < 32) {
    Parameter& words = store.at(table);
    CHECK(words.integers() == nullptr, "quantize: ", words.name, " is int8 already; start from the f32 checkpoint");
    sites_.push_back(
        {nullptr, nullptr, {{&words, std::make_shared<WeightFakeQuant>(options_.embedding_bits, nullptr)}}});
    words.transforms.push_back(sites_.back().weights.back().second);
  }
  CHECK(!sites_.empty(), "quantize: all weights stay f32, nothing would be quantized; name fewer of them");
  if (!options_.learned) return;
  for (const Site& site : sites_) {
    if (site.input == nullptr) continue;  // the table keeps the scales of its rows' largest values
    scales_.store.add(site.weights.front().first->name + ".input_scale", {1}, Role::bias);
    for (const auto& [p, transform] : site.weights) scales_.store.add(p->name + ".scale", {p->shape[0]}, Role::bias);
  }
  scales_.start();
  for (const Site& site : sites_) {
    if (site.input == nullptr) continue;
    site.input->learn(&scales_.store.at(site.weights.front().first->name + ".input_scale"));
    for (const auto& [p, transform] : site.weights) transform->learn(&scales_.store.at(p->name + ".scale"));
  }
}

void Quantizer::before_forward(int64_t step) {
  for (const Site& site : sites_) {
    if (options_.learned && step == options_.begin && site.input != nullptr)
      for (const auto& [p, transform] : site.weights) {
        const Tensor w = before(*p, transform.get()), &scale = scales_.store.at(p->name + ".scale").value;
        for (int64_t r = 0; r < w.rows(); ++r)
          scale.data<float>()[r] = first_scale(w.view(r * w.cols(), {1, w.cols()}), options_.bits);
      }
    if (site.input != nullptr) site.input->observing = options_.freeze < 0 || step < options_.freeze;
  }
  set_on(step >= options_.begin);
}

void Quantizer::set_on(bool on) {
  on_ = on;
  for (const Site& site : sites_) {
    if (site.input != nullptr) site.input->on = on;
    for (const auto& [p, transform] : site.weights) transform->on = on;
  }
}

Observed Quantizer::take_observed() {
  std::vector<Observed> parts;
  for (const Site& site : sites_) parts.push_back(site.input != nullptr ? site.input->take_observed() : Observed());
  return joined(parts);
}

void Quantizer::absorb(std::span<const Observed> lanes) {
  for_parts(lanes, [&](size_t i, std::span<const Observed> part) {
    if (sites_[i].input != nullptr) sites_[i].input->absorb(part);
  });
}

std::vector<ParameterStore*> Quantizer::learned() {
  if (!scales_.started()) return {};
  return {&scales_.store};
}

void Quantizer::after_step(int64_t /*step*/) {
  if (!scales_.started()) return;
  scales_.step(options_.scale_rate);
  for (Parameter* p : scales_.store.all())
    for (float& s : p->value.span<float>())
      if (s < 1e-8F && s != 0) s = 1e-8F;  // 0: not begun yet
}

void Quantizer::before_evaluation() {
  for (const Site& site : sites_)
    for (const auto& [p, transform] : site.weights) transform->hold(true);
}

void Quantizer::after_evaluation() {
  for (const Site& site : sites_)
    for (const auto& [p, transform] : site.weights) transform->hold(false);
}

void Quantizer::convert() {
  for (const Site& site : sites_) {
    for (const auto& [p, transform] : site.weights) {
      const auto integers = transform->quantized(before(*p, transform.get()));
      std::erase(p->transforms, std::static_pointer_cast<WeightTransform>(transform));
      set_integers(*p, integers);
    }
    if (site.input != nullptr)
      std::erase(site.first->input_transforms, std::static_pointer_cast<WeightTransform>(site.input));
  }
  sites_.clear();
}

std::vector<std::string> Quantizer::sites() const {
  std::vector<std::string> names;
  for (const Site& site : sites_) names.push_back(site.weights.front().first->name);
  return names;
}

void Quantizer::enable(int64_t site) {
  for (int64_t i = 0; i < std::ssize(sites_); ++i) {
    const Site& s = sites_[static_cast<size_t>(i)];
    const bool on = site == i || site == std::ssize(sites_);
    if (s.input != nullptr) s.input->on = on;
    for (const auto& [p, transform] : s.weights) transform->on = on;
  }
}

void Quantizer::save(const Hdf5Group& group) const {
  const Hdf5Group observers = group.create_group("observers");
  for (const Site& site : sites_)
    if (site.input != nullptr && site.input->observer() != nullptr)
      site.input->observer()->save(observers.create_group(site.weights.front().first->name));
  observers.set_attribute(".", on_key, on_ ? "yes" : "no");
  scales_.save(group);
}

void Quantizer::load(const Hdf5Group& group) {
  const Hdf5Group observers = group.group("observers");
  for (const Site& site : sites_)
    if (site.input != nullptr && site.input->observer() != nullptr)
      site.input->observer()->load(observers.group(site.weights.front().first->name));
  // An evaluation may be due before the next step. Older states do not say it.
  if (observers.has_attribute(".", on_key)) set_on(observers.attribute(".", on_key) == "yes");
  scales_.load(group);
}

std::string Quantizer::describe() const {
  std::ostringstream text;
  int64_t tensors = 0, weights = 0;
  for (const Site& site : sites_)
    for (const auto& [p, transform] : site.weights) {
      ++tensors;
      weights += p->shape.size();
    }
  text << "quantize: weights of " << options_.bits << " bits, one scale a row" << (options_.learned ? " (learned)" : "")
       << "; inputs of 8 bits, "
       << (options_.mode == InputRanges::dynamic ? "one range a row as it comes"
           : options_.learned
               ? "one learned scale"
               : "one range by the observer " + options_.observer->name + (options_.symmetric ? ", symmetric" : ""));
  if (options_.embedding_bits < 32) text << "; word embeddings of " << options_.embedding_bits << " bits";
  text << "; " << tensors << " tensors (" << weights << " parameters)";
  if (options_.begin > 0) text << "; from step " << options_.begin;
  if (options_.freeze >= 0 && options_.observes()) text << "; ranges fixed from step " << options_.freeze;
  return text.str();
}

}  // namespace espalier
