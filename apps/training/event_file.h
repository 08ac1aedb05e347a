// SPDX-License-Identifier: Apache-2.0
// Event files of TensorBoard: records of TFRecord's framing, each an Event of tensorflow/core/util/event.proto with
// scalars. Used by RunLog.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

using Scalars = std::vector<std::pair<std::string, double>>;  // by tag, such as train/loss

// The first record of a file, and one with the scalars of a step; `time` in seconds since 1970.
std::string event_file_begin(double time);
std::string event_record(double time, int64_t step, const Scalars& scalars);

// One record of a file: its step, the tag of its first scalar (empty: there is none), and all its bytes.
struct EventRecord {
  int64_t step = 0;
  std::string_view tag = {}, bytes = {};
};
// Takes the first record off the bytes; false where that is none, whole and of ours.
bool take_event(std::string_view& bytes, EventRecord& record);

}  // namespace espalier
