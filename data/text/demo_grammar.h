// SPDX-License-Identifier: Apache-2.0
// The grammar behind the synthetic corpus: short film reviews of either sentiment. Read by data/text/demo_corpus and
// its tests only.
#pragma once

#include <string_view>
#include <vector>

namespace espalier {

// A symbol is written for a sentiment, good or bad, with one of its alternatives: those of `either`, and those of that
// sentiment. In an alternative {name} is another symbol, {name+} the same with the sentiment kept, {name-} with the
// opposite sentiment. An alternative that starts with '*' is held out: only the dev split uses it.
struct GrammarSymbol {
  std::string_view name;
  std::vector<std::string_view> either, good, bad;
};

// The first symbol is a whole review.
const std::vector<GrammarSymbol>& demo_grammar();

}  // namespace espalier
