// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/isa.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>

#include "core/check.h"
#include "core/kernels/probe.h"
#include "hwy/targets.h"

namespace espalier::kernels {
namespace {

std::string lower(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

bool lowered = false;

struct Isa {
  int64_t bit;
  std::string name;
};

std::vector<Isa> supported() {
  std::vector<Isa> list;
  const auto targets = compiled_targets();
  const int64_t cpu = hwy::SupportedTargets();
  for (const int64_t bit : targets)
    if ((cpu & bit) != 0) list.push_back({bit, lower(hwy::TargetName(bit))});
  return list;
}

}  // namespace

std::vector<std::string> available_isas() {
  const std::string now = lowered ? current_isa() : "";
  hwy::DisableTargets(0);
  std::vector<std::string> names;
  for (const Isa& isa : supported()) names.push_back(isa.name);
  set_isa(now);
  return names;
}

std::string current_isa() { return lower(probe_target()); }

void set_isa(const std::string& name) {
  const std::string now = lowered ? current_isa() : "";
  hwy::DisableTargets(0);
  const std::vector<Isa> list = supported();
  lowered = false;
  if (name.empty()) return;
  const auto found = std::find_if(list.begin(), list.end(), [&](const Isa& isa) { return isa.name == name; });
  std::string known;
  for (const Isa& isa : list) known += (known.empty() ? "" : ", ") + isa.name;
  if (found == list.end()) {
    set_isa(now);
    fail("ESPALIER_ISA: '", name, "' is unknown or not supported by this CPU; it can be one of: ", known);
  }
  int64_t better = 0;
  for (const Isa& isa : list)
    if (isa.bit < found->bit) better |= isa.bit;  // Highway's better targets have lower bits
  hwy::DisableTargets(better);
  lowered = found != list.begin();
}

void apply_isa_environment() {
  static const bool once = [] {
    if (const char* name = std::getenv("ESPALIER_ISA")) set_isa(name);
    return true;
  }();
  (void)once;
}

#if defined(__x86_64__)
bool has_avx512_bf16() { return !lowered && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bf16"); }
bool has_avx512_vnni() {
  return !lowered && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vnni");
}
bool has_amx_bf16() {
  static const bool there = cpu_description().find("amx_bf16") != std::string::npos;  // asked for each block
  return there && !lowered;
}
bool has_amx_int8() {
  static const bool there = cpu_description().find("amx_int8") != std::string::npos;
  return there && !lowered;
}
#else
bool has_avx512_bf16() { return false; }
bool has_avx512_vnni() { return false; }
bool has_amx_bf16() { return false; }
bool has_amx_int8() { return false; }
#endif

std::string cpu_description() {
  static const std::string text = [] {
    std::string model = "unknown CPU", flags, line;
    std::ifstream in("/proc/cpuinfo");
    while (std::getline(in, line)) {
      const auto colon = line.find(": ");
      if (colon == std::string::npos) continue;
      if (line.starts_with("model name")) model = line.substr(colon + 2);
      if (line.starts_with("flags") || line.starts_with("Features")) flags = " " + line.substr(colon + 2) + " ";
    }
    std::string sets;
    for (const char* flag :
         {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "avx_vnni", "asimd", "bf16", "i8mm"})
      if (flags.find(" " + std::string(flag) + " ") != std::string::npos)
        sets += (sets.empty() ? "" : " ") + std::string(flag);
    return model + " (" + sets + ")";
  }();
  return text;
}

}  // namespace espalier::kernels
