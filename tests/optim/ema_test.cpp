// SPDX-License-Identifier: Apache-2.0
// The average of the weights: pruned weights stay zero, late rows of a table count in every step, and what trains never
// notices it.
#include "optim/ema.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/parallel.h"
#include "core/rng.h"
#include "nn/mask.h"
#include "optim/optimizer.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

struct Small {
  Small() {
    store.add("table", {2100, 8}, Role::embedding);
    store.add("weight", {40, 30}, Role::weight);
    store.allocate(3, 0.5F);
    optimizer = std::make_unique<Optimizer>(store, OptimizerOptions{.weight_decay = 0.1});
    average = std::make_unique<Ema>(store, 0.9);
  }

  void step(int64_t number, bool by_rows) {
    for (Parameter* p : store.all()) {
      p->grad.written = true;
      p->grad.grad.fill_zero();
      const bool table = p->role == Role::embedding;
      p->grad.by_rows = table && by_rows;
      if (table) p->grad.rows->clear();
      for (int64_t r = 0; r < (table ? 20 : p->shape[0]); ++r) {
        const auto row = table ? static_cast<int32_t>((r * 37 + number * 11) % 2100) : static_cast<int32_t>(r);
        if (p->grad.by_rows) p->grad.rows->insert(row);
        Rng rng(static_cast<uint64_t>(number), static_cast<uint64_t>(row));
        for (float& g : p->grad.grad.view(row * p->shape[1], {p->shape[1]}).span<float>())
          g = static_cast<float>(rng.normal());
      }
    }
    optimizer->step(0.01);
  }

  std::vector<float> values() const {
    store.settle();
    const auto all = store.values().span<float>();
    return {all.begin(), all.end()};
  }
  std::vector<float> averaged() {
    const Ema::InUse in_use(average.get());
    return values();
  }

  ParameterStore store;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<Ema> average;
};

TEST(Ema, is_the_mean_of_the_steps_in_which_each_step_back_counts_less) {
  Small s;
  std::vector<std::vector<float>> past;
  for (int64_t step = 1; step <= 7; ++step) {
    s.step(step, true);
    s.average->update(step);
    past.push_back(s.values());
  }
  const std::vector<float> found = s.averaged();
  for (size_t i = 0; i < found.size(); ++i) {
    double sum = 0, weights = 0;
    for (size_t t = 0; t < past.size(); ++t) {
      const double weight = std::pow(0.9, static_cast<double>(past.size() - 1 - t));
      sum += weight * static_cast<double>(past[t][i]);
      weights += weight;
    }
    ASSERT_NEAR(found[i], sum / weights, 1e-6) << i;
  }
}

TEST(Ema, has_the_same_bits_with_late_rows_and_any_number_of_threads) {
  std::vector<std::vector<float>> found;
  for (const int threads : {1, 2, 3}) {
    set_threads(threads);
    Small s;
    for (int64_t step = 1; step <= 5; ++step) {
      s.step(step, threads != 1);
      s.average->update(step);
    }
    found.push_back(s.averaged());
  }
  set_threads(0);
  EXPECT_EQ(found[1], found[0]);
  EXPECT_EQ(found[2], found[0]);
}

TEST(Ema, changes_nothing_in_what_trains) {
  Small with, without;
  for (int64_t step = 1; step <= 5; ++step) {
    with.step(step, true);
    with.average->update(step);
    if (step == 3) (void)with.averaged();
    without.step(step, true);
  }
  EXPECT_EQ(with.values(), without.values());
}

TEST(Ema, pruned_weights_are_zero_in_the_average) {
  Small s;
  Parameter& weight = s.store.at("weight");
  s.step(1, true);
  s.average->update(1);
  const Tensor bits = Mask::bits_of(weight.shape, true);
  bits.data<uint8_t>()[0] = 0xf0;  // the first four go
  hold(weight, bits);
  s.step(2, true);
  s.average->update(2);
  const Ema::InUse in_use(s.average.get());
  const Tensor seen = weight.use({}).value;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(seen.data<float>()[i], 0) << i;
  EXPECT_NE(seen.data<float>()[4], 0);
}

TEST(Ema, copies_of_values_follow) {
  Small s;
  Parameter& weight = s.store.at("weight");
  std::vector<float> copy(1200);
  weight.copy.refresh = [&](int64_t first, int64_t count) {
    std::copy_n(weight.value.data<float>() + first, count, copy.begin() + first);
  };
  s.step(1, true);
  s.average->update(1);
  s.step(2, true);
  s.average->update(2);
  const auto expect_equal = [&] {
    for (int i = 0; i < 1200; ++i) ASSERT_EQ(copy[static_cast<size_t>(i)], weight.value.data<float>()[i]) << i;
  };
  {
    const Ema::InUse in_use(s.average.get());
    expect_equal();
  }
  expect_equal();
}

TEST(Ema, continues_from_a_file_with_the_same_bits) {
  const TemporaryFolder folder;
  Small whole, parts;
  for (int64_t step = 1; step <= 6; ++step)
    for (Small* s : {&whole, &parts}) {
      s->step(step, true);
      s->average->update(step);
      if (s != &parts || step != 3) continue;
      Hdf5File file = Hdf5File::create(folder / "state.h5", "state.h5");
      s->average->save(file.root());
      file.close();
      s->average = std::make_unique<Ema>(s->store, 0.9);
      s->average->load(Hdf5File::open(folder / "state.h5").root());
    }
  EXPECT_EQ(parts.averaged(), whole.averaged());
}

}  // namespace
}  // namespace espalier
