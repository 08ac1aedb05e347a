// SPDX-License-Identifier: Apache-2.0
// The C interface: models behind functions that no exception leaves.
#include "apps/inference/espalier.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <new>
#include <stdexcept>

#include "apps/inference/handle.h"
#include "core/check.h"
#include "core/parallel.h"

namespace espalier {
namespace {

thread_local std::array<char, 1024> last_error{};  // of this thread: telling needs no memory

// The parts, in one line.
void tell(std::initializer_list<std::string_view> parts) noexcept {
  size_t used = 0;
  for (const std::string_view part : parts)
    for (const char c : part.substr(0, last_error.size() - 1 - used)) last_error[used++] = c == '\n' ? ' ' : c;
  last_error[used] = '\0';
}

// What an exception of `work` means, in a code and in last_error.
template <class F>
int guarded(const F& work) noexcept {
  try {
    work();
    return ESPALIER_OK;
  } catch (const Error& error) {
    tell({error.what()});
    return ESPALIER_MISTAKE;
  } catch (const std::bad_alloc&) {
    tell({"out of memory"});
    return ESPALIER_OUT_OF_MEMORY;
  } catch (const std::length_error&) {  // more than any memory holds
    tell({"out of memory"});
    return ESPALIER_OUT_OF_MEMORY;
  } catch (const std::filesystem::filesystem_error& error) {  // its own text names a function of the library
    tell({error.path1().native(), ": cannot be used: ", std::strerror(error.code().value())});
    return ESPALIER_MISTAKE;
  } catch (const std::exception& error) {
    tell({error.what()});
    return ESPALIER_FAILURE;
  } catch (...) {
    tell({"unknown failure"});
    return ESPALIER_FAILURE;
  }
}

SourceOptions read_options(const espalier_options* given) {
  SourceOptions options{.listener = {.warn = [](const std::string&) {}}};
  if (given == nullptr) return options;
  CHECK(given->size == sizeof(espalier_options), "options: size is ", given->size, ", expected ",
        sizeof(espalier_options), ": begin with ESPALIER_OPTIONS");
  CHECK(given->precision >= ESPALIER_AUTO && given->precision <= ESPALIER_BF16, "options: precision is ",
        given->precision, ", expected ESPALIER_AUTO, ESPALIER_F32 or ESPALIER_BF16");
  options.precision = std::array{Precision::automatic, Precision::f32, Precision::bf16}[given->precision];
  options.max_length = given->max_length;
  if (given->warn != nullptr)
    options.listener.warn = [warn = given->warn, context = given->context](const std::string& line) {
      warn(context, line.c_str());
    };
  return options;
}

std::string_view view_of(const char* text, size_t length, const char* name) {
  CHECK(text != nullptr || length == 0, name, " is NULL, with a length of ", length, "; expected so many bytes");
  return text == nullptr ? std::string_view() : std::string_view(text, length);
}

Text as_text(const espalier_text& text) {
  Text result{view_of(text.first, text.first_length, "first")};
  if (text.second != nullptr || text.second_length > 0)
    result.second = view_of(text.second, text.second_length, "second");
  return result;
}

int label_of(const Answer& answer) {
  if (answer.probabilities.empty() || answer.chosen) return -1;
  return static_cast<int>(std::max_element(answer.probabilities.begin(), answer.probabilities.end()) -
                          answer.probabilities.begin());
}

void answer_all(const espalier_classifier& classifier, std::span<const Text> texts, double* scores, int* labels) {
  for (const Answer& answer : classifier.classify(texts)) {
    const std::vector<double>& numbers = answer.probabilities.empty() ? answer.values : answer.probabilities;
    if (scores != nullptr) scores = std::copy(numbers.begin(), numbers.end(), scores);
    if (labels != nullptr) *labels++ = label_of(answer);
  }
}

const espalier_classifier& checked(const espalier_classifier* handle) {
  CHECK(handle != nullptr, "classifier is NULL; expected what espalier_open has given");
  return *handle;
}

}  // namespace
}  // namespace espalier

using espalier::guarded;

const char* espalier_version() { return ESPALIER_VERSION; }
const char* espalier_error() { return espalier::last_error.data(); }

int espalier_set_threads(int threads) {
  return guarded([&] {
    CHECK(threads >= 0 && threads <= espalier::most_threads(), "threads: ", threads, ", expected 0 (all) … ",
          espalier::most_threads());
    espalier::set_threads(threads);
  });
}

int espalier_open(const char* path, const espalier_options* options, espalier_classifier** classifier) {
  return guarded([&] {
    CHECK(classifier != nullptr, "classifier is NULL; expected where to put it");
    *classifier = nullptr;
    CHECK(path != nullptr, "path is NULL; expected the name of a model's file or directory");
    *classifier = new espalier_classifier(espalier::open_source(path, espalier::read_options(options)));
  });
}

int espalier_open_memory(const void* bytes, size_t size, const espalier_options* options,
                         espalier_classifier** classifier) {
  return guarded([&] {
    CHECK(classifier != nullptr, "classifier is NULL; expected where to put it");
    *classifier = nullptr;
    CHECK(bytes != nullptr, "bytes is NULL; expected the contents of an edge file");
    const espalier::EdgeFile file({static_cast<const std::byte*>(bytes), size}, nullptr, "the model");
    *classifier = new espalier_classifier(espalier::open_edge(file, espalier::read_options(options)));
  });
}

void espalier_close(espalier_classifier* classifier) { delete classifier; }

const char* espalier_task(const espalier_classifier* classifier) {
  const char* task = nullptr;
  guarded([&] { task = espalier::checked(classifier).task.c_str(); });
  return task;
}

size_t espalier_label_count(const espalier_classifier* classifier) {
  size_t count = 0;
  guarded([&] { count = espalier::checked(classifier).labels.size(); });
  return count;
}

const char* espalier_label_name(const espalier_classifier* classifier, size_t index) {
  const char* name = nullptr;
  guarded([&] {
    const auto& labels = espalier::checked(classifier).labels;
    CHECK(index < labels.size(), "label ", index, " of ", labels.size(), ": expected a smaller index");
    name = labels[index].c_str();
  });
  return name;
}

int espalier_max_length(const espalier_classifier* classifier) {
  int tokens = 0;
  guarded([&] { tokens = espalier::checked(classifier).max_length; });
  return tokens;
}

int espalier_tokens(const espalier_classifier* classifier, const char* text, size_t length, int32_t* ids,
                    size_t capacity, size_t* count) {
  return guarded([&] {
    const espalier_classifier& model = espalier::checked(classifier);
    CHECK(count != nullptr, "count is NULL; expected where to put the number of tokens");
    CHECK(ids != nullptr || capacity == 0, "ids is NULL, with a capacity of ", capacity);
    const auto all = model.tokenizer->encode(espalier::view_of(text, length, "text"), std::numeric_limits<int>::max());
    std::copy_n(all.ids.begin(), std::min(capacity, all.ids.size()), ids);
    *count = all.ids.size();
  });
}

const char* espalier_token_text(const espalier_classifier* classifier, int32_t id) {
  const char* text = nullptr;
  guarded([&] { text = espalier::checked(classifier).tokenizer->token(id).c_str(); });
  return text;
}

int espalier_classify(const espalier_classifier* classifier, const char* text, size_t length, double* scores,
                      int* label) {
  const espalier_text one = {text, length, nullptr, 0};
  return espalier_classify_batch(classifier, &one, 1, scores, label);
}

int espalier_classify_pair(const espalier_classifier* classifier, const char* first, size_t first_length,
                           const char* second, size_t second_length, double* scores, int* label) {
  const espalier_text pair = {first, first_length, second == nullptr && second_length == 0 ? "" : second,
                              second_length};
  return espalier_classify_batch(classifier, &pair, 1, scores, label);
}

int espalier_classify_batch(const espalier_classifier* classifier, const espalier_text* texts, size_t count,
                            double* scores, int* labels) {
  return guarded([&] {
    const espalier_classifier& answering = espalier::checked(classifier);
    CHECK(texts != nullptr || count == 0, "texts is NULL, with a count of ", count);
    std::vector<espalier::Text> all(count);
    std::transform(texts, texts + count, all.begin(), espalier::as_text);
    espalier::answer_all(answering, all, scores, labels);
  });
}
