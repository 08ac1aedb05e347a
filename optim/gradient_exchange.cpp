// SPDX-License-Identifier: Apache-2.0
#include "optim/gradient_exchange.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "core/check.h"
#include "core/kernels/elementwise.h"
#include "core/parallel.h"

namespace espalier {
namespace {

constexpr int64_t bucket_size = int64_t{1} << 20;  // elements, of whole parameters

constexpr size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }  // a piece begins at a multiple of that

// A backward pass completes the gradients from the largest on: the head, the layers from the last one on, the rest.
int64_t depth_of(const std::string& name) {
  const std::string_view layer = ".layer.";
  if (const size_t at = name.find(layer); at != std::string::npos)
    return std::stoll(name.substr(at + layer.size())) + 1;
  return name.starts_with("bert.embeddings") ? 0 : int64_t{1} << 40;
}

}  // namespace

GradientExchange::GradientExchange(const std::vector<ParameterStore*>& stores, int64_t lanes, DType dtype)
    : stores_(stores), lanes_(lanes), dtype_(dtype), blocks_(blocks_of(lanes, ranks())) {
  for (size_t b = 0; b < blocks_.size(); ++b)
    if (blocks_[b].rank == rank()) last_own_ = b;
}

std::span<float> GradientExchange::Placed::values() const {
  return piece.parameter->grad.grad.span<float>().subspan(static_cast<size_t>(piece.first),
                                                          static_cast<size_t>(piece.size));
}

// When the parameters have their copies, which decide how they are cut.
void GradientExchange::make_buckets() {
  if (!bucket_of_.empty()) return;
  std::map<const Parameter*, int64_t> bucket_of;
  std::vector<Parameter*> dealt;
  for (size_t s = 0; s < stores_.size(); ++s)
    for (Parameter* p : stores_[s]->all())
      if (s == 0 && dealt_out(*p))
        dealt.push_back(p);
      else if (!p->frozen)
        shared_.push_back(p);
  std::ranges::stable_sort(dealt, std::greater(), [](const Parameter* p) { return depth_of(p->name); });
  int64_t elements = bucket_size;
  for (Parameter* p : dealt) {
    if (elements >= bucket_size) {
      buckets_.push_back({{}, std::vector<Share>(static_cast<size_t>(ranks()))});
      elements = 0;
    }
    elements += p->shape.size();
    buckets_.back().parameters.push_back(p);
    bucket_of[p] = std::ssize(buckets_) - 1;
  }
  for (Bucket& bucket : buckets_)
    for (Share& share : bucket.shares) share.bytes = aligned(bucket.parameters.size());
  for (const Piece& piece : dealt_pieces(*stores_[0])) {
    Bucket& bucket = buckets_[static_cast<size_t>(bucket_of.at(piece.parameter))];
    Share& share = bucket.shares[static_cast<size_t>(owner(piece))];
    const auto flag = std::ranges::find(bucket.parameters, piece.parameter) - bucket.parameters.begin();
    share.pieces.push_back({piece, static_cast<size_t>(flag), share.bytes});
    share.bytes += aligned(static_cast<size_t>(piece.size) * size_of(dtype_));
  }
  for (const ParameterStore* store : stores_) {
    bucket_of_.emplace_back();
    for (const Parameter* p : store->all()) bucket_of_.back().push_back(bucket_of.contains(p) ? bucket_of.at(p) : -1);
  }
}

void GradientExchange::begin(const std::vector<uint8_t>& has_work) {
  make_buckets();
  works_.clear();
  for (const Block& block : blocks_)
    works_.push_back(std::any_of(has_work.begin() + block.first, has_work.begin() + block.first + block.size,
                                 [](uint8_t work) { return work != 0; }));
  incoming_.resize(blocks_.size());  // its messages keep their memory from step to step: new pages cost as much as sums
  for (size_t b = 0; b < blocks_.size(); ++b) {
    incoming_[b].resize(buckets_.size());
    if (works_[b] == 0 || blocks_[b].rank == rank()) continue;
    for (size_t i = 0; i < buckets_.size(); ++i) {
      Message& message = incoming_[b][i];
      message.bytes.resize(buckets_[i].shares[static_cast<size_t>(rank())].bytes);
      message.transfer = receive(blocks_[b].rank, Channel::gradients, message.bytes);
    }
  }
  shared_bytes_.clear();
  next_ = buckets_.size();
}

size_t GradientExchange::number(int64_t first_lane) const {
  return static_cast<size_t>(std::ranges::find(blocks_, first_lane, &Block::first) - blocks_.begin());
}

void GradientExchange::ready(const Block& block, size_t s, size_t p) {
  const size_t b = number(block.first);
  if (works_[b] == 0) return;
  if (next_ == buckets_.size()) {  // the first of this block
    next_ = 0;
    missing_.clear();
    for (const Bucket& bucket : buckets_) missing_.push_back(std::ssize(bucket.parameters));
  }
  const int64_t bucket = bucket_of_[s][p];
  if (bucket < 0) return;
  --missing_[static_cast<size_t>(bucket)];
  for (; next_ < buckets_.size() && missing_[next_] == 0; ++next_) send_bucket(b, next_);
}

void GradientExchange::send_bucket(size_t block, size_t bucket) {
  for (int to = 0; to < ranks(); ++to) {
    if (to == rank()) {
      pack(buckets_[bucket], to, block != last_own_, incoming_[block][bucket].bytes);
      continue;
    }
    if (sent_ == outgoing_.size()) outgoing_.emplace_back();
    Message& message = outgoing_[sent_++];
    pack(buckets_[bucket], to, true, message.bytes);
    message.transfer = send(to, Channel::gradients, message.bytes);
  }
}

void GradientExchange::pack(const Bucket& bucket, int owner, bool values, std::vector<std::byte>& bytes) const {
  const Share& share = bucket.shares[static_cast<size_t>(owner)];
  bytes.resize(values ? share.bytes : bucket.parameters.size());
  for (size_t i = 0; i < bucket.parameters.size(); ++i) bytes[i] = std::byte{bucket.parameters[i]->grad.written};
  if (!values) return;
  parallel_for(std::ssize(share.pieces), [&](int64_t i) {
    const Placed& placed = share.pieces[static_cast<size_t>(i)];
    std::byte* const to = bytes.data() + placed.first_byte;
    const std::span<const float> from = placed.values();
    if (!placed.piece.parameter->grad.written) return;
    if (dtype_ == DType::bf16)
      kernels::convert(std::ssize(from), from.data(), reinterpret_cast<Bf16*>(to));
    else
      std::memcpy(to, from.data(), from.size_bytes());
  });
}

void GradientExchange::end(const Block& block) {
  next_ = buckets_.size();
  if (works_[number(block.first)] != 0)
    for (const Parameter* p : shared_) write(part_of(p->grad), dtype_, shared_bytes_);
}

void GradientExchange::finish() {
  for (size_t i = 0; i < buckets_.size(); ++i) sum_bucket(i);
  sum_shared();
  for (Message& message : outgoing_) message.transfer.wait();
  sent_ = 0;
}

void GradientExchange::sum_bucket(size_t bucket) {
  const Bucket& b = buckets_[bucket];
  for (Parameter* p : b.parameters) p->grad.written = p->grad.by_rows = false;
  for (size_t n = 0; n < blocks_.size(); ++n) {
    if (works_[n] == 0) continue;
    Message& message = incoming_[n][bucket];
    message.transfer.wait();
    for (size_t i = 0; i < b.parameters.size(); ++i)
      if (message.bytes[i] != std::byte{0}) b.parameters[i]->grad.written = true;
  }
  const std::vector<Placed>& pieces = b.shares[static_cast<size_t>(rank())].pieces;
  parallel_for(std::ssize(pieces), [&](int64_t i) {
    const std::span<float> to = pieces[static_cast<size_t>(i)].values();
    const std::vector<float> own(to.begin(), to.end());  // the sum takes its place
    sum_piece(0, lanes_, {bucket, pieces[static_cast<size_t>(i)], own}, to);
  });
}

// What a block has for a piece; nothing, if nothing is written there. `room` is for numbers that must be converted.
std::span<const float> GradientExchange::part(size_t block, const Summed& of, std::vector<float>& room) const {
  if (works_[block] == 0) return {};
  const std::vector<std::byte>& bytes = incoming_[block][of.bucket].bytes;
  if (bytes[of.placed.flag] == std::byte{0}) return {};
  if (block == last_own_) return of.own;
  const std::byte* const from = bytes.data() + of.placed.first_byte;
  if (dtype_ != DType::bf16) return {reinterpret_cast<const float*>(from), of.own.size()};
  room.resize(of.own.size());
  kernels::convert(std::ssize(room), reinterpret_cast<const Bf16*>(from), room.data());
  return room;
}

// False: nothing is written there.
bool GradientExchange::sum_piece(int64_t first_lane, int64_t lanes, const Summed& of, std::span<float> to) const {
  std::vector<float> room;
  if (const size_t block = number(first_lane); is_block(block, first_lane, lanes)) {
    const std::span<const float> values = part(block, of, room);
    std::ranges::copy(values, to.begin());
    return !values.empty();
  }
  const int64_t half = lanes / 2, middle = first_lane + half;
  if (!sum_piece(first_lane, half, of, to)) return sum_piece(middle, half, of, to);
  std::span<const float> right;
  if (const size_t block = number(middle); is_block(block, middle, half)) {
    right = part(block, of, room);
  } else {
    room.resize(to.size());
    if (sum_piece(middle, half, of, room)) right = room;
  }
  if (right.empty()) return true;
  kernels::add(std::ssize(to), right.data(), to.data());
  if (dtype_ == DType::bf16) round_to_bf16(to);
  return true;
}

GradientPart GradientExchange::sum_part(int64_t first_lane, int64_t lanes, SharedParts& parts, size_t parameter) const {
  if (const size_t block = number(first_lane); is_block(block, first_lane, lanes))
    return works_[block] != 0 ? std::move(parts[block][parameter]) : GradientPart();
  GradientPart left = sum_part(first_lane, lanes / 2, parts, parameter);
  return sum(std::move(left), sum_part(first_lane + lanes / 2, lanes / 2, parts, parameter), dtype_);
}

void GradientExchange::sum_shared() {
  const std::vector<std::string> all = gather_all(shared_bytes_);
  SharedParts parts(blocks_.size());
  for (int from = 0; from < ranks(); ++from) {
    std::string_view bytes = all[static_cast<size_t>(from)];
    for (size_t block = 0; block < blocks_.size(); ++block)
      if (blocks_[block].rank == from && works_[block] != 0)
        for (size_t i = 0; i < shared_.size(); ++i) parts[block].push_back(read_part(bytes, dtype_));
  }
  for (size_t i = 0; i < shared_.size(); ++i) put(sum_part(0, lanes_, parts, i), shared_[i]->grad);
}

}  // namespace espalier
