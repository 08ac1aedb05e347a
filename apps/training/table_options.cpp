// SPDX-License-Identifier: Apache-2.0
#include "apps/training/table_options.h"

namespace espalier {

void declare_table(Options& rows, TableOptions& table, const std::function<bool()>& used, const std::string& why) {
  const auto when = [&](auto row) {
    if (used) row.only_if(used, why);
    return row;
  };
  when(rows.add("format", table.format,
                "of the text: tsv (no quotes), csv (RFC 4180), jsonl (an object on each line); auto: by the name's end "
                "(.csv; .jsonl, .json, .ndjson; any other: tsv)"))
      .by_content();
  when(rows.add("text-column", table.text_column,
                "column of the text, or of the first one of a pair; default: sentence, text, question; or a pair such "
                "as sentence1 and sentence2, premise and hypothesis, question1 and question2, question and passage"))
      .by_content()
      .no_default();
  when(rows.add("pair-column", table.pair_column, "column of a pair's second text")).by_content().no_default();
  when(rows.add("label-column", table.label_column,
                "column of the label; default: label, labels, gold_label, is_duplicate, score, Quality"))
      .by_content()
      .no_default();
  when(rows.add(
           "data-memory", table.memory,
           "MiB of a file's tokens to keep in memory; more lies in a file without a name in $TMPDIR, else /var/tmp"))
      .between(0, int64_t{1} << 30, "0 to 2^30 is expected")
      .free();
}

void declare_text_columns(Options& rows, TableOptions& table) {
  rows.add("format", table.format,
           "of the corpus: tsv, csv, jsonl; auto: by the name's end (.tsv; .csv; .jsonl, .json, .ndjson), any other is "
           "plain text")
      .by_content();
  rows.add("text-column", table.text_column, "of tables: column of the text, or of the first one of a pair")
      .by_content()
      .no_default();
  rows.add("pair-column", table.pair_column, "of tables: column of a pair's second text").by_content().no_default();
}

}  // namespace espalier
