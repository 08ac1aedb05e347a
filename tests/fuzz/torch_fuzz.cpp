// SPDX-License-Identifier: Apache-2.0
// Files of torch.save: they are read or refused, and what is read fits into the file. An input that is no zip archive
// is taken for the pickle in one.
#include "data/models/element_types.h"
#include "data/models/torch_file.h"
#include "tests/fuzz/target.h"

using namespace espalier;

namespace {

// Of tensors that hold no more numbers than they may, once for each byte: views may repeat theirs.
void read_tensors(const TorchFile& file, std::string_view source, size_t bytes) {
  for (const auto& [name, tensor] : file.tensors()) {
    fuzz::law(tensor.elements <= static_cast<int64_t>(bytes), "a storage lies within the file");
    if (tensor.shape.size() > Shape::max_rank) continue;
    const Shape shape{std::span<const int64_t>(tensor.shape)};
    if (shape.size() > static_cast<int64_t>(bytes)) continue;
    fuzz::accepts([&, &of = name] { file.read_into(of, Tensor(shape)); }, source);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text = fuzz::text_of(bytes, size);
  if (!text.starts_with("PK")) {
    fuzz::accepts([&] { (void)read_torch_pickle(text, "pickle"); }, "pickle");
    return 0;
  }
  const auto path = fuzz::folder().put("pytorch_model.bin", text);
  fuzz::accepts([&] { read_tensors(TorchFile(path), path.string(), size); }, path.string());
  return 0;
}
