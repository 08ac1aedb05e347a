// SPDX-License-Identifier: Apache-2.0
// What the tests of mistakes share: the rows of a table of mistakes, each refused without touching a file.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/apps/program.h"

namespace espalier {

class BadInput : public Programs {
 protected:
  struct Row {
    std::string arguments;
    std::vector<std::string> parts;  // of the message
  };
  static inline const std::string golden = ESPALIER_TESTS_DIR "/golden/hf_model";
  static inline const std::string tiny = " --model random:tiny --vocab vocab.txt";

  BadInput() { write_bytes(*this / "m.h5", "precious"); }

  // Each row's arguments are appended to the command.
  void expect_all_refused(const std::string& command, const std::vector<Row>& rows) const {
    const auto before = files();
    for (const Row& row : rows) expect_refused(command + " " + row.arguments, row.parts);
    EXPECT_EQ(files(), before);
  }

  // All files of the folder with their contents.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path()))
      all[entry.path().string()] = entry.is_regular_file() ? read_bytes(entry.path()) : "";
    return all;
  }

  void write(const std::string& name, const std::string& text) const { write_bytes(*this / name, text); }
};

}  // namespace espalier
