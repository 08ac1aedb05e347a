// SPDX-License-Identifier: Apache-2.0
// A pickle is a program for a machine with a stack. This one has values that are numbers, texts, names of functions,
// lists (tuples and dictionaries, too) and tensors; calling a function makes a tensor or an empty dictionary. Lists lie
// in one table and are known by their places there, so that no depth or cycle costs more than the bytes that say it.
#include "data/models/torch_pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "core/check.h"
#include "core/quoted.h"

namespace espalier {
namespace {

struct PickleValue {
  enum Kind { none, boolean, number, text, global, tuple, list, dictionary, storage, tensor, mark } kind = none;
  int64_t value = 0;  // a number, or the place in the table of the kind
};

enum class Function { ordered_dict, tensor_v2, old_tensor, parameter, storage };
struct Global {
  const char *module, *name;
  Function function;
  const char* type;  // of a storage's elements
};
constexpr std::array<Global, 16> globals = {{{"collections", "OrderedDict", Function::ordered_dict, nullptr},
                                             {"torch._utils", "_rebuild_tensor_v2", Function::tensor_v2, nullptr},
                                             {"torch._utils", "_rebuild_tensor", Function::old_tensor, nullptr},
                                             {"torch._utils", "_rebuild_parameter", Function::parameter, nullptr},
                                             {"torch", "DoubleStorage", Function::storage, "F64"},
                                             {"torch", "FloatStorage", Function::storage, "F32"},
                                             {"torch", "HalfStorage", Function::storage, "F16"},
                                             {"torch", "BFloat16Storage", Function::storage, "BF16"},
                                             {"torch", "LongStorage", Function::storage, "I64"},
                                             {"torch", "IntStorage", Function::storage, "I32"},
                                             {"torch", "ShortStorage", Function::storage, "I16"},
                                             {"torch", "CharStorage", Function::storage, "I8"},
                                             {"torch", "ByteStorage", Function::storage, "U8"},
                                             {"torch", "BoolStorage", Function::storage, "BOOL"},
                                             {"torch", "ComplexFloatStorage", Function::storage, "C64"},
                                             {"torch", "ComplexDoubleStorage", Function::storage, "C128"}}};

class PickleMachine {
 public:
  PickleMachine(std::string_view pickle, const std::string& source) : rest_(pickle), source_(source) {}

  TorchState run() {
    while (step()) {}
    const PickleValue top = pop();
    if (top.kind != PickleValue::dictionary)
      fail(source_, ": holds no dictionary of tensors; expected what torch.save(model.state_dict(), FILE) writes");
    TorchState state;
    const std::vector<PickleValue>& items = lists_[static_cast<size_t>(top.value)];
    for (size_t i = 0; i < items.size(); i += 2) {
      if (items[i].kind != PickleValue::text) damaged("a name that is no text");
      const std::string& name = texts_[static_cast<size_t>(items[i].value)];
      if (items[i + 1].kind == PickleValue::tensor)
        state.tensors[name] = tensors_[static_cast<size_t>(items[i + 1].value)];
      else
        state.others.insert(name);
    }
    return state;
  }

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

  bool step();
  bool step_container(unsigned char opcode);
  void push_global(std::string_view module, std::string_view name);
  void push_long();
  void call();
  void load_storage();
  void set_state();
  void make_tensor(const List& arguments, size_t least);
  const List& few(PickleValue tuple) const;
  std::vector<int64_t> numbers(PickleValue tuple) const;

  std::string_view rest_;
  const std::string& source_;
  List stack_;
  std::vector<std::string> texts_;
  std::vector<List> lists_;
  std::vector<TorchTensor> storages_, tensors_;
  std::unordered_map<uint64_t, PickleValue> memo_;
};

// One opcode, as CPython's pickletools names them. False behind the last one.
bool PickleMachine::step() {
  const auto opcode = static_cast<unsigned char>(take(1)[0]);
  switch (opcode) {
    case 0x80:
      take(1);
      break;  // PROTO
    case 0x95:
      take(8);
      break;  // FRAME
    case '.':
      return false;  // STOP
    case 'N':
      push(PickleValue::none);
      break;  // NONE
    case 0x88:
      push(PickleValue::boolean, 1);
      break;  // NEWTRUE
    case 0x89:
      push(PickleValue::boolean, 0);
      break;  // NEWFALSE
    case 'J':
      push(PickleValue::number, integer<int32_t>());
      break;  // BININT
    case 'K':
      push(PickleValue::number, integer<uint8_t>());
      break;  // BININT1
    case 'M':
      push(PickleValue::number, integer<uint16_t>());
      break;  // BININT2
    case 0x8a:
      push_long();
      break;  // LONG1
    case 'G':
      take(8), push(PickleValue::none);
      break;  // BINFLOAT
    case 'X':
      push_text(take(integer<uint32_t>()));
      break;  // BINUNICODE
    case 0x8c:
      push_text(take(integer<uint8_t>()));
      break;  // SHORT_BINUNICODE
    case 'U':
      push_text(take(integer<uint8_t>()));
      break;  // SHORT_BINSTRING
    case 'q':
      remember(integer<uint8_t>());
      break;  // BINPUT
    case 'r':
      remember(integer<uint32_t>());
      break;  // LONG_BINPUT
    case 0x94:
      remember(memo_.size());
      break;  // MEMOIZE
    case 'h':
      recall(integer<uint8_t>());
      break;  // BINGET
    case 'j':
      recall(integer<uint32_t>());
      break;     // LONG_BINGET
    case 'c': {  // GLOBAL
      const std::string_view module = line();
      push_global(module, line());
      break;
    }
    case 'i': {  // INST
      const std::string_view module = line();
      push_global(module, line());
      damaged("an object of a class");
    }
    case 0x93: {  // STACK_GLOBAL
      const PickleValue name = pop(PickleValue::text, "a name"), module = pop(PickleValue::text, "a module");
      push_global(std::string(texts_[static_cast<size_t>(module.value)]),
                  std::string(texts_[static_cast<size_t>(name.value)]));
      break;
    }
    case 'Q':
      load_storage();
      break;  // BINPERSID
    case 'R':
      call();
      break;  // REDUCE
    case 'b':
      set_state();
      break;  // BUILD
    default:
      if (!step_container(opcode)) damaged("the opcode " + std::to_string(opcode) + ", which tensors do not need");
  }
  return true;
}

bool PickleMachine::step_container(unsigned char opcode) {
  switch (opcode) {
    case '(':
      push(PickleValue::mark);
      break;  // MARK
    case ')':
      push(PickleValue::tuple, lists_, {});
      break;  // EMPTY_TUPLE
    case ']':
      push(PickleValue::list, lists_, {});
      break;  // EMPTY_LIST
    case '}':
      push(PickleValue::dictionary, lists_, {});
      break;  // EMPTY_DICT
    case 't':
      push(PickleValue::tuple, lists_, pop_to_mark());
      break;  // TUPLE
    case 0x85:
      push(PickleValue::tuple, lists_, pop_last(1));
      break;  // TUPLE1
    case 0x86:
      push(PickleValue::tuple, lists_, pop_last(2));
      break;  // TUPLE2
    case 0x87:
      push(PickleValue::tuple, lists_, pop_last(3));
      break;  // TUPLE3
    case 'a':
      add_to_top(PickleValue::list, pop_last(1));
      break;  // APPEND
    case 'e':
      add_to_top(PickleValue::list, pop_to_mark());
      break;  // APPENDS
    case 's':
      add_to_top(PickleValue::dictionary, pop_last(2));
      break;  // SETITEM
    case 'u':
      add_to_top(PickleValue::dictionary, pop_to_mark());
      break;  // SETITEMS
    default:
      return false;
  }
  return true;
}

// A whole number of so many bytes, little-endian, with a sign.
void PickleMachine::push_long() {
  const std::string_view bytes = take(integer<uint8_t>());
  if (bytes.size() > 8) damaged("a number that is too large");
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  if (!bytes.empty() && bytes.size() < 8 && (bytes.back() & 0x80) != 0) value |= ~uint64_t{0} << (8 * bytes.size());
  push(PickleValue::number, static_cast<int64_t>(value));
}

void PickleMachine::push_global(std::string_view module, std::string_view name) {
  const auto found =
      std::ranges::find_if(globals, [&](const Global& g) { return module == g.module && name == g.name; });
  CHECK(found != globals.end(), source_, ": its pickle wants to run ",
        quoted(std::string(module) + "." + std::string(name)),
        ", which no tensor needs and which could do anything here; nothing was run. Do not load the file in Python "
        "either, "
        "unless you trust it; expected the tensors of a state_dict alone");
  push(PickleValue::global, found - globals.begin());
}

// The items of a tuple that is copied wherever it is used: a long one could take far more memory than the file has
// bytes.
const PickleMachine::List& PickleMachine::few(PickleValue tuple) const {
  const List& items = lists_[static_cast<size_t>(tuple.value)];
  if (items.size() > 8) damaged("a tuple of " + std::to_string(items.size()) + " items");
  return items;
}

void PickleMachine::call() {
  const List arguments = few(pop(PickleValue::tuple, "arguments"));
  const Function function = globals[static_cast<size_t>(pop(PickleValue::global, "a function").value)].function;
  switch (function) {
    case Function::ordered_dict:
      if (!arguments.empty()) damaged("a dictionary with arguments");
      return push(PickleValue::dictionary, lists_, {});
    case Function::tensor_v2:
    case Function::old_tensor:
      return make_tensor(arguments, function == Function::tensor_v2 ? 6 : 4);
    case Function::parameter:
      if (arguments.empty() || arguments[0].kind != PickleValue::tensor) damaged("a parameter without tensor");
      return stack_.push_back(arguments[0]);
    case Function::storage:
      damaged("a storage that is called");
  }
}

// ('storage', type, key, device, elements)
void PickleMachine::load_storage() {
  const List id = few(pop(PickleValue::tuple, "a storage"));
  if (id.size() != 5 || id[0].kind != PickleValue::text || texts_[static_cast<size_t>(id[0].value)] != "storage" ||
      id[1].kind != PickleValue::global || globals[static_cast<size_t>(id[1].value)].type == nullptr ||
      id[2].kind != PickleValue::text || id[4].kind != PickleValue::number || id[4].value < 0)
    damaged("a storage of an unknown kind");
  if (texts_[static_cast<size_t>(id[2].value)].size() > 64) damaged("a storage with an endless name");
  push(PickleValue::storage, storages_,
       {.type = globals[static_cast<size_t>(id[1].value)].type,
        .key = texts_[static_cast<size_t>(id[2].value)],
        .elements = id[4].value,
        .shape = {},
        .strides = {}});
}

// The state of a dictionary, its _metadata, is of no use.
void PickleMachine::set_state() {
  (void)pop();
  if (stack_.empty() || stack_.back().kind != PickleValue::dictionary) damaged("a state of what is no dictionary");
}

std::vector<int64_t> PickleMachine::numbers(PickleValue tuple) const {
  if (tuple.kind != PickleValue::tuple) damaged("a shape that is no tuple");
  std::vector<int64_t> all;
  for (const PickleValue& v : few(tuple)) {
    if (v.kind != PickleValue::number || v.value < 0) damaged("a shape that is no tuple of whole numbers");
    all.push_back(v.value);
  }
  return all;
}

// (storage, offset, shape, strides, …)
void PickleMachine::make_tensor(const List& a, size_t least) {
  if (a.size() < least || a[0].kind != PickleValue::storage || a[1].kind != PickleValue::number || a[1].value < 0)
    damaged("a tensor without storage");
  TorchTensor tensor = storages_[static_cast<size_t>(a[0].value)];
  tensor.offset = a[1].value;
  tensor.shape = numbers(a[2]);
  tensor.strides = numbers(a[3]);
  if (tensor.shape.size() != tensor.strides.size()) damaged("a tensor with more or fewer strides than dimensions");
  push(PickleValue::tensor, tensors_, std::move(tensor));
}

}  // namespace

TorchState read_torch_pickle(std::string_view pickle, const std::string& source) {
  return PickleMachine(pickle, source).run();
}

}  // namespace espalier
