// SPDX-License-Identifier: Apache-2.0
// safetensors: what is read can be written, and then has the same bits.
#include <algorithm>

#include "data/models/safetensors.h"
#include "tests/fuzz/target.h"

using namespace espalier;

namespace {

// Those of the tensors that can be read as f32.
std::map<std::string, Tensor> tensors_of(const Safetensors& file, std::string_view source) {
  std::map<std::string, Tensor> tensors;
  for (const auto& entry : file.entries())
    fuzz::accepts([&] { tensors[entry.first] = file.read(entry.first); }, source);
  return tensors;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::equal(a.raw(), a.raw() + a.bytes(), b.raw());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto path = fuzz::folder().put("model.safetensors", fuzz::text_of(bytes, size));
  fuzz::accepts(
      [&] {
        const Safetensors file(path);
        const auto tensors = tensors_of(file, path.string());
        const auto again = fuzz::folder() / "again.safetensors";
        write_safetensors(again, tensors, {});
        const Safetensors copy(again);
        fuzz::law(copy.entries().size() == tensors.size(), "all tensors are written");
        for (const auto& [name, tensor] : tensors)
          fuzz::law(same_bits(copy.read(name), tensor), "a tensor has the same bits");
      },
      path.string());
  return 0;
}
