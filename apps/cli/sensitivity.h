// SPDX-License-Identifier: Apache-2.0
// quantize --analyze: what each layer costs by itself.
#pragma once

#include <string>

#include "apps/cli/program.h"
#include "compress/quantization/quantizer.h"
#include "data/models/model_source.h"
#include "data/text/table.h"

namespace espalier {

// Prints loss and accuracy on the labelled text in `file` with nothing quantized, and with one layer after the other as
// the only quantized one. The quantizer is attached to the model and calibrated; in the end all its layers are on.
void print_sensitivity(const std::string& file, const TableOptions& table, int max_length, const Model& model,
                       Quantizer& quantizer, const CommonOptions& common);

}  // namespace espalier
