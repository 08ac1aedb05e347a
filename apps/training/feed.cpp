// SPDX-License-Identifier: Apache-2.0
// The text of a run: where it is read, and how it becomes windows.
#include "apps/training/feed.h"

#include <limits>
#include <memory>
#include <optional>

namespace espalier {

Feed feed_of(const Loader& loader) {
  struct Current {
    int64_t number = -1;
    std::optional<Epoch> epoch = {};
  };
  const auto current = std::make_shared<Current>();
  return {.windows = loader.windows(), .window = [loader, current](int64_t epoch, int64_t window) {
            if (current->number != epoch) {
              current->epoch.emplace(loader.epoch(epoch));
              current->number = epoch;
            }
            return current->epoch->window(window);
          }};
}

Feed feed_of(CorpusStream& stream, const LoaderOptions& options, int64_t most_windows) {
  const int64_t sequences = options.batch_size * options.accumulate,
                enough = most_windows > 0 ? most_windows * sequences : std::numeric_limits<int64_t>::max(),
                count = stream.count(enough);
  LoaderOptions in_order = options;
  in_order.order = Order::file;
  return {.windows = (count + sequences - 1) / sequences,
          .window =
              [&stream, in_order, sequences](int64_t /*epoch*/, int64_t /*window*/) {
                TokenizedDataset data;
                stream.append(sequences, data);
                return Loader(data, in_order).epoch(0).window(0);
              },
          .position = [&stream] { return stream.position(); },
          .go_to = [&stream](const Record& position, const std::string& source) { stream.go_to(position, source); }};
}

}  // namespace espalier
