// SPDX-License-Identifier: Apache-2.0
// Models and texts for the tests of Classifier and of the C interface.
#pragma once

#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "compress/quantization/quantizer.h"
#include "data/models/model_source.h"
#include "tests/temporary.h"

namespace espalier {

inline const std::string golden_model = ESPALIER_TESTS_DIR "/golden/hf_model";  // three labels, 20 positions

// With weights as integers that give every token a grid of its own.
inline std::unique_ptr<Model> int8_model(const std::string& source = "random:tiny") {
  auto model = open_model(source);
  Quantizer quantizer({.mode = InputRanges::dynamic});
  quantizer.attach(*model->bert, model->store);
  quantizer.convert();
  return model;
}

// Of 0 to `longest` words that the built-in vocabulary knows.
inline std::vector<std::string> texts_of(size_t count, size_t longest) {
  std::mt19937 random(5);
  const char* const words[] = {"the", "film", "is", "not", "very", "good", "a", "dull", "plot", ".", "unknownish"};
  std::vector<std::string> texts(count);
  for (size_t i = 0; i < count; ++i)
    for (size_t w = (i == 0 ? longest : random() % (i % 8 == 0 ? longest : 30)); w > 0; --w)
      texts[i] += std::string(words[random() % std::size(words)]) + " ";
  return texts;
}

// What the process has in memory now, in bytes.
inline int64_t memory_now() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  file >> pages >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

// Calls f(0) … f(count - 1), each in a thread of its own.
template <class F>
void in_threads(int count, const F& f) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) threads.emplace_back([&f, i] { f(i); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace espalier
