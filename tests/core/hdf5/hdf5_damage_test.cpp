// SPDX-License-Identifier: Apache-2.0
// Files that are cut off or changed.
#include <random>

#include "tests/core/hdf5/sample_file.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

TEST(Hdf5File, CutOffAnywhereIsAnError) {
  const TemporaryFolder folder;
  write_sample(folder / "a.h5");
  const std::string whole = read_bytes(folder / "a.h5");
  ASSERT_EQ(read_all(Hdf5File::open(folder / "a.h5").root()), 23);
  for (size_t length = 0; length < whole.size(); length += length + 100 < whole.size() ? 67 : 1) {
    write_bytes(folder / "b.h5", whole.substr(0, length));
    EXPECT_THROW(read_all(Hdf5File::open(folder / "b.h5").root()), Error) << length;
  }
}

// Data, HDF5's own structures, gaps between them, and the checksums themselves.
TEST(Hdf5File, EveryFlippedByteIsAnError) {
  const TemporaryFolder folder;
  write_sample(folder / "a.h5");
  const std::string whole = read_bytes(folder / "a.h5");
  std::mt19937 random(1);
  reset_storage_peak();
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ (1 << random() % 8));
    write_bytes(folder / "b.h5", bytes);
    const std::string text = error_of<Error>([&] { read_all(Hdf5File::open(folder / "b.h5").root()); });
    EXPECT_TRUE(text.starts_with((folder / "b.h5").string() + ": ")) << i << ": " << text;
    EXPECT_TRUE(text.find("damaged") != std::string::npos || text.find("missing") != std::string::npos) << text;
  }
  EXPECT_LT(storage_stats().peak, size_t{1} << 20);
}

TEST(Hdf5File, DamageInALongDatasetIsToldWithItsNameAndPlace) {
  const TemporaryFolder folder;
  const Tensor values = counting<float>({500'000, 2});
  {
    Hdf5File file = Hdf5File::create(folder / "a.h5", "a.h5");
    file.root().write("before", counting<float>({1000}));
    file.root().write("long", values);
    file.root().create("rows", DType::f32, values.shape());
    for (int64_t i = 0; i < 10; ++i) file.root().write_rows("rows", i * 50'000, values.view(i * 100'000, {50'000, 2}));
    file.close();
  }
  const std::string whole = read_bytes(folder / "a.h5");
  const Hdf5File good = Hdf5File::open(folder / "a.h5");
  EXPECT_TRUE(same(good.root().read("long"), values));
  EXPECT_TRUE(same(good.root().read("rows"), values));
  const Tensor row({1, 2});
  for (const int64_t i : {int64_t{0}, int64_t{1234}, int64_t{499'999}}) {
    good.root().read_rows("rows", i, row);
    EXPECT_TRUE(same(row, values.view(2 * i, {1, 2}))) << i;
  }
  for (const size_t at : {whole.size() / 4, whole.size() * 3 / 4}) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write_bytes(folder / "b.h5", bytes);
    const Hdf5File bad = Hdf5File::open(folder / "b.h5");
    const std::string name = at < whole.size() / 2 ? "long" : "rows";
    const std::string place = "bytes " + std::to_string(at / 16384 * 16384) + " … ";
    for (int time = 0; time < 2; ++time) {
      const std::string text = error_of<Error>([&] { bad.root().read(name); });
      expect_in(text, "b.h5: /" + name + " cannot be read; the file is damaged: its " + place);
      expect_in(text, "do not fit their checksum; take another copy of it");
    }
    EXPECT_TRUE(same(bad.root().read(name == "long" ? "rows" : "long"), values));
  }
}

TEST(Hdf5File, ChecksumsThatAreGoneAreMissed) {
  const TemporaryFolder folder;
  write_sample(folder / "a.h5");
  const std::string whole = read_bytes(folder / "a.h5");
  const std::string end = whole.substr(whole.size() - 32, 8);
  uint64_t covered = 0;
  std::copy(end.begin(), end.end(), reinterpret_cast<char*>(&covered));
  write_bytes(folder / "b.h5", whole.substr(0, covered));  // what another program leaves that opens it for writing
  expect_in(error_of<Error>([&] { Hdf5File::open(folder / "b.h5"); }),
            "b.h5: the checksums at its end are missing: it is cut off, or another program changed it");
}

}  // namespace
}  // namespace espalier
