// SPDX-License-Identifier: Apache-2.0
// A sentence's logits have the same bits alone, in any batch, at any place of it, and with any number of threads.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>

#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "nn/bert.h"

namespace espalier {
namespace {

// `length` tokens a sentence.
std::vector<std::vector<int32_t>> sentences_of(const std::vector<int32_t>& lengths) {
  std::mt19937 random(7);
  std::vector<std::vector<int32_t>> all;
  for (const int32_t length : lengths)
    for (auto& id : all.emplace_back(static_cast<size_t>(length))) id = static_cast<int32_t>(random() % 200);
  return all;
}

PackedBatch batch_of(const std::vector<std::vector<int32_t>>& sentences, std::span<const size_t> wanted) {
  PackedBatch batch;
  batch.offsets = {0};
  for (const size_t i : wanted) {
    batch.ids.insert(batch.ids.end(), sentences[i].begin(), sentences[i].end());
    batch.offsets.push_back(static_cast<int32_t>(batch.ids.size()));
  }
  batch.segments.resize(batch.ids.size(), 0);
  return batch;
}

class BatchBits : public testing::TestWithParam<DType> {};

TEST_P(BatchBits, are_those_of_the_sentence_alone) {
  BertConfig config;
  config.vocab_size = 200;
  config.hidden_size = 120;  // no multiple of any vector's length
  config.num_hidden_layers = 2;
  config.num_attention_heads = 3;
  config.intermediate_size = 328;
  config.max_position_embeddings = 160;
  config.labels = {"a", "b", "c"};
  std::vector<int32_t> lengths(48);
  std::iota(lengths.begin(), lengths.end(), 2);
  lengths.insert(lengths.end(), {1, 160, 129, 3});
  const auto sentences = sentences_of(lengths);
  for (const std::string& isa : kernels::available_isas()) {
    kernels::set_isa(isa);
    ParameterStore store;
    Bert model(store, config);
    store.lay_out();
    for (Parameter* p : store.all()) store.initialise(*p, 1, 0.3F);
    model.set_compute(GetParam(), Use::inference);
    const auto logits = [&](std::span<const size_t> wanted) {
      Context context;
      return model(batch_of(sentences, wanted), context).value;
    };
    std::vector<Tensor> alone;
    for (size_t i = 0; i < sentences.size(); ++i) alone.push_back(logits(std::array{i}));
    std::mt19937 random(3);
    std::vector<size_t> order(sentences.size());
    std::iota(order.begin(), order.end(), 0);
    for (int trial = 0; trial < 12; ++trial) {
      std::ranges::shuffle(order, random);
      const std::span<const size_t> wanted(order.data(), trial == 0 ? order.size() : 1 + random() % order.size());
      set_threads(trial % 3 + 1);
      const Tensor together = logits(wanted);
      for (size_t i = 0; i < wanted.size(); ++i) {
        const auto row = together.span<float>().subspan(i * 3, 3), expected = alone[wanted[i]].span<float>();
        ASSERT_EQ(std::memcmp(row.data(), expected.data(), row.size_bytes()), 0)
            << isa << ": sentence " << wanted[i] << " at place " << i << " of " << wanted.size() << ": " << row[0]
            << " for " << expected[0];
      }
    }
    set_threads(0);
  }
  kernels::set_isa("");
}

INSTANTIATE_TEST_SUITE_P(Types, BatchBits, testing::Values(DType::f32, DType::bf16),
                         [](const auto& type) { return name_of(type.param); });

}  // namespace
}  // namespace espalier
