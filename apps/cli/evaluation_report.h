// SPDX-License-Identifier: Apache-2.0
// What evaluate says: the metrics, and a report by class. Used by evaluate.
#pragma once

#include "apps/training/evaluate.h"

namespace espalier {

// One JSON object: what Evaluation::to_record has, null for metrics that are not defined, and where the head has a
// report: "classes" and "averages", by name; "labels", the classes in order; "confusion_matrix", a list of rows.
Record to_json(const Evaluation& evaluation, const Head& head, double preparation_seconds);

// The same on standard output, for people: a line for each metric, then tables that can be pasted into Markdown.
// A confusion matrix of more than 20 classes is left out.
void print(const Evaluation& evaluation, const Head& head, double preparation_seconds);

}  // namespace espalier
