// SPDX-License-Identifier: Apache-2.0
#include "data/models/torch_pickle.h"

#include <algorithm>
#include <array>

#include "core/quoted.h"
#include "data/models/pickle_machine.h"

namespace espalier {
namespace {

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

}  // namespace

TorchState PickleMachine::run() {
  while (!done_) step();
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

// The opcodes that tensors need, as CPython's pickletools names them.
const std::vector<PickleMachine::Opcode>& PickleMachine::opcodes() {
  using M = PickleMachine;
  using V = PickleValue;
  static const std::vector<Opcode> table = {
      {0x80, [](M& m) { m.take(1); }},                                        // PROTO
      {0x95, [](M& m) { m.take(8); }},                                        // FRAME
      {'.', [](M& m) { m.done_ = true; }},                                    // STOP
      {'N', [](M& m) { m.push(V::none); }},                                   // NONE
      {0x88, [](M& m) { m.push(V::boolean, 1); }},                            // NEWTRUE
      {0x89, [](M& m) { m.push(V::boolean, 0); }},                            // NEWFALSE
      {'J', [](M& m) { m.push(V::number, m.integer<int32_t>()); }},           // BININT
      {'K', [](M& m) { m.push(V::number, m.integer<uint8_t>()); }},           // BININT1
      {'M', [](M& m) { m.push(V::number, m.integer<uint16_t>()); }},          // BININT2
      {0x8a, [](M& m) { m.push_long(); }},                                    // LONG1
      {'G', [](M& m) { m.take(8), m.push(V::none); }},                        // BINFLOAT
      {'X', [](M& m) { m.push_text(m.take(m.integer<uint32_t>())); }},        // BINUNICODE
      {0x8c, [](M& m) { m.push_text(m.take(m.integer<uint8_t>())); }},        // SHORT_BINUNICODE
      {'U', [](M& m) { m.push_text(m.take(m.integer<uint8_t>())); }},         // SHORT_BINSTRING
      {'q', [](M& m) { m.remember(m.integer<uint8_t>()); }},                  // BINPUT
      {'r', [](M& m) { m.remember(m.integer<uint32_t>()); }},                 // LONG_BINPUT
      {0x94, [](M& m) { m.remember(m.memo_.size()); }},                       // MEMOIZE
      {'h', [](M& m) { m.recall(m.integer<uint8_t>()); }},                    // BINGET
      {'j', [](M& m) { m.recall(m.integer<uint32_t>()); }},                   // LONG_BINGET
      {'c', [](M& m) { m.push_global_of_lines(); }},                          // GLOBAL
      {'i', [](M& m) { m.push_global_of_lines(), m.damaged("an object"); }},  // INST
      {0x93, [](M& m) { m.push_global_of_stack(); }},                         // STACK_GLOBAL
      {'Q', [](M& m) { m.load_storage(); }},                                  // BINPERSID
      {'R', [](M& m) { m.call(); }},                                          // REDUCE
      {'b', [](M& m) { m.set_state(); }},                                     // BUILD
      {'(', [](M& m) { m.push(V::mark); }},                                   // MARK
      {')', [](M& m) { m.push(V::tuple, m.lists_, {}); }},                    // EMPTY_TUPLE
      {']', [](M& m) { m.push(V::list, m.lists_, {}); }},                     // EMPTY_LIST
      {'}', [](M& m) { m.push(V::dictionary, m.lists_, {}); }},               // EMPTY_DICT
      {'t', [](M& m) { m.push(V::tuple, m.lists_, m.pop_to_mark()); }},       // TUPLE
      {0x85, [](M& m) { m.push(V::tuple, m.lists_, m.pop_last(1)); }},        // TUPLE1
      {0x86, [](M& m) { m.push(V::tuple, m.lists_, m.pop_last(2)); }},        // TUPLE2
      {0x87, [](M& m) { m.push(V::tuple, m.lists_, m.pop_last(3)); }},        // TUPLE3
      {'a', [](M& m) { m.add_to_top(V::list, m.pop_last(1)); }},              // APPEND
      {'e', [](M& m) { m.add_to_top(V::list, m.pop_to_mark()); }},            // APPENDS
      {'s', [](M& m) { m.add_to_top(V::dictionary, m.pop_last(2)); }},        // SETITEM
      {'u', [](M& m) { m.add_to_top(V::dictionary, m.pop_to_mark()); }}};     // SETITEMS
  return table;
}

void PickleMachine::step() {
  const auto code = static_cast<unsigned char>(take(1)[0]);
  const auto found = std::ranges::find(opcodes(), code, &Opcode::code);
  if (found == opcodes().end()) damaged("the opcode " + std::to_string(code) + ", which tensors do not need");
  found->run(*this);
}

void PickleMachine::push_global_of_lines() {
  const std::string_view module = line();
  push_global(module, line());
}

void PickleMachine::push_global_of_stack() {
  const PickleValue name = pop(PickleValue::text, "a name"), module = pop(PickleValue::text, "a module");
  push_global(texts_[static_cast<size_t>(module.value)], texts_[static_cast<size_t>(name.value)]);
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
        "either, unless you trust it; expected the tensors of a state_dict alone");
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

TorchState read_torch_pickle(std::string_view pickle, const std::string& source) {
  return PickleMachine(pickle, source).run();
}

}  // namespace espalier
