// SPDX-License-Identifier: Apache-2.0
#include "compress/report.h"

#include <algorithm>
#include <cmath>

namespace espalier {
namespace {

const std::string layer_prefix = "bert.encoder.layer.";

std::string part_of(const std::string& name, const Head& head) {
  if (name.starts_with("bert.embeddings")) return "embeddings";
  if (!name.starts_with(layer_prefix)) return head.parts();
  const size_t dot = name.find('.', layer_prefix.size());
  const std::string layer = name.substr(layer_prefix.size(), dot - layer_prefix.size());
  return "layer " + layer + (name.substr(dot).starts_with(".attention.") ? " attention" : " feed-forward");
}

int64_t zeros_of(const Tensor& t) { return std::count(t.span<float>().begin(), t.span<float>().end(), 0.0F); }

}  // namespace

PartReport& PartReport::operator+=(const PartReport& other) {
  parameters += other.parameters;
  zeros += other.zeros;
  stored += other.stored;
  flop += other.flop;
  skipped_f32 += other.skipped_f32;
  skipped_bf16 += other.skipped_bf16;
  skipped_int8 += other.skipped_int8;
  bits.insert(other.bits.begin(), other.bits.end());
  return *this;
}

int64_t stored_bytes(int64_t elements, int64_t zeros) {
  return std::min(4 * elements, (elements + 7) / 8 + 4 * (elements - zeros));
}

int64_t stored_bytes(const QuantizedWeight& weight, int64_t zeros) {
  const int64_t n = weight.out() * weight.in();
  const auto bytes = [&](int64_t count) { return weight.bits() <= 4 ? (count + 1) / 2 : count; };
  return std::min(bytes(n), (n + 7) / 8 + bytes(n - zeros)) + 4 * weight.grid().rows();
}

std::vector<PartReport> report_of(const Model& model, int64_t length) {
  const Head& head = model.bert->head();
  std::vector<PartReport> parts = {{"embeddings"}};
  for (int64_t i = 0; i < model.config.num_hidden_layers; ++i)
    for (const char* half : {" attention", " feed-forward"}) parts.push_back({"layer " + std::to_string(i) + half});
  parts.push_back({head.parts()});
  const auto part = [&](const std::string& name) -> PartReport& {
    return *std::ranges::find(parts, part_of(name, head), &PartReport::part);
  };
  for (const Parameter* p : model.store.all()) {
    const int64_t n = p->shape.size(), zeros = zeros_of(p->value);
    PartReport& to = part(p->name);
    const auto integers = p->integers();
    to += {.parameters = n,
           .zeros = zeros,
           .stored = integers == nullptr ? stored_bytes(n, zeros) : stored_bytes(*integers, zeros),
           .bits = {integers == nullptr ? 32 : integers->bits()}};
    if (p->role != Role::weight) continue;
    const double per_token =
        p->name.starts_with(layer_prefix) || head.width() == 0 ? 1 : 1 / static_cast<double>(length);
    to.flop += 2 * static_cast<double>(n) * per_token;
  }
  for (const EncoderLayer& layer : model.bert->layers()) {
    // Queries with keys, probabilities with values.
    part(layer.query.weight.name).flop += 4 * static_cast<double>(length * layer.query.weight.shape[0]);
    for (const Linear* linear : layer.linears()) {
      const Parameter& w = linear->weight;
      const auto skipped = [&](double left) { return 2 * static_cast<double>(w.shape.size()) * (1 - left); };
      if (const auto integers = w.integers())
        part(w.name) += {.skipped_int8 = skipped(integers->work_left())};
      else
        part(w.name) += {.skipped_f32 = skipped(InferenceWeight::work_left(w.value, DType::f32)),
                         .skipped_bf16 = skipped(InferenceWeight::work_left(w.value, DType::bf16))};
    }
  }
  return parts;
}

PartReport sum_of(const std::vector<PartReport>& parts) {
  PartReport total{"total"};
  for (const PartReport& part : parts) total += part;
  return total;
}

PartReport before_shrinking(const Model& model, PartReport total, int64_t length) {
  const BertConfig& c = model.config;
  for (int64_t layer = 0; layer < c.num_hidden_layers; ++layer) {
    const int64_t features = (c.num_attention_heads - c.heads_of(layer)) * c.head_size(),
                  neurons = c.intermediate_size - c.intermediate_of(layer),
                  weights = c.hidden_size * (4 * features + 2 * neurons);
    total.parameters += weights + 3 * features + neurons;
    total.flop += 2 * static_cast<double>(weights) + 4 * static_cast<double>(length * features);
  }
  return total;
}

const std::array<const char*, 8>& histogram_bins() {
  static const std::array<const char*, 8> bins = {"0", "<0.001", "<0.003", "<0.01", "<0.03", "<0.1", "<0.3", ">=0.3"};
  return bins;
}

std::array<double, 8> magnitude_histogram(const Model& model) {
  constexpr std::array<float, 6> edges = {0.001F, 0.003F, 0.01F, 0.03F, 0.1F, 0.3F};
  std::array<int64_t, 8> counts{};
  int64_t all = 0;
  for (const EncoderLayer& layer : model.bert->layers())
    for (const Linear* linear : layer.linears()) {
      for (const float w : linear->weight.value.span<float>()) {
        const float size = std::abs(w);
        const auto bin = std::upper_bound(edges.begin(), edges.end(), size) - edges.begin();
        ++counts[size == 0 ? 0 : static_cast<size_t>(bin) + 1];
      }
      all += linear->weight.shape.size();
    }
  std::array<double, 8> shares{};
  for (size_t i = 0; i < shares.size(); ++i) shares[i] = static_cast<double>(counts[i]) / static_cast<double>(all);
  return shares;
}

}  // namespace espalier
