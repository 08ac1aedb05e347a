// SPDX-License-Identifier: Apache-2.0
#include "compress/distillation/distillation.h"

#include "compress/cutting/layers.h"
#include "compress/distillation/distiller.h"
#include "core/check.h"
#include "core/dealt.h"
#include "data/text/read_text.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// On text that comes as a stream, of which nothing can be kept.
std::unique_ptr<Compressor> make_for_stream(const DistillationOptions& options, const Setting& setting) {
  CHECK(
      options.cache.empty() && !options.keep_states && options.unlabelled.empty() && options.augment.copies == 0,
      "--distill.cache, keep-states, unlabelled and augment: are for tables; expected none of them where the text is a "
      "corpus, which the teacher reads as it comes");
  const auto teacher =
      std::make_shared<Teacher>(options.teachers, choose(options.precision).compute,
                                options.loss.alpha > 0 ? Teacher::Answers::needed : Teacher::Answers::unused);
  teacher->check_tokens(setting.model, setting.max_length);
  return std::make_unique<Distiller>(options.loss, teacher, Tensor(), setting.seed);
}

std::unique_ptr<Compressor> make(const DistillationOptions& options, const Setting& setting) {
  const Listener listener = setting.listener;
  CHECK(!options.loss.looks_inside() || !setting.gradient_checkpointing,
        "--gradient-checkpointing: keeps nothing inside a layer, which hidden states, attention and relations need");
  if (setting.train.sentences() == 0) return make_for_stream(options, setting);
  const auto teacher = std::make_shared<Teacher>(options.teachers, choose(options.precision).compute);
  teacher->check(setting.model, setting.max_length);
  fs::path cache = options.cache;
  if (cache.empty())
    cache =
        setting.output.parent_path() / ("teacher-" + teacher->fingerprint() + "-" + fingerprint(setting.train) + ".h5");
  const auto where = [](const fs::path& file, bool there) { return (there ? " from " : " kept in ") + file.string(); };
  const bool there = of_first_rank(fs::exists(cache));
  CHECK(there || !setting.dry_run, "--dry-run: ", cache.string(),
        " is not there, and a dry run writes no file; expected the teacher's answers that an earlier run has kept");
  const Tensor logits = cached_logits(*teacher, setting.train, cache, [&](int64_t done, int64_t all) {
    listener.progress(done, all, "the teacher's logits");
  });
  listener.say(format("teacher: logits of %ld sentences", setting.train.sentences()) + where(cache, there));
  if (!options.keep_states) return std::make_unique<Distiller>(options.loss, teacher, logits, setting.seed);
  const auto keep = [=, &train = setting.train, dry_run = setting.dry_run,
                     path = fs::path(cache).replace_extension(".states.h5")](const StateParts& parts) {
    const bool kept = of_first_rank(fs::exists(path));
    CHECK(kept || !dry_run, "--dry-run: ", path.string(),
          " is not there, and a dry run writes no file; expected the teacher's states that an earlier run has kept");
    auto states = std::make_unique<TeacherStates>(*teacher, train, parts, path, [&](int64_t done, int64_t all) {
      listener.progress(done, all, "the teacher's states");
    });
    listener.say(format("teacher: states of %ld tokens", train.tokens()) + where(path, kept));
    return states;
  };
  return std::make_unique<Distiller>(options.loss, teacher, logits, setting.seed, keep);
}

// What is learned from the teacher alone: other text, and augmented copies.
TokenizedDataset unlabelled(const DistillationOptions& options, const Setting& setting) {
  TokenizedDataset more;
  if (!options.unlabelled.empty())
    append(more, read_text(options.unlabelled, setting.model.tokenizer, setting.model.bert->head(), setting.max_length,
                           {.labels = Labels::if_present}));
  if (options.augment.copies > 0) {
    AugmentOptions augment = options.augment;
    augment.seed = setting.seed;
    append(more, augmented(setting.train, setting.model.tokenizer, augment));
  }
  if (more.sentences() > 0)
    setting.listener.say(format("distil: %ld more sentences, learned from without labels", more.sentences()));
  return more;
}

std::unique_ptr<Model> student_of(const DistillationOptions& options, std::unique_ptr<Model> model) {
  if (options.student_layers.all()) return model;
  auto student = keep_layers(*model, options.student_layers.of(model->config.num_hidden_layers, "--student-layers"));
  student->report = model->report;
  return student;
}

}  // namespace

Algorithm distillation(const std::shared_ptr<DistillationOptions>& options) {
  return {.name = "distill",
          .heading = "Distillation",
          .options = [options](Options& rows) { options->declare(rows); },
          .on = [options] { return options->on(); },
          .how = "nothing is distilled without --distill.teacher",
          .make = [options](const Setting& setting) { return make(*options, setting); },
          .task = [options] { return task_of(options->teachers.front()); },
          .start = [options](std::unique_ptr<Model> model) { return student_of(*options, std::move(model)); },
          .more_data = [options](const Setting& setting) { return unlabelled(*options, setting); }};
}

}  // namespace espalier
