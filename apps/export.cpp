// SPDX-License-Identifier: Apache-2.0
// A model as files that other programs read.
#include <cstdio>

#include "apps/shared/model_flags.h"
#include "apps/shared/part_table.h"
#include "data/models/hf_export.h"

namespace {
using namespace espalier;

struct Options {
  ModelFlags model;
  std::string output, format = "hf";
};

int run(const Options& o, const CommonOptions& common) {
  const auto model = o.model.open(common);
  const int64_t bytes = export_hf(*model, o.output), parameters = model->store.count();
  const std::string obstacle = obstacle_in_transformers(model->config);
  if (!common.quiet && !model->report.initialised.empty())
    std::fprintf(stderr, "export: %s\n", model->report.text().c_str());
  if (common.json) {
    print_json(
        {{"output", o.output}, {"bytes", bytes}, {"parameters", parameters}, {"transformers", obstacle.empty()}});
    return 0;
  }
  if (!common.quiet) std::printf("%s: %ld parameters, %s\n", o.output.c_str(), parameters, in_megabytes(bytes).c_str());
  if (!obstacle.empty())
    std::printf("transformers cannot load these shapes (%s); Espalier's programs do\n", obstacle.c_str());
  else if (!common.quiet)
    std::printf("transformers loads it as BertForSequenceClassification\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  return run_program(
      argc, argv,
      "Writes a model as a Hugging Face directory: config.json, model.safetensors, vocab.txt, tokenizer_config.json.\n"
      "Every program takes it as --model again, with the same logits. A model whose layers were shrunk keeps its "
      "shapes; where\ntransformers cannot load these, export says so. Masks of a pruned model are not kept, its zeros "
      "are.\nExample: export --model model.h5 --output model",
      [&](CLI::App& app) {
        o.model.declare(app);
        app.add_option("--format", o.format, "hf: a Hugging Face directory")
            ->check(CLI::IsMember({"hf"}))
            ->capture_default_str();
        app.add_option("--output", o.output, "directory to write; it must be new or empty")->required();
        return [&](const CommonOptions& common) { return run(o, common); };
      });
}
