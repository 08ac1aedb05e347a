// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/training_curves.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/input_file.h"
#include "core/record.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// Each is the mean of as many points as make no more than `most` of them.
std::vector<CurvePoint> means(const std::vector<CurvePoint>& points, size_t most) {
  const size_t each = (points.size() + most - 1) / most;
  std::vector<CurvePoint> result;
  for (size_t first = 0; first < points.size(); first += each) {
    const size_t end = std::min(points.size(), first + each);
    CurvePoint mean;
    for (size_t i = first; i < end; ++i) {
      mean.epoch += points[i].epoch / static_cast<double>(end - first);
      mean.value += points[i].value / static_cast<double>(end - first);
    }
    result.push_back(mean);
  }
  return result;
}

}  // namespace

TrainingCurves read_training_curves(const fs::path& file, const std::string& name) {
  constexpr int64_t largest = 1 << 30;
  constexpr size_t most_points = 120;
  const std::string text = read_file(file, largest);
  TrainingCurves curves{.name = name};
  int64_t number = 0;
  for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string place = file.string() + ", line " + std::to_string(++number);
    const Record line = Record::parse(text.substr(begin, end - begin), place);
    CHECK(line.has("epoch") && (line.has("loss") || line.has("eval_loss")), place,
          ": has no epoch and loss; expected the log of a training (--log-dir)");
    const bool evaluated = line.has("eval_loss");
    const CurvePoint point{line.number("epoch", 0), line.number(evaluated ? "eval_loss" : "loss", 0)};
    if (std::isfinite(point.value)) (evaluated ? curves.evaluation : curves.training).push_back(point);
  }
  CHECK(!curves.training.empty() || !curves.evaluation.empty(), file.string(),
        ": is empty; expected the log of a training (--log-dir)");
  curves.training = means(curves.training, most_points);
  return curves;
}

std::vector<TrainingCurves> curves_of(const std::vector<std::string>& folders, const std::vector<std::string>& models,
                                      const std::vector<std::string>& names) {
  std::vector<TrainingCurves> all;
  for (const std::string& folder : folders) {
    fs::path name = fs::path(folder).lexically_normal();
    if (!name.has_filename()) name = name.parent_path();
    all.push_back(read_training_curves(fs::path(folder) / "metrics.jsonl", name.filename().string()));
    all.back().colour = models.size() + all.size() - 1;
  }
  for (size_t i = 0; i < models.size(); ++i) {
    const fs::path file = fs::path(models[i]).replace_extension() / "metrics.jsonl";
    std::error_code ignored;
    if (fs::path(models[i]).extension() == ".h5" && fs::is_regular_file(file, ignored))
      all.push_back(read_training_curves(file, names[i])), all.back().colour = i;
  }
  return all;
}

}  // namespace espalier
