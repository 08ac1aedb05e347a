// SPDX-License-Identifier: Apache-2.0
// PickleMachine: runs the pickle of a state_dict, without running anything else. Owned by read_torch_pickle.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/check.h"
#include "data/models/torch_pickle.h"

namespace espalier {

// A pickle is a program for a machine with a stack. Its values are numbers, texts, names of functions, lists (tuples
// and dictionaries, too) and tensors; calling a function makes a tensor or an empty dictionary. Lists lie in one table
// and are known by their places there, so that no depth or cycle costs more than the bytes that say it.
struct PickleValue {
  enum Kind { none, boolean, number, text, global, tuple, list, dictionary, storage, tensor, mark } kind = none;
  int64_t value = 0;  // a number, or the place in the table of the kind
};

class PickleMachine {
 public:
  PickleMachine(std::string_view pickle, const std::string& source) : rest_(pickle), source_(source) {}

  TorchState run();

 private:
  using Kind = PickleValue::Kind;
  using List = std::vector<PickleValue>;

  [[noreturn]] void damaged(const std::string& what) const {
    fail(source_, ": its pickle has ", what,
         "; expected what torch.save(model.state_dict(), FILE) writes, or the file is damaged");
  }
  std::string_view take(uint64_t count) {
    if (count > rest_.size()) damaged("an end in the middle of a value");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  template <class T>
  T integer() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view line() {
    const size_t end = rest_.find('\n');
    if (end == std::string_view::npos) damaged("an end in the middle of a name");
    const std::string_view text = take(end + 1);
    return text.substr(0, end);
  }
  void push(Kind kind, int64_t value = 0) { stack_.push_back({kind, value}); }
  template <class T>
  void push(Kind kind, std::vector<T>& table, T entry) {
    table.push_back(std::move(entry));
    push(kind, std::ssize(table) - 1);
  }
  void push_text(std::string_view text) { push(PickleValue::text, texts_, std::string(text)); }
  PickleValue pop() {
    if (stack_.empty()) damaged("a value too few");
    const PickleValue top = stack_.back();
    stack_.pop_back();
    return top;
  }
  PickleValue pop(Kind kind, const char* what) {
    const PickleValue top = pop();
    if (top.kind != kind) damaged(std::string("something else in the place of ") + what);
    return top;
  }
  // What lies above the last mark, which goes, too.
  List pop_to_mark() {
    const auto found = std::find_if(stack_.rbegin(), stack_.rend(), [](const auto& v) { return v.kind == Kind::mark; });
    if (found == stack_.rend()) damaged("a list without beginning");
    List items(found.base(), stack_.end());
    stack_.erase(found.base() - 1, stack_.end());
    return items;
  }
  List pop_last(size_t count) {
    if (stack_.size() < count) damaged("a value too few");
    List items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }
  void add_to_top(Kind kind, const List& items) {
    if (stack_.empty() || stack_.back().kind != kind || (kind == PickleValue::dictionary && items.size() % 2 != 0))
      damaged("items for what is no list or dictionary");
    List& to = lists_[static_cast<size_t>(stack_.back().value)];
    to.insert(to.end(), items.begin(), items.end());
  }
  void remember(uint64_t place) {
    if (stack_.empty()) damaged("a value too few");
    memo_[place] = stack_.back();
  }
  void recall(uint64_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) damaged("a reference to nothing");
    stack_.push_back(found->second);
  }

  struct Opcode {
    unsigned char code;
    void (*run)(PickleMachine& machine);
  };
  static const std::vector<Opcode>& opcodes();
  void step();
  void push_global(std::string_view module, std::string_view name);
  void push_global_of_lines();
  void push_global_of_stack();
  void push_long();
  void call();
  void load_storage();
  void set_state();
  void make_tensor(const List& arguments, size_t least);
  const List& few(PickleValue tuple) const;
  std::vector<int64_t> numbers(PickleValue tuple) const;

  std::string_view rest_;
  bool done_ = false;
  const std::string& source_;
  List stack_;
  std::vector<std::string> texts_;
  std::vector<List> lists_;
  std::vector<TorchTensor> storages_, tensors_;
  std::unordered_map<uint64_t, PickleValue> memo_;
};

}  // namespace espalier
