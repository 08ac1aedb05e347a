// SPDX-License-Identifier: Apache-2.0
// A model as files that other programs read.
#include <cstdio>

#include "apps/cli/model_option.h"
#include "data/edge/edge_export.h"
#include "data/models/hf_export.h"

namespace {
using namespace espalier;

enum class Format { hf, edge };

struct Export {
  ModelOption model;
  std::string output;
  Format format = Format::hf;

  void declare(Options& rows);

  int write_edge(const Model& m, const CommonOptions& common) const {
    const int64_t bytes = export_edge(m, output);
    say_what_is_initialised(m, common);
    if (common.json)
      print_json({{"output", output}, {"bytes", bytes}});
    else if (!common.quiet)
      std::printf("%s: %s; the program edge and espalier.h answer with it\n", output.c_str(),
                  in_megabytes(bytes).c_str());
    return 0;
  }

  int run(const CommonOptions& common) const {
    const auto m = model.open(common);
    if (format == Format::edge) return write_edge(*m, common);
    const int64_t bytes = export_hf(*m, output), parameters = m->store.count();
    say_what_is_initialised(*m, common);
    const std::string obstacle = obstacle_in_transformers(m->config);
    if (common.json) {
      print_json(
          {{"output", output}, {"bytes", bytes}, {"parameters", parameters}, {"transformers", obstacle.empty()}});
      return 0;
    }
    if (!common.quiet) std::printf("%s: %ld parameters, %s\n", output.c_str(), parameters, in_megabytes(bytes).c_str());
    if (!obstacle.empty())
      std::printf("transformers cannot load these shapes (%s); Espalier's programs do\n", obstacle.c_str());
    else if (!common.quiet)
      std::printf("transformers loads it as BertForSequenceClassification\n");
    return 0;
  }
};

}  // namespace

template <>
struct espalier::Names<Format> {
  static constexpr const char* list[] = {"hf", "edge"};
};

void Export::declare(Options& rows) {
  model.declare(rows);
  rows.add("format", format, "hf: a Hugging Face directory");
  rows.add("output", output, "directory to write; it must be new or empty").required();
}

int main(int argc, char** argv) {
  return run_program<Export>(
      argc, argv,
      "Writes a model as a Hugging Face directory: config.json, model.safetensors, vocab.txt, tokenizer_config.json.\n"
      "Every program takes it as --model again, with the same logits. A model whose layers were shrunk keeps its "
      "shapes; where\ntransformers cannot load these, export says so. Masks of a pruned model are not kept, its zeros "
      "are.\nExample: export --model model.h5 --output model");
}
