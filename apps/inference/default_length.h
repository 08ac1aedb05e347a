// SPDX-License-Identifier: Apache-2.0
// How many tokens of a text or pair count where nobody says another number. Used by MaxLength and EdgeClassifier.
#pragma once

namespace espalier {

constexpr int default_length = 128;

}  // namespace espalier
