// SPDX-License-Identifier: Apache-2.0
// The figures that the project claims, measured here and now. Unset OPENBLAS_CORETYPE before: it changes OpenBLAS's
// speed.
#include <algorithm>
#include <cstdio>

#include "apps/benchmarks/benchmarks.h"
#include "core/check.h"
#include "core/ranks.h"
#include "core/ranks/join.h"

namespace espalier {

void print_figures(const Record& figures, const CommonOptions& common) {
  if (common.json) return print_json(figures);
  for (const std::string& name : figures.names())
    if (name != "bench") std::printf("%-22s %s\n", name.c_str(), figures.at(name).printed().c_str());
  std::printf("\n");
}

namespace {

struct Benchmark {
  std::string name, help;
  int (*measure)(const BenchOptions&, const CommonOptions&);

  static std::vector<Benchmark> table() {
    return {
        {"train", "training steps: median examples a second, time per part, peak memory", bench_train},
        {"infer",
         "inference: sentences a second of dev.tsv by batch size, time of a request by length, the distance from what "
         "this machine can do, and the start of predict",
         bench_infer},
        {"gemm", "products at BERT-base's shapes", bench_gemm},
        {"sparse", "products with pruned blocks against dense ones", bench_sparse},
        {"adamw", "clipping and AdamW against one plain pass over the same memory", bench_adamw},
        {"attention", "attention at several lengths: speed and kept memory", bench_attention},
        {"vocabulary",
         "the loss of masked words over a vocabulary, in chunks and with all logits kept: speed and memory",
         bench_vocabulary},
        {"mpi",
         "between the processes that mpirun has started: latency, bandwidth, and training steps: time, bytes, what is "
         "waited for, and the share of the transfer that is hidden behind computing",
         bench_mpi},
        {"tokenize", "the tokenizer of --vocab, a directory: sentences of train.tsv a second, on one thread",
         bench_tokenize},
    };
  }
};

struct Bench {
  Choice<Benchmark> what = "train";
  BenchOptions o;

  static bool all_of(const std::vector<int64_t>& values, int64_t least, int64_t most) {
    return !values.empty() && std::ranges::all_of(values, [&](int64_t v) { return v >= least && v <= most; });
  }

  void declare(Options& rows) {
    const std::string counts = "1 to 1048576 are expected";
    rows.choose("what", what, Benchmark::table(), "what to measure").positional().required().no_default();
    o.model.declare(rows);
    rows.add("data", o.data, "folder with train.tsv and dev.tsv; default as train_sst2's");
    rows.add("batch-size", o.batch_size, "sentences a batch; not for infer").between(1, 1 << 20, counts);
    rows.add("figures", o.figures,
             "infer: what is measured: throughput, requests (one by one), limits, start; default: all of it")
        .no_default()
        .by_commas();
    rows.add("batch-sizes", o.batch_sizes, "infer: sentences a batch, of throughput")
        .by_commas()
        .range([this] { return all_of(o.batch_sizes, 1, 1 << 20); }, counts);
    rows.add("lengths", o.lengths, "infer: tokens a request; those beyond the model's positions are left out")
        .by_commas()
        .range([this] { return all_of(o.lengths, 2, 1 << 20); }, "2 to 1048576 are expected");
    rows.add("accumulate", o.accumulate, "train, mpi: batches a training step").between(1, 1 << 20, counts);
    rows.add("micro-batches", o.micro_batches, "mpi: parts of a batch, which ranks share").between(1, 65536, counts);
    rows.add("gradient-dtype", o.gradient_dtype, "mpi: in which gradients travel: f32 or bf16");
    rows.add("steps", o.steps, "measured steps or repetitions").between(1, 1 << 20, counts);
    rows.add("max-length", o.max_length, "tokens a sentence");
    rows.flag("profile", o.profile,
              "train: time, bytes and GFLOP/s of each op, and the distance from what this machine can do");
    rows.add("mask", o.mask, "train: share of the encoder's weights that are masked, as in pruning")
        .range([this] { return o.mask >= 0 && o.mask < 1; }, "a share in [0, 1) is expected");
    rows.flag("qat", o.qat,
              "train: with fake-quant on weights and inputs, as train_sst2 --qat.on; sparse: products in int8");
    rows.add("block", o.block, "sparse: outputs and inputs of a block, such as 32x32");
    rows.add("precision", o.precision, "of the encoder's products: f32, bf16, or auto: bf16 where the CPU has it");
    rows.flag("gradient-checkpointing", o.gradient_checkpointing,
              "train: keep only each layer's input for the backward pass");
  }

  int run(const CommonOptions& common) const {
    CHECK(ranks() == 1 || what->name == "mpi", "bench ", what->name, " measures one process; start it without mpirun");
    return what->measure(o, common);
  }
};

}  // namespace
}  // namespace espalier

int main(int argc, char** argv) {
  return espalier::run_program<espalier::Bench>(
      argc, argv,
      "Measures what the project claims: run it with nothing else on the machine.\nExample: bench train --model "
      "random:base --vocab vocab.txt --steps 20",
      espalier::join_ranks);
}
