// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/spelling.h"

#include <algorithm>

namespace espalier {
namespace {

// Insertions, deletions, replacements and exchanges of neighbours from one word to the other.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& names) {
  std::string best;
  size_t least = 3;  // so many mistakes are another word
  for (const std::string& name : names) {
    const size_t mistakes = distance(word.substr(0, 64), name);
    if (mistakes >= least) continue;
    least = mistakes;
    best = name;
  }
  return best;
}

}  // namespace espalier
