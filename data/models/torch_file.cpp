// SPDX-License-Identifier: Apache-2.0
// The archive has one folder, whose name is of no account, with the pickle data.pkl, the values of storage KEY in
// data/KEY and, from PyTorch 2.1 on, the byte order in byteorder.
#include "data/models/torch_file.h"

#include <algorithm>
#include <vector>

#include "core/check.h"
#include "core/quoted.h"
#include "data/models/element_types.h"

namespace espalier {
namespace {

constexpr int64_t largest_pickle = int64_t{8} << 20;  // bytes; an encoder's takes 0.1 MB

std::string text_of(const InputFile& file, const ZipMember& member) {
  std::string text(static_cast<size_t>(member.bytes), '\0');
  file.read(member.first, std::as_writable_bytes(std::span(text)));
  return text;
}

void check_format(const InputFile& file) {
  std::array<std::byte, 2> begin{};
  CHECK(read_at(file.descriptor(), 0, begin) == 2 && begin[0] == std::byte{'P'} && begin[1] == std::byte{'K'},
        file.path(),
        ": is no zip archive, as torch.save writes them from PyTorch 1.6 on: it is older, or no file of PyTorch; in "
        "Python, write it anew with torch.save(torch.load(FILE, weights_only=True), FILE)");
}

// The elements from the first one to the last one, in storage.
int64_t extent_of(const TorchTensor& t, const std::string& what) {
  int64_t last = 0, count = 1;
  for (size_t i = 0; i < t.shape.size(); ++i) {
    int64_t step = 0;
    const bool fits = !__builtin_mul_overflow(count, t.shape[i], &count) &&
                      !__builtin_mul_overflow(std::max<int64_t>(0, t.shape[i] - 1), t.strides[i], &step) &&
                      !__builtin_add_overflow(last, step, &last);
    CHECK(fits, what, " has a shape and strides that are too large");
  }
  return count == 0 ? 0 : last + 1;
}

bool contiguous(const TorchTensor& t) {
  int64_t expected = 1;
  for (size_t i = t.shape.size(); i-- > 0; expected *= t.shape[i])
    if (t.shape[i] != 1 && t.strides[i] != expected) return false;
  return true;
}

}  // namespace

TorchFile::TorchFile(const std::filesystem::path& path) : file_(path) {
  check_format(file_);
  members_ = zip_members(file_);
  const std::string pickle = "/data.pkl";
  const auto found = std::ranges::find_if(members_, [&](const auto& m) { return m.first.ends_with(pickle); });
  CHECK(found != members_.end(), file_.path(),
        ": is a zip archive without data.pkl; expected one that torch.save wrote");
  folder_ = found->first.substr(0, found->first.size() - pickle.size() + 1);
  CHECK(found->second.bytes <= largest_pickle, file_.path(), ": its data.pkl has ", found->second.bytes,
        " bytes; at most ", largest_pickle, " are read");
  if (const auto order = members_.find(folder_ + "byteorder"); order != members_.end())
    CHECK(order->second.bytes == 6 && text_of(file_, order->second) == "little", file_.path(),
          ": its numbers are not little-endian; write it anew on a machine where they are");
  state_ = read_torch_pickle(text_of(file_, found->second), file_.path());
  for (const auto& [name, t] : state_.tensors) {
    const std::string what = file_.path() + ": tensor " + quoted(name);
    const int64_t bytes = std::max<int64_t>(1, element_bytes(t.type)), extent = extent_of(t, what);
    const ZipMember storage = member(t.key);
    CHECK(t.elements <= storage.bytes / bytes, what, ": its storage has ", storage.bytes, " bytes, expected ",
          t.elements, " numbers of ", t.type, "; the file is damaged");
    CHECK(t.offset <= t.elements && extent <= t.elements - t.offset, what, " does not lie within its storage of ",
          t.elements, " numbers; the file is damaged");
  }
}

ZipMember TorchFile::member(const std::string& key) const {
  const auto found = members_.find(folder_ + "data/" + key);
  CHECK(found != members_.end(), file_.path(), ": has no member ", quoted("data/" + key), "; the file is damaged");
  return found->second;
}

void TorchFile::read_into(const std::string& name, const Tensor& to) const {
  const auto found = state_.tensors.find(name);
  CHECK(found != state_.tensors.end(), file_.path(), ": there is no tensor ", quoted(name));
  const TorchTensor& t = found->second;
  const std::string what = file_.path() + ": tensor " + quoted(name);
  CHECK(t.shape.size() <= Shape::max_rank && Shape(std::span<const int64_t>(t.shape)) == to.shape(), what,
        " has another shape than ", to.shape());
  const int64_t first = member(t.key).first + t.offset * element_bytes(t.type);
  if (contiguous(t)) {
    read_reals(file_, t.type, first, to.span<float>(), what);
    return;
  }
  std::vector<float> all(static_cast<size_t>(extent_of(t, what)));
  read_reals(file_, t.type, first, all, what);
  std::vector<int64_t> place(t.shape.size());
  for (float& value : to.span<float>()) {
    int64_t from = 0;
    for (size_t i = 0; i < place.size(); ++i) from += place[i] * t.strides[i];
    value = all[static_cast<size_t>(from)];
    for (size_t i = place.size(); i-- > 0;) {
      if (++place[i] < t.shape[i]) break;
      place[i] = 0;
    }
  }
}

}  // namespace espalier
