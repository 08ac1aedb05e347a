// SPDX-License-Identifier: Apache-2.0
// The report as an HTML page of one file: no other file and no address is read. It is well-formed XML, works without
// JavaScript, which only sorts tables, and in windows of 360 pixels.
#pragma once

#include <string>
#include <vector>

#include "apps/reporting/figures.h"

namespace espalier {

std::string html_page(const std::vector<ModelFigures>& models, const ReportContext& context);

// The sentences that the page and Markdown show of those on which models disagree.
constexpr size_t most_sentences = 50;
// With more classes than that, the most frequent mistakes stand in place of a confusion matrix.
constexpr size_t most_classes = 20;

}  // namespace espalier
