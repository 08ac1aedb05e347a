// SPDX-License-Identifier: Apache-2.0
#include "compress/distillation/distiller.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

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

Distiller::Distiller(const DistillOptions& options, std::shared_ptr<const Teacher> teacher, const Tensor& logits,
                     uint64_t seed, KeepStates keep)
    : options_(options), teacher_(std::move(teacher)), logits_(logits), seed_(seed), keep_(std::move(keep)) {
  options_.check();
  const DistillOptions& o = options_;
  for (const auto& [name, wanted] : {std::pair("hard_loss", true),
                                     {"soft_loss", true},
                                     {"hidden_loss", o.hidden_weight > 0},
                                     {"attention_loss", o.attention_weight > 0},
                                     {"relation_loss", o.relation_weight > 0},
                                     {"embedding_loss", o.embedding_weight > 0}})
    if (wanted) terms_[name] = 0;
}

void Distiller::attach(Bert& model, ParameterStore& /*store*/) {
  words_ = dynamic_cast<const Pretraining*>(&model.head());
  teachers_words_ = dynamic_cast<const Pretraining*>(&teacher_->head());
  CHECK(logits_ || options_.alpha == 0 || (words_ != nullptr && teachers_words_ != nullptr),
        "distill: the teacher has no decoder of masked words, which --distill.alpha ", options_.alpha,
        " compares; expected a pre-trained teacher with it, or --distill.alpha 0 and --distill.relation-weight 1");
  CHECK(logits_ || teacher_->models() == 1, "distill: plain text is learned from with one teacher, not ",
        teacher_->models());
  if (!looks_inside()) return;
  const BertConfig &ours = model.config(), &theirs = teacher_->config();
  CHECK(teacher_->models() == 1, "distill: hidden states, attention and relations are compared with one teacher, not ",
        teacher_->models());
  layers_ = options_.layer_map.pairs(ours.num_hidden_layers, theirs.num_hidden_layers);
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
  terms.add("hard_loss", task, options_.hard());
  if (!logits_) return loss_of_answer(terms, output, context);
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
  if (looks_inside()) add_inner(terms, output, states_ ? states_->inside(batch) : teacher_->inside(batch), context);
  return ops::sum(terms.values, terms.weights);
}

// Text that comes as a stream: the teacher answers each batch, at its masked tokens.
Var Distiller::loss_of_answer(Terms& terms, const StepOutput& output, const Context& context) const {
  Activations inside;
  const Tensor states = teacher_->answer(output.batch, looks_inside() ? &inside : nullptr);
  if (options_.alpha > 0)
    terms.add("soft_loss",
              words_->soft_loss(output.logits, output.batch, *teachers_words_, states, options_.temperature,
                                std::max(1.0, static_cast<double>(output.window.labelled))),
              options_.alpha);
  if (looks_inside()) add_inner(terms, output, inside, context);
  return ops::sum(terms.values, terms.weights);
}

void Distiller::add_inner(Terms& terms, const StepOutput& output, const Activations& goal,
                          const Context& context) const {
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
      hidden.push_back(compare(output.inside.hidden[s + 1], goal.hidden[t + 1].value, hidden_,
                               options_.hidden_loss == HiddenLoss::cosine));
    if (options_.attention_weight > 0)
      attention.push_back(ops::relation_loss(output.inside.qkv[s], goal.qkv[t].value, output.batch.offsets,
                                             {.heads = teacher_->config().heads_of(teacher),
                                              .probabilities = options_.attention_loss == AttentionLoss::kl},
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

void Distiller::before_forward(int64_t /*step*/) {
  for (auto& [name, sum] : terms_) sum = 0;
}

Observed Distiller::take_observed() {
  Observed taken;
  for (auto& [name, sum] : terms_) taken.push_back(std::exchange(sum, 0.0));
  return taken;
}

void Distiller::absorb(std::span<const Observed> lanes) {
  size_t term = 0;
  for (auto& [name, sum] : terms_) {
    for (const Observed& lane : lanes) sum += lane[term];
    ++term;
  }
}

std::vector<ParameterStore*> Distiller::learned() {
  if (!projections_.started()) return {};
  return {&projections_.store};
}

void Distiller::after_step(int64_t /*step*/) {
  if (projections_.started()) projections_.step(options_.projection_rate);
}

std::map<std::string, std::string> Distiller::inputs() const {
  std::map<std::string, std::string> teachers;
  for (const std::string& fingerprint : teacher_->fingerprints())
    teachers[teacher_->models() == 1 ? "the teacher" : "teacher " + std::to_string(teachers.size() + 1)] = fingerprint;
  return teachers;
}

std::string Distiller::describe() const {
  std::ostringstream text;
  text << "distil: " << (teacher_->models() == 1 ? "one teacher" : std::to_string(teacher_->models()) + " teachers")
       << "; soft loss at temperature " << options_.temperature << " with weight " << options_.alpha << ", hard loss "
       << options_.hard();
  if (options_.hidden_weight > 0)
    text << ", hidden states (" << text_of(options_.hidden_loss) << ") " << options_.hidden_weight;
  if (options_.attention_weight > 0)
    text << ", attention (" << text_of(options_.attention_loss) << ") " << options_.attention_weight;
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
