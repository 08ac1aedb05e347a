// SPDX-License-Identifier: Apache-2.0
// Golden values: random inputs that a test and the script of its golden values (golden.py) each make for themselves,
// and the comparison of a tensor with its record in a golden file. Used by the tests of core, nn and optim.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/rng.h"
#include "core/tensor.h"

namespace espalier::golden {

// Numbers in (-size, size) that depend on the name and the stream only; f32 is the f64 tensor rounded.
inline Tensor uniform(const std::string& name, uint64_t stream, const Shape& shape, double size = 2,
                      DType type = DType::f64) {
  uint64_t seed = 14695981039346656037U;  // FNV-1a
  for (const char c : name) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211U;
  Rng rng(seed, stream);
  Tensor t(shape, DType::f64);
  for (double& v : t.span<double>()) v = (rng.uniform() * 2 - 1) * size;
  return t.to(type);
}

inline double norm_of(const Tensor& t) {
  const Tensor wide = t.to(DType::f64);
  double sum = 0;
  for (const double v : wide.span<double>()) sum += v * v;
  return std::sqrt(sum);
}

// The lines of tests/golden/<file>: a key, then numbers. Comment lines begin with #.
class File {
 public:
  explicit File(const std::string& file) : name_(file) {
    std::ifstream in(std::string(ESPALIER_TESTS_DIR) + "/golden/" + file);
    CHECK(in.is_open(), "golden: cannot open ", file);
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::istringstream text(line);
      std::string key;
      text >> key;
      for (double v; text >> v;) lines_[key].push_back(v);
    }
  }

  bool has(const std::string& key) const { return lines_.contains(key); }
  const std::vector<double>& at(const std::string& key) const {
    const auto found = lines_.find(key);
    CHECK(found != lines_.end(), "golden: ", name_, " has no line ", key);
    return found->second;
  }

  // Expects the tensor to be the one recorded: up to eight elements spread evenly, and the products with two random
  // tensors, each within tolerance times the tensor's norm, or least_norm where that is larger.
  void expect(const std::string& key, const Tensor& tensor, double tolerance, double least_norm = 0) const {
    const Tensor t = tensor.to(DType::f64);
    const auto flat = t.span<double>();
    const size_t some = std::min<size_t>(8, flat.size());
    std::vector<double> found;
    for (size_t i = 0; i < some; ++i) found.push_back(flat[i * flat.size() / some]);
    for (uint64_t stream = 0; stream < 2; ++stream) {
      const Tensor probe = uniform("probe", stream, {t.size()}, 1);
      double product = 0;
      for (size_t i = 0; i < flat.size(); ++i) product += flat[i] * probe.data<double>()[i];
      found.push_back(product);
    }
    const std::vector<double>& wanted = at(key);
    const double size = std::max(norm_of(t), least_norm);
    ASSERT_EQ(found.size(), wanted.size()) << key;
    for (size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i], wanted[i], tolerance * size) << key << ", number " << i;
  }

 private:
  std::string name_;
  std::map<std::string, std::vector<double>> lines_;
};

}  // namespace espalier::golden
