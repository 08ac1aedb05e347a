// SPDX-License-Identifier: Apache-2.0
// The share of the machine's cores that a control group gives to the process, as containers and services limit it.
#pragma once

#include <string>

namespace espalier {

// The least quota of the process's control group and those above it, in cores, rounded up; where there is none, the
// largest int. Both versions of Linux's control groups are known. `root` comes before /proc and /sys, for tests.
int cpu_quota(const std::string& root = {});

}  // namespace espalier
