// SPDX-License-Identifier: Apache-2.0
#include "apps/training/calibrate.h"

#include <bit>
#include <optional>

#include "apps/training/datasets.h"
#include "apps/training/step.h"
#include "apps/training/table_options.h"
#include "core/ranks.h"
#include "data/text/read_text.h"

namespace espalier {

void CalibrationOptions::declare(Options& rows, const std::string& who, const std::string& option,
                                 const std::string& what, const std::function<bool()>& used,
                                 const std::function<bool()>& evaluates) {
  const std::string why = "nothing looks at training text; leave it out, or choose a method that does";
  rows.add(option, data, who + ": " + what).kept_as("data").only_if(used, why);
  rows.add("calibration-steps", steps, who + ": batches of training text to look at").at_least(1).only_if(used, why);
  rows.add("batch-size", batch_size, who + ": sentences a batch").at_least(1).only_if(used, why);
  rows.add("micro-batches", micro_batches,
           who +
               ": parts into which a batch is cut, a power of two, which ranks share; any number of ranks gives the "
               "same bits; default: 8 where mpirun starts the program, else 1")
      .no_default()
      .range([this] { return micro_batches > 0 && std::has_single_bit(static_cast<uint64_t>(micro_batches)); },
             "a power of two is expected")
      .only_if(used, why)
      .fill([this, used] { micro_batches = used() && started_by_mpirun() ? 8 : 1; });
  rows.add("max-length", max_length, who + ": tokens of a sentence at most, with [CLS] and [SEP]")
      .only_if([used, evaluates] { return used() || evaluates(); }, why);
  declare_table(
      rows, table, [used, evaluates] { return used() || evaluates(); }, why);
}

void calibrate(Compressor& compressor, Model& model, const CalibrationOptions& options, bool gradients,
               const Listener& listener) {
  const int max_length = options.max_length.of(model.config.longest());
  const DataFiles files = find_data(options.data);
  const TokenizedDataset data = read_text(
      files.train, model.tokenizer, model.bert->head(), max_length,
      {.labels = gradients ? Labels::required : Labels::if_present, .table = options.table, .say = listener.say});
  if (files.train != files.where) listener.say(files.note);
  const Loader loader(data,
                      {.batch_size = options.batch_size, .micro_batches = options.micro_batches, .seed = options.seed});
  const Epoch epoch = loader.epoch(0);
  if (gradients) model.store.make_gradients();
  std::optional<GradientSum> sum;
  if (gradients && (options.micro_batches > 1 || ranks() > 1)) {
    std::vector<ParameterStore*> stores = compressor.learned();
    stores.insert(stores.begin(), &model.store);
    sum.emplace(stores, options.micro_batches, DType::f32);
  }
  for (int64_t step = 0; step < options.steps; ++step) {
    take_step(model, epoch.window(step % loader.windows()), compressor,
              {.step = step,
               .first_batch = static_cast<uint64_t>(step * options.micro_batches),
               .seed = options.seed,
               .training = false,
               .gradients = gradients,
               .sum = sum ? &*sum : nullptr});
    listener.progress(step + 1, options.steps, "calibration");
  }
  compressor.before_forward(options.steps);
}

}  // namespace espalier
