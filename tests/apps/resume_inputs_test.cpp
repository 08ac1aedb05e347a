// SPDX-License-Identifier: Apache-2.0
// A stopped run goes on with the model, the data and the teachers that it had, and with nothing else, wherever they
// are by then.
#include <unistd.h>
#include <csignal>

#include "data/models/model_source.h"
#include "tests/apps/program.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

class ResumeInputs : public Programs {
 protected:
  Options options_ = {{"model", "random:tiny"}, {"vocab", "vocab.txt"}, {"data", "data"}, {"output", "m.h5"},
                      {"epochs", "1000"},       {"batch-size", "8"},    {"seed", "7"},    {"save-every", "1"},
                      {"precision", "f32"},     {"quiet", ""}};

  std::string train(const Options& changes = {}) const {
    Options options = changes;
    options.insert(options_.begin(), options_.end());
    return command_line("train_sst2", options);
  }
  // Stops the run after its first step: 9000 steps are not over by then.
  void stop(const std::string& command, const std::string& state = "m.state.h5") const {
    Process process(folder_.path(), command);
    while (process.runs() && !exists(state)) usleep(300);
    process.send(SIGINT);
    const Result stopped = process.wait();
    ASSERT_EQ(stopped.exit_code, 128 + SIGINT) << stopped.err;
  }
  void refuses(const Options& changes, const std::vector<std::string>& parts) const {
    const std::string state = bytes("m.state.h5");
    expect_refused(train(changes) + " --resume", parts);
    EXPECT_TRUE(bytes("m.state.h5") == state);
  }
  // Goes on, a little, with these changes.
  void goes_on(const Options& changes) const {
    fs::copy_file(*this / "m.state.h5", *this / "kept", fs::copy_options::overwrite_existing);
    Process process(folder_.path(), train(changes) + " --resume");
    const auto step = [&] { return Checkpoint(*this / "m.state.h5").state().step; };
    const int64_t before = step();
    while (process.runs() && step() <= before) usleep(2000);
    process.send(SIGINT);
    const Result stopped = process.wait();
    EXPECT_EQ(stopped.exit_code, 128 + SIGINT) << stopped.err;
    EXPECT_GT(step(), before);
    fs::rename(*this / "kept", *this / "m.state.h5");
    fs::remove(*this / "m.h5");
  }
};

TEST_F(ResumeInputs, OtherOptionsAreRefused) {
  stop(train());
  const Options changed = {
      {"epochs", "5"},    {"batch-size", "4"},     {"accumulate", "2"},    {"dropout", "0.1"},
      {"seed", "8"},      {"warmup", "0.5"},       {"learning-rate", "1"}, {"precision", "bf16"},
      {"max-steps", "2"}, {"schedule", "cosine"},  {"max-length", "64"},   {"shuffle", "false"},
      {"labels", "a,b"},  {"weight-decay", "0.1"}, {"max-grad-norm", "2"}, {"evaluate-every", "2"}};
  for (const auto& [name, value] : changed)
    refuses({{name, value}}, {"m.state.h5: --" + name + " was ", " and is now ", "resume with"});
  refuses({{"epochs", "5"}}, {"the learning rates of all steps depend on it"});
  refuses({{"max-steps", "5"}}, {"the learning rates of all steps depend on it"});
  refuses({{"prune.amount", "0.5"}}, {"m.state.h5: the stopped run had no option --prune"});
  expect_refused(command_line("distill", {{"teacher", "random:tiny"},
                                          {"student", "random:tiny"},
                                          {"vocab", "vocab.txt"},
                                          {"data", "data"},
                                          {"output", "m.h5"},
                                          {"seed", "7"},
                                          {"resume", ""}}),
                 {"m.state.h5: the stopped run had no option --distill"});
  goes_on({{"threads", "1"}, {"save-every", "2"}, {"log-dir", "log"}, {"gradient-checkpointing", ""}});
  const std::string state = bytes("m.state.h5");
  write_bytes(*this / "m.state.h5", state.substr(0, state.size() / 2));
  refuses({}, {"m.state.h5"});
}

TEST_F(ResumeInputs, OtherDataIsRefusedByName) {
  stop(train());
  fs::copy(*this / "data", *this / "moved");
  write_bytes(*this / "vocab2.txt", bytes("vocab.txt"));
  goes_on({{"data", "moved"}, {"vocab", "vocab2.txt"}});
  const std::string header = "sentence\tlabel\n";
  const std::vector<std::pair<std::string, std::string>> changes = {{"train.tsv", reviews(70, 3)},
                                                                    {"train.tsv", reviews(4, 1)},
                                                                    {"train.tsv", reviews(71, 1)},
                                                                    {"dev.tsv", reviews(20, 3)}};
  for (const auto& [name, rows] : changes) {
    const std::string before = bytes("moved/" + name);
    write_bytes(*this / "moved" / name, header + rows);
    refuses({{"data", "moved"}}, {"m.state.h5: " + name + " has changed since the run stopped: it was ", "sentences",
                                  "restore it, or start anew without --resume"});
    write_bytes(*this / "moved" / name, before);
  }
  std::string labels = bytes("moved/dev.tsv");  // one label is another
  labels[labels.size() - 2] = labels[labels.size() - 2] == '0' ? '1' : '0';
  write_bytes(*this / "moved/dev.tsv", labels);
  refuses({{"data", "moved"}}, {"dev.tsv has changed"});
  refuses({{"model", "random:mini"}}, {"m.state.h5: the model has changed since the run stopped"});
  write_bytes(*this / "vocab2.txt", bytes("vocab.txt") + "more\n");
  refuses({{"vocab", "vocab2.txt"}}, {"m.state.h5: the model has changed since the run stopped"});
}

TEST_F(ResumeInputs, OtherModelsTeachersAndTextAreRefusedByName) {
  for (const std::string seed : {"1", "2"})
    succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --max-steps 1 --quiet --output t" + seed +
            ".h5 --seed " + seed);
  options_.erase("vocab");
  options_["model"] = "t1.h5";
  options_["distill.teacher"] = "t2.h5";
  options_["distill.unlabelled"] = "data/dev.tsv";
  stop(train());
  refuses({{"model", "t2.h5"}}, {"m.state.h5: the model has changed since the run stopped"});
  refuses({{"distill.teacher", "t1.h5"}}, {"m.state.h5: the teacher has changed since the run stopped"});
  refuses({{"distill.unlabelled", "data/train.tsv"}}, {"m.state.h5: more text for distill has changed"});
  options_.erase("distill.unlabelled");
  refuses({}, {"m.state.h5: the run that stopped had more text for distill (20 sentences", "which is missing now"});
}

// Fields that cannot be of this run are refused, so that it neither loops nor ends too early.
TEST_F(ResumeInputs, AStateThatDoesNotFitIsRefused) {
  stop(train());
  const std::string path = *this / "m.state.h5", whole = read_bytes(path);
  const auto with = [&](const std::function<void(TrainingState&, Record&)>& change) {
    write_bytes(path, whole);
    const auto model = open_model(path);
    TrainingState state = Checkpoint(path).state();
    change(state, model->options);
    const Optimizer optimizer(model->store, {});
    save_checkpoint(path, model->store, model->contents(), &optimizer, &state);
  };
  const std::vector<std::function<void(TrainingState&)>> changes = {
      [](auto& s) { s.batch = 10; }, [](auto& s) { s.step = 10'000; }, [](auto& s) { s.epoch += 1; },
      [](auto& s) { s.best_step = 7000; }, [](auto& s) { s.extra.set("evaluated_step", s.step + 1); }};
  for (const auto& change : changes) {
    with([&](auto& state, auto&) { change(state); });
    refuses({}, {"m.state.h5: stands at step ", "start anew without --resume"});
  }
  with([](auto& state, auto&) { state.epoch = -1; });
  refuses({}, {"m.state.h5: /training/state: the field epoch is -1"});
  with([](auto&, Record& options) { options.set("colour", "green"); });
  refuses({}, {"m.state.h5: --colour was \"green\" and this program does not have it"});
  with([](auto&, Record& options) { options = Record({{"seed", 7}}); });
  refuses({}, {"m.state.h5: --"});
  succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --max-steps 1 --quiet --output o.h5");
  write_bytes(path, bytes("o.h5"));
  refuses({}, {"m.state.h5: has no training state"});
}

// A state of a version without fingerprints is taken, with a line that says what is not checked.
TEST_F(ResumeInputs, OldStatesAreTaken) {
  options_["epochs"] = "1";
  options_.erase("quiet");
  options_["max-steps"] = "3";
  succeed(train({{"output", "other.h5"}}));
  const auto model = open_model((*this / "other.h5").string());
  Record options;
  for (const std::string& name : model->options.names())
    if (name != "inputs" && name != "best-step") options.set(name, model->options.at(name));
  model->options = options;
  const Optimizer optimizer(model->store, {});
  const TrainingState state = {.step = 1, .batch = 1, .seed = 7};
  save_checkpoint(*this / "m.state.h5", model->store, model->contents(), &optimizer, &state);
  expect_in(succeed(train() + " --resume").out, "m.state.h5 was written by an earlier version, without fingerprints");
}

// The best checkpoint so far is a part of a stopped run.
TEST_F(ResumeInputs, TheOutputBelongsToTheState) {
  options_["evaluate-every"] = "1";
  stop(train(), "m.h5");
  const int64_t best = Checkpoint(*this / "m.state.h5").state().best_step;
  ASSERT_GE(best, 1);
  const std::string output = bytes("m.h5");
  fs::rename(*this / "m.h5", *this / "away.h5");
  refuses({}, {"m.h5: is not there, but m.state.h5 says that it has the best checkpoint so far, of step " +
               std::to_string(best)});
  succeed("prune --model away.h5 --output m.h5 --amount 0.5 --quiet");
  refuses({}, {"m.h5: --pruned was ", "this program does not have it"});
  succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --max-steps 1 --quiet --output other.h5");
  write_bytes(*this / "m.h5", bytes("other.h5"));
  refuses({}, {"m.h5: --", "resume with"});
  write_bytes(*this / "m.h5", output);
  goes_on({});
}

}  // namespace
}  // namespace espalier
