// SPDX-License-Identifier: Apache-2.0
#include "optim/parameter_groups.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <tuple>

#include "core/check.h"
#include "core/format.h"
#include "core/pattern.h"
#include "optim/optimizer.h"

namespace espalier {
namespace {

constexpr int64_t embeddings = -1, head = INT64_MAX;

// The layer that the name says, from 0, or one of the constants above.
int64_t place_of(const std::string& name) {
  const std::string layers = "bert.encoder.layer.";
  if (name.starts_with("bert.embeddings.")) return embeddings;
  if (!name.starts_with(layers)) return head;
  int64_t layer = 0;
  std::from_chars(name.data() + layers.size(), name.data() + name.size(), layer);
  return layer;
}

std::string name_of_place(int64_t place) {
  return place == embeddings ? "embeddings" : place == head ? "head" : "layer " + std::to_string(place);
}

}  // namespace

void set_layer_decay(ParameterStore& store, int64_t layers, double decay) {
  for (Parameter* p : store.all()) {
    const int64_t place = place_of(p->name);
    p->rate_share = place == head ? 1 : std::pow(decay, static_cast<double>(layers - place));
  }
}

void freeze(ParameterStore& store, const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    bool used = false;
    for (Parameter* p : store.all())
      if (matches(pattern, p->name)) used = p->frozen = true;
    CHECK(used, "--freeze: the pattern '", pattern,
          "' matches no parameter; expected a name with * for any text, such as bert.embeddings.*, "
          "bert.encoder.layer.0.* or ",
          store.all().back()->name);
  }
  CHECK(std::ranges::any_of(store.all(), [](const Parameter* p) { return !p->frozen; }),
        "--freeze: the patterns match all parameters, nothing would learn; name fewer of them");
}

std::vector<ParameterGroup> parameter_groups(const ParameterStore& store) {
  std::map<std::tuple<int64_t, bool>, ParameterGroup> groups;
  for (const Parameter* p : store.all()) {
    const int64_t place = place_of(p->name), size = p->shape.size();
    ParameterGroup& group = groups[{place, p->frozen}];
    group.name = name_of_place(place);
    group.rate_share = p->rate_share;
    group.frozen = p->frozen;
    ++group.tensors;
    group.parameters += size;
    if (!decays(p->role)) continue;
    ++group.decaying_tensors;
    group.decaying += size;
  }
  std::vector<ParameterGroup> list;
  list.reserve(groups.size());
  for (const auto& [place, group] : groups) list.push_back(group);
  return list;
}

std::string describe(const std::vector<ParameterGroup>& groups, double rate, double weight_decay) {
  std::string text;
  for (const ParameterGroup& g : groups) {
    const std::string size =
        format("%3ld tensors %10ld parameters", static_cast<long>(g.tensors), static_cast<long>(g.parameters));
    text += (text.empty() ? "" : "\n") + format("  %-11s %s  ", g.name.c_str(), size.c_str()) +
            (g.frozen ? "frozen"
                      : format("rate %.3g, weight decay %g on %ld parameters", rate * g.rate_share, weight_decay,
                               static_cast<long>(g.decaying)));
  }
  return text;
}

Record to_record(const std::vector<ParameterGroup>& groups, double rate, double weight_decay) {
  Record list = Record::list();
  for (const ParameterGroup& g : groups)
    list.append({{"name", g.name},
                 {"frozen", g.frozen},
                 {"tensors", g.tensors},
                 {"parameters", g.parameters},
                 {"learning_rate", g.frozen ? 0 : rate * g.rate_share},
                 {"weight_decay", g.frozen ? 0 : weight_decay},
                 {"decaying_parameters", g.frozen ? 0 : g.decaying}});
  return list;
}

}  // namespace espalier
