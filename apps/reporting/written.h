// SPDX-License-Identifier: Apache-2.0
// The report as Markdown and as JSON.
#pragma once

#include <string>
#include <vector>

#include "apps/reporting/figures.h"
#include "core/record.h"

namespace espalier {

// Tables as GitHub shows them: the figures, the differences, the sentences on which models disagree.
std::string markdown(const std::vector<ModelFigures>& models, const ReportContext& context);

// The figures of a model by name; seconds, bytes and shares. `first`: the model that differences are from.
Record to_json(const ModelFigures& model, const ModelFigures& first);

// {"data", "about", "batch_size", "models": […] with parts and confusion, "disagreements": […] all of them}
Record to_json(const std::vector<ModelFigures>& models, const ReportContext& context);

}  // namespace espalier
