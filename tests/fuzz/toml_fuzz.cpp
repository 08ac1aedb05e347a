// SPDX-License-Identifier: Apache-2.0
// Config files: every entry has a name and a place, and reading is the same each time.
#include "apps/cli/config_file.h"
#include "tests/fuzz/target.h"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string source = "run.toml";
  const std::string_view text = fuzz::text_of(bytes, size);
  fuzz::accepts(
      [&] {
        const auto entries = read_config(text, source), again = read_config(text, source);
        fuzz::law(entries.size() == again.size(), "reading is the same each time");
        for (size_t i = 0; i < entries.size(); ++i) {
          const ConfigEntry& entry = entries[i];
          fuzz::law(entry.name == again[i].name, "names are the same each time");
          fuzz::law(entry.place.starts_with(source + ":"), "an entry has its place: " + entry.place);
          fuzz::law(entry.list || entry.values.size() == 1, "an entry that is no list has one value");
        }
      },
      source);
  return 0;
}
