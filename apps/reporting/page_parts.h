// SPDX-License-Identifier: Apache-2.0
// The parts that page.cpp puts together: tables, and figures around the plots. All are HTML; empty where there is
// nothing to show.
#pragma once

#include <string>
#include <vector>

#include "apps/reporting/columns.h"
#include "apps/reporting/figures.h"

namespace espalier {

// A name or sentence, whose direction of writing ends with it.
std::string isolated(const std::string& text);

std::string figures_table(const Models& models, Column::Group group, const std::string& caption);
std::string differences_table(const Models& models);  // from the first model
std::string sparsity_table(const Models& models);     // by part
std::string confusion_tables(const Models& models);
std::string disagreement_table(const Models& models, const ReportContext& context);

std::string scatter_plots(const Models& models, const ReportContext& context);
std::string loss_curves(const ReportContext& context);
std::string weight_histograms(const Models& models);  // by layer
std::string number_plots(const Models& models);       // of answers that are numbers

}  // namespace espalier
