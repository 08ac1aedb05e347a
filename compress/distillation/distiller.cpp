// SPDX-License-Identifier: Apache-2.0
#include "compress/distillation/distiller.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "core/check.h"

namespace espalier {

// The parts of one batch's loss, with their weights.
struct Distiller::Terms {
  std::vector<Var> values;
  std::vector<double> weights;
  std::map<std::string, double>& log;

  void add(const char* name, const Var& value, double weight) {
    log[name] += static_cast<double>(*value.value.data<float>());
    if (weight == 0) return;
    values.push_back(value);
    weights.push_back(weight);
  }
  void add_mean(const char* name, const std::vector<Var>& of_layers, double weight) {
    add(name, ops::sum(of_layers, std::vector<double>(of_layers.size(), 1 / static_cast<double>(of_layers.size()))),
        weight);
  }
};

bool DistillOptions::looks_inside() const {
  return hidden_weight > 0 || attention_weight > 0 || relation_weight > 0 || embedding_weight > 0;
}

void DistillOptions::check(const std::string& prefix) const {
  const auto option = [&](const char* name) { return prefix + name + ' '; };
  CHECK(temperature > 0 && std::isfinite(temperature), option("temperature"), temperature,
        ": a positive number is expected");
  CHECK(alpha >= 0 && alpha <= 1, option("alpha"), alpha, ": a share from 0 (hard loss only) to 1 (soft only)");
  for (const auto& [name, weight] : {std::pair{"hidden-weight", hidden_weight},
                                     {"attention-weight", attention_weight},
                                     {"relation-weight", relation_weight},
                                     {"embedding-weight", embedding_weight}})
    CHECK(weight >= 0 && std::isfinite(weight), option(name), weight, ": 0 or a positive number is expected");
  CHECK(hidden_loss == "mse" || hidden_loss == "cosine", option("hidden-loss"), hidden_loss, ": choose mse or cosine");
  CHECK(attention_loss == "mse" || attention_loss == "kl", option("attention-loss"), attention_loss,
        ": choose mse (of scores) or kl (of probabilities)");
  CHECK(relation_heads >= 0, option("relation-heads"), relation_heads, ": 0 or a positive number is expected");
  CHECK(projection_rate > 0 && std::isfinite(projection_rate), option("projection-rate"), projection_rate,
        ": a positive number is expected");
}

std::vector<std::pair<int64_t, int64_t>> map_layers(const std::string& map, int64_t student, int64_t teacher) {
  std::vector<std::pair<int64_t, int64_t>> pairs;
  if (map == "uniform" || map == "last") {
    CHECK(student <= teacher, "layer map ", map, ": the student has ", student, " layers, the teacher ", teacher,
          "; name the pairs, such as 0:0,1:0");
    for (int64_t i = 0; i < student; ++i)
      pairs.emplace_back(i, map == "last" ? teacher - student + i : (i + 1) * teacher / student - 1);
    return pairs;
  }
  std::istringstream text(map);
  std::set<int64_t> seen;
  for (std::string part; std::getline(text, part, ',');) {
    int64_t s = -1, t = -1;
    char colon = 0, more = 0;
    std::istringstream numbers(part);
    CHECK(numbers >> s >> colon >> t && colon == ':' && !(numbers >> more), "layer map ", map, ": '", part,
          "' is not understood; expected uniform, last, or pairs student:teacher, counted from 0, such as 0:1,2:5");
    CHECK(s >= 0 && s < student, "layer map ", map, ": the student has the layers 0 to ", student - 1, ", not ", s);
    CHECK(t >= 0 && t < teacher, "layer map ", map, ": the teacher has the layers 0 to ", teacher - 1, ", not ", t);
    CHECK(seen.insert(s).second, "layer map ", map, ": student layer ", s, " is named twice");
    pairs.emplace_back(s, t);
  }
  CHECK(!pairs.empty(), "layer map: is empty; expected uniform, last, or pairs student:teacher such as 0:1,2:5");
  return pairs;
}

Distiller::Distiller(const DistillOptions& options, std::shared_ptr<const Teacher> teacher, const Tensor& logits,
                     uint64_t seed, KeepStates keep)
    : options_(options), teacher_(std::move(teacher)), logits_(logits), seed_(seed), keep_(std::move(keep)) {
  options_.check("distill: ");
}

void Distiller::attach(Bert& model, ParameterStore& /*store*/) {
  if (!looks_inside()) return;
  const BertConfig &ours = model.config(), &theirs = teacher_->config();
  CHECK(teacher_->models() == 1, "distill: hidden states, attention and relations are compared with one teacher, not ",
        teacher_->models());
  layers_ = map_layers(options_.layer_map, ours.num_hidden_layers, theirs.num_hidden_layers);
  last_ = {ours.num_hidden_layers - 1, theirs.num_hidden_layers - 1};
  if (options_.attention_weight > 0)
    for (const auto& [s, t] : layers_)
      CHECK(ours.heads_of(s) == theirs.heads_of(t), "distill: attention of student layer ", s, " (", ours.heads_of(s),
            " heads) cannot be compared with that of teacher layer ", t, " (", theirs.heads_of(t),
            " heads); name other layers, or compare relations");
  if (options_.relation_weight > 0) {
    if (options_.relation_heads == 0) options_.relation_heads = theirs.heads_of(last_.second);
    for (const int64_t width :
         {ours.heads_of(last_.first) * ours.head_size(), theirs.heads_of(last_.second) * theirs.head_size()})
      CHECK(width % options_.relation_heads == 0, "distill: ", options_.relation_heads,
            " relation heads do not divide a width of ", width);
  }
  if (keep_) states_ = keep_(parts());
  if (ours.hidden_size == theirs.hidden_size) return;
  const Scope scope(projections_.store);
  const auto projection = [&](double weight, const char* name) {
    return weight > 0 ? std::make_unique<Linear>(scope / name, theirs.hidden_size, ours.hidden_size) : nullptr;
  };
  hidden_ = projection(options_.hidden_weight, "hidden_projection");
  embedding_ = projection(options_.embedding_weight, "embedding_projection");
  if (projections_.store.all().empty()) return;
  projections_.start();
  for (Parameter* p : projections_.store.all())
    projections_.store.initialise(*p, seed_, 1 / std::sqrt(static_cast<float>(ours.hidden_size)));
}

// What the options compare, of the teacher.
StateParts Distiller::parts() const {
  StateParts parts;
  for (const auto& [student, teacher] : layers_) {
    if (options_.hidden_weight > 0) parts.hidden.insert(teacher + 1);
    if (options_.attention_weight > 0) parts.qkv.insert(teacher);
  }
  if (options_.relation_weight > 0) parts.qkv.insert(last_.second);
  if (options_.embedding_weight > 0) parts.hidden.insert(0);
  return parts;
}

Var Distiller::loss(const Var& task, const StepOutput& output, const Context& context) {
  Terms terms{{}, {}, terms_};
  terms.add("hard_loss", task, 1 - options_.alpha);
  const PackedBatch& batch = output.batch;
  const int64_t classes = logits_.cols();
  Tensor goal({batch.sentences(), classes});
  for (int64_t b = 0; b < batch.sentences(); ++b)
    std::copy_n(logits_.data<float>() + batch.rows[static_cast<size_t>(b)] * classes, classes,
                goal.data<float>() + b * classes);
  terms.add("soft_loss",
            teacher_->head().soft_loss(output.logits, goal, options_.temperature,
                                       static_cast<double>(output.window.sentences)),
            options_.alpha);
  if (looks_inside()) add_inner(terms, output, context);
  return ops::sum(terms.values, terms.weights);
}

void Distiller::add_inner(Terms& terms, const StepOutput& output, const Context& context) const {
  const Activations goal = states_ ? states_->inside(output.batch) : teacher_->inside(output.batch);
  const auto sentences = static_cast<double>(output.window.sentences),
             tokens = static_cast<double>(output.window.tokens);
  const auto compare = [&](const Var& x, const Tensor& t, const std::unique_ptr<Linear>& projection, bool cosine) {
    const Var y = projection != nullptr ? (*projection)(x, context) : x;
    return cosine ? ops::cosine_distance(y, t, tokens) : ops::mse(y, t, tokens * static_cast<double>(t.cols()));
  };
  std::vector<Var> hidden, attention, relations;
  for (const auto& [student, teacher] : layers_) {
    const auto s = static_cast<size_t>(student), t = static_cast<size_t>(teacher);
    if (options_.hidden_weight > 0)
      hidden.push_back(
          compare(output.inside.hidden[s + 1], goal.hidden[t + 1].value, hidden_, options_.hidden_loss == "cosine"));
    if (options_.attention_weight > 0)
      attention.push_back(ops::relation_loss(
          output.inside.qkv[s], goal.qkv[t].value, output.batch.offsets,
          {.heads = teacher_->config().heads_of(teacher), .probabilities = options_.attention_loss == "kl"},
          sentences));
  }
  for (int part = 0; part < 3 && options_.relation_weight > 0; ++part)
    relations.push_back(ops::relation_loss(output.inside.qkv[static_cast<size_t>(last_.first)],
                                           goal.qkv[static_cast<size_t>(last_.second)].value, output.batch.offsets,
                                           {.left = part, .right = part, .heads = options_.relation_heads}, sentences));
  if (!hidden.empty()) terms.add_mean("hidden_loss", hidden, options_.hidden_weight);
  if (!attention.empty()) terms.add_mean("attention_loss", attention, options_.attention_weight);
  if (!relations.empty()) terms.add_mean("relation_loss", relations, options_.relation_weight);
  if (options_.embedding_weight > 0)
    terms.add("embedding_loss", compare(output.inside.hidden[0], goal.hidden[0].value, embedding_, false),
              options_.embedding_weight);
}

void Distiller::after_step(int64_t /*step*/) {
  if (projections_.started()) projections_.step(options_.projection_rate);
}

std::string Distiller::describe() const {
  std::ostringstream text;
  text << "distil: " << (teacher_->models() == 1 ? "one teacher" : std::to_string(teacher_->models()) + " teachers")
       << "; soft loss at temperature " << options_.temperature << " with weight " << options_.alpha << ", hard loss "
       << 1 - options_.alpha;
  if (options_.hidden_weight > 0) text << ", hidden states (" << options_.hidden_loss << ") " << options_.hidden_weight;
  if (options_.attention_weight > 0)
    text << ", attention (" << options_.attention_loss << ") " << options_.attention_weight;
  if (options_.relation_weight > 0)
    text << ", relations of " << options_.relation_heads << " heads " << options_.relation_weight;
  if (options_.embedding_weight > 0) text << ", embeddings " << options_.embedding_weight;
  if (!layers_.empty() && (options_.hidden_weight > 0 || options_.attention_weight > 0)) {
    text << "; student:teacher layers";
    for (const auto& [s, t] : layers_) text << ' ' << s << ':' << t;
  }
  return text.str();
}

}  // namespace espalier
