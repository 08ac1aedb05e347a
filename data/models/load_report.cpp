// SPDX-License-Identifier: Apache-2.0
#include "data/models/load_report.h"

#include <algorithm>
#include <sstream>

#include "core/check.h"
#include "core/format.h"

namespace espalier {
namespace {

constexpr size_t names_shown = 6;

}  // namespace

std::string LoadReport::text() const {
  std::string text = loaded > 0 ? std::to_string(loaded) + " tensors loaded" : "initialised from the seed";
  if (loaded > 0 && !initialised.empty())
    text += "; new, initialised from the seed: " + listed(initialised, names_shown);
  if (!ignored.empty()) text += "; not needed: " + listed(ignored, names_shown);
  if (rows_without_token > 0)
    text += "; " + std::to_string(rows_without_token) + " rows of the word embeddings have no token";
  if (!unexpected.empty()) text += "; of unknown purpose and ignored: " + listed(unexpected, names_shown);
  if (!unknown_fields.empty())
    text += "; fields of config.json that are not used: " + listed(unknown_fields, names_shown);
  return text;
}

std::string LoadReport::warning() const {
  std::string text;
  if (!unexpected.empty())
    text += std::to_string(unexpected.size()) +
            " of its tensors are of unknown purpose and have no effect here: " + listed(unexpected, names_shown);
  if (!unknown_fields.empty())
    text += (text.empty() ? "" : "; ") + std::string("fields of config.json that have no effect here: ") +
            listed(unknown_fields, names_shown);
  return text;
}

void LoadProblems::compare(const std::string& name, std::span<const int64_t> found, const Shape& expected) {
  if (std::ranges::equal(found, expected.dims())) return;
  std::ostringstream text;
  text << name << " [";
  for (size_t i = 0; i < found.size(); ++i) text << (i > 0 ? ", " : "") << found[i];
  text << "] for " << expected;
  mis_shaped.push_back(text.str());
}

void LoadProblems::check(const std::string& source, const std::string& conclusion) const {
  if (missing.empty() && unexpected.empty() && mis_shaped.empty()) return;
  constexpr size_t most = 3;  // of each kind: an error is one line
  std::string text = source + ": ";
  const auto add = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) text += std::to_string(names.size()) + ' ' + what + " (" + listed(names, most) + "), ";
  };
  add("missing", missing);
  add("unexpected", unexpected);
  add("of the wrong shape", mis_shaped);
  if (!missing.empty()) add("of the file are not used", unused);
  text.replace(text.size() - 2, 2, "; " + conclusion);
  throw Error(text);
}

}  // namespace espalier
