// SPDX-License-Identifier: Apache-2.0
// GradientExchange: the part of a GradientSum between ranks. The gradients of a block of lanes travel in buckets as
// soon as they are complete, each piece to the rank that owns it, which sums the blocks in the tree's order. What is
// not dealt out, tables and the parameters of compressors, every rank sums for itself.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/ranks.h"
#include "optim/gradient_parts.h"
#include "optim/lanes.h"
#include "optim/pieces.h"

namespace espalier {

class GradientExchange {
 public:
  GradientExchange(const std::vector<ParameterStore*>& stores, int64_t lanes, DType dtype);

  void begin(const std::vector<uint8_t>& has_work);  // of each lane
  // The gradient of parameter p of store s is complete for a block of this rank.
  void ready(const Block& block, size_t s, size_t p);
  void end(const Block& block);  // the gradients of the block may change now
  void finish();                 // the stores have the sums

 private:
  struct Placed {  // a piece, and where a message has its parameter's flag and its elements
    Piece piece;
    size_t flag, first_byte;
    std::span<float> values() const;  // of its gradient
  };
  struct Share {  // of one owner
    std::vector<Placed> pieces;
    size_t bytes;  // of a message
  };
  struct Bucket {
    std::vector<Parameter*> parameters;
    std::vector<Share> shares;  // by owner
  };
  struct Summed {  // a piece, whose parts the blocks have
    size_t bucket;
    const Placed& placed;
    std::span<const float> own;  // the part of this rank's last block, which is in no message
  };
  struct Message {  // of one block and one bucket, for one owner: a flag for each parameter, then the pieces
    std::vector<std::byte> bytes;
    Transfer transfer;
  };
  size_t number(int64_t first_lane) const;  // of the block that begins there
  void make_buckets();
  void send_bucket(size_t block, size_t bucket);
  void pack(const Bucket& bucket, int owner, bool values, std::vector<std::byte>& bytes) const;  // else flags alone
  void sum_bucket(size_t bucket);
  std::span<const float> part(size_t block, const Summed& of, std::vector<float>& room) const;
  bool sum_piece(int64_t first_lane, int64_t lanes, const Summed& of, std::span<float> to) const;
  using SharedParts = std::vector<std::vector<GradientPart>>;  // [blocks][shared parameters]
  GradientPart sum_part(int64_t first_lane, int64_t lanes, SharedParts& parts, size_t parameter) const;
  bool is_block(size_t number, int64_t first_lane, int64_t lanes) const {
    return number < blocks_.size() && blocks_[number].first == first_lane && blocks_[number].size == lanes;
  }
  void sum_shared();

  std::vector<ParameterStore*> stores_;
  int64_t lanes_;
  DType dtype_;
  std::vector<Block> blocks_;
  size_t last_own_ = 0;         // of the blocks: the gradients that the stores still have in finish()
  std::vector<uint8_t> works_;  // [blocks] some lane has something to do
  std::vector<Bucket> buckets_;
  std::vector<std::vector<int64_t>> bucket_of_;  // [stores][parameters]; -1: summed by every rank
  std::vector<Parameter*> shared_;
  std::vector<std::vector<Message>> incoming_;  // [blocks][buckets]
  std::vector<Message> outgoing_;
  size_t sent_ = 0;               // of them, in this step
  std::vector<int64_t> missing_;  // [buckets] parameters of the open block that are not complete
  size_t next_ = 0;               // bucket of the open block that is sent next
  std::string shared_bytes_;      // of this rank's blocks, one after the other
};

}  // namespace espalier
