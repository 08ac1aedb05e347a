// SPDX-License-Identifier: Apache-2.0
#include "core/cpu_quota.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

namespace espalier {
namespace {

constexpr int no_limit = std::numeric_limits<int>::max();

// Time in each period, in any unit; "max" or -1 is no limit.
int cores(const std::string& allowed, const std::string& period) {
  double a = 0, p = 0;
  if (!(std::istringstream(allowed) >> a) || !(std::istringstream(period) >> p) || !(a > 0) || !(p > 0))
    return no_limit;
  return std::max(1, static_cast<int>(std::min(1e6, std::ceil(a / p))));
}

std::string word(std::istream& from) {
  std::string text;
  from >> text;
  return text;
}

int quota_of(const std::string& folder) {
  std::ifstream both(folder + "/cpu.max"), allowed(folder + "/cpu.cfs_quota_us"), period(folder + "/cpu.cfs_period_us");
  const std::string first = word(both), second = word(both);  // version 2: both in one file
  return std::min(cores(first, second), cores(word(allowed), word(period)));
}

}  // namespace

int cpu_quota(const std::string& root) {
  int least = no_limit;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // NUMBER:CONTROLLERS:/PATH, without controllers in version 2
    std::string number, controllers, path;
    std::istringstream parts(line);
    std::getline(std::getline(std::getline(parts, number, ':'), controllers, ':'), path);
    if (!controllers.empty() && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const std::string top = root + "/sys/fs/cgroup" + (controllers.empty() ? "" : "/cpu");
    least = std::min(least, quota_of(top));  // a container sees its own group here, whatever the path says
    for (; !path.empty() && path != "/"; path.resize(std::min(path.size(), path.find_last_of('/'))))
      least = std::min(least, quota_of(top + path));
  }
  return least;
}

}  // namespace espalier
