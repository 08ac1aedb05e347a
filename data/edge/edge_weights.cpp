// SPDX-License-Identifier: Apache-2.0
#include "data/edge/edge_weights.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace espalier {
namespace {

NormWeights norm_of(const EdgeFile& file, const std::string& name, int64_t hidden) {
  return {reals_of(file, name + ".weight", {hidden}), reals_of(file, name + ".bias", {hidden})};
}

LayerWeights layer_of(const EdgeFile& file, const std::string& name, int64_t hidden, int64_t heads, int64_t head_size) {
  const std::string attention = name + ".attention";
  LayerWeights l = {.heads = heads};
  l.query = linear_of(file, attention + ".self.query", hidden);
  l.key = linear_of(file, attention + ".self.key", hidden);
  l.value = linear_of(file, attention + ".self.value", hidden);
  l.attention_output = linear_of(file, attention + ".output.dense", heads * head_size);
  l.attention_norm = norm_of(file, attention + ".output.LayerNorm", hidden);
  l.intermediate = linear_of(file, name + ".intermediate.dense", hidden);
  l.output = linear_of(file, name + ".output.dense", l.intermediate.out);
  l.output_norm = norm_of(file, name + ".output.LayerNorm", hidden);
  for (const LinearWeights* part : {&l.query, &l.key, &l.value}) {
    CHECK(part->out == heads * head_size, file.source(), ": ", name, ": query, key or value has ", part->out,
          " outputs, expected ", heads, " heads of ", head_size);
    const auto first = as<QuantizedWeight>(l.query.form), own = as<QuantizedWeight>(part->form);
    CHECK((first == nullptr) == (own == nullptr) && (own == nullptr || own->shares_input(*first)), file.source(), ": ",
          name, ": query, key and value read the same input in different ways");
  }
  CHECK(l.attention_output.out == hidden && l.output.out == hidden, file.source(), ": ", name,
        ": does not end with its ", hidden, " hidden numbers");
  return l;
}

}  // namespace

Tensor finite_reals(const EdgeFile& file, const std::string& name, int rank) {
  Tensor t = file.tensor(name, DType::f32, rank);
  const std::span<const float> all = t.span<float>();
  const auto at = std::find_if_not(all.begin(), all.end(), [](float v) { return std::isfinite(v); });
  CHECK(at == all.end(), file.source(), ": section '", name, "' holds ", *at, " at ", at - all.begin(),
        "; expected finite numbers");
  return t;
}

Tensor reals_of(const EdgeFile& file, const std::string& name, const Shape& shape) {
  Tensor t = finite_reals(file, name, shape.rank());
  CHECK(t.shape() == shape, file.source(), ": section '", name, "' has the shape ", t.shape(), ", expected ", shape);
  return t;
}

LinearWeights linear_of(const EdgeFile& file, const std::string& name, int64_t in) {
  const std::string weight = name + ".weight";
  LinearWeights l = {.in = in};
  if (has_integers(file, weight)) {
    const auto integers = integers_of(file, weight);
    CHECK(integers->products() && integers->in() == in, file.source(), ": ", weight, " reads ", integers->in(),
          " numbers, expected ", in);
    l.out = integers->out();
    l.form = integers;
  } else {
    const Tensor w = finite_reals(file, weight, 2);
    CHECK(w.cols() == in, file.source(), ": ", weight, " has the shape ", w.shape(), ", expected [*, ", in, "]");
    l.out = w.rows();
    l.form = std::make_shared<const InferenceWeight>(w, DType::f32);
  }
  l.bias = reals_of(file, name + ".bias", {l.out});
  return l;
}

int64_t hidden_of(const EdgeFile& file) {
  return file.tensor("bert.encoder.layer.0.output.LayerNorm.weight", DType::f32, 1).size();
}

EdgeEncoder edge_encoder(const EdgeFile& file) {
  EdgeEncoder e;
  if (!file.has("encoder")) return e;
  const std::vector<int32_t> numbers = file.integers("encoder");
  CHECK(numbers.size() == 3 && numbers[0] >= 0 && numbers[1] >= 0 && numbers[1] <= static_cast<int>(Activation::silu) &&
            numbers[2] >= 0 && numbers[2] <= 2,
        file.source(),
        ": section 'encoder' does not name a first position, an activation and a pooler that this program "
        "knows; a newer one may");
  return {numbers[0], static_cast<Activation>(numbers[1]), numbers[2]};
}

EngineWeights encoder_of(const EdgeFile& file) {
  const std::string embeddings = "bert.embeddings.", word = embeddings + "word_embeddings.weight";
  EngineWeights w;
  w.position = finite_reals(file, embeddings + "position_embeddings.weight", 2);
  const int64_t width = w.position.cols(), hidden = hidden_of(file);
  if (file.has(embeddings + "token_type_embeddings.weight"))
    w.segment = finite_reals(file, embeddings + "token_type_embeddings.weight", 2);
  if (has_integers(file, word))
    w.word_integers = integers_of(file, word);
  else
    w.word = finite_reals(file, word, 2);
  CHECK((!w.segment || w.segment.cols() == width) && (w.word_integers ? w.word_integers->in() : w.word.cols()) == width,
        file.source(), ": the embeddings do not all have ", width, " numbers a row");
  CHECK(!w.word_integers || !w.word_integers->products(), file.source(), ": ", word, " is no table");
  w.norm = norm_of(file, embeddings + "LayerNorm", width);
  const EdgeEncoder own = edge_encoder(file);
  w.first_position = own.first_position;
  w.activation = own.activation;
  CHECK(w.first_position < w.position.rows(), file.source(), ": the first position is ", w.first_position, " of ",
        w.position.rows());
  if (width != hidden) {
    w.projection = linear_of(file, "bert.embeddings_project", width);
    CHECK(w.projection->out == hidden && as<InferenceWeight>(w.projection->form) != nullptr, file.source(),
          ": bert.embeddings_project does not make ", hidden, " real numbers");
  }
  w.eps = reals_of(file, "layer_norm_eps", {1}).data<float>()[0];
  const std::vector<int32_t> heads = file.integers("heads"), head_size = file.integers("head_size");
  CHECK(!heads.empty() && head_size.size() == 1 && head_size[0] > 0 &&
            std::all_of(heads.begin(), heads.end(), [](int32_t n) { return n > 0 && n < 65536; }),
        file.source(), ": the sections 'heads' and 'head_size' do not say how many heads there are");
  w.head_size = head_size[0];
  for (size_t i = 0; i < heads.size(); ++i)
    w.layers.push_back(layer_of(file, "bert.encoder.layer." + std::to_string(i), hidden, heads[i], w.head_size));
  return w;
}

}  // namespace espalier
