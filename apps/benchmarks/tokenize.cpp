// SPDX-License-Identifier: Apache-2.0
// The tokenizer alone: sentences of train.tsv a second, on one thread.
#include "apps/benchmarks/benchmarks.h"
#include "apps/training/datasets.h"
#include "compress/cutting/vocabulary.h"
#include "data/text/tokenizer.h"

namespace espalier {

int bench_tokenize(const BenchOptions& o, const CommonOptions& common) {
  const std::string& source = o.model.vocab.empty() ? o.model.source : o.model.vocab;
  const Stopwatch opening;
  const Tokenizer tokenizer = Tokenizer::from_directory(source);
  const double opened = opening.seconds();
  const std::vector<std::filesystem::path> files = {find_data(o.data).train};
  const std::vector<std::string> sentences = read_sentences(files);
  size_t bytes = 0, ids = 0;
  for (const std::string& sentence : sentences) bytes += sentence.size();
  const double seconds = median_seconds(o.steps, [&] {
    ids = 0;
    for (const std::string& sentence : sentences) ids += tokenizer.encode(sentence, 512).ids.size();
  });
  const auto per_second = [&](size_t count) { return static_cast<double>(count) / seconds; };
  print_figures({{"bench", "tokenize"},
                 {"vocabulary", source},
                 {"tokens", tokenizer.size()},
                 {"open_ms", 1e3 * opened},
                 {"sentences", std::ssize(sentences)},
                 {"ids", static_cast<int64_t>(ids)},
                 {"sentences_per_second", per_second(sentences.size())},
                 {"mb_per_second", 1e-6 * per_second(bytes)}},
                common);
  return 0;
}

}  // namespace espalier
