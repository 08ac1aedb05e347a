// SPDX-License-Identifier: Apache-2.0
// Files of torch.save: the tensors of tests/golden/torch_files.py, and what is refused without being run.
#include "data/models/torch_file.h"

#include <cstring>
#include <functional>
#include <random>

#include "data/models/hf.h"
#include "data/models/safetensors.h"
#include "nn/bert.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

const fs::path torch_golden = fs::path(ESPALIER_TESTS_DIR) / "golden";
const fs::path torch_files = torch_golden / "torch_files";

std::vector<float> values_of(const TorchFile& file, const std::string& name) {
  const Tensor t{Shape(std::span<const int64_t>(file.tensors().at(name).shape))};
  file.read_into(name, t);
  return {t.data<float>(), t.data<float>() + t.size()};
}

TEST(TorchFile, ReadsEveryTypeAndView) {
  const TorchFile file(torch_files / "types.bin");
  EXPECT_EQ(values_of(file, "float64"), (std::vector<float>{0, -0.0F, 1, -2.5F, 65504, 6e-8F}));
  EXPECT_EQ(values_of(file, "float32"), values_of(file, "float64"));
  EXPECT_EQ(values_of(file, "float16")[5], 0x1p-24F);
  EXPECT_EQ(values_of(file, "bfloat16")[4], 65536.0F);
  EXPECT_EQ(values_of(file, "scalar"), (std::vector<float>{7}));
  EXPECT_EQ(values_of(file, "part"), (std::vector<float>{8, 9, 10, 14, 15, 16}));
  EXPECT_EQ(values_of(file, "row"), (std::vector<float>{12, 13, 14, 15, 16, 17}));
  EXPECT_EQ(values_of(file, "expanded"), (std::vector<float>{1, 2, 1, 2, 1, 2}));
  EXPECT_EQ(values_of(file, "parameter"), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  const std::vector<float> transposed = values_of(file, "transposed");
  for (size_t i = 0; i < 6; ++i)
    for (size_t j = 0; j < 4; ++j) EXPECT_EQ(transposed[4 * i + j], static_cast<float>(6 * j + i));
  EXPECT_EQ(file.others(), (std::set<std::string>{"epoch"}));
  EXPECT_EQ(file.tensors().at("position_ids").type, "I64");
  expect_in(error_of<Error>([&] { values_of(file, "mask"); }), "has the dtype BOOL; expected F32");
}

TEST(TorchFile, AModelOfBinFilesIsTheModel) {
  const fs::path golden = torch_golden / "encoders" / "distilbert";
  const Safetensors expected(golden / "model.safetensors");
  const TemporaryFolder folder;
  const auto same = [&] {
    ParameterStore store;
    const Bert bert(store, read_config(golden).model);
    const LoadReport report = HfWeights(folder.path(), Architecture::distilbert).load(store, 1, 0.02F);
    EXPECT_EQ(report.loaded, std::ssize(expected.entries()));
    const Tensor wanted = expected.read("distilbert.transformer.layer.1.ffn.lin2.weight"),
                 found = store.at("bert.encoder.layer.1.output.dense.weight").value;
    EXPECT_EQ(std::memcmp(wanted.raw(), found.raw(), wanted.bytes()), 0);
  };
  fs::copy(torch_files / "state.bin", folder / "pytorch_model.bin");
  same();
  fs::remove(folder / "pytorch_model.bin");
  for (const char* name :
       {"pytorch_model.bin.index.json", "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"})
    fs::copy(torch_files / name, folder / name);
  same();
}

TEST(TorchFile, RunsNoCodeAndSaysWhichWasWanted) {
  const auto error = [](const char* name) { return error_of<Error>([&] { TorchFile file(torch_files / name); }); };
  expect_in(error("code.bin"), "code.bin: its pickle wants to run 'posix.system'");
  expect_in(error("code.bin"), "nothing was run");
  expect_in(error("old.bin"), "is no zip archive");
  expect_in(error("old.bin"), "torch.save(torch.load(FILE, weights_only=True), FILE)");
  expect_in(error("compressed.bin"), "is compressed or encrypted");
  expect_in(error("big.bin"), "not little-endian");
  expect_in(error("list.bin"), "holds no dictionary of tensors");
}

std::string pickle_error(const std::string& pickle) {
  return error_of<Error>([&] { (void)read_torch_pickle(pickle, "x"); });
}

TEST(TorchPickle, NamesOfCodeAreRefusedHoweverTheyAreSpelt) {
  using namespace std::string_literals;
  expect_in(pickle_error("\x80\x02"s + "cos\nsystem\n."), "wants to run 'os.system'");
  expect_in(pickle_error("\x80\x04"s + "\x8c\x08"
                                       "builtins"
                                       "\x8c\x04"
                                       "eval"
                                       "\x93."),
            "wants to run 'builtins.eval'");
  expect_in(pickle_error("(ios\nsystem\n."), "wants to run 'os.system'");
  expect_in(pickle_error("ctorch\nload\n."), "wants to run 'torch.load'");
  expect_in(pickle_error("ctorch._utils\n_rebuild_wrapper_subclass\n."), "wants to run");
  for (const char opcode : {'\x81', '\x92', 'o', 'P', '\x82', 'g'})
    expect_in(pickle_error("))"s + opcode + "."), "which tensors do not need");
}

TEST(TorchPickle, LyingNumbersTakeNoMemory) {
  using namespace std::string_literals;
  expect_in(pickle_error("X\xff\xff\xff\x7f."s), "an end in the middle of a value");
  expect_in(pickle_error("}"), "an end in the middle of a value");
  expect_in(pickle_error("."), "a value too few");
  expect_in(pickle_error("h\x05."), "a reference to nothing");
  expect_in(pickle_error("u."), "a list without beginning");
  expect_in(pickle_error("}(K\x01K\x02u."), "a name that is no text");
  expect_in(pickle_error("(" + std::string(100, 'N') + "tQ."), "a tuple of 100 items");
  // One that nests a million deep, and a dictionary that is its own item.
  expect_in(pickle_error(")" + std::string(1'000'000, '\x85') + "."), "no dictionary of tensors");
  EXPECT_EQ(pickle_error("}q\x01X\x01\x00\x00\x00"
                         "ah\x01s."s),
            "no error");
}

// Whatever is done to a good file, it is read or refused, never more.
TEST(TorchFile, ChangedBytesAreReadOrRefused) {
  const std::string good = read_bytes(torch_files / "types.bin");
  const TemporaryFolder folder;
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    for (int i = 0; i < 3; ++i) bad[random() % bad.size()] = static_cast<char>(random());
    if (round % 4 == 0) bad.resize(random() % bad.size());
    write_bytes(folder / "bad.bin", bad);
    try {
      const TorchFile file(folder / "bad.bin");
      for (const auto& [name, tensor] : file.tensors())
        if (tensor.shape.size() <= 4 && tensor.elements < 1000 && Shape(std::span(tensor.shape)).size() < 1000)
          values_of(file, name);
    } catch (const Error& error) { EXPECT_NE(std::string(error.what()), ""); }
  }
}

}  // namespace
}  // namespace espalier
