// SPDX-License-Identifier: Apache-2.0
// Checkpoints as NumPy arrays and dictionaries, and conversions between the forms of a model.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "apps/python/module.h"
#include "core/bitmap.h"
#include "data/edge/edge_export.h"
#include "data/models/hf_export.h"
#include "data/models/onnx_export.h"
#include "nn/mask.h"

namespace espalier::python {
namespace {

template <class T>
using Arrays = std::map<std::string, nb::ndarray<nb::numpy, const T>>;

// A checkpoint as a whole; open_model has checked it.
struct Contents {
  std::unique_ptr<Model> model;
  std::string config, tokenizer, options;

  explicit Contents(const std::filesystem::path& path) {
    const nb::gil_scoped_release release;
    const std::scoped_lock lock(files());
    const Checkpoint file(path);
    config = file.root().read_text("config");
    tokenizer = file.root().read_text("tokenizer");
    options = file.root().read_text("options");
    model = open_model(path.string());
  }
  Arrays<float> weights() const {
    Arrays<float> arrays;
    for (const Parameter* p : model->store.all()) arrays.emplace(p->name, array_of<float>(p->value));
    return arrays;
  }
  Arrays<int8_t> integers() const {
    Arrays<int8_t> arrays;
    for (const Parameter* p : model->store.all())
      if (const auto integers = p->integers()) arrays.emplace(p->name, array_of<int8_t>(integers->q()));
    return arrays;
  }
  Arrays<float> scales() const {
    Arrays<float> arrays;
    for (const Parameter* p : model->store.all())
      if (const auto integers = p->integers()) arrays.emplace(p->name, array_of<float>(integers->grid().scale));
    return arrays;
  }
  Arrays<bool> masks() const {
    Arrays<bool> arrays;
    for (const auto& [name, bits] : masks_of(model->store)) {
      const Tensor kept(model->store.at(name).shape, DType::u8);
      for (int64_t i = 0; i < kept.size(); ++i) kept.data<uint8_t>()[i] = bit(bits, i) ? 1 : 0;
      arrays.emplace(name, array_of<bool>(kept));
    }
    return arrays;
  }
};

using Dictionary = nb::typed<nb::dict, nb::str, nb::any>;

Dictionary parsed(const std::string& json) {
  return nb::cast<Dictionary>(nb::module_::import_("json").attr("loads")(json));
}

void convert(const std::filesystem::path& source, const std::filesystem::path& target,
             const std::optional<std::string>& format) {
  const nb::gil_scoped_release release;
  const std::scoped_lock lock(files());
  const std::string to = format                          ? *format
                         : target.extension() == ".h5"   ? "h5"
                         : target.extension() == ".edge" ? "edge"
                                                         : "hf";
  CHECK(to == "h5" || to == "hf" || to == "edge" || to == "onnx", "format ", to, ": choose h5, hf, edge or onnx");
  const auto model = open_model(source.string());
  if (to == "h5") save_checkpoint(target, model->store, model->contents());
  if (to == "hf") export_hf(*model, target);
  if (to == "edge") export_edge(*model, target);
  if (to == "onnx") export_onnx(*model, target);
}

}  // namespace

void add_checkpoint(nb::module_& module) {
  const auto shared = nb::rv_policy::reference;  // of arrays that own what they show
  nb::class_<Contents>(module, "Checkpoint", "What a checkpoint holds. Arrays may not be written to.")
      .def_prop_ro("weights", &Contents::weights, shared, "parameters by name; integers times scales where it has some")
      .def_prop_ro("integers", &Contents::integers, shared, "of quantized weights")
      .def_prop_ro("scales", &Contents::scales, shared, "of quantized weights, one for each row")
      .def_prop_ro("masks", &Contents::masks, shared, "of pruned weights: what is kept")
      .def_prop_ro("vocabulary", [](const Contents& c) { return c.model->tokenizer.vocabulary(); })
      .def_prop_ro("labels", [](const Contents& c) { return c.model->config.labels; })
      .def_prop_ro("config", [](const Contents& c) { return parsed(c.config); })
      .def_prop_ro("tokenizer", [](const Contents& c) { return parsed(c.tokenizer); })
      .def_prop_ro(
          "options", [](const Contents& c) { return parsed(c.options); }, "of the run that made it");
  module.def(
      "read", [](const std::filesystem::path& path) { return std::make_unique<Contents>(path); }, nb::arg("path"),
      "Reads a checkpoint FILE.h5.");
  module.def("convert", &convert, nb::arg("source"), nb::arg("target"), nb::arg("format") = nb::none(),
             "Writes any model that Espalier opens as another form: h5, hf, edge or onnx; without a format FILE.h5, "
             "FILE.edge or a new Hugging Face directory, as the target's name says.");
}

}  // namespace espalier::python
