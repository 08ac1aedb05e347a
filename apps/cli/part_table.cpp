// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/part_table.h"

#include <cstdio>

#include "core/format.h"
#include "core/kernels/gemm_bf16.h"
#include "core/kernels/gemm_int8.h"

namespace espalier {

int64_t size_of_model(const std::string& source) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(source, ignored))
    return static_cast<int64_t>(std::filesystem::file_size(source, ignored));
  int64_t bytes = 0;
  if (std::filesystem::is_directory(source, ignored))
    for (const auto& entry : std::filesystem::directory_iterator(source))
      if (entry.path().extension() == ".safetensors") bytes += static_cast<int64_t>(entry.file_size());
  return bytes;
}

std::string bits_of(const PartReport& part) {
  std::string text;
  for (const int bits : part.bits) text += (text.empty() ? "" : ", ") + std::to_string(bits);
  return text;
}

void print_parts(const std::vector<PartReport>& parts) {
  std::printf("%-24s %12s %9s %7s %12s %14s\n", "part", "parameters", "zeros", "bits", "stored", "MFLOP/token");
  const auto line = [](const PartReport& p) {
    std::printf("%-24s %12ld %8.2f%% %7s %12s %14.3f\n", p.part.c_str(), p.parameters, 100 * p.sparsity(),
                bits_of(p).c_str(), in_megabytes(p.stored).c_str(), p.flop * 1e-6);
  };
  for (const PartReport& part : parts) line(part);
  line(sum_of(parts));
}

Record parts_to_json(const std::vector<PartReport>& parts) {
  Record list = Record::list();
  for (const PartReport& p : parts)
    list.append({{"part", p.part},
                 {"parameters", p.parameters},
                 {"zeros", p.zeros},
                 {"sparsity", p.sparsity()},
                 {"bits", std::vector<int>(p.bits.begin(), p.bits.end())},
                 {"stored_bytes", p.stored},
                 {"flop_per_token", p.flop},
                 {"skipped_flop_per_token", p.skipped_f32},
                 {"skipped_flop_per_token_bf16", p.skipped_bf16},
                 {"skipped_flop_per_token_int8", p.skipped_int8}});
  return list;
}

std::string what_it_brings(const PartReport& before, const PartReport& after) {
  const auto share = [](auto part, auto whole) { return 100 * static_cast<double>(part) / static_cast<double>(whole); };
  std::string text =
      format("smaller: the tensors in the file, %s instead of %s (%.0f %%)\n", in_megabytes(after.stored).c_str(),
             in_megabytes(4 * before.parameters).c_str(), share(after.stored, 4 * before.parameters));
  if (after.parameters < before.parameters)
    text += format("smaller: parameters in memory, %.2f M instead of %.2f M (%.0f %%)\n",
                   static_cast<double>(after.parameters) * 1e-6, static_cast<double>(before.parameters) * 1e-6,
                   share(after.parameters, before.parameters));
  if (after.flop < before.flop)
    text += format("faster: %.0f %% of the work a token is left; expect up to %.2fx\n", share(after.flop, before.flop),
                   before.flop / after.flop);
  const bool skips_numbers = after.skipped_f32 > 0 || after.skipped_bf16 > 0,
             skips = skips_numbers || after.skipped_int8 > 0;
  if (skips_numbers) {
    text += format("faster in f32: evaluation skips zeros of 32 outputs at an input, %.0f %% of the work a token; ",
                   share(after.skipped(DType::f32), after.flop));
    text += format("expect up to %.2fx\n", after.flop / after.work(DType::f32));
    text += format("%sfaster in bf16 (%s): it skips zeros of 32 outputs at %ld inputs, %.0f %%; expect up to %.2fx\n",
                   after.skipped_bf16 > 0 ? "" : "not ", kernels::gemm_bf16_kernel(), 2 * kernels::gemm_bf16_group(),
                   share(after.skipped(DType::bf16), after.flop), after.flop / after.work(DType::bf16));
  } else if (skips) {
    text += format(
        "faster: int8 products (%s) skip zeros of 32 outputs at %ld inputs, %.0f %% of the work a token; expect up to "
        "%.2fx\n",
        kernels::gemm_int8_kernel(), 4 * kernels::gemm_int8_group(), share(after.skipped_int8, after.flop),
        after.flop / after.work(DType::f32));
  }
  if (after.sparsity() >= 0.001)  // a trained model has a few zeros of its own
    text +=
        format("%s smaller in memory: the %.1f %% of zeros that are left in the tensors%s\n",
               skips ? "not" : "not faster, nor", 100 * after.sparsity(),
               skips ? ""
                     : "; products compute with them as with any other number (1.00x). Only blocks (--structure "
                       "block:32x32, or block:32x4 for int8), and layers, heads and neurons that are cut out, bring "
                       "speed");
  return text;
}

Record brings_to_json(const PartReport& before, const PartReport& after) {
  return {{"parameters_before", before.parameters},
          {"parameters", after.parameters},
          {"sparsity", after.sparsity()},
          {"tensor_bytes", after.stored},
          {"dense_bytes", 4 * before.parameters},
          {"expected_speedup", before.work(DType::f32) / after.work(DType::f32)},
          {"expected_speedup_bf16", before.work(DType::bf16) / after.work(DType::bf16)}};
}

}  // namespace espalier
