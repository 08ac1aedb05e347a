// SPDX-License-Identifier: Apache-2.0
// The measurements behind `bench`, one file each. Each prints its figures, or with --json one object per line.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/model_option.h"
#include "apps/inference/max_length.h"
#include "apps/training/options.h"
#include "apps/training/timing.h"
#include "core/products/precision.h"

namespace espalier {

enum class InferenceFigures { throughput, requests, limits, start };
template <>
struct Names<InferenceFigures> {
  static constexpr const char* list[] = {"throughput", "requests", "limits", "start"};
};

struct BenchOptions {
  ModelOption model = {.source = "random:base", .vocab = {}};
  std::string data, block = "32x32";
  Precision precision = Precision::automatic;
  int64_t batch_size = 32, steps = 20, accumulate = 1, micro_batches = 8;
  GradientType gradient_dtype = GradientType::f32;
  std::vector<InferenceFigures> figures = {InferenceFigures::throughput, InferenceFigures::requests,
                                           InferenceFigures::limits, InferenceFigures::start};
  std::vector<int64_t> batch_sizes = {1, 8, 32, 128}, lengths = {8, 16, 32, 64, 128, 256, 512};
  MaxLength max_length;
  double mask = 0;
  bool qat = false;
  bool profile = false, gradient_checkpointing = false;
};

int bench_train(const BenchOptions& o, const CommonOptions& common);
int bench_infer(const BenchOptions& o, const CommonOptions& common);
int bench_gemm(const BenchOptions& o, const CommonOptions& common);
int bench_sparse(const BenchOptions& o, const CommonOptions& common);
int bench_adamw(const BenchOptions& o, const CommonOptions& common);
int bench_attention(const BenchOptions& o, const CommonOptions& common);
int bench_vocabulary(const BenchOptions& o, const CommonOptions& common);
int bench_mpi(const BenchOptions& o, const CommonOptions& common);
int bench_tokenize(const BenchOptions& o, const CommonOptions& common);

// The record as JSON with --json, else as "name value" lines.
void print_figures(const Record& figures, const CommonOptions& common);

}  // namespace espalier
