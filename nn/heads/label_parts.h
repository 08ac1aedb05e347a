// SPDX-License-Identifier: Apache-2.0
// Labels of several parts: "0.5, 2" or "joy anger". Used by the heads that read such labels.
#pragma once

#include <string_view>
#include <vector>

namespace espalier {

// What stands between commas, without spaces around; without a comma, what stands between spaces. Of a blank text: {}.
std::vector<std::string_view> label_parts(std::string_view text);

}  // namespace espalier
