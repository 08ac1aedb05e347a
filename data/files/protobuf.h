// SPDX-License-Identifier: Apache-2.0
// Writes messages in the wire format of Protocol Buffers (protobuf.dev, "Encoding"), of which ONNX files and
// TensorBoard's event files consist. Used by data/models/onnx_graph and apps/training/event_file.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace espalier {

// The bytes of one message. Fields follow each other in the order of the calls; a repeated field is written again.
class ProtobufMessage {
 public:
  // An integer or an enum.
  ProtobufMessage& number(int field, int64_t value) {
    tag(field, 0);
    return varint(static_cast<uint64_t>(value));
  }
  ProtobufMessage& real(int field, float value) {
    tag(field, 5);
    return fixed(std::bit_cast<uint32_t>(value), 32);
  }
  ProtobufMessage& real64(int field, double value) {
    tag(field, 1);
    return fixed(std::bit_cast<uint64_t>(value), 64);
  }
  // A string or bytes.
  ProtobufMessage& text(int field, std::string_view value) {
    begin(field, static_cast<int64_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  ProtobufMessage& message(int field, const ProtobufMessage& value) { return text(field, value.bytes_); }
  // What stands before a string, bytes or a message of that many bytes, which somebody else writes next.
  ProtobufMessage& begin(int field, int64_t length) {
    tag(field, 2);
    return varint(static_cast<uint64_t>(length));
  }

  const std::string& bytes() const { return bytes_; }
  int64_t size() const { return static_cast<int64_t>(bytes_.size()); }

 private:
  void tag(int field, unsigned wire_type) { varint(static_cast<uint64_t>(field) << 3U | uint64_t{wire_type}); }
  ProtobufMessage& varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>((value & 0x7fU) | 0x80U);
    bytes_ += static_cast<char>(value);
    return *this;
  }
  ProtobufMessage& fixed(uint64_t value, int bits) {  // the lowest byte first
    for (int shift = 0; shift < bits; shift += 8) bytes_ += static_cast<char>(value >> shift & 0xffU);
    return *this;
  }

  std::string bytes_;
};

}  // namespace espalier
