// SPDX-License-Identifier: Apache-2.0
// Tells which instruction sets the kernels were compiled for and which one the dispatcher picks now. Used by isa.cpp.
#pragma once

#include <cstdint>
#include <vector>

namespace espalier::kernels {

std::vector<int64_t> compiled_targets();  // Highway target bits, best first
const char* probe_target();               // name of the target that HWY_DYNAMIC_DISPATCH picks

}  // namespace espalier::kernels
