// SPDX-License-Identifier: Apache-2.0
// Text for people: printf's patterns as a std::string, sizes, and lists of words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier {

// As printf; at most 511 bytes.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

std::string in_gigabytes(int64_t bytes);  // "1.93 GB"
std::string in_megabytes(int64_t bytes);  // "12.3 MB"
std::string one_line(std::string text);   // line ends become spaces
// The first `most` bytes at most, cut between characters, with a count of the rest.
std::string shortened(const std::string& text, size_t most);
// "a, b, c", or with more than `most` of them "a, b and 7 more".
std::string listed(const std::vector<std::string>& names, size_t most = SIZE_MAX);
std::string words_of(const std::vector<std::string>& words);  // "linear, constant or cosine"

}  // namespace espalier
