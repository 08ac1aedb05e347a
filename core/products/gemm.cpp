// SPDX-License-Identifier: Apache-2.0
#include "core/products/gemm.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "core/check.h"
#include "core/parallel.h"
#include "core/products/openblas.h"
#include "core/profile.h"
#include "core/room.h"

#if defined(ESPALIER_ONEDNN)
#include <dnnl.h>

extern "C" void omp_set_num_threads(int threads);  // of the OpenMP runtime that oneDNN brings
#endif

namespace espalier {
namespace {

#if defined(ESPALIER_ONEDNN)
template <class T>
constexpr bool by_openblas = std::is_same_v<T, double>;
#else
template <class T>
constexpr bool by_openblas = true;
#endif

// Before a product on any thread. One pool of threads only: the libraries run on the calling thread.
template <class T>
void prepare_thread() {
  if constexpr (by_openblas<T>) {  // it maps a block for each thread, and tries without end where that is refused
    thread_local const bool ready = (expect_room((128 << 20) + 4096), true);
    (void)ready;
  }
#if defined(ESPALIER_ONEDNN)
  thread_local const bool quiet = (omp_set_num_threads(1), true);
  (void)quiet;
#endif
}

void product(const Gemm<double>& g) {
  openblas().dgemm(CblasRowMajor, g.transpose_a ? CblasTrans : CblasNoTrans, g.transpose_b ? CblasTrans : CblasNoTrans,
                   static_cast<blasint>(g.m), static_cast<blasint>(g.n), static_cast<blasint>(g.k), 1, g.a,
                   static_cast<blasint>(g.lda), g.b, static_cast<blasint>(g.ldb), g.accumulate ? 1 : 0, g.c,
                   static_cast<blasint>(g.ldc));
}

void product(const Gemm<float>& g) {
#if defined(ESPALIER_ONEDNN)
  const auto status = dnnl_sgemm(g.transpose_a ? 'T' : 'N', g.transpose_b ? 'T' : 'N', g.m, g.n, g.k, 1.0F, g.a, g.lda,
                                 g.b, g.ldb, g.accumulate ? 1.0F : 0.0F, g.c, g.ldc);
  if (status != dnnl_success)
    throw Failure("gemm: oneDNN refused a product of " + std::to_string(g.m) + " x " + std::to_string(g.n) + " x " +
                  std::to_string(g.k));
#else
  openblas().sgemm(CblasRowMajor, g.transpose_a ? CblasTrans : CblasNoTrans, g.transpose_b ? CblasTrans : CblasNoTrans,
                   static_cast<blasint>(g.m), static_cast<blasint>(g.n), static_cast<blasint>(g.k), 1, g.a,
                   static_cast<blasint>(g.lda), g.b, static_cast<blasint>(g.ldb), g.accumulate ? 1 : 0, g.c,
                   static_cast<blasint>(g.ldc));
#endif
}

// Tiles of about 512 x 192: large enough that packing inside the library is a few percent, small enough to share out.
int64_t pieces(int64_t size, int64_t wanted) { return std::max<int64_t>(1, (size + wanted / 2) / wanted); }

template <class T>
Gemm<T> tile(const Gemm<T>& g, int64_t row, int64_t rows, int64_t col, int64_t cols) {
  Gemm<T> t = g;
  t.m = rows;
  t.n = cols;
  t.a += g.transpose_a ? row : row * g.lda;
  t.b += g.transpose_b ? col * g.ldb : col;
  t.c += row * g.ldc + col;
  if (g.bias != nullptr) t.bias += col;
  return t;
}

template <class T>
void run_tile(const Gemm<T>& g) {
  if (g.k > 0) {
    product(g);
  } else if (!g.accumulate) {  // oneDNN 2.6 leaves C as it was on AVX2
    for (int64_t i = 0; i < g.m; ++i) std::fill_n(g.c + i * g.ldc, g.n, T{0});
  }
  if (g.bias == nullptr) return;
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j) g.c[i * g.ldc + j] += g.bias[j];
}

template <class T>
void run(std::span<const Gemm<T>> products) {
  if constexpr (by_openblas<T>)
    openblas();
  else
    expect_room(32 << 20);  // oneDNN 2.6 compiles its kernels when they are needed, into memory that it does not check
  std::vector<Gemm<T>> tiles;
  for (const Gemm<T>& g : products) {
    if (g.m == 0 || g.n == 0) continue;
    work_count().flop += 2 * g.m * g.n * g.k;
    work_count().bytes += static_cast<int64_t>(sizeof(T)) * (g.m * g.k + g.k * g.n + g.m * g.n);
    const int64_t down = pieces(g.m, 512), across = pieces(g.n, 192);
    const auto edge = [](int64_t i, int64_t count, int64_t size) {
      return i == count ? size : i * size / count / 16 * 16;
    };
    for (int64_t r = 0; r < down; ++r)
      for (int64_t c = 0; c < across; ++c) {
        const int64_t row = edge(r, down, g.m), col = edge(c, across, g.n);
        tiles.push_back(tile(g, row, edge(r + 1, down, g.m) - row, col, edge(c + 1, across, g.n) - col));
      }
  }
  parallel_for(static_cast<int64_t>(tiles.size()), [&](int64_t i) {
    prepare_thread<T>();
    run_tile(tiles[static_cast<size_t>(i)]);
  });
}

}  // namespace

void gemm(std::span<const Gemm<float>> products) { run(products); }
void gemm(std::span<const Gemm<double>> products) { run(products); }

// Tiles of up to 384 rows by 192 columns: the columns of B stay in the second-level cache while the rows pass.
void gemm(std::span<const kernels::Bf16Product> products) {
  constexpr int64_t most_rows = 384, panels_a_tile = 6;
  std::vector<kernels::Bf16Product> tiles;
  for (const kernels::Bf16Product& g : products) {
    work_count().flop += 4 * g.m * g.n * g.pairs;
    work_count().bytes += 4 * g.m * g.pairs + 4 * g.n * g.pairs + (g.c16 != nullptr ? 2 : 4) * g.m * g.n;
    // A weight gradient's products are one panel high; wider tiles make up for it.
    const int64_t most_columns = panels_a_tile * kernels::panel_columns * (g.m <= kernels::panel_columns ? 4 : 1);
    const int64_t down = pieces(g.m, most_rows), height = (g.m + down - 1) / down;
    for (int64_t column = 0; column < g.n; column += most_columns)
      for (int64_t row = 0; row < g.m; row += height) {
        kernels::Bf16Product t = g;
        t.m = std::min(height, g.m - row);
        t.n = std::min(most_columns, g.n - column);
        t.a += row * g.a_row;
        t.b += column * g.pairs;
        if (g.c16 != nullptr)
          t.c16 += row * g.ldc + column;
        else
          t.c += row * g.ldc + column;
        if (g.bias != nullptr) t.bias += column;
        tiles.push_back(t);
      }
  }
  parallel_for(static_cast<int64_t>(tiles.size()),
               [&](int64_t i) { kernels::gemm_bf16(tiles[static_cast<size_t>(i)]); });
}

const char* gemm_library() {
#if defined(ESPALIER_ONEDNN)
  static const std::string name = [] {
    const auto* v = dnnl_version();
    return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  }();
  return name.c_str();
#else
  return "OpenBLAS";
#endif
}

}  // namespace espalier
