// SPDX-License-Identifier: Apache-2.0
#include "data/models/tensor_encoding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "core/rng.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

class TensorEncoding : public testing::Test {
 protected:
  void write(const std::function<void(const Hdf5Group&)>& fill) {
    Hdf5File file = Hdf5File::create(path_, "t.h5");
    fill(file.root());
    file.close();
  }
  Hdf5File open() { return Hdf5File::open(path_); }
  // What reading the sparse tensor "w" of shape [4, 5] says, when its parts are these.
  std::string error(const std::string& shape, const Tensor& bitmap, const Tensor& values) {
    write([&](const Hdf5Group& root) {
      const Hdf5Group parts = root.create_group("w");
      root.set_attribute("w", "encoding", "sparse");
      root.set_attribute("w", "shape", shape);
      parts.write("bitmap", bitmap);
      parts.write("values", values);
    });
    const Hdf5File file = open();
    return error_of<Error>([&] { read_tensor_into(file.root(), "w", Tensor({4, 5})); });
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "t.h5";
};

Tensor with_zeros(const Shape& shape, double share) {
  Rng rng(7, static_cast<uint64_t>(share * 1000));
  Tensor t(shape);
  for (float& v : t.span<float>()) v = rng.uniform() < share ? 0.0F : static_cast<float>(rng.normal());
  return t;
}

TEST_F(TensorEncoding, GivesBackTheSameBitsWhateverTheShareOfZeros) {
  for (const double share : {0.0, 0.02, 0.1, 0.5, 0.95, 1.0})
    for (const Shape& shape : {Shape{37, 11}, Shape{8}, Shape{3, 5, 7}}) {
      const Tensor t = with_zeros(shape, share);
      t.data<float>()[0] = -0.0F;
      t.data<float>()[1] = std::nanf("7");
      write([&](const Hdf5Group& root) { write_tensor(root, "w", t); });
      const Hdf5File file = open();
      EXPECT_EQ(tensor_shape(file.root(), "w"), shape);
      const Tensor back(shape);
      for (float& v : back.span<float>()) v = 99;
      read_tensor_into(file.root(), "w", back);
      EXPECT_EQ(std::memcmp(back.raw(), t.raw(), t.bytes()), 0) << share;
    }
}

TEST_F(TensorEncoding, EightyPercentZerosTakeAboutAQuarter) {
  const Tensor sparse = with_zeros({256, 512}, 0.8), dense = with_zeros({256, 512}, 0);
  write([&](const Hdf5Group& root) {
    write_tensor(root, "sparse", sparse);
    write_tensor(root, "dense", dense);
  });
  const Hdf5File file = open();
  const StoredTensor s = stored_tensor(file.root(), "sparse"), d = stored_tensor(file.root(), "dense");
  EXPECT_EQ(s.encoding, "sparse");
  EXPECT_EQ(d.encoding, "dense");
  EXPECT_EQ(d.bytes, 256 * 512 * 4);
  EXPECT_NEAR(static_cast<double>(s.bytes) / static_cast<double>(d.bytes), 0.2 + 1.0 / 32, 0.005);
  EXPECT_LT(std::filesystem::file_size(path_), static_cast<uintmax_t>(s.bytes + d.bytes + 8192));
}

TEST_F(TensorEncoding, PartsThatDoNotFitAreErrors) {
  const auto bytes = [](std::vector<uint8_t> b) { return Tensor::of<uint8_t>({std::ssize(b)}, b); };
  EXPECT_EQ(error("4 5", bytes({1, 0, 1}), Tensor::zeros({2})), "no error");
  expect_in(error("4 5", bytes({1, 0, 1}), Tensor::zeros({3})), "/w/values is f32[3]; expected f32[2]");
  expect_in(error("4 5", bytes({1, 0, 0xff}), Tensor::zeros({9})),
            "/w/bitmap has bits behind the last element of [4, 5]");
  expect_in(error("4 5", bytes({1, 0}), Tensor::zeros({1})), "/w/bitmap is u8[2]; expected u8[3]");
  expect_in(error("4 5", Tensor::zeros({3}), Tensor::zeros({1})), "/w/bitmap is f32[3]");
  expect_in(error("5 4", bytes({1, 0, 1}), Tensor::zeros({2})), "/w is [5, 4]; expected [4, 5]");
  expect_in(error("4 x", bytes({1, 0, 1}), Tensor::zeros({2})), "/w has the shape \"4 x\"");
  expect_in(error("4 -5", bytes({1, 0, 1}), Tensor::zeros({2})), "/w: shape: dimension 1 is -5");
  expect_in(error("4 99999999999999999", bytes({1, 0, 1}), Tensor::zeros({2})), "/w: shape: more than");
}

}  // namespace
}  // namespace espalier
