// SPDX-License-Identifier: Apache-2.0
// quantize --analyze: what each layer costs by itself.
#pragma once

#include <string>

#include "apps/cli/program.h"
#include "apps/training/calibrate.h"
#include "compress/quantization/quantizer.h"
#include "data/models/model_source.h"

namespace espalier {

// Prints loss and accuracy on the labelled text in `file` with nothing quantized, and with one layer after the other as
// the only quantized one. The quantizer is attached to the model and calibrated; in the end all its layers are on.
// The text is read as that of the calibration.
void print_sensitivity(const std::string& file, const CalibrationOptions& read_as, const Model& model,
                       Quantizer& quantizer, const CommonOptions& common);

}  // namespace espalier
