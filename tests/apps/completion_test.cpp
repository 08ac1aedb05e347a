// SPDX-License-Identifier: Apache-2.0
// What the programs write for the installation: manual pages, and what shells offer when the user presses Tab.
#include "tests/apps/program.h"

namespace espalier {
namespace {

class Pages : public Programs {
 protected:
  // What a shell prints, with the programs on its path.
  std::string shell(const std::string& line) const {
    write_bytes(*this / "line.sh", line);
    const std::string script =
        "cd '" + folder_.path().string() + "' && PATH='" ESPALIER_APPS_DIR "':$PATH bash line.sh >out.txt 2>&1";
    EXPECT_EQ(std::system(script.c_str()), 0) << line << bytes("out.txt");
    return bytes("out.txt");
  }
  static bool there(const std::string& program) {
    return std::system(("command -v " + program + " >/dev/null").c_str()) == 0;
  }
  // What bash offers behind these words of a command line of `prune`, the last of which is begun.
  std::string offered(const std::string& words, int count) const {
    return shell("source <(prune --completion=bash); COMP_WORDS=(prune " + words +
                 "); COMP_CWORD=" + std::to_string(count) + "; _espalier_prune; echo \"${COMPREPLY[*]}\"");
  }
};

TEST_F(Pages, BashOffersOptionsAndTheirValues) {
  EXPECT_EQ(offered("--meth", 1), "--method\n");
  EXPECT_EQ(offered("--scop", 1), "--scope\n");
  EXPECT_EQ(offered("--scope ''", 2), "layer global row\n");
  EXPECT_EQ(offered("--scope = g", 3), "global\n") << "as bash splits --scope=g";
  EXPECT_EQ(offered("--method ma", 2), "magnitude\n");
  EXPECT_EQ(offered("--model ''", 2), "\n") << "bash itself offers files";
  expect_in(offered("--", 1), "--help --version --config");
  EXPECT_EQ(shell("source <(prune --completion=bash); complete -p prune"),
            "complete -o default -F _espalier_prune prune\n");
}

TEST_F(Pages, OtherShellsTakeWhatIsWrittenForThem) {
  for (const std::string program : {"train_sst2", "prune", "predict"})
    for (const std::string name : {"zsh", "fish"}) {
      write_bytes(*this / "script", succeed(program + " --completion=" + name).out);
      expect_in(bytes("script"), "threads");
      if (there(name)) { EXPECT_EQ(shell(name + " --no-exec script"), ""); }
    }
  expect_refused("prune --completion=tcsh", {"--completion=tcsh: choose bash, zsh or fish"});
}

TEST_F(Pages, ManualPagesAreWellFormed) {
  for (const std::string program : {"train_sst2", "distill", "prune", "quantize", "evaluate", "predict", "tokenize",
                                    "export", "inspect", "report", "bench"}) {
    const std::string page = succeed(program + " --man").out;
    for (const char* part : {".TH ", ".SH NAME", ".SH SYNOPSIS", "\\-\\-threads", ".SH EXAMPLE"}) expect_in(page, part);
    write_bytes(*this / "page.1", page);
    if (there("groff")) { EXPECT_EQ(shell("groff -ww -k -Tutf8 -man page.1 2>&1 >/dev/null"), "") << program; }
    if (there("mandoc")) { EXPECT_EQ(shell("mandoc -Tlint -W error page.1"), "") << program; }
  }
}

}  // namespace
}  // namespace espalier
