// SPDX-License-Identifier: Apache-2.0
// Clipping and AdamW over a model's parameters, against one plain pass over the same bytes.
#include "apps/benchmarks/benchmarks.h"
#include "core/kernels/elementwise.h"
#include "core/parallel.h"
#include "data/models/model_source.h"
#include "optim/optimizer.h"

namespace espalier {
namespace {

// One pass that reads four arrays and writes three of them: what an update cannot avoid.
double stream_seconds(const std::array<Tensor, 4>& arrays, int64_t repeats) {
  const int64_t n = arrays[0].size();
  float* p[4];
  for (size_t i = 0; i < 4; ++i) p[i] = arrays[i].data<float>();
  return median_seconds(repeats, [&] {
    parallel_rows(n, 1 << 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float g = p[0][i];
        p[1][i] += g;
        p[2][i] += g;
        p[3][i] += g;
      }
    });
  });
}

}  // namespace

int bench_adamw(const BenchOptions& o, const CommonOptions& common) {
  const auto model = o.model.open(common, true);
  Optimizer optimizer(model->store, {});
  const auto all_written = [&] {
    for (Parameter* p : model->store.all()) p->grad.written = true;
  };
  const double update = median_seconds(o.steps, [&] {
    all_written();
    optimizer.step(2e-5, clip_factor(gradient_norm(model->store), 1));
  });
  const double stream = stream_seconds({model->store.gradients(), model->store.values().clone(),
                                        optimizer.first_moments().clone(), optimizer.second_moments().clone()},
                                       o.steps);
  const auto bytes = 28e-9 * static_cast<double>(model->store.values().size());
  print_figures({{"bench", "adamw"},
                 {"model", o.model.source},
                 {"parameters", model->store.count()},
                 {"threads", threads()},
                 {"clip_and_adamw_ms", 1e3 * update},
                 {"one_pass_ms", 1e3 * stream},
                 {"ratio", update / stream},
                 {"one_pass_gb_per_second", bytes / stream}},
                common);
  return 0;
}

}  // namespace espalier
