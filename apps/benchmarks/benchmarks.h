// SPDX-License-Identifier: Apache-2.0
// The measurements behind `bench`, one file each. Each prints its figures, or with --json one object per line.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "apps/shared/program.h"

namespace espalier {

struct BenchOptions {
  std::string model = "random:base", data, vocab, precision = "auto";
  int64_t batch_size = 32, steps = 20, accumulate = 1;
  int max_length = 128;
  double mask = 0;
  bool qat = false;
  bool profile = false, gradient_checkpointing = false;
};

int bench_train(const BenchOptions& o, const CommonOptions& common);
int bench_infer(const BenchOptions& o, const CommonOptions& common);
int bench_gemm(const BenchOptions& o, const CommonOptions& common);
int bench_adamw(const BenchOptions& o, const CommonOptions& common);
int bench_attention(const BenchOptions& o, const CommonOptions& common);

// Seconds of f(), once.
template <class F>
double seconds_of(const F& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values.at(values.size() / 2);
}

// Median seconds of f() over `repeats` runs after one that is not counted.
template <class F>
double median_seconds(int64_t repeats, const F& f) {
  f();
  std::vector<double> times;
  for (int64_t i = 0; i < repeats; ++i) times.push_back(seconds_of(f));
  return median(times);
}

// The object as JSON with --json, else as "name value" lines.
void print_figures(const nlohmann::json& figures, const CommonOptions& common);

}  // namespace espalier
