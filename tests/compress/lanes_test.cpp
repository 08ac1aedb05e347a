// SPDX-License-Identifier: Apache-2.0
// What compressors observe in a step that is computed in lanes: one lane is a plain loop, and which process has which
// lane changes no bit.
#include <gtest/gtest.h>

#include "compress/compressor_list.h"
#include "compress/input_statistics.h"
#include "compress/pruning/pruner.h"
#include "compress/quantization/quantizer.h"
#include "tests/compress/quantization/quantizing.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

TEST(Observed, PartsComeBack) {
  const std::vector<Observed> parts = {{1, 2}, {}, {3}};
  std::vector<double> all = joined(parts);
  const std::vector<double> more = joined(std::vector<Observed>{{4}});
  all.insert(all.end(), more.begin(), more.end());
  std::span<const double> rest = all;
  EXPECT_EQ(split(rest), parts);
  EXPECT_EQ(split(rest), (std::vector<Observed>{{4}}));
  EXPECT_TRUE(rest.empty());
  const std::vector<Observed> lanes = {joined(parts), joined(std::vector<Observed>{{5, 6}, {7}, {}})};
  std::vector<std::vector<Observed>> by_part;
  for_parts(lanes, [&](size_t i, std::span<const Observed> part) {
    EXPECT_EQ(i, by_part.size());
    by_part.emplace_back(part.begin(), part.end());
  });
  EXPECT_EQ(by_part, (std::vector<std::vector<Observed>>{{{1, 2}, {5, 6}}, {{}, {7}}, {{3}, {}}}));
}

TEST(Observed, LaneSumsAddWhatEachLaneAdded) {
  LaneSums sums(2);
  sums.set(std::vector<double>{1e16, 0.1});
  const auto lane = [&](double a, double b) {
    sums.data()[0] += a;
    sums.data()[1] += b;
    Observed taken = sums.take();
    EXPECT_EQ(sums.values(), (std::vector<double>{1e16, 0.1})) << "as before the step";
    return taken;
  };
  sums.absorb(std::vector<Observed>{lane(1, 0.2)});
  EXPECT_EQ(sums.values(), (std::vector<double>{1e16 + 1, 0.1 + 0.2})) << "a plain loop's bits";
  sums.set(std::vector<double>{1e16, 0.1});
  sums.absorb(std::vector<Observed>{lane(2, 0.25), lane(4, 0.5), lane(8, 1)});
  EXPECT_EQ(sums.values()[0], 1e16 + 14);
  EXPECT_DOUBLE_EQ(sums.values()[1], 1.85);
}

// A model with all that observes.
struct Watched {
  explicit Watched(const QuantizeOptions& quantize, const std::string& method = "wanda")
      : model(open_model("random:tiny", {.seed = 4})) {
    PruneOptions prune{.method = method, .amount = 0.5};
    prune.schedule.begin = prune.schedule.end = 100;  // until then scores are collected
    list.add(std::make_unique<Pruner>(prune));
    list.add(std::make_unique<Quantizer>(quantize));
    auto seen = std::make_unique<InputStatistics>();
    statistics = seen.get();
    list.add(std::move(seen));
    list.attach(*model->bert, model->store);
  }

  void pass(int64_t from, int64_t to) const {
    std::vector<std::vector<int32_t>> some;
    for (int64_t i = from; i < to; ++i) {
      some.push_back(sentences[static_cast<size_t>(i) % sentences.size()]);
      some.back()[1] = static_cast<int32_t>(5 + i);
    }
    Tape tape;
    Context context{.tape = &tape};
    (*model->bert)(batch_of(some), context);
  }

  std::string state(const std::filesystem::path& path) const {
    Hdf5File file = Hdf5File::create(path, "state");
    list.save(file.root());
    file.close();
    std::string bytes = read_bytes(path);
    for (const EncoderLayer& layer : model->bert->layers())
      for (const Linear* linear : layer.linears())
        for (const Tensor& t : {statistics->mean(linear->weight), statistics->largest(linear->weight)})
          bytes.append(reinterpret_cast<const char*>(t.raw()), t.bytes());
    return bytes;
  }

  std::unique_ptr<Model> model;
  CompressorList list;
  InputStatistics* statistics;
};

std::vector<QuantizeOptions> all_that_observe() {
  std::vector<QuantizeOptions> all;
  for (const ObserverRow& row : ObserverRow::table()) all.push_back({.observer = row.name});
  all.push_back({.learned = true});
  return all;
}

TEST(Lanes, OneIsAPlainLoop) {
  const TemporaryFolder folder;
  for (const QuantizeOptions& options : all_that_observe()) {
    Watched plain(options), taken(options);
    for (int64_t step = 0; step < 3; ++step) {
      for (Watched* one : {&plain, &taken}) {
        one->list.before_forward(step);
        for (const int64_t at : {8 * step, 8 * step + 4}) one->pass(at, at + 4);  // two batches a step
      }
      taken.list.absorb(std::vector<Observed>{taken.list.take_observed()});
    }
    EXPECT_EQ(plain.state(folder / "a.h5"), taken.state(folder / "b.h5")) << taken.list.describe();
  }
}

// Eight lanes of one process; and of three processes, which have 2, 3 and 3 of them.
TEST(Lanes, WhichProcessHasThemChangesNoBit) {
  const TemporaryFolder folder;
  for (const QuantizeOptions& options : all_that_observe()) {
    std::vector<std::unique_ptr<Watched>> processes(4);
    for (auto& process : processes) process = std::make_unique<Watched>(options);
    for (int64_t step = 0; step < 3; ++step) {
      std::vector<Observed> alone, shared;
      for (const auto& process : processes) process->list.before_forward(step);
      for (int64_t lane = 0; lane < 8; ++lane)
        for (Watched* const one : {processes[0].get(), processes[static_cast<size_t>(lane < 2   ? 1
                                                                                     : lane < 5 ? 2
                                                                                                : 3)]
                                                           .get()}) {
          for (const int64_t batch : {0, 32}) one->pass(64 * step + batch + 4 * lane, 64 * step + batch + 4 * lane + 4);
          (one == processes[0].get() ? alone : shared).push_back(one->list.take_observed());
        }
      EXPECT_EQ(alone, shared);
      processes[0]->list.absorb(alone);
      for (size_t i = 1; i < 4; ++i) processes[i]->list.absorb(shared);
    }
    const std::string whole = processes[0]->state(folder / "0.h5");
    for (size_t i = 1; i < 4; ++i) EXPECT_EQ(processes[i]->state(folder / "i.h5"), whole) << options.learned;
  }
}

TEST(Lanes, GradientsAreReadByThoseWhoSaySo) {
  for (const auto& [method, reads] :
       {std::pair("magnitude", false), {"wanda", false}, {"movement", false}, {"taylor", true}}) {
    const Pruner pruner({.method = method, .amount = 0.5});
    EXPECT_EQ(pruner.reads_gradients(), reads) << method;
  }
  Watched fixed({}), learned({.learned = true}), taylor({}, "taylor"), movement({}, "movement");
  EXPECT_FALSE(fixed.list.reads_gradients());
  EXPECT_TRUE(taylor.list.reads_gradients());
  EXPECT_TRUE(fixed.list.learned().empty());
  EXPECT_EQ(learned.list.learned().size(), 1U) << "scales";
  EXPECT_EQ(movement.list.learned().size(), 1U) << "scores";
}

}  // namespace
}  // namespace espalier
