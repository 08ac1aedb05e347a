// SPDX-License-Identifier: Apache-2.0
#include "nn/config.h"

#include "core/check.h"

namespace espalier {

void BertConfig::check(const std::string& source) const {
  const auto positive = [&](const char* field, int64_t value, int64_t limit) {
    CHECK(value >= 1 && value <= limit, source, ": ", field, " is ", value, ", expected 1 … ", limit);
  };
  positive("vocab_size", vocab_size, 10'000'000);
  positive("hidden_size", hidden_size, 65'536);
  positive("num_hidden_layers", num_hidden_layers, 1'000);
  positive("num_attention_heads", num_attention_heads, 1'024);
  positive("intermediate_size", intermediate_size, 1'000'000);
  positive("max_position_embeddings", max_position_embeddings, 100'000);
  if (architecture != Architecture::distilbert) positive("type_vocab_size", type_vocab_size, 1'000);
  positive("embedding_size", embedding_width(), 65'536);
  CHECK(first_position >= 0 && first_position < max_position_embeddings, source, ": the first position is ",
        first_position, ", expected a row of the ", max_position_embeddings, " of max_position_embeddings");
  positive("number of labels", classes(), 100'000);
  CHECK(hidden_size % num_attention_heads == 0, source, ": hidden_size ", hidden_size,
        " is not a multiple of num_attention_heads ", num_attention_heads);
  const auto per_layer = [&](const char* field, const std::vector<int64_t>& values, int64_t limit) {
    CHECK(values.empty() || std::ssize(values) == num_hidden_layers, source, ": ", field, " has ", values.size(),
          " numbers, expected one for each of the ", num_hidden_layers, " layers");
    for (const int64_t value : values) positive(field, value, limit);
  };
  per_layer("attention_heads of pruned_layers", layer_heads, num_attention_heads);
  per_layer("intermediate_size of pruned_layers", layer_intermediate, intermediate_size);
  const auto probability = [&](const char* field, float value) {
    CHECK(value >= 0 && value < 1, source, ": ", field, " is ", value, ", expected 0 … 1, without 1");
  };
  probability("hidden_dropout_prob", hidden_dropout_prob);
  probability("attention_probs_dropout_prob", attention_probs_dropout_prob);
  CHECK(classifier_dropout < 1, source, ": classifier_dropout is ", classifier_dropout, ", expected 0 … 1, without 1");
  CHECK(layer_norm_eps > 0 && layer_norm_eps < 1, source, ": layer_norm_eps is ", layer_norm_eps,
        ", expected a small positive number");
  CHECK(initializer_range > 0 && initializer_range < 10, source, ": initializer_range is ", initializer_range,
        ", expected a small positive number");
}

BertConfig BertConfig::of_size(const std::string& size) {
  struct Row {
    const char* name;
    int64_t layers, hidden;
  };
  for (const Row& row : {Row{"tiny", 2, 128}, Row{"mini", 4, 256}, Row{"small", 4, 512}, Row{"medium", 8, 512},
                         Row{"base", 12, 768}, Row{"large", 24, 1024}}) {
    if (size != row.name) continue;
    BertConfig config;
    config.num_hidden_layers = row.layers;
    config.hidden_size = row.hidden;
    config.num_attention_heads = row.hidden / 64;
    config.intermediate_size = 4 * row.hidden;
    return config;
  }
  fail("random:", size, ": there is no such size, choose tiny, mini, small, medium, base or large");
}

}  // namespace espalier
