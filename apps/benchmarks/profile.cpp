// SPDX-License-Identifier: Apache-2.0
#include "apps/benchmarks/profile.h"

#include <cstdio>

#include "core/parallel.h"
#include "core/products/gemm.h"
#include "core/products/packed_weight.h"
#include "core/tensor.h"

namespace espalier {
namespace {

// AdamW's traffic without its arithmetic, 28 bytes an element, over arrays far larger than the caches.
double stream_rate() {
  constexpr int64_t n = 16 << 20;
  const Tensor arrays = Tensor::zeros({4, n});
  float* const g = arrays.data<float>();
  const double seconds = median_seconds(7, [&] {
    parallel_rows(n, 1 << 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float v = g[i];
        g[n + i] += v;
        g[2 * n + i] += v;
        g[3 * n + i] += v;
      }
    });
  });
  return 28.0 * n / seconds;
}

const char* name_of(Profile::Phase phase) {
  return phase == Profile::forward ? "forward" : phase == Profile::backward ? "backward" : "";
}

}  // namespace

// One product of 384 x 768 x 768, over and over: it stays in cache.
double product_rate(DType compute) {
  constexpr int64_t m = 384, n = 768;
  const Tensor a = Tensor::zeros({m, n}), w = Tensor::zeros({n, n}), c({m, n});
  double seconds = 0;
  if (compute == DType::bf16) {
    PackedWeight packed(n, n);
    packed.pack(w.data<float>());
    const Tensor pairs = as_pairs(a);
    const kernels::Bf16Product p = {.m = m,
                                    .n = n,
                                    .pairs = n / 2,
                                    .a = reinterpret_cast<const uint32_t*>(pairs.raw()),
                                    .a_row = n / 2,
                                    .b = packed.forward(),
                                    .c = c.data<float>(),
                                    .ldc = n};
    seconds = median_seconds(60, [&] { gemm(std::span<const kernels::Bf16Product>(&p, 1)); });
  } else {
    const Gemm<float> g = {.m = m,
                           .n = n,
                           .k = n,
                           .a = a.data<float>(),
                           .lda = n,
                           .b = w.data<float>(),
                           .ldb = n,
                           .transpose_b = true,
                           .c = c.data<float>(),
                           .ldc = n};
    seconds = median_seconds(60, [&] { gemm(std::span<const Gemm<float>>(&g, 1)); });
  }
  return 2.0 * m * n * n / seconds;
}

MachineLimits measure_limits(DType compute) { return {product_rate(compute), stream_rate()}; }

void print_profile(const Profile& profile, int64_t steps, const MachineLimits& limits, const CommonOptions& common) {
  struct Row {
    std::string op;
    Profile::Entry entry;
  };
  std::vector<Row> rows;
  double total = 0, product_flop = 0, optimizer_bytes = 0;
  for (const auto& [key, entry] : profile.entries()) {
    rows.push_back({key.first + (key.second == Profile::other ? "" : std::string(" ") + name_of(key.second)), entry});
    total += entry.seconds;
    if (key.first == "linear") product_flop += static_cast<double>(entry.flop);
    if (key.first == "adamw") optimizer_bytes += static_cast<double>(entry.bytes);
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.entry.seconds > b.entry.seconds; });
  const auto per_step = static_cast<double>(steps);
  const double floor = product_flop / limits.flop_per_second + optimizer_bytes / limits.bytes_per_second;
  if (common.json) {
    for (const Row& row : rows)
      print_json({{"profile", row.op},
                  {"calls", static_cast<double>(row.entry.calls) / per_step},
                  {"ms", 1e3 * row.entry.seconds / per_step},
                  {"share", row.entry.seconds / total},
                  {"mbytes", 1e-6 * static_cast<double>(row.entry.bytes) / per_step},
                  {"gflops", 1e-9 * static_cast<double>(row.entry.flop) / row.entry.seconds}});
    print_json({{"profile", "limits"},
                {"product_gflops", 1e-9 * limits.flop_per_second},
                {"stream_gb_per_second", 1e-9 * limits.bytes_per_second},
                {"floor_ms", 1e3 * floor / per_step},
                {"step_ms", 1e3 * total / per_step},
                {"distance", total / floor}});
    return;
  }
  std::printf("%-34s %6s %9s %7s %10s %9s\n", "op (per step)", "calls", "ms", "share", "MB", "GFLOP/s");
  for (const Row& row : rows)
    std::printf("%-34s %6.0f %9.2f %6.1f%% %10.1f %9.1f\n", row.op.c_str(),
                static_cast<double>(row.entry.calls) / per_step, 1e3 * row.entry.seconds / per_step,
                100 * row.entry.seconds / total, 1e-6 * static_cast<double>(row.entry.bytes) / per_step,
                1e-9 * static_cast<double>(row.entry.flop) / row.entry.seconds);
  std::printf(
      "\nlimits measured here: hot products %.0f GFLOP/s, stream %.1f GB/s\nproducts and AdamW traffic at these "
      "limits: %.1f ms; the step takes %.1f ms, %.2f times that\n",
      1e-9 * limits.flop_per_second, 1e-9 * limits.bytes_per_second, 1e3 * floor / per_step, 1e3 * total / per_step,
      total / floor);
}

}  // namespace espalier
