// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/probe.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/probe.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {
const char* target_name() { return hwy::TargetName(HWY_TARGET); }
}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(target_name);

const char* probe_target() { return HWY_DYNAMIC_DISPATCH(target_name)(); }

std::vector<int64_t> compiled_targets() {
  std::vector<int64_t> bits;
  for (int i = 0; i < 63; ++i)
    if ((HWY_TARGETS & (int64_t{1} << i)) != 0) bits.push_back(int64_t{1} << i);
  return bits;
}
}  // namespace espalier::kernels
#endif
