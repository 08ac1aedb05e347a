// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/isa.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>

#include "core/check.h"
#include "core/kernels/gemm_int8_native.h"
#include "core/kernels/probe.h"
#include "hwy/targets.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace espalier::kernels {
namespace {

std::string lower(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

// What may be used beyond Highway's instruction sets. On x86: AVX-VNNI, AVX-512 VNNI and BF16, AMX; on AArch64: dot
// products of bytes, and as the tiles those of i8mm, 2 x 8 by 8 x 2.
enum class Native { nothing, byte_dots, dots, tiles };

#if defined(__x86_64__)
bool cpu_has_bf16_dots() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bf16"); }
bool cpu_has_byte_dots() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vnni");
}
bool cpu_has_short_byte_dots() {
  unsigned a = 0, b = 0, c = 0, d = 0;  // older compilers have no name for it
  return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1U) != 0;
}
bool cpu_has(const char* flag) { return cpu_description().find(flag) != std::string::npos; }
#else
bool cpu_has_bf16_dots() { return false; }
bool cpu_has_byte_dots() { return false; }
bool cpu_has_short_byte_dots() { return false; }
bool cpu_has(const char* /*flag*/) { return false; }
#endif
bool cpu_has_bf16_tiles() {
  static const bool there = cpu_has("amx_bf16");  // asked for each block
  return there;
}
bool cpu_has_byte_tiles() {
  static const bool there = cpu_has("amx_int8");
  return there;
}

#if defined(__aarch64__) && defined(__linux__)
bool cpu_has_dotprod() { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }
bool cpu_has_i8mm() { return (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0; }
#else
bool cpu_has_dotprod() { return false; }
bool cpu_has_i8mm() { return false; }
#endif

struct Isa {
  std::string name;
  int64_t bit;  // Highway's; better targets have lower bits
  Native native;
};

// Those of this build and CPU, best first.
const std::vector<Isa>& isas() {
  static const std::vector<Isa> list = [] {
    std::vector<Isa> found;
    const int64_t cpu = HWY_SUPPORTED_TARGETS;
    for (const int64_t bit : compiled_targets()) {
      if ((cpu & bit) == 0) continue;
      if (bit == HWY_AVX2 && cpu_has_short_byte_dots()) found.push_back({"avxvnni", bit, Native::byte_dots});
      found.push_back({lower(hwy::TargetName(bit)), bit, Native::nothing});
    }
    const int64_t best = found.front().bit;
    if (cpu_has_bf16_dots() || cpu_has_byte_dots()) found.insert(found.begin(), {"vnni", best, Native::dots});
    if (cpu_has_bf16_tiles() || cpu_has_byte_tiles()) found.insert(found.begin(), {"amx", best, Native::tiles});
    if (cpu_has_dotprod()) found.insert(found.begin(), {"dotprod", best, Native::byte_dots});
    if (cpu_has_i8mm()) found.insert(found.begin(), {"i8mm", best, Native::tiles});
    if (start_relaxed_dots()) found.insert(found.begin(), {"relaxed", best, Native::byte_dots});
    return found;
  }();
  return list;
}

size_t chosen = 0;

bool uses(Native native) { return isas()[chosen].native >= native; }

}  // namespace

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const Isa& isa : isas()) names.push_back(isa.name);
  return names;
}

std::string current_isa() { return isas()[chosen].name; }

void set_isa(const std::string& name) {
  const std::vector<Isa>& list = isas();
  const auto found = std::ranges::find(list, name.empty() ? list.front().name : name, &Isa::name);
  std::string known;
  for (const Isa& isa : list) known += (known.empty() ? "" : ", ") + isa.name;
  CHECK(found != list.end(), "ESPALIER_ISA: '", name,
        "' is unknown or not supported by this CPU; it can be one of: ", known);
#if (HWY_TARGETS & (HWY_TARGETS - 1)) != 0  // else Highway calls its only one directly
  int64_t better = 0;
  for (const Isa& isa : list)
    if (isa.bit < found->bit) better |= isa.bit;
  hwy::DisableTargets(better);
#endif
  chosen = static_cast<size_t>(found - list.begin());
}

void apply_isa_environment() {
  static const bool once = [] {
    if (const char* name = std::getenv("ESPALIER_ISA")) set_isa(name);
    return true;
  }();
  (void)once;
}

bool has_avx512_bf16() { return uses(Native::dots) && cpu_has_bf16_dots(); }
bool has_avx512_vnni() { return uses(Native::dots) && cpu_has_byte_dots(); }
bool has_avx_vnni() {
  static const bool there = cpu_has_short_byte_dots();
  return there && uses(Native::byte_dots);
}
bool has_amx_bf16() { return uses(Native::tiles) && cpu_has_bf16_tiles(); }
bool has_amx_int8() { return uses(Native::tiles) && cpu_has_byte_tiles(); }
bool has_dotprod() {
  static const bool there = cpu_has_dotprod();
  return there && uses(Native::byte_dots);
}
bool has_i8mm() {
  static const bool there = cpu_has_i8mm();
  return there && uses(Native::tiles);
}
bool has_relaxed_dots() {
  static const bool there = isas().front().name == "relaxed";
  return there && uses(Native::byte_dots);
}
bool only_avx2() { return isas()[chosen].bit == HWY_AVX2 && isas()[chosen].native == Native::nothing; }

#if defined(__x86_64__)
std::string cpu_description() {
  static const std::string text = [] {
    std::string model = "unknown CPU", flags, line;
    std::ifstream in("/proc/cpuinfo");
    while (std::getline(in, line)) {
      const auto colon = line.find(": ");
      if (colon == std::string::npos) continue;
      if (line.starts_with("model name")) model = line.substr(colon + 2);
      if (line.starts_with("flags")) flags = " " + line.substr(colon + 2) + " ";
    }
    std::string sets;
    for (const char* flag : {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "avx_vnni"})
      if (flags.find(" " + std::string(flag) + " ") != std::string::npos)
        sets += (sets.empty() ? "" : " ") + std::string(flag);
    return model + " (" + sets + ")";
  }();
  return text;
}
#else
std::string cpu_description() {
#if defined(__aarch64__)
  std::string text = "AArch64 (";
#elif defined(__wasm__)
  std::string text = "WebAssembly (";
#else
  std::string text = "unknown CPU (";
#endif
  for (const Isa& isa : isas()) text += isa.name + (&isa == &isas().back() ? ")" : " ");
  return text;
}
#endif

}  // namespace espalier::kernels
