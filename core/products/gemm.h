// SPDX-License-Identifier: Apache-2.0
// Dense products. gemm.cpp is the only file that sees oneDNN, where the build finds it, and openblas.cpp OpenBLAS.
// Products are cut into tiles by their size alone and run single-threaded in the one pool of threads, so results do not
// depend on the number of threads.
#pragma once

#include <cstdint>
#include <span>

#include "core/kernels/gemm_bf16.h"

namespace espalier {

// C[m, n] (+)= op(A)[m, k] op(B)[k, n] (+ bias[n]); row-major, op transposes or not. T: float or double.
template <class T>
struct Gemm {
  int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;  // [m, k], or [k, m] when transpose_a
  int64_t lda = 0;
  bool transpose_a = false;
  const T* b = nullptr;  // [k, n], or [n, k] when transpose_b
  int64_t ldb = 0;
  bool transpose_b = false;
  T* c = nullptr;
  int64_t ldc = 0;
  bool accumulate = false;
  const T* bias = nullptr;  // [n], added to each row; null: none
};

// All products, in parallel. No output may overlap another's output or input.
void gemm(std::span<const Gemm<float>> products);
void gemm(std::span<const Gemm<double>> products);

// Products of packed bf16 operands (core/products/packed_weight.h) with f32 accumulation, by the kernels of
// core/kernels/gemm_bf16.
void gemm(std::span<const kernels::Bf16Product> products);

// The library that serves float products, for logs: "oneDNN 2.6.3" or "OpenBLAS".
const char* gemm_library();

}  // namespace espalier
