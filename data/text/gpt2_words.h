// SPDX-License-Identifier: Apache-2.0
// The words of a text as GPT-2 sees them: runs of letters, of numbers and of other characters, each with the space
// before it; English contractions; white space. Used by ByteLevelBpe.
#pragma once

#include <cstddef>
#include <string_view>

namespace espalier {

// Where the word ends that begins at `begin`, a place inside the text: the first match of GPT-2's pattern
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// Bytes that are not UTF-8 count as other characters.
std::size_t end_of_gpt2_word(std::string_view text, std::size_t begin);

}  // namespace espalier
