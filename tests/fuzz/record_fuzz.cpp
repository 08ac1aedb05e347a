// SPDX-License-Identifier: Apache-2.0
// Records, such as the lines of a log: what is read can be written on one line, and is then read as the same.
#include "core/record.h"
#include "tests/fuzz/target.h"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  fuzz::accepts(
      [&] {
        const Record record = Record::parse(std::string(fuzz::text_of(bytes, size)), "record");
        const std::string text = record.text();
        fuzz::law(text.find('\n') == std::string::npos, "a record is one line");
        fuzz::law(Record::parse(text, "again").text() == text, "the record is the same");
        for (const std::string& name : record.names()) {
          fuzz::law(record.has(name), "it has the fields that it names");
          record.at(name).printed();
          record.integer(name, 0);
          record.number(name, 0);
        }
      },
      "record");
  return 0;
}
