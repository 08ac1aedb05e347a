// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <csignal>
#include <functional>
#include <set>
#include <thread>

#include "tests/core/hdf5/sample_file.h"
#include "tests/temporary.h"

// HDF5 1.10 forgets to free a header whose checksum is wrong.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the leak sanitizer asks for this name
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }

namespace espalier {
namespace {

namespace fs = std::filesystem;

TEST(Hdf5File, KeepsEveryTypeShapeTextAndAttribute) {
  const TemporaryFolder folder;
  const std::string binary("a\0b\n\xff", 5);
  const std::vector<Tensor> tensors = {
      counting<float>({2, 3}),        counting<double>({4}),     counting<Bf16>({5, 2}),    counting<int32_t>({}),
      counting<int8_t>({2, 1, 3, 2}), counting<uint8_t>({0, 7}), counting<float>({1, 2, 3})};
  {
    Hdf5File file = Hdf5File::create(folder / "a.h5", "a.h5");
    const Hdf5Group inner = file.root().create_group("outer").create_group("bert.inner");
    for (size_t i = 0; i < tensors.size(); ++i) inner.write("t" + std::to_string(i), tensors[i]);
    inner.write_text("binary", binary);
    inner.write_text("empty", "");
    inner.set_attribute(".", "of the group", "größer");
    inner.set_attribute("t0", "empty", "");
    file.close();
  }
  const Hdf5File file = Hdf5File::open(folder / "a.h5");
  const Hdf5Group inner = file.root().group("outer").group("bert.inner");
  EXPECT_EQ(file.root().names(), std::vector<std::string>{"outer"});
  EXPECT_EQ(inner.names(), (std::vector<std::string>{"binary", "empty", "t0", "t1", "t2", "t3", "t4", "t5", "t6"}));
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string name = "t" + std::to_string(i);
    EXPECT_TRUE(same(inner.read(name), tensors[i])) << name;
    EXPECT_EQ(inner.info(name).type, tensors[i].dtype()) << name;
    EXPECT_EQ(inner.info(name).shape, tensors[i].shape()) << name;
    Tensor to(tensors[i].shape(), tensors[i].dtype());
    inner.read_into(name, to);
    EXPECT_TRUE(same(to, tensors[i])) << name;
  }
  EXPECT_EQ(inner.read_text("binary"), binary);
  EXPECT_EQ(inner.read_text("empty"), "");
  EXPECT_EQ(inner.attribute(".", "of the group"), "größer");
  EXPECT_EQ(inner.attribute("t0", "empty"), "");
  EXPECT_TRUE(inner.has_attribute("t0", "empty"));
  EXPECT_FALSE(inner.has_attribute("t0", "other"));
  EXPECT_TRUE(inner.contains("t0"));
  EXPECT_FALSE(inner.contains("t9"));
}

TEST(Hdf5File, RowsAreWrittenAndReadInAnyOrder) {
  const TemporaryFolder folder;
  const auto path = folder / "rows.h5";
  for (const DType type : {DType::f32, DType::bf16}) {
    const auto rows = [&](float first, int64_t count) {
      Tensor t({count, 2});
      for (int64_t i = 0; i < t.size(); ++i) t.data<float>()[i] = first * 2 + static_cast<float>(i);
      return t.to(type);
    };
    Hdf5File file = Hdf5File::create(path, "rows.h5");
    file.root().create("x", type, {6, 2});
    file.root().write_rows("x", 4, rows(4, 2));
    file.root().write_rows("x", 0, rows(0, 4));
    expect_in(error_of<Error>([&] { file.root().write_rows("x", 5, rows(5, 2)); }), "/x has no rows 5 …");
    file.close();
    const Hdf5File read = Hdf5File::open(path);
    EXPECT_EQ(read.root().info("x").type, type);
    const Tensor middle({3, 2}, type), wide({3, 3}, type), wrong({3, 2}, DType::i32);
    read.root().read_rows("x", 2, middle);
    const Tensor found = middle.to(DType::f32);
    for (int i = 0; i < 6; ++i) EXPECT_EQ(found.data<float>()[i], static_cast<float>(4 + i));
    for (const Tensor& bad : {wide, wrong})
      expect_in(error_of<Error>([&] { read.root().read_rows("x", 0, bad); }), "/x has no rows 0 …");
    expect_in(error_of<Error>([&] { read.root().read_rows("x", -1, middle); }), "/x has no rows -1 …");
  }
}

TEST(Hdf5File, EqualContentsGiveEqualBytesAtAnyTime) {
  const TemporaryFolder folder;
  write_sample(folder / "a.h5");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5's time stamps count seconds
  write_sample(folder / "b.h5");
  EXPECT_GT(fs::file_size(folder / "a.h5"), 1000U);
  EXPECT_EQ(read_bytes(folder / "a.h5"), read_bytes(folder / "b.h5"));
}

TEST(Hdf5File, ErrorsNameFileAndObject) {
  const TemporaryFolder folder;
  const fs::path path = folder / "a.h5";
  write_sample(path);
  const Hdf5File file = Hdf5File::open(path);
  const Hdf5Group &root = file.root(), weights = root.group("weights");
  const auto check = [&](const std::function<void()>& action, const std::string& where, const std::string& what) {
    const std::string text = error_of<Error>(action);
    EXPECT_EQ(text.find(path.string() + ": " + where), 0U) << text;
    expect_in(text, what);
  };
  const std::string name = "layer.2.weight";
  check([&] { weights.read("layer.77"); }, "there is no /weights/layer.77", "");
  check([&] { root.group("other"); }, "there is no /other", "");
  check([&] { root.group("text"); }, "/text", "as a group");
  check([&] { root.read("weights"); }, "/weights", "as a dataset");
  check([&] { weights.read_into(name, Tensor({3, 3})); }, "/weights/" + name, "is f32[3, 2]; expected f32[3, 3]");
  check([&] { weights.read_into(name, Tensor({3, 2}, DType::i32)); }, "/weights/" + name, "expected i32[3, 2]");
  check([&] { weights.read_text(name); }, "/weights/" + name, "is no text");
  check([&] { weights.attribute(name, "scale"); }, "/weights/" + name, "no attribute scale");
  check([&] { weights.read("../text"); }, "\"../text\" cannot be a name", "");
  check([&] { weights.read(""); }, "\"\" cannot be a name", "");
  EXPECT_THROW(root.write_text("new", "x"), Failure);  // read-only

  Hdf5File fresh = Hdf5File::create(folder / "b.h5", "b.h5");
  fresh.root().write_text("x", "1");
  EXPECT_EQ(error_of<Error>([&] { fresh.root().write_text("x", "2"); }), "b.h5: /x exists already");
  EXPECT_EQ(error_of<Error>([&] { fresh.root().create_group("x"); }), "b.h5: /x exists already");
  EXPECT_THROW(fresh.root().set_attribute("x", "long", std::string(70'000, 'a')), Error);
}

TEST(Hdf5File, RefusesFilesThatAreNotHdf5) {
  const TemporaryFolder folder;
  const std::string missing = (folder / "missing.h5").string();
  EXPECT_EQ(error_of<Error>([&] { Hdf5File::open(missing); }),
            missing + ": cannot be opened: No such file or directory");
  EXPECT_THROW(Hdf5File::open(folder.path()), Error);
  for (const std::string bytes : {"", "text", "\x89HDF\r\n\x1a\n"}) {
    write_bytes(folder / "a.h5", bytes);
    expect_in(error_of<Error>([&] { Hdf5File::open(folder / "a.h5"); }), "a.h5: cannot be opened as HDF5");
  }
  expect_in(error_of<Error>([&] { Hdf5File::create(folder / "no" / "a.h5", "shown.h5"); }),
            "shown.h5: cannot be created: No such file or directory");
}

TEST(Hdf5File, RefusesWhatOtherWritersMayHavePutIn) {
  const Hdf5File file = Hdf5File::open(fs::path(ESPALIER_TESTS_DIR) / "golden" / "hdf5_odd.h5");
  const Hdf5Group& root = file.root();
  EXPECT_TRUE(same(root.read("plain"), Tensor::of<float>({2, 3}, std::vector<float>{0, 1, 2, 3, 4, 5})));
  EXPECT_EQ(root.attribute("plain", "fixed"), "fixed");
  reset_storage_peak();
  const size_t before = storage_stats().peak;
  const auto refuse = [&](const std::string& name, const std::string& reason) {
    expect_in(error_of<Error>([&] { root.read(name); }), "/" + name + " " + reason);
  };
  refuse("claims_4_terabytes", "claims more bytes than the file");
  refuse("overflows", "claims more bytes than the file");
  refuse("never_written", "should have 12 bytes, but 0 are stored");
  refuse("chunked", "is not stored in one piece");
  refuse("external", "is not stored in one piece");
  refuse("five", "has 5 dimensions");
  refuse("big_endian", "has elements of an unknown type");
  refuse("half", "has elements of an unknown type");
  refuse("plain_u16", "has elements of an unknown type");
  refuse("texts", "has elements of an unknown type");
  refuse("null", "has 0 dimensions");
  refuse("soft", "is a link to somewhere else");
  refuse("elsewhere", "is a link to somewhere else");
  EXPECT_EQ(storage_stats().peak, before);
  EXPECT_THROW(root.attribute("plain", "variable"), Error);
  EXPECT_THROW(root.attribute("plain", "number"), Error);
}

// As on a full disk: the system takes no byte beyond a limit. Also checks that the process ends well, which HDF5 alone
// does not.
TEST(Hdf5File, RefusedWriteIsAFailure) {
  const TemporaryFolder folder;
  write_sample(folder / "a.h5");
  const size_t size = fs::file_size(folder / "a.h5");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  std::set<std::string> texts;
  for (size_t limit = 0; limit < size; limit += size / 40) {
    const rlimit small{limit, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    texts.insert(error_of<Failure>([&] { write_sample(folder / "b.h5"); }));
    setrlimit(RLIMIT_FSIZE, &old);
  }
  EXPECT_EQ(texts, std::set<std::string>{(folder / "b.h5").string() + ": cannot be written: File too large"});
  write_sample(folder / "b.h5");
  EXPECT_EQ(read_bytes(folder / "b.h5"), read_bytes(folder / "a.h5"));
}

TEST(Hdf5File, WithoutCloseNothingMoreIsWritten) {
  const TemporaryFolder folder;
  {
    const Hdf5File file = Hdf5File::create(folder / "a.h5", "a.h5");
    file.root().write("x", counting<float>({1000}));
  }
  EXPECT_THROW(Hdf5File::open(folder / "a.h5"), Error);
}

}  // namespace
}  // namespace espalier
