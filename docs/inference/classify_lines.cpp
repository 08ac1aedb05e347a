// SPDX-License-Identifier: Apache-2.0
// classify_lines MODEL: answers each line of standard input. Four threads share one model, as those of a server do.
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "apps/inference/classifier.h"
#include "core/check.h"

int main(int argc, char** argv) try {
  if (argc != 2) return 2;
  const espalier::Classifier classifier(argv[1], {.precision = espalier::Precision::automatic});

  std::mutex reading, writing;
  const auto serve = [&] {
    for (std::string line;;) {
      {
        const std::scoped_lock lock(reading);
        if (!std::getline(std::cin, line)) return;
      }
      const espalier::Answer answer = classifier.classify(line);
      const std::scoped_lock lock(writing);
      std::cout << answer.label << ' ' << answer.probability << ' ' << line << '\n';
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(serve);
  return 0;
} catch (const std::exception& error) {
  std::cerr << "classify_lines: " << error.what() << '\n';
  return 1;
}
