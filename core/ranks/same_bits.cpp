// SPDX-License-Identifier: Apache-2.0
#include "core/ranks/same_bits.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <vector>

#include "core/check.h"
#include "core/fingerprint.h"
#include "core/kernels/isa.h"
#include "core/products/gemm.h"
#include "core/ranks.h"

namespace espalier {
namespace {

// An instruction set with what this CPU has beyond its name: two CPUs with "vnni" may differ in bf16.
std::string with_extras(const std::string& isa) {
  kernels::set_isa(isa);
  std::string text = isa;
  for (const bool there :
       {kernels::has_avx512_bf16(), kernels::has_avx512_vnni(), kernels::has_avx_vnni(), kernels::has_amx_bf16(),
        kernels::has_amx_int8(), kernels::has_dotprod(), kernels::has_i8mm()})
    text += there ? '+' : '-';
  return text;
}

// Those that this process may use, best first, each with a space behind it.
std::string usable_isas() {
  const std::string now = kernels::current_isa();
  const std::vector<std::string> all = kernels::available_isas();
  std::string text;
  for (auto isa = std::ranges::find(all, now); isa != all.end(); ++isa) text += with_extras(*isa) + " ";
  kernels::set_isa(now);
  return text;
}

// The libraries choose by the CPU, unless they are told; both read this when they are used first.
void lower_libraries(const std::string& isa) {
  const bool wide = isa == "amx" || isa == "vnni" || isa.starts_with("avx3");
  const bool middle = isa == "avx2" || isa == "avxvnni";
  const char* const onednn = wide ? "AVX512_CORE" : middle ? "AVX2" : "SSE41";
  setenv("ONEDNN_MAX_CPU_ISA", onednn, 1);
  setenv("DNNL_MAX_CPU_ISA", onednn, 1);
  setenv("OPENBLAS_CORETYPE", wide ? "SkylakeX" : middle ? "Haswell" : "Nehalem", 1);
}

// The bits of a few products in the shapes of an encoder.
std::string bits_of_products() {
  constexpr int64_t m = 96, n = 128, k = 800;
  std::vector<float> a(m * k), b(k * n), c(m * n);
  uint32_t state = 1;
  for (std::vector<float>* operand : {&a, &b})
    for (float& v : *operand) v = static_cast<float>((state = state * 1664525U + 1013904223U) >> 8) * 0x1p-23F - 1;
  Fingerprint f;
  for (const auto& [ta, tb] : {std::pair{false, false}, {false, true}, {true, false}}) {
    const Gemm<float> product = {m, n, k, a.data(), ta ? m : k, ta, b.data(), tb ? k : n, tb, c.data(), n};
    gemm(std::span(&product, 1));
    f.add(c);
  }
  return f.text();
}

}  // namespace

std::string use_same_instructions() {
  const std::vector<std::string> usable = gather_all(usable_isas());
  std::istringstream own(usable[0]);
  std::string best;
  const auto has_best = [&](const std::string& isas) { return (" " + isas).find(" " + best + " ") != isas.npos; };
  while (own >> best && !std::ranges::all_of(usable, has_best)) {}
  CHECK(own, "the ranks have no instruction set in common; start them on machines of one kind");
  const auto isa = best.substr(0, best.find_first_of("+-"));
  std::string note;
  for (size_t r = 0; r < usable.size() && note.empty(); ++r)
    if (const std::string first = usable[r].substr(0, usable[r].find(' ')); first != best)
      note = "kernels and products on " + isa + ", the best that all ranks have: " + name_of_rank(static_cast<int>(r)) +
             " alone would use " + first.substr(0, first.find_first_of("+-"));
  if (!note.empty()) {
    kernels::set_isa(isa);
    lower_libraries(isa);
  }
  const std::vector<std::string> bits =
      gather_all(bits_of_products() + " on " + kernels::cpu_description() + " with " + gemm_library());
  for (size_t r = 1; r < bits.size(); ++r)
    CHECK(bits[r].substr(0, 16) == bits[0].substr(0, 16), name_of_rank(static_cast<int>(r)),
          " computes other bits than ", name_of_rank(0), ": products are ", bits[r], ", and ", bits[0],
          "; start the run on machines of one kind, with the same libraries");
  return note;
}

}  // namespace espalier
