// SPDX-License-Identifier: Apache-2.0
// Observers against torch.ao's on the same batches, and their laws.
#include "compress/quantization/observers/observer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/choice.h"
#include "core/parallel.h"
#include "core/products/quant_grid.h"
#include "tests/golden/golden.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

std::unique_ptr<Observer> make_observer(const std::string& name) { return Choice<ObserverRow>(name)->make(8); }

// The batches of tests/golden/quantization.py.
Tensor batch(int64_t i) {
  const Tensor x = golden::uniform("observer", static_cast<uint64_t>(i), {40, 100}, 1 + 0.3 * static_cast<double>(i));
  for (double& v : x.span<double>()) v = v * v * v + 0.1;
  return x.to(DType::f32);
}

Range observed(const std::string& kind, int64_t batches) {
  const auto observer = make_observer(kind);
  for (int64_t i = 0; i < batches; ++i) observer->observe(batch(i));
  return observer->range();
}

TEST(Observer, ExtremesArePyTorchs) {
  const golden::File file("quantization.txt");
  for (const std::string kind : {"minmax", "moving-average"}) {
    const Range range = observed(kind, 4);
    EXPECT_FLOAT_EQ(range.least, static_cast<float>(file.at(kind)[0])) << kind;
    EXPECT_FLOAT_EQ(range.most, static_cast<float>(file.at(kind)[1])) << kind;
  }
}

// Two bins of 2048: torch counts in f32, and so puts a few numbers into the neighbouring bin.
TEST(Observer, HistogramIsPyTorchs) {
  const golden::File file("quantization.txt");
  for (const int64_t batches : {1, 4}) {
    const Range range = observed("histogram", batches), whole = observed("minmax", batches);
    const auto& wanted = file.at("histogram" + std::to_string(batches));
    const double bin = static_cast<double>(whole.most - whole.least) / 2048;
    EXPECT_NEAR(range.least, wanted[0], 2 * bin) << batches;
    EXPECT_NEAR(range.most, wanted[1], 2 * bin) << batches;
  }
}

TEST(Observer, PercentileLeavesOutTheFew) {
  const Tensor x = golden::uniform("flat", 0, {100, 1000}, 1, DType::f32);
  x.data<float>()[17] = 50;  // one in a hundred thousand
  const auto observer = make_observer("percentile");
  observer->observe(x);
  std::vector<float> sorted(x.span<float>().begin(), x.span<float>().end());
  std::ranges::sort(sorted);
  const float bin = (sorted.back() - sorted.front()) / 2048;  // ten of the hundred thousand go at either end
  EXPECT_GE(observer->range().most, sorted[sorted.size() - 11] - 1e-5F);
  EXPECT_LE(observer->range().most, sorted[sorted.size() - 11] + bin + 1e-5F);
  EXPECT_LE(observer->range().least, sorted[10] + 1e-5F);
  EXPECT_GE(observer->range().least, sorted[10] - bin - 1e-5F);
}

TEST(Observer, ResumesWithTheSameBitsAndAnyThreads) {
  const TemporaryFolder folder;
  for (const std::string kind : {"minmax", "moving-average", "percentile", "histogram"}) {
    const auto whole = make_observer(kind), first = make_observer(kind), second = make_observer(kind);
    for (int64_t i = 0; i < 3; ++i) whole->observe(batch(i));
    set_threads(1);
    for (int64_t i = 0; i < 2; ++i) first->observe(batch(i));
    {
      Hdf5File file = Hdf5File::create(folder / (kind + ".h5"), kind);
      first->save(file.root());
      file.close();
    }
    second->load(Hdf5File::open(folder / (kind + ".h5")).root());
    second->observe(batch(2));
    set_threads(0);
    EXPECT_EQ(whole->range().least, second->range().least) << kind;
    EXPECT_EQ(whole->range().most, second->range().most) << kind;
  }
}

// Each batch's 40 rows in lanes of ten.
Range observed_in_lanes(const std::string& kind, int64_t batches) {
  const auto observer = make_observer(kind);
  for (int64_t i = 0; i < batches; ++i) {
    const Tensor x = batch(i);
    std::vector<Observed> lanes;
    for (int64_t lane = 0; lane < 4; ++lane) {
      observer->observe(x.view(lane * 1000, {10, 100}));
      lanes.push_back(observer->take_observed());
    }
    observer->absorb(lanes);
  }
  return observer->range();
}

TEST(Observer, LanesOfABatchHaveItsExtremes) {
  for (const std::string kind : {"minmax", "moving-average"})
    for (const int64_t batches : {1, 4}) EXPECT_EQ(observed_in_lanes(kind, batches), observed(kind, batches)) << kind;
}

// Counts of lanes with other ranges meet in bins that cover both, in sixteenths of theirs.
TEST(Observer, LanesOfABatchHaveItsHistogramWithinABin) {
  for (const std::string kind : {"percentile", "histogram"})
    for (const int64_t batches : {1, 4}) {
      const Range lanes = observed_in_lanes(kind, batches), plain = observed(kind, batches),
                  whole = observed("minmax", batches);
      const float bin = (whole.most - whole.least) / 2048;
      EXPECT_NEAR(lanes.least, plain.least, 2 * bin) << kind << batches;
      EXPECT_NEAR(lanes.most, plain.most, 2 * bin) << kind << batches;
      double error[2] = {};
      for (int64_t i = 0; i < batches; ++i) {
        const Tensor x = batch(i);
        for (const bool plainly : {false, true}) {
          const Range& range = plainly ? plain : lanes;
          const Tensor rounded =
              dequantize(quantize(x, affine_grid(range.least, range.most, 8)), affine_grid(range.least, range.most, 8));
          for (int64_t k = 0; k < x.size(); ++k)
            error[plainly ? 1 : 0] += std::pow(static_cast<double>(x.data<float>()[k] - rounded.data<float>()[k]), 2);
        }
      }
      EXPECT_LT(error[0], 1.01 * error[1]) << kind << batches;
    }
}

TEST(Observer, OddInputIsAnsweredPlainly) {
  for (const std::string kind : {"minmax", "moving-average", "percentile", "histogram"}) {
    const auto observer = make_observer(kind);
    EXPECT_GT(observer->range().least, observer->range().most) << "nothing seen";
    const Tensor constant = Tensor::zeros({3, 3});
    observer->observe(constant);
    EXPECT_EQ(observer->range().least, 0) << kind;
    EXPECT_EQ(observer->range().most, 0) << kind;
    constant.data<float>()[4] = std::nanf("");
    expect_in(error_of<Error>([&] { observer->observe(constant); }), "a NaN or an infinity");
  }
  expect_in(error_of<Error>([] { make_observer("median"); }),
            "median: choose minmax, moving-average, percentile or histogram");
}

}  // namespace
}  // namespace espalier
