// SPDX-License-Identifier: Apache-2.0
// Feed: where a run takes its training text from, window by window: a table in memory, or a corpus as a stream.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/record.h"
#include "data/corpus/corpus_stream.h"
#include "data/text/loader.h"

namespace espalier {

struct Feed {
  int64_t windows = 0;  // optimizer steps in an epoch; of a corpus on average
  // The windows of a run are asked for one after the other.
  std::function<Window(int64_t epoch, int64_t window)> window;
  // Of a stream: where it stands, and how to go on from there. `source` begins the text of errors.
  std::function<Record()> position = {};
  std::function<void(const Record& position, const std::string& source)> go_to = {};
};

Feed feed_of(const Loader& loader);
// Every window is full: it may hold the end of a pass and the beginning of the next one. With `most_windows` the
// corpus is not counted further than these go; 0: all of it. The stream must outlive the feed.
Feed feed_of(CorpusStream& stream, const LoaderOptions& options, int64_t most_windows);

}  // namespace espalier
