// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/compression.h"

#include "apps/shared/datasets.h"
#include "apps/shared/precision.h"
#include "apps/shared/progress.h"
#include "apps/shared/stop_signal.h"
#include "compress/cutting/layers.h"
#include "compress/distillation/distiller.h"
#include "compress/pruning/pruner.h"
#include "compress/quantization/quantizer.h"
#include "nn/mask.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// Ranges that no longer move must be those of the weights that are left.
void check_order(int64_t last, const QuantizeOptions& quantize) {
  CHECK(!quantize.observes() || quantize.freeze >= last, "--qat.freeze ", quantize.freeze,
        ": ranges would be fixed while weights are still pruned, up to step ", last,
        ", and would be those of another model; freeze at step ", last, " or later, or prune earlier");
}

std::unique_ptr<Compressor> distiller(const TrainOptions& options, const CommonOptions& common, const Model& model,
                                      const TokenizedDataset& train, const Say& say) {
  const DistillFlags& flags = options.distill;
  CHECK(!flags.options.looks_inside() || !options.gradient_checkpointing,
        "--gradient-checkpointing: keeps nothing inside a layer, which hidden states, attention and relations need");
  const auto teacher = std::make_shared<Teacher>(flags.teachers, choose_precision(flags.precision).compute);
  teacher->check(model, options.max_length);
  fs::path cache = flags.cache;
  if (cache.empty())
    cache = fs::path(options.output).parent_path() /
            ("teacher-" + teacher->fingerprint() + "-" + fingerprint(train) + ".h5");
  const bool there = fs::exists(cache);
  Progress progress(100, !common.quiet && !there, common.json);
  const Tensor logits = cached_logits(*teacher, train, cache, [&](int64_t done, int64_t all) {
    throw_if_stopped();
    progress.update(100 * done / all, "the teacher's logits");
  });
  say(format("teacher: logits of %ld sentences ", train.sentences()) + (there ? "from " : "kept in ") + cache.string());
  if (!flags.keep_states) return std::make_unique<Distiller>(flags.options, teacher, logits, common.seed);
  const auto keep = [teacher, &train, &common, path = fs::path(cache).replace_extension(".states.h5"),
                     &say](const StateParts& parts) {
    const bool kept = fs::exists(path);
    Progress steps(100, !common.quiet && !kept, common.json);
    auto states = std::make_unique<TeacherStates>(*teacher, train, parts, path, [&](int64_t done, int64_t all) {
      throw_if_stopped();
      steps.update(100 * done / all, "the teacher's states");
    });
    say(format("teacher: states of %ld tokens ", train.tokens()) + (kept ? "from " : "kept in ") + path.string());
    return states;
  };
  return std::make_unique<Distiller>(flags.options, teacher, logits, common.seed, keep);
}

}  // namespace

std::unique_ptr<Model> open_student(const TrainOptions& options, uint64_t seed) {
  auto model = open_model(options.model, {.seed = seed, .vocabulary = options.vocab, .labels = options.labels});
  require_f32(*model, "training");
  if (options.distill.student_layers.empty()) return model;
  auto student = keep_layers(*model, options.distill.layers_of(model->config.num_hidden_layers));
  student->report = model->report;
  return student;
}

void add_unlabelled(const TrainOptions& options, const Model& model, uint64_t seed, TokenizedDataset& train,
                    const Say& say) {
  const DistillFlags& flags = options.distill;
  TokenizedDataset more;
  if (!flags.unlabelled.empty())
    append(more, load_tsv(flags.unlabelled, model.tokenizer, model.bert->head(), options.max_length, false));
  if (flags.augment.copies > 0) {
    AugmentOptions augment = flags.augment;
    augment.seed = seed;
    append(more, augmented(train, model.tokenizer, augment));
  }
  if (more.sentences() == 0) return;
  append(train, more);
  say(format("distil: %ld more sentences, learned from without labels", more.sentences()));
}

std::vector<std::unique_ptr<Compressor>> make_compressors(const TrainOptions& options, const CommonOptions& common,
                                                          Model& model, const TokenizedDataset& train, int64_t steps,
                                                          const Say& say) {
  if (const int64_t pruned = std::ssize(masks_of(model.store)); pruned > 0)
    say(format("pruned before: the masks of %ld tensors are held", pruned));
  std::vector<std::unique_ptr<Compressor>> compressors;
  int64_t last_pruning = 0;
  if (options.prune.on()) {
    PruneOptions prune = options.prune.for_run(steps);
    prune.seed = common.seed;
    last_pruning = prune.schedule.last();
    compressors.push_back(std::make_unique<Pruner>(prune));
  }
  if (options.qat.on) {  // behind the pruner: zero is a grid point, so what is pruned stays zero
    const QuantizeOptions quantize = options.qat.for_run(steps);
    check_order(last_pruning, quantize);
    compressors.push_back(std::make_unique<Quantizer>(quantize));
  }
  if (options.distill.on()) compressors.push_back(distiller(options, common, model, train, say));
  for (const auto& c : compressors) {
    c->attach(*model.bert, model.store);
    say(c->describe());
  }
  return compressors;
}

}  // namespace espalier
