// SPDX-License-Identifier: Apache-2.0
// What attention keeps for the backward pass grows with the tokens, not with the square of the sentence's length.
#include <gtest/gtest.h>

#include "core/ops.h"
#include "core/parallel.h"
#include "core/storage.h"

namespace espalier {
namespace {

// Bytes that stay alive after the forward pass of 1024 tokens in sentences of `length`, beside qkv itself.
size_t kept(int32_t length) {
  constexpr int64_t tokens = 1024, heads = 4, width = 64;
  std::vector<int32_t> offsets;
  for (int32_t at = 0; at <= tokens; at += length) offsets.push_back(at);
  const Tensor qkv = Tensor::zeros({tokens, 3 * width});
  LeafGrad grad;
  Tape tape;
  ops::attention(Var{qkv}, offsets, heads, {});  // the thread's scratch exists from now on
  release_pool();                                // a larger free block would be taken and counted whole
  const size_t before = storage_stats().live;
  const Var y = ops::attention(tape.leaf(qkv, grad), offsets, heads, {.probability = 0.1F});
  return storage_stats().live - before;
}

TEST(AttentionMemory, does_not_depend_on_the_length_of_sentences) {
  set_threads(1);  // others would make their scratch whenever they first take a task
  EXPECT_EQ(kept(16), kept(512));
  EXPECT_LT(kept(512), size_t{1024} * 64 * 4 + size_t{1024} * 4 * 4 + 65536);  // y and one number a token and head
  set_threads(0);
}

}  // namespace
}  // namespace espalier
