// SPDX-License-Identifier: Apache-2.0
// The Python package espalier: models that answer, and checkpoints. Everything runs without the GIL.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "apps/inference/handle.h"
#include "apps/python/module.h"
#include "core/options.h"
#include "core/parallel.h"

namespace espalier::python {
namespace {

using Pair = std::pair<std::string, std::string>;
using Texts = std::vector<std::variant<std::string, Pair>>;

// A model, opened by what espalier.h opens it with.
class Asked {
 public:
  Asked(const std::filesystem::path& path, const std::string& precision, int max_length) {
    SourceOptions options{.max_length = max_length};
    options.listener.warn = [this](const std::string& line) { warnings_.push_back(line); };
    CHECK(OptionValue<Precision>::read(precision, options.precision), "precision ", precision, ": ",
          OptionValue<Precision>::expected());
    const nb::gil_scoped_release release;
    const std::scoped_lock lock(files());
    model_ = std::make_unique<espalier_classifier>(open_source(path.string(), options));
  }

  std::vector<Answer> predict(const Texts& texts) const {
    const nb::gil_scoped_release release;
    std::vector<Text> views;
    views.reserve(texts.size());
    for (const auto& text : texts)
      if (const Pair* const pair = std::get_if<Pair>(&text))
        views.push_back({pair->first, pair->second});
      else
        views.push_back({std::get<std::string>(text)});
    return model_->classify(views);
  }
  // One row a text: the logits, or what they say.
  template <class T>
  nb::ndarray<nb::numpy, const T> rows(const Texts& texts) const {
    const std::vector<Answer> answers = predict(texts);
    const Tensor all({std::ssize(answers), std::ssize(model_->labels)}, dtype_of<T>());
    T* to = all.data<T>();
    for (const Answer& answer : answers)
      if constexpr (std::is_same_v<T, float>)
        to = std::ranges::copy(answer.logits, to).out;
      else
        to = std::ranges::copy(answer.probabilities.empty() ? answer.values : answer.probabilities, to).out;
    return array_of<T>(all);
  }
  nb::ndarray<nb::numpy, const int32_t> tokenize(const std::string& text,
                                                 const std::optional<std::string>& second) const {
    const Text both{text, second ? std::optional<std::string_view>(*second) : std::nullopt};
    const std::vector<int32_t> ids = encode(*model_->tokenizer, both, model_->max_length).ids;
    return array_of<int32_t>(Tensor::of<int32_t>({std::ssize(ids)}, ids));
  }
  const espalier_classifier& model() const { return *model_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::unique_ptr<espalier_classifier> model_;
  std::vector<std::string> warnings_;
};

void add_model(nb::module_& module) {
  nb::class_<Answer>(module, "Answer")
      .def_ro("label", &Answer::label, "a class; several with commas between, or none; a number as text")
      .def_ro("probability", &Answer::probability, "of that label; NaN where it is not one class")
      .def_ro("probabilities", &Answer::probabilities, "of each label; empty for a regression")
      .def_ro("values", &Answer::values, "of a regression")
      .def_ro("logits", &Answer::logits)
      .def("__repr__", [](const Answer& a) { return "Answer(label='" + a.label + "')"; });
  nb::class_<Asked>(module, "Model", "A model that answers. Any number of threads may share one.")
      .def("predict", &Asked::predict, nb::arg("texts"), "The answer for each text, or pair of texts.")
      .def("scores", &Asked::rows<double>, nb::arg("texts"), nb::rv_policy::reference,
           "[N, C]: the probability of each label, or the numbers of a regression.")
      .def("logits", &Asked::rows<float>, nb::arg("texts"), nb::rv_policy::reference, "[N, C]")
      .def("tokenize", &Asked::tokenize, nb::arg("text"), nb::arg("second") = nb::none(), nb::rv_policy::reference,
           "The token ids that the model reads, with [CLS] and [SEP], cut to max_length.")
      .def_prop_ro("labels", [](const Asked& a) { return a.model().labels; })
      .def_prop_ro("task", [](const Asked& a) { return a.model().task; })
      .def_prop_ro("max_length", [](const Asked& a) { return a.model().max_length; })
      .def_prop_ro("vocabulary", [](const Asked& a) { return a.model().tokenizer->vocabulary(); })
      .def_prop_ro("warnings", &Asked::warnings, "what may be a mistake in the model's files");
}

}  // namespace
}  // namespace espalier::python

NB_MODULE(_core, module) {
  using namespace espalier::python;
  module.attr("__version__") = ESPALIER_VERSION;
  nb::exception<espalier::Error>(module, "Error", PyExc_ValueError);
  nb::exception<espalier::Failure>(module, "Failure", PyExc_RuntimeError);
  nb::register_exception_translator([](const std::exception_ptr& e, void* /*payload*/) {
    try {
      std::rethrow_exception(e);
    } catch (const std::filesystem::filesystem_error& error) {  // its own text names a function of the library
      const std::string text = error.path1().string() + ": cannot be used: " + error.code().message();
      PyErr_SetString(PyExc_OSError, text.c_str());
    }
  });
  add_model(module);
  add_checkpoint(module);
  module.def(
      "open",
      [](const std::filesystem::path& path, const std::string& precision, int max_length) {
        return std::make_unique<Asked>(path, precision, max_length);
      },
      nb::arg("path"), nb::arg("precision") = "f32", nb::arg("max_length") = 0,
      "Opens a checkpoint, a Hugging Face directory or an edge file. precision: f32, bf16 or auto. max_length: tokens "
      "of a text or pair; 0: 128, or all positions of the model where these are fewer.");
  module.def(
      "set_threads", [](int threads) { espalier::set_threads(threads); }, nb::arg("threads"),
      "Threads that all models share; 0: as many as the process may use. To be called while nothing else runs.");
}
