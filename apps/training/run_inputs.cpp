// SPDX-License-Identifier: Apache-2.0
#include "apps/training/run_inputs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/fingerprint.h"
#include "core/format.h"
#include "core/parallel.h"
#include "core/ranks.h"
#include "nn/mask.h"

namespace espalier {
namespace {

const char* const remedy = "; restore it, or start anew without --resume";

// Large parameters are read by all threads: a part of each, whose size does not depend on their number.
uint64_t of_values(const ParameterStore& store) {
  constexpr size_t part = size_t{1} << 20;
  struct Piece {
    const std::byte* first;
    size_t bytes;
    uint64_t value;
  };
  std::vector<Piece> pieces;
  for (const Parameter* p : store.all()) {
    const size_t bytes = p->value.bytes();
    for (size_t i = 0; i < bytes; i += part) pieces.push_back({p->value.raw() + i, std::min(part, bytes - i), 0});
  }
  parallel_for(std::ssize(pieces), [&](int64_t i) {
    Piece& piece = pieces[static_cast<size_t>(i)];
    Fingerprint f;
    f.add(piece.first, piece.bytes);
    piece.value = f.value();
  });
  Fingerprint all;
  for (const Piece& piece : pieces) all.add(piece.value);
  return all.value();
}

}  // namespace

std::string described(const TokenizedDataset& data) {
  Fingerprint f;
  f.add(data.ids.span());
  f.add(data.first_lengths.span());
  f.add(data.offsets.span());
  f.add(data.labels.span());
  f.add(data.values.span());
  return format("%ld sentences of %ld tokens (", data.sentences(), data.tokens()) + f.text() + ")";
}

std::string described(const Model& model) {
  Fingerprint f;
  f.add(config_to_json(model.config).dump());
  for (const std::string& token : model.tokenizer.vocabulary()) f.add(token);
  f.add(of_values(model.store));
  for (const auto& [name, bits] : masks_of(model.store)) {
    f.add(name);
    f.add(bits.raw(), bits.bytes());
  }
  return format("%.1f M parameters (", static_cast<double>(model.store.count()) * 1e-6) + f.text() + ")";
}

void RunInputs::add(const std::string& name, const std::string& content) {
  expect_same_on_all(name, content);
  now_.set(name, content);
  if (stopped_.names().empty()) return;
  CHECK(stopped_.has(name), file_, ": the run that stopped had nothing such as ", name, " (", content, ")", remedy);
  const std::string was = stopped_.at(name).printed();
  CHECK(was == content, file_, ": ", name, " has changed since the run stopped: it was ", was, " and is now ", content,
        remedy);
}

void RunInputs::check_complete() const {
  for (const std::string& name : stopped_.names())
    CHECK(now_.has(name), file_, ": the run that stopped had ", name, " (", stopped_.at(name).printed(),
          "), which is missing now", remedy);
}

}  // namespace espalier
