// SPDX-License-Identifier: Apache-2.0
#include "tests/data/models/onnx_ops.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <stdexcept>

namespace espalier {

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

int64_t product(const std::vector<int64_t>& dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
}

namespace {

// f of two tensors that are broadcast to each other.
OnnxTensor broadcast(const OnnxTensor& a, const OnnxTensor& b, const std::function<double(double, double)>& f) {
  const size_t rank = std::max(a.dims.size(), b.dims.size());
  OnnxTensor y;
  y.dims.resize(rank);
  const auto dim = [&](const OnnxTensor& t, size_t i) {
    return i + t.dims.size() < rank ? 1 : t.dims[i + t.dims.size() - rank];
  };
  for (size_t i = 0; i < rank; ++i) {
    require(dim(a, i) == dim(b, i) || dim(a, i) == 1 || dim(b, i) == 1, "shapes that cannot be broadcast");
    y.dims[i] = std::max(dim(a, i), dim(b, i));
  }
  y.values.resize(static_cast<size_t>(product(y.dims)));
  for (size_t n = 0; n < y.values.size(); ++n) {
    const auto place = [&](const OnnxTensor& t) {
      auto rest = static_cast<int64_t>(n);
      int64_t at = 0, step = 1;
      for (size_t i = rank; i-- > 0; rest /= y.dims[i]) {
        if (dim(t, i) > 1) at += rest % y.dims[i] * step;
        step *= dim(t, i);
      }
      return static_cast<size_t>(at);
    };
    y.values[n] = f(a.values[place(a)], b.values[place(b)]);
  }
  return y;
}

// f(row, n) of each row of the last dimension, in place.
OnnxTensor by_row(OnnxTensor x, const std::function<void(double*, int64_t)>& f) {
  const int64_t n = x.dims.back();
  for (int64_t at = 0; at < std::ssize(x.values); at += n) f(x.values.data() + at, n);
  return x;
}

OnnxTensor matmul(const OnnxTensor& a, const OnnxTensor& b) {
  const int64_t m = a.dims[a.dims.size() - 2], k = a.dims.back(), n = b.dims.back();
  require(b.dims[b.dims.size() - 2] == k, "MatMul of other shapes");
  OnnxTensor y{a.dims, {}};
  y.dims.back() = n;
  const int64_t batches = product(a.dims) / (m * k), step = b.dims.size() > 2 ? k * n : 0;
  y.values.resize(static_cast<size_t>(batches * m * n));
  for (int64_t row = 0; row < batches * m; ++row)
    for (int64_t c = 0; c < n; ++c)
      for (int64_t i = 0; i < k; ++i)
        y.values[static_cast<size_t>(row * n + c)] +=
            a.values[static_cast<size_t>(row * k + i)] * b.values[static_cast<size_t>(row / m * step + i * n + c)];
  return y;
}

OnnxTensor transpose(const OnnxTensor& x, const std::vector<double>& order) {
  OnnxTensor y{std::vector<int64_t>(order.size()), std::vector<double>(x.values.size())};
  for (size_t i = 0; i < order.size(); ++i) y.dims[i] = x.dims[static_cast<size_t>(order[i])];
  std::vector<int64_t> at(order.size());
  for (double& value : y.values) {
    int64_t place = 0;
    for (size_t i = 0; i < x.dims.size(); ++i)
      place =
          place * x.dims[i] + at[static_cast<size_t>(std::ranges::find(order, static_cast<double>(i)) - order.begin())];
    value = x.values[static_cast<size_t>(place)];
    for (size_t i = order.size(); i-- > 0 && ++at[i] == y.dims[i];) at[i] = 0;
  }
  return y;
}

// From `begin` to `end` of one dimension.
OnnxTensor slice(const OnnxTensor& x, int64_t begin, int64_t end, int64_t axis) {
  const std::vector<int64_t> front(x.dims.begin(), x.dims.begin() + axis);
  const int64_t dim = x.dims[static_cast<size_t>(axis)], outer = product(front), inner = product(x.dims) / outer / dim;
  end = std::min(end, dim);
  OnnxTensor y{x.dims, {}};
  y.dims[static_cast<size_t>(axis)] = end - begin;
  for (int64_t o = 0; o < outer; ++o)
    y.values.insert(y.values.end(), x.values.begin() + (o * dim + begin) * inner,
                    x.values.begin() + (o * dim + end) * inner);
  return y;
}

OnnxTensor gather(const OnnxTensor& table, const OnnxTensor& ids) {
  OnnxTensor y{ids.dims, {}};
  y.dims.push_back(table.dims[1]);
  for (const double id : ids.values) {
    require(id >= 0 && id < static_cast<double>(table.dims[0]), "Gather outside of the table");
    const auto row = table.values.begin() + static_cast<int64_t>(id) * table.dims[1];
    y.values.insert(y.values.end(), row, row + table.dims[1]);
  }
  return y;
}

OnnxTensor reshape(const OnnxTensor& x, const OnnxTensor& shape) {
  OnnxTensor y{{}, x.values};
  for (size_t i = 0; i < shape.values.size(); ++i)
    y.dims.push_back(shape.values[i] == 0 ? x.dims[i] : static_cast<int64_t>(shape.values[i]));
  require(product(y.dims) == product(x.dims), "Reshape to another size");
  return y;
}

OnnxTensor unsqueeze(OnnxTensor x, const OnnxTensor& axes) {
  for (const double axis : axes.values) x.dims.insert(x.dims.begin() + static_cast<int64_t>(axis), 1);
  return x;
}

OnnxTensor squeeze(OnnxTensor x, const OnnxTensor& axes) {
  require(axes.values.size() == 1 && x.dims[static_cast<size_t>(axes.values[0])] == 1,
          "Squeeze of a dimension above 1");
  x.dims.erase(x.dims.begin() + static_cast<int64_t>(axes.values[0]));
  return x;
}

using Inputs = std::vector<const OnnxTensor*>;
using Attributes = std::map<std::string, std::vector<double>>;
using Op = OnnxOp;

Op each(const std::function<double(double)>& f) {
  return [f](const Inputs& in, const Attributes&) {
    OnnxTensor y = *in[0];
    for (double& v : y.values) v = f(v);
    return y;
  };
}

Op both(const std::function<double(double, double)>& f) {
  return [f](const Inputs& in, const Attributes&) { return broadcast(*in[0], *in[1], f); };
}

Op extreme(bool largest) {
  return [largest](const Inputs& in, const Attributes&) {
    OnnxTensor y{in[0]->dims, {}};
    y.dims.back() = 1;
    by_row(*in[0], [&](double* row, int64_t n) {
      y.values.push_back(largest ? *std::max_element(row, row + n) : *std::min_element(row, row + n));
    });
    return y;
  };
}

OnnxTensor layer_norm(const Inputs& in, const Attributes& attributes) {
  return by_row(*in[0], [&](double* row, int64_t n) {
    const double mean = std::accumulate(row, row + n, 0.0) / static_cast<double>(n);
    double square = 0;
    for (int64_t i = 0; i < n; ++i) square += (row[i] - mean) * (row[i] - mean) / static_cast<double>(n);
    for (int64_t i = 0; i < n; ++i)
      row[i] =
          (row[i] - mean) / std::sqrt(square + attributes.at("epsilon")[0]) * in[1]->values[static_cast<size_t>(i)] +
          in[2]->values[static_cast<size_t>(i)];
  });
}

OnnxTensor softmax(const Inputs& in, const Attributes&) {
  return by_row(*in[0], [](double* row, int64_t n) {
    const double most = *std::max_element(row, row + n);
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += row[i] = std::exp(row[i] - most);
    for (int64_t i = 0; i < n; ++i) row[i] /= sum;
  });
}

OnnxTensor clip(const Inputs& in, const Attributes&) {
  OnnxTensor y = *in[0];
  for (double& v : y.values) {
    if (in[1] != nullptr) v = std::max(v, in[1]->values[0]);
    if (in.size() > 2) v = std::min(v, in[2]->values[0]);
  }
  return y;
}

OnnxTensor quantize(const Inputs& in, const Attributes&) {
  OnnxTensor y = *in[0];
  for (double& v : y.values) v = std::clamp(std::nearbyint(v / in[1]->values[0]) + in[2]->values[0], 0.0, 255.0);
  return y;
}

// One scale for all, or one for each column.
OnnxTensor dequantize(const Inputs& in, const Attributes& attributes) {
  require(in[1]->values.size() == 1 || attributes.at("axis")[0] == 1, "DequantizeLinear along another axis");
  const OnnxTensor moved = broadcast(*in[0], *in[2], std::minus<>());
  return broadcast(moved, *in[1], std::multiplies<>());
}

}  // namespace

const std::map<std::string, OnnxOp>& onnx_ops() {
  const auto value = [](const OnnxTensor* t) { return static_cast<int64_t>(t->values.at(0)); };
  static const std::map<std::string, OnnxOp> table = {
      {"Add", both(std::plus<>())},
      {"Sub", both(std::minus<>())},
      {"Mul", both(std::multiplies<>())},
      {"Div", both(std::divides<>())},
      {"Cast", each([](double v) { return v; })},
      {"Identity", each([](double v) { return v; })},
      {"Erf", each([](double v) { return std::erf(v); })},
      {"Tanh", each([](double v) { return std::tanh(v); })},
      {"Round", each([](double v) { return std::nearbyint(v); })},
      {"Reciprocal", each([](double v) { return 1 / v; })},
      {"ReduceMin", extreme(false)},
      {"ReduceMax", extreme(true)},
      {"Clip", clip},
      {"LayerNormalization", layer_norm},
      {"Softmax", softmax},
      {"QuantizeLinear", quantize},
      {"DequantizeLinear", dequantize},
      {"MatMul", [](const Inputs& in, const Attributes&) { return matmul(*in[0], *in[1]); }},
      {"Gather", [](const Inputs& in, const Attributes&) { return gather(*in[0], *in[1]); }},
      {"Reshape", [](const Inputs& in, const Attributes&) { return reshape(*in[0], *in[1]); }},
      {"Unsqueeze", [](const Inputs& in, const Attributes&) { return unsqueeze(*in[0], *in[1]); }},
      {"Squeeze", [](const Inputs& in, const Attributes&) { return squeeze(*in[0], *in[1]); }},
      {"Transpose", [](const Inputs& in, const Attributes& a) { return transpose(*in[0], a.at("perm")); }},
      {"Slice",
       [=](const Inputs& in, const Attributes&) {
         return slice(*in[0], value(in[1]), value(in[2]), in.size() > 3 ? value(in[3]) : 0);
       }},
      {"Shape", [](const Inputs& in, const Attributes&) {
         return OnnxTensor{{std::ssize(in[0]->dims)}, {in[0]->dims.begin(), in[0]->dims.end()}};
       }}};
  return table;
}

}  // namespace espalier
