// SPDX-License-Identifier: Apache-2.0
#include "data/edge/edge_export.h"

#include "core/check.h"
#include "core/nibbles.h"
#include "data/edge/edge_writer.h"
#include "nn/heads/answer.h"
#include "nn/heads/pooled_head.h"

namespace espalier {
namespace {

// s8[rows, cols] in half the bytes; cols is even.
Tensor halved(const std::byte* bytes, int64_t rows, int64_t cols) {
  const auto* const values = reinterpret_cast<const int8_t*>(bytes);
  return packed_nibbles({values, static_cast<size_t>(rows * cols)}).reshaped({rows, cols / 2});
}

void add_integers(EdgeWriter& writer, const std::string& name, const QuantizedWeight& weight) {
  const bool four = weight.bits() <= 4;
  writer.add(name + ".bits", std::vector<int32_t>{weight.bits(), weight.products() ? 1 : 0});
  writer.add(name + ".scales", weight.grid().scale);
  if (!weight.products()) {
    const Tensor q = weight.q();
    return writer.add(name + ".integers", four && q.cols() % 2 == 0 ? halved(q.raw(), q.rows(), q.cols()) : q);
  }
  if (const std::optional<QuantGrid>& input = weight.input())
    writer.add(
        name + ".input_grid",
        Tensor::of<float>({4}, std::vector<float>{input->scale.data<float>()[0],
                                                  static_cast<float>(input->zero_point.data<int32_t>()[0]),
                                                  static_cast<float>(input->low), static_cast<float>(input->high)}));
  const PackedQuads packed = weight.packed();
  const int64_t bytes = 4 * packed.values.cols();
  writer.add(name + ".shape", std::vector{static_cast<int32_t>(weight.out()), static_cast<int32_t>(weight.in())});
  writer.add(name + ".quads", four ? halved(packed.values.raw(), packed.values.rows(), bytes) : packed.values);
  writer.add(name + ".index", packed.index);
  writer.add(name + ".firsts", packed.firsts);
}

void add_tokenizer(EdgeWriter& writer, const Tokenizer& tokenizer) {
  const TokenizerOptions& o = tokenizer.options();
  std::vector<std::string> added;
  std::vector<int32_t> flags;
  for (const AddedToken& t : o.added_tokens) {
    added.push_back(t.content);
    flags.push_back((t.special ? 1 : 0) | (t.normalized ? 2 : 0) | (t.lstrip ? 4 : 0) | (t.rstrip ? 8 : 0) |
                    (t.single_word ? 16 : 0) | (t.piece ? 32 : 0));
  }
  writer.add("vocabulary", tokenizer.vocabulary());
  writer.add("tokenizer", std::vector<int32_t>{o.lowercase, o.strip_accents.value_or(o.lowercase),
                                               o.tokenize_chinese_chars, o.segments});
  writer.add("added_tokens", added);
  const auto& [pad, unk, cls, sep, mask] = o.special;
  if (o.special != SpecialTokens()) writer.add("special_tokens", std::vector<std::string>{pad, unk, cls, sep, mask});
  if (o.longest_word != TokenizerOptions().longest_word)
    writer.add("longest_word", std::vector{static_cast<int32_t>(o.longest_word)});
  if (o.kind == TokenizerKind::byte_level_bpe) {
    writer.add("merges", o.merges);
    writer.add("add_prefix_space", std::vector<int32_t>{o.add_prefix_space});
  }
  writer.add("added_token_flags", flags);
}

// What differs from BERT; a runtime that does not know it refuses the section.
void add_encoder(EdgeWriter& writer, const Model& model) {
  const auto& head = dynamic_cast<const PooledHead&>(model.bert->head());
  writer.add("encoder", std::vector{static_cast<int32_t>(model.config.first_position),
                                    static_cast<int32_t>(model.config.activation), static_cast<int32_t>(head.pool())});
}

void check_servable(const Model& model) {
  CHECK(answer_of_task(model.config.head) != nullptr, model.source, ": has the head '", model.config.head,
        "', which an edge file cannot hold; expected classification, multi-label or regression");
  CHECK(dynamic_cast<const PooledHead*>(&model.bert->head()) != nullptr, model.source,
        ": has a head of its own class, "
        "which an edge file cannot hold; expected one that reads the first token");
  for (const EncoderLayer& layer : model.bert->layers())
    for (const Linear* linear : layer.linears())
      CHECK(linear->input_transforms.empty(), model.source, ": the input of ", linear->weight.name,
            " is transformed, which an edge file cannot hold; save the finished model first");
}

}  // namespace

Exported export_edge(const Model& model, const std::filesystem::path& path) {
  check_servable(model);
  EdgeWriter writer;
  const BertConfig& config = model.config;
  std::vector<int32_t> heads;
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) heads.push_back(static_cast<int32_t>(config.heads_of(i)));
  writer.add("task", std::vector<std::string>{config.head});
  writer.add("labels", config.labels);
  writer.add("heads", heads);
  writer.add("head_size", std::vector{static_cast<int32_t>(config.head_size())});
  writer.add("layer_norm_eps", Tensor::of<float>({1}, std::span(&config.layer_norm_eps, 1)));
  if (config.architecture != Architecture::bert || config.activation != Activation::gelu) add_encoder(writer, model);
  add_tokenizer(writer, model.tokenizer);
  for (Parameter* p : model.store.all())
    if (const auto integers = p->integers())
      add_integers(writer, p->name, *integers);
    else
      writer.add(p->name, p->use({}).value);
  return {.bytes = writer.write(path), .notes = {"the program edge and espalier.h answer with it"}};
}

}  // namespace espalier
