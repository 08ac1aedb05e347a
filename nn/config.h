// SPDX-License-Identifier: Apache-2.0
// BertConfig: a model's shape, by the names of Hugging Face's config.json of BERT. Read and written by data/, used by
// nn/bert.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/activation.h"

namespace espalier {

// Encoders whose layers are BERT's. They differ in their embeddings, in the head of whole sentences and in where
// dropout acts; parameters have BERT's names in all of them.
enum class Architecture {
  bert,        // Devlin et al. 2019, arXiv:1810.04805
  distilbert,  // Sanh et al. 2019, arXiv:1910.01108
  roberta,     // Liu et al. 2019, arXiv:1907.11692
  electra      // Clark et al. 2020, arXiv:2003.10555
};

struct BertConfig {
  Architecture architecture = Architecture::bert;
  int64_t vocab_size = 30522;
  int64_t hidden_size = 768;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t intermediate_size = 3072;
  int64_t embedding_size = 0;             // of the embeddings, before a projection to hidden_size; 0: as hidden_size
  int64_t max_position_embeddings = 512;  // rows of the position table
  int64_t first_position = 0;             // the row of a sentence's first token; RoBERTa's: the padding token + 1
  int64_t type_vocab_size = 2;            // 0: no embeddings of segments
  Activation activation = Activation::gelu;
  float layer_norm_eps = 1e-12F;
  float hidden_dropout_prob = 0.1F;
  float attention_probs_dropout_prob = 0.1F;
  float classifier_dropout = -1;  // negative: as hidden_dropout_prob
  float initializer_range = 0.02F;
  std::string head = "classification";                       // the task, by its name in nn/heads
  std::vector<std::string> labels = {"LABEL_0", "LABEL_1"};  // class names in order

  // What pruning has left of each layer, one number a layer; empty: all of it. Heads keep their size.
  std::vector<int64_t> layer_heads = {}, layer_intermediate = {};

  int64_t heads_of(int64_t layer) const {
    return layer_heads.empty() ? num_attention_heads : layer_heads.at(static_cast<size_t>(layer));
  }
  int64_t intermediate_of(int64_t layer) const {
    return layer_intermediate.empty() ? intermediate_size : layer_intermediate.at(static_cast<size_t>(layer));
  }
  int64_t embedding_width() const { return embedding_size == 0 ? hidden_size : embedding_size; }
  int64_t longest() const { return max_position_embeddings - first_position; }  // tokens of a sentence or pair
  // DistilBERT has no dropout behind the output product of attention.
  float attention_output_dropout() const { return architecture == Architecture::distilbert ? 0 : hidden_dropout_prob; }
  int64_t head_size() const { return hidden_size / num_attention_heads; }
  int64_t classes() const { return static_cast<int64_t>(labels.size()); }

  // Throws naming the first field that is out of range or does not fit another; `source` begins the text.
  void check(const std::string& source) const;

  // tiny, mini, small, medium (Turc et al. 2019, arXiv:1908.08962), base or large (Devlin et al. 2019); throws listing
  // these names.
  static BertConfig of_size(const std::string& size);
};

}  // namespace espalier
