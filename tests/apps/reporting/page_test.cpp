// SPDX-License-Identifier: Apache-2.0
// The page, Markdown and JSON of models whose names and sentences do their worst.
#include "apps/reporting/page.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "apps/reporting/comparison.h"
#include "apps/reporting/markup.h"
#include "apps/reporting/written.h"
#include "tests/apps/reporting/markup_check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

const std::string hostile = "<script>alert(1)</script> \"'&amp; | `x` ]]> \xF0\x9F\x98\x80 \xE2\x80\xAE abc \x01 \xFF";

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Two classes, or as many; `right` of four answers are right, all with the label of class 0.
ModelFigures model_named(const std::string& name, const std::vector<std::string>& classes, size_t right) {
  ModelFigures m;
  m.source = m.name = name;
  m.classes = classes;
  m.metric = "accuracy";
  m.interval_method = "Wilson";
  m.metrics = {0.5, {{"accuracy", static_cast<double>(right) / 4}, {"macro_f1", 0.5}}};
  m.interval = {0.2, 0.9};
  m.resampled = {0.25, 0.5, m.quality()};
  for (size_t i = 0; i < 4; ++i) {
    const size_t c = i < right ? 0 : 1;
    std::vector<double> p(classes.size());
    p[c] = 0.9;
    m.answers.push_back({classes[c], 0.9, p});
    m.wanted.push_back(classes[0]);
  }
  m.preparation = 0.1;
  m.seconds_many = {0.5, 0.7, 0.8};
  m.seconds_one = {0.1, 0.2, 0.3, 0.4};
  m.sentences = 4;
  m.batches = 1;
  m.start = {0.3, 50'000'000};
  m.bytes = 1'000'000 * static_cast<int64_t>(right + 1);
  m.parts = {{.part = "embeddings", .parameters = 100, .zeros = 10, .stored = 400, .bits = {32}},
             {.part = "layer 0 attention", .parameters = 100, .zeros = 80, .stored = 100, .bits = {8}}};
  m.work = 2e6;
  m.work_left = 1e6;
  m.histograms = {{.layer = "layer 0", .range = 0.2, .shares = {0.1, 0.2, 0.1}, .zeros = 0.6}};
  return m;
}

ReportContext context_of(const std::string& sentence) {
  return {.data = "dev.tsv",
          .about = "dev.tsv, 4 sentences",
          .batch_size = 32,
          .sentences = {"first", sentence, "third", "fourth"},
          .curves = {{hostile, 0, {{0.1, 0.7}, {1, 0.3}}, {{1, 0.4}}}}};
}

TEST(Page, IsWellFormedWhateverNamesAndSentencesAre) {
  const std::vector<ModelFigures> models = {model_named("dense", {hostile, "b"}, 3),
                                            model_named(hostile, {hostile, "b"}, 1),
                                            model_named(std::string(300, 'x'), {hostile, "b"}, 4)};
  const std::string page = html_page(models, context_of(hostile));
  EXPECT_EQ(fault_of_markup(page), "");
  EXPECT_EQ(count_of(page, "<script"), 1U) << "its own";
  expect_in(page, "&lt;script&gt;alert(1)&lt;/script&gt;");
  expect_in(page, "\xF0\x9F\x98\x80");
  expect_in(page, "<bdi>");
}

TEST(Page, ReadsNothingElse) {
  const std::string page =
      html_page({model_named("a", {"x", "y"}, 2), model_named("b", {"x", "y"}, 3)}, context_of("s"));
  for (const char* outside :
       {"http:", "https:", "//", "src=", "url(", "@import", "<link", "<img", "<iframe", "<object"})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  const std::regex links("href=\"([^\"]*)\"");
  for (std::sregex_iterator i(page.begin(), page.end(), links), none; i != none; ++i) {
    const std::string target = (*i)[1];
    EXPECT_TRUE(target.starts_with("#")) << target;
    expect_in(page, "id=\"" + target.substr(1) + "\"");
  }
  expect_in(page, "name=\"viewport\"");
  expect_in(page, "prefers-color-scheme: dark");
}

TEST(Page, DescribesEachFigureAndLetsTablesScroll) {
  const std::string page =
      html_page({model_named("a", {"x", "y"}, 2), model_named("b", {"x", "y"}, 3)}, context_of("s"));
  EXPECT_EQ(count_of(page, "<svg"), count_of(page, "<svg role=\"img\""));
  EXPECT_EQ(count_of(page, "<svg"), count_of(page, "<desc"));
  EXPECT_EQ(count_of(page, "<svg"), 12U) << "over size and speed, two curves, a histogram each; wide and narrow";
  EXPECT_EQ(count_of(page, "<table"), count_of(page, "role=\"region\" tabindex=\"0\""));
  EXPECT_EQ(count_of(page, "<table"), count_of(page, "<caption"));
}

TEST(Page, LeavesOutWhatThereIsNot) {
  const std::string one = html_page({model_named("a", {"x", "y"}, 2)},
                                    {.data = "d", .about = "a", .batch_size = 2, .sentences = {"", "", "", ""}});
  EXPECT_EQ(fault_of_markup(one), "");
  for (const char* part : {"id=\"differences\"", "id=\"curves\"", "id=\"disagreements\""})
    EXPECT_EQ(one.find(part), std::string::npos) << part;
  ModelFigures without_file = model_named("random:tiny", {"x", "y"}, 2);
  without_file.bytes = 0;
  without_file.histograms.clear();
  EXPECT_EQ(fault_of_markup(html_page({without_file, without_file}, context_of("s"))), "");
}

TEST(Page, ShowsMistakesInPlaceOfALargeMatrix) {
  std::vector<std::string> classes(77);
  for (size_t i = 0; i < classes.size(); ++i) classes[i] = "class " + std::to_string(i);
  const std::string page = html_page({model_named("a", classes, 1)}, context_of("s"));
  expect_in(page, "Most frequent mistakes of a");
  expect_in(page, "<td><bdi>class 1</bdi></td><td>3</td>");
}

TEST(Markdown, HasOneLineForEachRow) {
  const auto models = {model_named("a|b", {hostile, "b"}, 3), model_named(hostile, {hostile, "b"}, 1)};
  const std::string text = markdown(models, context_of(hostile));
  expect_in(text, "| a\\|b |");
  expect_in(text, "&lt;script\\>");
  EXPECT_EQ(text.find("<script"), std::string::npos);
  EXPECT_EQ(text.find('\x01'), std::string::npos);
  expect_in(text, "2 of 4 sentences are not answered alike");
}

TEST(Json, HasWhatThePageHas) {
  const std::vector<ModelFigures> models = {model_named("a", {"x", "y"}, 3), model_named("b", {"x", "y"}, 1)};
  const auto json = nlohmann::json::parse(to_json(models, context_of("s")).text());
  EXPECT_EQ(json["models"].size(), 2U);
  EXPECT_EQ(json["models"][0]["confusion"], nlohmann::json::parse("[[3, 1], [0, 0]]"));
  EXPECT_FALSE(json["models"][0].contains("difference"));
  const auto& difference = json["models"][1]["difference"];
  EXPECT_EQ(difference["changed_answers"], 2);
  EXPECT_EQ(difference["right_only_there"], 2);
  EXPECT_EQ(difference["mcnemar_p"], 0.5);
  EXPECT_EQ(json["models"][0]["ms_50"], 200);
  EXPECT_EQ(json["models"][0]["peak_memory_bytes"], 50'000'000);
  EXPECT_EQ(json["disagreements"].size(), 2U);
  EXPECT_EQ(json["disagreements"][0]["row"], 2);
}

TEST(Escaped, KeepsCharactersAndNothingElse) {
  EXPECT_EQ(escaped("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(escaped("x\x01y\xFFz\n"), "x\xEF\xBF\xBDy\xEF\xBF\xBDz ");
  EXPECT_EQ(middle_left_out("abcdefghijkl", 8), "abc…ijkl");
  EXPECT_EQ(middle_left_out("ééééé", 8), "ééééé");
}

// Answers that are numbers, and sets of classes.
TEST(Comparison, FitsTheKindOfAnswer) {
  ModelFigures a = model_named("a", {"x", "y"}, 4), b = a;
  for (size_t i = 0; i < 4; ++i) {
    a.wanted_values.push_back({1});
    b.wanted_values.push_back({1});
    a.answers[i] = {.label = "1.0000", .values = {1}};
    b.answers[i] = {.label = std::to_string(i), .values = {static_cast<double>(i)}};
  }
  const Difference numbers = difference(b, a);
  EXPECT_FALSE(numbers.changes);
  EXPECT_EQ(numbers.distance, 1.0) << "of 1, 0, 1 and 2";
  EXPECT_EQ(disagreements({a, b}).front().sentence, 3) << "the one farthest apart";
  EXPECT_TRUE(confusion_of(a).counts.empty());
  const std::string page = html_page({a, b}, context_of(hostile));
  EXPECT_EQ(fault_of_markup(page), "");
  expect_in(page, "label 1, answer 3</title>");

  a = model_named("a", {"x", "y"}, 4), b = a;
  for (ModelFigures* m : {&a, &b})
    for (size_t i = 0; i < 4; ++i) {
      m->answers[i] = {.label = "x", .probabilities = {0.9, 0.1}, .chosen = {{"x"}}};
      m->wanted_values.push_back({1, 0});
    }
  b.answers[2] = {.label = "x, y", .probabilities = {0.9, 0.8}, .chosen = {{"x", "y"}}};
  const Difference sets = difference(b, a);
  ASSERT_TRUE(sets.changes);
  EXPECT_EQ(sets.changes->answers, 1);
  EXPECT_EQ(sets.changes->broken, 1);
  const auto counts = class_counts_of(b);
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].hits, 4);
  EXPECT_EQ(counts[1].false_alarms, 1);
  EXPECT_EQ(counts[1].rest, 3);
  EXPECT_EQ(fault_of_markup(html_page({a, b}, context_of(hostile))), "");
}

}  // namespace
}  // namespace espalier
