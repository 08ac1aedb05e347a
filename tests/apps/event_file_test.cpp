// SPDX-License-Identifier: Apache-2.0
// Event files, read by the rules of TFRecord and protobuf alone: framing, checksums, fields, and what a resumed run
// keeps.
#include "apps/training/event_file.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>

#include "apps/training/log.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

uint64_t number(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Bit by bit, with the polynomial as it is written.
uint32_t masked_checksum(std::string_view bytes) {
  uint32_t sum = 0xffffffff;
  for (const char byte : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const uint32_t in = (static_cast<unsigned char>(byte) >> static_cast<unsigned>(bit)) & 1U;
      sum = ((sum ^ in) & 1U) != 0 ? (sum >> 1U) ^ 0x82f63b78U : sum >> 1U;
    }
  return std::rotr(~sum, 15) + 0xa282ead8U;
}

// The messages of a file, whose framing is checked.
std::vector<std::string> messages_of(std::string_view file) {
  std::vector<std::string> messages;
  while (!file.empty()) {
    EXPECT_EQ(number(file.substr(8, 4)), masked_checksum(file.substr(0, 8)));
    const uint64_t size = number(file.substr(0, 8));
    if (size > file.size() - 16) return ADD_FAILURE() << "a record of " << size << " bytes", messages;
    messages.emplace_back(file.substr(12, size));
    EXPECT_EQ(number(file.substr(12 + size, 4)), masked_checksum(messages.back()));
    file.remove_prefix(16 + size);
  }
  return messages;
}

const Record step_one = {{"step", 1}, {"loss", 0.5}, {"grad_norm", 2.0}};
const Record step_two = {{"step", 2}, {"loss", 0.25}, {"grad_norm", 1.0}};
const Record evaluation = {{"step", 2}, {"epoch", 1.0}, {"eval_loss", 0.3}, {"eval_accuracy", 0.75}};
const char* const name = "events.out.tfevents.espalier";

LogOptions options_for(const TemporaryFolder& folder, LogFormat format) {
  return {.folder = folder.path().string(), .format = format};
}

TEST(EventFile, HasTheFramingAndTheFieldsOfTensorBoard) {
  const std::string file = event_file_begin(1.5) + event_record(2.5, 300, {{"train/loss", 0.5}, {"train/x", -2}});
  const std::vector<std::string> messages = messages_of(file);
  ASSERT_EQ(messages.size(), 2U);
  const double time = 1.5;
  std::string expected(9, '\x09');
  std::memcpy(expected.data() + 1, &time, 8);
  EXPECT_EQ(messages[0], expected + "\x1a\x0d" + "brain.Event:2");
  EXPECT_EQ(messages[1].substr(9, 3), "\x10\xac\x02") << "step 300";
  const std::string loss = std::string("\x0a\x0a") + "train/loss" + "\x15" + std::string("\x00\x00\x00\x3f", 4);
  const std::string x = std::string("\x0a\x07") + "train/x" + "\x15" + std::string("\x00\x00\x00\xc0", 4);
  const auto field = [](char tag, const std::string& bytes) {
    return std::string{tag, static_cast<char>(bytes.size())} + bytes;
  };
  EXPECT_EQ(messages[1].substr(12), field('\x2a', field('\x0a', loss) + field('\x0a', x)));
}

TEST(EventFile, RecordsAreReadBackUpToTheFirstDamage) {
  const std::string one = event_record(1, 7, {{"eval/loss", 0.5}}), two = event_record(1, 8, {{"train/loss", 0.5}});
  const std::string whole = event_file_begin(1) + one + two;
  const auto read = [](std::string_view bytes) {
    std::string found;
    for (EventRecord record; take_event(bytes, record);)
      found += std::to_string(record.step) + std::string(record.tag) + ' ';
    return found;
  };
  EXPECT_EQ(read(whole), "0 7eval/loss 8train/loss ");
  for (size_t size = 0; size < two.size(); ++size)
    EXPECT_EQ(read(whole.substr(0, whole.size() - two.size() + size)), "0 7eval/loss ");
  std::string damaged = whole;
  damaged[damaged.size() - two.size() - 6] ^= 1;
  EXPECT_EQ(read(damaged), "0 ");
  EXPECT_EQ(read(std::string(40, '\xff')), "");
}

TEST(EventFile, AResumedRunHasEachStepOnce) {
  const TemporaryFolder folder;
  {
    RunLog log(options_for(folder, LogFormat::both), 0, 0);
    for (const Record& record : {step_one, step_two, evaluation}) log.write(record);
  }
  const std::string whole = read_bytes(folder / name);
  ASSERT_EQ(messages_of(whole).size(), 4U);
  write_bytes(folder / name, whole + "half a record");  // as a killed run leaves it
  {
    RunLog log(options_for(folder, LogFormat::both), 2, 0);  // saved before the evaluation
    log.write(evaluation);
  }
  const std::vector<std::string> messages = messages_of(read_bytes(folder / name));
  ASSERT_EQ(messages.size(), 4U);
  EXPECT_NE(messages[3].find("eval/accuracy"), std::string::npos);
  EXPECT_EQ(messages[3].find("epoch"), std::string::npos);
  { const RunLog log(options_for(folder, LogFormat::both), 1, 0); }
  EXPECT_EQ(messages_of(read_bytes(folder / name)).size(), 2U);
}

TEST(EventFile, TheFormatDecidesWhichFilesThereAre) {
  for (const LogFormat format : {LogFormat::jsonl, LogFormat::tensorboard, LogFormat::both}) {
    const TemporaryFolder folder;
    { const RunLog log(options_for(folder, format), 0, 0); }
    EXPECT_EQ(std::filesystem::exists(folder / "metrics.jsonl"), format != LogFormat::tensorboard);
    EXPECT_EQ(std::filesystem::exists(folder / name), format != LogFormat::jsonl);
  }
}

}  // namespace
}  // namespace espalier
