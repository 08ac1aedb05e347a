// SPDX-License-Identifier: Apache-2.0
// A model as files that other programs read.
#include <cstdio>

#include "apps/cli/model_option.h"
#include "apps/cli/part_table.h"
#include "apps/training/output.h"
#include "data/edge/edge_export.h"
#include "data/models/hf_export.h"
#include "data/models/onnx_export.h"

namespace {
using namespace espalier;

enum class Format { hf, onnx, edge, h5 };

Exported write(Format format, const Model& model, const std::string& output) {
  switch (format) {
    case Format::hf:
      return export_hf(model, output);
    case Format::onnx:
      return export_onnx(model, output);
    case Format::edge:
      return export_edge(model, output);
    case Format::h5:
      announce_replaced(output, false, Written::checkpoint);
      save_checkpoint(output, model.store, model.contents());
      return {.bytes = size_of_model(output)};
  }
  return {};
}

struct Export {
  ModelOption model;
  std::string output;
  Format format = Format::hf;

  void declare(Options& rows);

  int run(const CommonOptions& common) const {
    const auto m = model.open(common);
    const Exported done = write(format, *m, output);
    say_what_is_initialised(*m, common);
    if (common.json) {
      Record line = {{"output", output}, {"bytes", done.bytes}, {"parameters", m->store.count()}};
      if (format == Format::hf) line.set("transformers", done.warning.empty());
      print_json(line);
      return 0;
    }
    if (!common.quiet) {
      std::printf("%s: %ld parameters, %s\n", output.c_str(), m->store.count(), in_megabytes(done.bytes).c_str());
      for (const std::string& note : done.notes) std::printf("%s\n", note.c_str());
    }
    if (!done.warning.empty()) std::printf("%s\n", done.warning.c_str());
    return 0;
  }
};

}  // namespace

template <>
struct espalier::Names<Format> {
  static constexpr const char* list[] = {"hf", "onnx", "edge", "h5"};
};

void Export::declare(Options& rows) {
  model.declare(rows);
  rows.add("format", format,
           "hf, onnx: a directory, see above; edge: one file for phones and browsers; h5: a checkpoint");
  rows.add("output", output, "directory to write, which must be new or empty; with edge and h5 a file").required();
}

int main(int argc, char** argv) {
  return run_program<Export>(
      argc, argv,
      "Writes a model as files that other programs read:\n"
      "  hf    a Hugging Face directory, in f32. Every program takes it as --model again, with the same logits. Layers "
      "keep the\n        shapes to which they were shrunk; where transformers cannot load these, export says so. Int8 "
      "weights become f32\n        numbers, and quantization.json keeps their scales.\n"
      "  onnx  a directory with onnx/model.onnx, for ONNX Runtime, OpenVINO, Optimum and transformers.js: any shapes, "
      "and int8\n        stays int8. Inputs input_ids, attention_mask and token_type_ids, output logits; opset 17, "
      "standard operators only.\n"
      "  edge  one file for a small runtime, for phones and browsers: any model, with its integers and without its "
      "zero blocks.\n"
      "  h5    a checkpoint, for h5py and the other programs: docs/FORMATS.md.\nBoth directories have config.json, "
      "vocab.txt, tokenizer.json and tokenizer_config.json. Masks of a "
      "pruned model are not\nkept, its zeros are. More in docs/EXPORT.md and docs/EDGE.md.\n"
      "Example: export --model model.h5 --format onnx --output model");
}
