// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/columns.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "apps/cli/part_table.h"
#include "apps/reporting/comparison.h"
#include "apps/training/timing.h"
#include "core/format.h"

namespace espalier {
namespace {

using M = const ModelFigures&;

// Metrics that evaluate shows by class; here they would be too many.
const std::set<std::string> of_class_report = {"micro_f1",     "weighted_f1", "macro_precision",
                                               "macro_recall", "precision",   "recall"};

Column number(Column::Group group, const std::string& title, int decimals, const std::function<double(M)>& figure,
              bool brief = false) {
  const auto text = [decimals, figure](M m) {
    const double value = figure(m);
    return std::isnan(value) ? "-" : format("%.*f", decimals, value);
  };
  return {group, title, brief, text, figure};
}

void add_quality(std::vector<Column>& columns, M first) {
  const std::string metric = first.metric;
  const auto quality = [](M m) { return m.quality(); };
  columns.push_back({Column::quality, metric, true, [=](M m) { return shown_text(metric, m.quality()); }, quality});
  columns.push_back(
      {Column::quality, "95 % interval (" + first.interval_method + ")", false,
       [=](M m) { return shown_text(metric, m.interval.low) + " to " + shown_text(metric, m.interval.high); },
       [](M m) { return m.interval.low; }});
  for (size_t i = 1; i < first.metrics.values.size(); ++i) {
    const std::string name = first.metrics.values[i].name;
    if (of_class_report.contains(name)) continue;
    columns.push_back(number(Column::quality, name, 4, [name](M m) {
      const auto found = std::ranges::find(m.metrics.values, name, &Metrics::Value::name);
      return found == m.metrics.values.end() ? NAN : found->value;
    }));
  }
  columns.push_back(number(
      Column::quality, "loss", 4, [](M m) { return m.metrics.loss; }, true));
}

void add_speed(std::vector<Column>& columns) {
  const auto add = [&](const std::string& title, int decimals, const std::function<double(M)>& figure,
                       bool brief = false) {
    columns.push_back(number(Column::speed, title, decimals, figure, brief));
  };
  add(
      "preparation s", 3, [](M m) { return m.preparation; }, true);
  add(
      "run time s", 2, [](M m) { return m.seconds(); }, true);
  add(
      "samples/s", 0, [](M m) { return m.sentences_per_second(); }, true);
  add(
      "steps/s", 1, [](M m) { return m.batches_per_second(); }, true);
  add(
      "one by one/s", 0, [](M m) { return m.one_by_one_per_second(); }, true);
  for (const int percent : {50, 90, 99})
    add(
        format("p%d ms", percent), 2, [percent](M m) { return 1e3 * percentile(m.seconds_one, percent); },
        percent != 90);
  add("start to first answer ms", 1, [](M m) { return 1e3 * m.start.seconds; });
}

void add_size(std::vector<Column>& columns) {
  const auto total = [](M m) { return sum_of(m.parts); };
  const auto add = [&](const std::string& title, const std::function<std::string(M)>& text,
                       const std::function<double(M)>& key, bool brief = true) {
    columns.push_back({Column::size, title, brief, text, key});
  };
  add(
      "size", [](M m) { return in_megabytes(m.bytes); }, [](M m) { return static_cast<double>(m.bytes); });
  add(
      "peak memory", [](M m) { return in_megabytes(m.start.peak_memory); },
      [](M m) { return static_cast<double>(m.start.peak_memory); });
  add(
      "parameters", [=](M m) { return format("%.2f M", 1e-6 * static_cast<double>(total(m).parameters)); },
      [=](M m) { return static_cast<double>(total(m).parameters); });
  add(
      "zeros", [=](M m) { return format("%.1f %%", 100 * total(m).sparsity()); },
      [=](M m) { return total(m).sparsity(); });
  add(
      "bits", [=](M m) { return bits_of(total(m)); },
      [=](M m) {
        const PartReport all = total(m);
        return 8.0 * static_cast<double>(all.stored) / static_cast<double>(all.parameters);
      });
  add(
      "MFLOP/token", [](M m) { return format("%.2f", 1e-6 * m.work); }, [](M m) { return m.work; });
  add(
      "of these computed", [](M m) { return format("%.0f %%", 100 * m.work_left / m.work); },
      [](M m) { return m.work_left / m.work; }, false);
}

std::string with_sign(const std::string& metric, double value) {
  return (value >= 0 ? "+" : "") + shown_text(metric, value);
}

}  // namespace

double shown(const std::string& metric, double value) { return metric == "accuracy" ? 100 * value : value; }

std::string shown_text(const std::string& metric, double value) {
  return format(metric == "accuracy" ? "%.2f" : "%.4f", shown(metric, value));
}

std::vector<Column> columns_of(const std::vector<ModelFigures>& models) {
  std::vector<Column> columns;
  add_quality(columns, models.front());
  add_size(columns);
  add_speed(columns);
  return columns;
}

std::vector<DifferenceColumn> difference_columns(const ModelFigures& first) {
  const std::string metric = first.metric;
  const auto times = [](double factor) { return factor > 0 ? format("%.2f ×", factor) : std::string(); };
  std::vector<DifferenceColumn> columns = {
      {metric + (metric == "accuracy" ? ", points" : ""),
       [=](M m, M from) { return with_sign(metric, difference(m, from).quality); }},
      {"95 % interval (paired bootstrap)", [=](M m, M from) {
         const Interval i = difference(m, from).interval;
         return with_sign(metric, i.low) + " to " + with_sign(metric, i.high);
       }}};
  const auto changes = [&](const std::string& title, const auto& text) {
    columns.push_back({title, [text](M m, M from) { return text(*difference(m, from).changes); }});
  };
  const Difference kind = difference(first, first);
  if (kind.changes) {
    using Changes = Difference::Changes;
    changes("p (McNemar, exact)", [](const Changes& c) { return format("%.3f", c.p_value); });
    changes("changed answers", [](const Changes& c) { return std::to_string(c.answers); });
    changes("right only here", [](const Changes& c) { return std::to_string(c.mended); });
    changes("right only there", [](const Changes& c) { return std::to_string(c.broken); });
  }
  if (kind.distance)
    columns.push_back({"mean distance of answers",
                       [](M m, M from) { return format("%.4f", difference(m, from).distance.value_or(0)); }});
  columns.push_back({"smaller", [=](M m, M from) { return times(difference(m, from).smaller); }});
  columns.push_back({"faster", [=](M m, M from) { return times(difference(m, from).faster); }});
  columns.push_back({"faster one by one", [=](M m, M from) { return times(difference(m, from).faster_one_by_one); }});
  return columns;
}

void print_table(const std::vector<ModelFigures>& models) {
  std::vector<std::vector<std::string>> rows(models.size() + 1);  // the first one has the titles
  const auto add = [&](const std::string& title, const std::function<std::string(M)>& text) {
    rows.front().push_back(title);
    for (size_t i = 0; i < models.size(); ++i) rows[i + 1].push_back(text(models[i]));
  };
  add("model", [](M m) { return m.source; });
  for (const Column& c : columns_of(models))
    if (c.brief) add(c.title, c.text);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      size_t width = 0;
      for (const auto& other : rows) width = std::max(width, other[i].size());
      std::printf(i == 0 ? "%-*s" : "  %*s", static_cast<int>(width), row[i].c_str());
    }
    std::printf("\n");
  }
}

}  // namespace espalier
