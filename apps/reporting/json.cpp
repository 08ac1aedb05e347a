// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "apps/cli/part_table.h"
#include "apps/reporting/comparison.h"
#include "apps/reporting/written.h"
#include "apps/training/timing.h"

namespace espalier {
namespace {

// JSON has no NaN.
Record number(double value) { return std::isfinite(value) ? Record(value) : Record(nullptr); }

Record to_json(const Difference& d, const std::string& metric) {
  Record record = {{"eval_" + metric, d.quality},
                   {"eval_" + metric + "_low", number(d.interval.low)},
                   {"eval_" + metric + "_high", number(d.interval.high)},
                   {"times_smaller", d.smaller},
                   {"times_faster", d.faster},
                   {"times_faster_one_by_one", d.faster_one_by_one}};
  if (d.changes) {
    record.set("changed_answers", d.changes->answers);
    record.set("right_only_here", d.changes->mended);
    record.set("right_only_there", d.changes->broken);
    record.set("mcnemar_p", d.changes->p_value);
  }
  if (d.distance) record.set("mean_distance", *d.distance);
  return record;
}

Record disagreements_json(const std::vector<ModelFigures>& models, const ReportContext& context) {
  Record list = Record::list();
  for (const auto& [sentence, spread] : disagreements(models)) {
    const auto i = static_cast<size_t>(sentence);
    Record answers = Record::list();
    for (const ModelFigures& m : models) answers.append(m.answers[i].label);
    list.append({{"row", sentence + 1},  // below the header
                 {"sentence", context.sentences[i]},
                 {"label", models.front().wanted[i]},
                 {"answers", answers},
                 {"spread", spread}});
  }
  return list;
}

}  // namespace

Record to_json(const ModelFigures& m, const ModelFigures& first) {
  const PartReport total = sum_of(m.parts);
  Record record = {{"model", m.source},
                   {"eval_loss", m.metrics.loss},
                   {"eval_" + m.metric + "_low", number(m.interval.low)},
                   {"eval_" + m.metric + "_high", number(m.interval.high)},
                   {"interval", m.interval_method},
                   {"model_preparation_time", m.preparation},
                   {"eval_runtime", m.seconds()},
                   {"eval_runtime_low", m.seconds_many.front()},
                   {"eval_runtime_high", m.seconds_many.back()},
                   {"eval_samples_per_second", m.sentences_per_second()},
                   {"eval_steps_per_second", m.batches_per_second()},
                   {"sentences_per_second_one_by_one", m.one_by_one_per_second()},
                   {"ms_50", 1e3 * percentile(m.seconds_one, 50)},
                   {"ms_90", 1e3 * percentile(m.seconds_one, 90)},
                   {"ms_99", 1e3 * percentile(m.seconds_one, 99)},
                   {"first_answer_ms", 1e3 * m.start.seconds},
                   {"peak_memory_bytes", m.start.peak_memory},
                   {"file_bytes", m.bytes},
                   {"parameters", total.parameters},
                   {"sparsity", total.sparsity()},
                   {"bits", bits_of(total)},
                   {"flop_per_token", m.work},
                   {"computed_flop_per_token", m.work_left}};
  for (const auto& [name, value] : m.metrics.values) record.set("eval_" + name, value);
  if (&m != &first) record.set("difference", to_json(difference(m, first), m.metric));
  return record;
}

Record to_json(const std::vector<ModelFigures>& models, const ReportContext& context) {
  Record list = Record::list();
  for (const ModelFigures& m : models) {
    Record record = to_json(m, models.front());
    record.set("name", m.name);
    record.set("parts", parts_to_json(m.parts));
    if (const Confusion confusion = confusion_of(m); !confusion.counts.empty()) {
      record.set("classes", m.classes);
      record.set("confusion", confusion.counts);
    }
    list.append(record);
  }
  return {{"data", context.data},
          {"about", context.about},
          {"batch_size", context.batch_size},
          {"models", list},
          {"disagreements", disagreements_json(models, context)}};
}

}  // namespace espalier
