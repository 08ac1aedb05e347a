// SPDX-License-Identifier: Apache-2.0
// apps/recipes: each trains, and gives a smaller file.
#include "data/models/checkpoint.h"
#include "tests/apps/program.h"

namespace espalier {
namespace {

class Recipes : public Programs {
 protected:
  Recipes() {
    succeed("train_sst2 --model random:mini --vocab vocab.txt --data data --output teacher.h5 --epochs 1 --quiet");
  }
};

// Their steps are shares of the run: here of 9 or 27 steps instead of SST-2's thousands.
TEST_F(Recipes, FitAnyData) {
  int recipes = 0;
  for (const auto& file : std::filesystem::directory_iterator(ESPALIER_TESTS_DIR "/../apps/recipes")) {
    const std::string name = file.path().stem().string();
    if (file.path().extension() != ".toml") continue;
    SCOPED_TRACE(name);
    std::string train = "train_sst2 --model teacher.h5 --data data --batch-size 8 --quiet --output r.h5 --config " +
                        file.path().string();
    if (name != "seed") train += " --distill.teacher teacher.h5";
    if (name.starts_with("student3")) train += " --distill.student-layers 1,3";  // of four
    succeed(train);
    const auto found = json("inspect r.h5"), whole = json("inspect teacher.h5");
    EXPECT_LT(found["file_bytes"], whole["file_bytes"]);  // fewer layers, or integers
    EXPECT_EQ(json("evaluate --model r.h5 --data data/dev.tsv").count("eval_accuracy"), 1U);
    ++recipes;
  }
  EXPECT_GE(recipes, 7);
  const std::string train =
      "train_sst2 --model teacher.h5 --data data --output r.h5 --batch-size 8 --epochs 2 --quiet ";
  succeed(train +
          "--prune.amount 0.5 --prune.schedule cubic --prune.begin 12% --prune.end 50% --qat.on --qat.begin 10");
  const auto shares = json("evaluate --model r.h5 --data data/dev.tsv")["eval_loss"];
  EXPECT_EQ(Checkpoint(*this / "r.h5").contents().options.at("prune").at("end"), "50%");
  succeed(train + "--prune.amount 0.5 --prune.schedule cubic --prune.begin 2 --prune.end 9 --qat.on --qat.begin 56%");
  EXPECT_EQ(json("evaluate --model r.h5 --data data/dev.tsv")["eval_loss"], shares);
  EXPECT_EQ(Checkpoint(*this / "r.h5").contents().options.at("prune").at("end"), 9);
}

}  // namespace
}  // namespace espalier
