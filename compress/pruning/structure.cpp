// SPDX-License-Identifier: Apache-2.0
#include "compress/pruning/structure.h"

#include <charconv>
#include <ostream>

#include "core/bitmap.h"
#include "core/check.h"
#include "core/pattern.h"

namespace espalier {
namespace {

// "2:4" -> 2 and 4; false if it is not two positive numbers with the separator between.
bool two_numbers(std::string_view text, char separator, int64_t& a, int64_t& b) {
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, a);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != separator) return false;
  const auto second = std::from_chars(first.ptr + 1, end, b);
  return second.ec == std::errc() && second.ptr == end && a >= 1 && b >= 1;
}

Member rows_of(Parameter& p, int64_t rows) {
  return {&p, rows, p.shape.rank() > 1 ? p.shape.cols() : 1, p.shape.rank() > 1};
}
Member columns_of(Parameter& p, int64_t cols) { return {&p, p.shape.rows(), cols, true}; }
Member elements_of(Parameter& p, const Structure& s) { return {&p, s.rows, s.cols, true}; }

Pool heads_of(const EncoderLayer& layer) {
  const int64_t size = layer.config.head_size();
  Pool pool{
      "heads of " + layer.query.weight.name.substr(0, layer.query.weight.name.find(".attention")), layer.heads, {}};
  for (const Linear* linear : {&layer.query, &layer.key, &layer.value}) {
    pool.members.push_back(rows_of(linear->weight, size));
    pool.members.push_back(rows_of(linear->bias, size));
  }
  pool.members.push_back(columns_of(layer.attention_output.weight, size));
  return pool;
}

Pool neurons_of(const EncoderLayer& layer) {
  return {
      "neurons of " + layer.output.weight.name.substr(0, layer.output.weight.name.find(".output")),
      layer.intermediate.weight.shape[0],
      {rows_of(layer.intermediate.weight, 1), rows_of(layer.intermediate.bias, 1), columns_of(layer.output.weight, 1)}};
}

// For the choice only: zeros do not take a layer away, compress/cutting/layers cuts it out.
Pool layers_of(const Bert& model) {
  Pool pool{"encoder layers", std::ssize(model.layers()), {}};
  for (int64_t i = 0; i < pool.units; ++i)
    for (const Linear* linear : model.layers()[static_cast<size_t>(i)].linears())
      pool.members.push_back({&linear->weight, linear->weight.shape[0], linear->weight.shape[1], true, i});
  return pool;
}

Pool elements(Parameter& p, const Structure& s) {
  CHECK(s.kind == Structure::Kind::weight || p.shape.rank() == 2, "prune: ", p.name, p.shape, " is no matrix; ",
        s.describe(), " are found in matrices only");
  CHECK(s.kind != Structure::Kind::n_of_m || p.shape.cols() % s.m == 0, "prune: ", s.n, ":", s.m, " does not divide ",
        p.name, p.shape, ", whose rows have ", p.shape.cols(), " weights");
  CHECK(s.kind != Structure::Kind::block || (p.shape.rows() % s.rows == 0 && p.shape.cols() % s.cols == 0),
        "prune: blocks of ", s.rows, "x", s.cols, " do not divide ", p.name, p.shape);
  const std::string units = s.kind == Structure::Kind::block ? "blocks" : "weights";
  return {units + " of " + p.name, p.shape.size() / (s.rows * s.cols), {elements_of(p, s)}};
}

// Calls f(unit, element) for all elements of a member.
template <class F>
void for_units(const Member& member, const F& f) {
  const int64_t cols = member.parameter->shape.rank() > 1 ? member.parameter->shape.cols() : 1;
  const int64_t rows = member.parameter->shape.size() / std::max<int64_t>(cols, 1), across = cols / member.cols;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t first = member.first_unit + r / member.rows * across;
    for (int64_t b = 0, c = 0; b < across; ++b)
      for (const int64_t end = c + member.cols; c < end; ++c) f(static_cast<size_t>(first + b), r * cols + c);
  }
}

}  // namespace

Structure::Structure(const std::string& text) {
  for (const auto& [name, whole] :
       {std::pair("weight", Kind::weight), {"head", Kind::head}, {"neuron", Kind::neuron}, {"layer", Kind::layer}})
    if (text == name) {
      kind = whole;
      return;
    }
  const std::string block = "block:";
  if (two_numbers(text, ':', n, m)) {
    CHECK(n < m && m <= 1024, "prune: structure ", text, ": expected to keep N of M weights, N below M, such as 2:4");
    kind = Kind::n_of_m;
  } else {
    CHECK(text.starts_with(block) && two_numbers(std::string_view(text).substr(block.size()), 'x', rows, cols),
          "prune: structure '", text,
          "': choose weight, N:M such as 2:4, block:RxC such as block:32x32, head, neuron or layer");
    kind = Kind::block;
  }
}

std::string Structure::text() const {
  switch (kind) {
    case Kind::weight:
      return "weight";
    case Kind::n_of_m:
      return std::to_string(n) + ":" + std::to_string(m);
    case Kind::block:
      return "block:" + std::to_string(rows) + "x" + std::to_string(cols);
    case Kind::head:
      return "head";
    case Kind::layer:
      return "layer";
    default:
      return "neuron";
  }
}

std::ostream& operator<<(std::ostream& out, const Structure& structure) { return out << structure.text(); }

std::string Structure::describe() const {
  switch (kind) {
    case Kind::weight:
      return "weights";
    case Kind::n_of_m:
      return std::to_string(n) + " of " + std::to_string(m) + " weights along the input";
    case Kind::block:
      return "blocks of " + std::to_string(rows) + "x" + std::to_string(cols);
    case Kind::head:
      return "attention heads";
    case Kind::layer:
      return "encoder layers";
    default:
      return "feed-forward neurons";
  }
}

std::vector<float> Pool::unit_scores(const Criterion& criterion, std::span<const Tensor> held) const {
  std::vector<double> sums(static_cast<size_t>(units));
  std::vector<uint8_t> alive(static_cast<size_t>(units));
  for (size_t i = 0; i < members.size(); ++i) {
    if (!members[i].scored) continue;
    const Parameter& p = *members[i].parameter;
    const Tensor scores = criterion.scores(p);
    CHECK(scores.shape() == p.shape, "prune: ", criterion.describe(), " has scores", scores.shape(), " for ", p.name,
          p.shape);
    const float* const s = scores.data<float>();
    for_units(members[i], [&](size_t unit, int64_t element) {
      if (!bit(held[i], element)) return;
      sums[unit] += static_cast<double>(s[element]);
      alive[unit] = 1;
    });
  }
  std::vector<float> result(sums.size());
  for (size_t u = 0; u < sums.size(); ++u) result[u] = alive[u] != 0 ? static_cast<float>(sums[u]) : pruned_already;
  return result;
}

int64_t Pool::scored_weights() const {
  int64_t sum = 0;
  for (const Member& member : members) sum += member.scored ? member.parameter->shape.size() / units : 0;
  return sum;
}

Tensor Pool::member_bits(const Member& member, std::span<const uint8_t> keep, const Tensor& held) {
  Tensor bits = held.clone();
  uint8_t* const to = bits.data<uint8_t>();
  for_units(member, [&](size_t unit, int64_t element) {  // no branch: which units go is a coin toss
    to[element / 8] &= static_cast<uint8_t>(~((keep[unit] == 0 ? 1U : 0U) << (element % 8)));
  });
  return bits;
}

std::vector<Pool> pools_of(const Structure& structure, const std::vector<std::string>& patterns, const Bert& model,
                           ParameterStore& store) {
  std::vector<Pool> all;
  if (structure.kind == Structure::Kind::head)
    for (const EncoderLayer& layer : model.layers()) all.push_back(heads_of(layer));
  else if (structure.kind == Structure::Kind::neuron)
    for (const EncoderLayer& layer : model.layers()) all.push_back(neurons_of(layer));
  else if (structure.kind == Structure::Kind::layer)
    all.push_back(layers_of(model));
  std::vector<uint8_t> used(patterns.size());
  const auto chosen = [&](const std::string& name) {
    bool any = false;
    for (size_t i = 0; i < patterns.size(); ++i)
      if (matches(patterns[i], name)) {
        any = true;
        used[i] = 1;
      }
    return any;
  };
  std::vector<Pool> pools;
  for (Pool& pool : all) {
    bool any = patterns.empty();
    for (const Member& member : pool.members) any |= member.scored && chosen(member.parameter->name);
    if (any) pools.push_back(std::move(pool));
  }
  if (all.empty() && patterns.empty()) {
    for (const EncoderLayer& layer : model.layers())
      for (const Linear* linear : layer.linears()) pools.push_back(elements(linear->weight, structure));
  } else if (all.empty()) {
    for (Parameter* p : store.all())
      if (chosen(p->name)) pools.push_back(elements(*p, structure));
  }
  for (size_t i = 0; i < patterns.size(); ++i)
    CHECK(used[i] != 0, "prune: the layer pattern '", patterns[i], "' matches no ",
          all.empty() ? "parameter" : "matrix of " + structure.describe(),
          "; expected a name with * for any text, such as bert.encoder.layer.0.*.weight");
  return pools;
}

}  // namespace espalier
