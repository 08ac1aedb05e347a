// SPDX-License-Identifier: Apache-2.0
// Texts and lists of them, as HDF5 strings, and as the bytes that earlier versions wrote.
#include "core/hdf5/file.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

const fs::path odd = fs::path(ESPALIER_TESTS_DIR) / "golden" / "hdf5_odd.h5";

void write(const fs::path& path, const Texts& texts) {
  Hdf5File file = Hdf5File::create(path, path.string());
  for (size_t i = 0; i < texts.size(); ++i) file.root().write_text(std::to_string(i), texts[i]);
  file.root().write_texts("list", texts);
  file.close();
}

TEST(Hdf5Text, ComesBackAsItWas) {
  const TemporaryFolder folder;
  Texts even, uneven{std::string(5000, 'x')};
  for (int i = 0; i < 300; ++i) even.push_back("tökén " + std::to_string(i)), uneven.push_back(std::to_string(i));
  uneven.emplace_back();
  for (const Texts& texts : {Texts{}, Texts{""}, Texts{"", "a\nb", " c "}, even, uneven}) {
    write(folder / "a.h5", texts);
    const Hdf5File file = Hdf5File::open(folder / "a.h5");
    EXPECT_EQ(file.root().read_texts("list"), texts);
    for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(file.root().read_text(std::to_string(i)), texts[i]);
    write(folder / "b.h5", texts);
    EXPECT_EQ(read_bytes(folder / "a.h5"), read_bytes(folder / "b.h5")) << "equal texts, equal bytes";
  }
  EXPECT_LT(fs::file_size(folder / "a.h5"), 200'000U) << "of variable length where that is smaller";
}

TEST(Hdf5Text, NoListHoldsANul) {
  const TemporaryFolder folder;
  const Hdf5File file = Hdf5File::create(folder / "a.h5", "a.h5");
  expect_in(error_of<Error>([&] {
              file.root().write_texts("list", {"a", std::string("b\0", 2)});
            }),
            "a.h5: /list: a text holds a NUL byte");
}

TEST(Hdf5Text, OfBytesIsReadToo) {
  const TemporaryFolder folder;
  const std::string bytes = "one\n\ntwo\n";
  Hdf5File file = Hdf5File::create(folder / "a.h5", "a.h5");
  file.root().write("bytes",
                    Tensor::of<uint8_t>({std::ssize(bytes)}, std::vector<uint8_t>(bytes.begin(), bytes.end())));
  file.close();
  const Hdf5File read = Hdf5File::open(folder / "a.h5");
  EXPECT_EQ(read.root().read_text("bytes"), bytes);
  EXPECT_EQ(read.root().read_texts("bytes"), (Texts{"one", "", "two"}));
}

TEST(Hdf5Text, OfOtherWritersIsReadOrRefused) {
  const Hdf5File file = Hdf5File::open(odd);
  const Hdf5Group& root = file.root();
  EXPECT_EQ(root.read_texts("texts"), (Texts{"a", "", "größer"}));
  EXPECT_EQ(root.read_text("text"), "of variable length");
  EXPECT_EQ(root.read_text("latin"), "fixed\xff");
  const auto refuse = [&](const std::string& name, const std::string& reason) {
    expect_in(error_of<Error>([&] { root.read_texts(name); }), "/" + name + " " + reason);
  };
  refuse("bomb", "cannot be read");
  refuse("text", "is no list of texts");
  refuse("plain", "is no list of texts");
  refuse("null", "is no list of texts");
  refuse("soft", "is a link to somewhere else");
  expect_in(error_of<Error>([&] { root.read_text("texts"); }), "/texts is no text; the file is damaged");
}

}  // namespace
}  // namespace espalier
