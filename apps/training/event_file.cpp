// SPDX-License-Identifier: Apache-2.0
// A record: u64 length, u32 checksum of the length, the bytes, u32 checksum of the bytes, the lowest byte first.
// Event: double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5.
// Summary: repeated Value value = 1. Value: string tag = 1; float simple_value = 2.
#include "apps/training/event_file.h"

#include "core/crc32c.h"
#include "data/files/protobuf.h"

namespace espalier {
namespace {

constexpr size_t header = 12, around = 16;  // bytes before a record's own, and in all

std::string lowest_first(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xffU);
  return text;
}

uint64_t number_of(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

// As TFRecord masks its checksums: a checksum of bytes that hold their own checksum would say little.
uint32_t masked_sum(std::string_view bytes) {
  const uint32_t sum = crc32c(bytes);
  return ((sum >> 15U) | (sum << 17U)) + 0xa282ead8U;
}

std::string framed(const ProtobufMessage& event) {
  const std::string length = lowest_first(event.bytes().size(), 8);
  return length + lowest_first(masked_sum(length), 4) + event.bytes() + lowest_first(masked_sum(event.bytes()), 4);
}

uint64_t take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; !bytes.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) break;
  }
  return value;
}

// The fields stand in the order in which event_record() writes them: time, step, summary, value, tag.
bool begins_with(std::string_view& bytes, char tag) {
  if (bytes.empty() || bytes.front() != tag) return false;
  bytes.remove_prefix(1);
  return true;
}

}  // namespace

std::string event_file_begin(double time) { return framed(ProtobufMessage().real64(1, time).text(3, "brain.Event:2")); }

std::string event_record(double time, int64_t step, const Scalars& scalars) {
  ProtobufMessage summary;
  for (const auto& [tag, value] : scalars)
    summary.message(1, ProtobufMessage().text(1, tag).real(2, static_cast<float>(value)));
  return framed(ProtobufMessage().real64(1, time).number(2, step).message(5, summary));
}

bool take_event(std::string_view& bytes, EventRecord& record) {
  if (bytes.size() < around) return false;
  const uint64_t size = number_of(bytes.substr(0, 8));
  if (size < 9 || size > bytes.size() - around) return false;
  std::string_view event = bytes.substr(header, size);
  if (number_of(bytes.substr(header + size, 4)) != masked_sum(event)) return false;
  record = {.bytes = bytes.substr(0, around + size)};
  bytes.remove_prefix(around + size);
  event.remove_prefix(9);  // the time
  if (!begins_with(event, 0x10)) return true;
  record.step = static_cast<int64_t>(take_varint(event));
  for (const char tag : {'\x2a', '\x0a', '\x0a'}) {
    if (!begins_with(event, tag)) return true;
    const uint64_t length = take_varint(event);
    event = event.substr(0, length);
  }
  record.tag = event;
  return true;
}

}  // namespace espalier
