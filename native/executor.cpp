// The executor's side of the ring: decodes records into Python objects and calls the operators' arithmetic.
// Runs in its own process, in one thread that holds the interpreter lock throughout.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <unordered_map>
#include <vector>

#include "acl.h"
#include "futex.h"
#include "python.h"
#include "ring.h"

namespace jumar {

namespace {

constexpr uint64_t kNobody = ~uint64_t{0};
constexpr size_t kMostViews = 1u << 14;
constexpr int64_t kIdleMs = 500;  // how often an idle executor looks whether its program still lives

uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

struct View {
  std::vector<uint8_t> key;
  PyObject* tensor;
};

// Everything the loop needs. Python objects given to run() are borrowed for its whole life.
class Executor {
 public:
  explicit Executor(Ring* ring) : ring_(ring) {}
  void run(PyObject* table, PyObject* legacy, PyObject* make_view, PyObject* make_tensor, PyObject* describe,
           PyObject* price, PyObject* none);
  uint8_t* window(uint32_t chip);

 private:
  void price_kind(const uint8_t* at, const uint8_t* end);
  bool wait_for_work(uint64_t tail);
  void finish_record();
  void operate(const RecordHeader& header, const uint8_t* at, const uint8_t* end);
  void operate_legacy(const RecordHeader& header, const uint8_t* at, const uint8_t* end);
  void move(const RecordHeader& header, const uint8_t* at);
  void reply(PyObject* sizes);
  void failed(PyObject* name, PyObject* arguments);
  PyObject* decode(const uint8_t*& at);
  PyObject* tensor(const uint8_t*& at, uint32_t rank);
  PyObject* host_tensor(const uint8_t*& at, uint32_t rank);
  PyObject* list(const uint8_t*& at, uint32_t count);
  PyObject* integers(const uint8_t* at, uint32_t count);
  PyObject* none() {
    Py_IncRef(none_);
    return none_;
  }

  Ring* ring_;
  uint8_t* windows_[kMaxWindows] = {};
  std::unordered_map<uint64_t, View> views_;
  PyObject *table_ = nullptr, *legacy_ = nullptr, *make_view_ = nullptr, *make_tensor_ = nullptr, *describe_ = nullptr,
           *price_ = nullptr, *none_ = nullptr;
};

template <typename Value>
Value take(const uint8_t*& at) {
  Value value;
  std::memcpy(&value, at, sizeof value);
  at += (sizeof value + 7) & ~size_t{7};
  return value;
}

uint64_t hash_bytes(const uint8_t* data, size_t bytes) {
  uint64_t hash = 0x9e3779b97f4a7c15u ^ bytes;
  for (size_t i = 0; i + 8 <= bytes; i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, data + i, 8);
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return hash;
}

uint8_t* Executor::window(uint32_t chip) {
  if (windows_[chip] != nullptr) return windows_[chip];
  const std::string path = "/proc/" + std::to_string(ring_->program) + "/fd/" + std::to_string(ring_->window_fd[chip]);
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  void* base = MAP_FAILED;
  if (fd >= 0) {
    base = mmap(nullptr, ring_->window_bytes[chip], PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    close(fd);
  }
  if (base == MAP_FAILED) {
    std::fprintf(stderr, "jumar: the executor cannot map the memory of chip %u from %s\n", chip, path.c_str());
    _exit(3);
  }
  madvise(base, ring_->window_bytes[chip], MADV_DONTDUMP);
  return windows_[chip] = static_cast<uint8_t*>(base);
}

PyObject* Executor::integers(const uint8_t* at, uint32_t count) {
  PyObject* result = PyList_New(count);
  for (uint32_t i = 0; i < count; ++i) PyList_SetItem(result, i, PyLong_FromLongLong(take<int64_t>(at)));
  return result;
}

PyObject* Executor::tensor(const uint8_t*& at, uint32_t rank) {
  const size_t bytes = sizeof(TensorHead) + 2 * size_t{rank} * sizeof(int64_t);
  const uint8_t* key = at;
  at += bytes;
  const uint64_t hash = hash_bytes(key, bytes);
  auto found = views_.find(hash);
  if (found != views_.end()) {
    if (found->second.key.size() == bytes && std::memcmp(found->second.key.data(), key, bytes) == 0) {
      Py_IncRef(found->second.tensor);
      return found->second.tensor;
    }
    Py_DecRef(found->second.tensor);
    views_.erase(found);
  }
  TensorHead head;
  std::memcpy(&head, key, sizeof head);
  window(head.chip);
  const uint8_t* sizes = key + sizeof head;
  bool empty = false;
  for (const uint8_t *size = sizes, *end = sizes + rank * sizeof(int64_t); size != end; size += sizeof(int64_t)) {
    int64_t value = 0;
    std::memcpy(&value, size, sizeof value);
    empty = empty || value == 0;
  }
  PyObject* arguments[] = {PyLong_FromLongLong(head.chip), PyLong_FromLongLong(head.dtype),
                           PyLong_FromLongLong(static_cast<int64_t>(head.offset)), integers(sizes, rank),
                           integers(sizes + rank * sizeof(int64_t), rank)};
  PyObject* made = PyObject_Vectorcall(make_view_, arguments, 5, nullptr);
  for (PyObject* argument : arguments) Py_DecRef(argument);
  if (made == nullptr) return nullptr;
  // Tensors without elements all lie at one address: kept, they would be one object, which overlaps itself.
  if (empty) return made;
  if (views_.size() >= kMostViews) {
    for (auto& view : views_) Py_DecRef(view.second.tensor);
    views_.clear();
  }
  Py_IncRef(made);
  views_.emplace(hash, View{std::vector<uint8_t>(key, key + bytes), made});
  return made;
}

PyObject* Executor::host_tensor(const uint8_t*& at, uint32_t rank) {
  const auto dtype = take<int64_t>(at);
  PyObject* sizes = integers(at, rank);
  at += rank * sizeof(int64_t);
  const auto bytes = take<int64_t>(at);
  PyObject* arguments[] = {PyLong_FromLongLong(dtype), sizes,
                           PyBytes_FromStringAndSize(reinterpret_cast<const char*>(at), bytes)};
  at += (bytes + 7) & ~int64_t{7};
  PyObject* made = PyObject_Vectorcall(make_tensor_, arguments, 3, nullptr);
  for (PyObject* argument : arguments) Py_DecRef(argument);
  return made;
}

PyObject* Executor::list(const uint8_t*& at, uint32_t count) {
  PyObject* result = PyList_New(count);
  for (uint32_t i = 0; i < count; ++i) {
    PyObject* item = decode(at);
    if (item == nullptr) {
      Py_DecRef(result);
      return nullptr;
    }
    PyList_SetItem(result, i, item);
  }
  return result;
}

PyObject* Executor::decode(const uint8_t*& at) {
  const auto [tag, count] = take<ArgumentHead>(at);
  switch (tag) {
    case Tag::kNone: return none();
    case Tag::kTensor: return tensor(at, count);
    case Tag::kHostTensor: return host_tensor(at, count);
    case Tag::kTensorList:
    case Tag::kScalarList: return list(at, count);
    case Tag::kInt: return PyLong_FromLongLong(take<int64_t>(at));
    case Tag::kDouble: return PyFloat_FromDouble(take<double>(at));
    case Tag::kBool: return PyBool_FromLong(take<int64_t>(at) != 0);
    case Tag::kComplex: {
      const auto real = take<double>(at);
      return PyComplex_FromDoubles(real, take<double>(at));
    }
    case Tag::kString: {
      PyObject* text = PyUnicode_FromStringAndSize(reinterpret_cast<const char*>(at), count);
      at += (count + 7) & ~7u;
      return text;
    }
    case Tag::kDataType: {
      PyObject* number = PyLong_FromLongLong(take<int64_t>(at));
      PyObject* dtype = PyObject_Vectorcall(make_tensor_, &number, 1, nullptr);
      Py_DecRef(number);
      return dtype;
    }
    case Tag::kIntList: {
      PyObject* result = integers(at, count);
      at += count * sizeof(int64_t);
      return result;
    }
    case Tag::kBoolList: {
      PyObject* result = PyList_New(count);
      for (uint32_t i = 0; i < count; ++i) PyList_SetItem(result, i, PyBool_FromLong(at[i]));
      at += (count + 7) & ~7u;
      return result;
    }
    case Tag::kFloatList: {
      PyObject* result = PyList_New(count);
      for (uint32_t i = 0; i < count; ++i) {
        float value = 0;
        std::memcpy(&value, at + i * sizeof value, sizeof value);
        PyList_SetItem(result, i, PyFloat_FromDouble(value));
      }
      at += (count * sizeof(float) + 7) & ~size_t{7};
      return result;
    }
  }
  return none();
}

// Reports the pending Python exception to the program, once until it asks.
void Executor::failed(PyObject* name, PyObject* arguments) {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  PyObject* parts[] = {name, value != nullptr ? value : none_, arguments};
  PyObject* text = PyObject_Vectorcall(describe_, parts, 3, nullptr);
  ptrdiff_t length = 0;
  const char* bytes = text != nullptr ? PyUnicode_AsUTF8AndSize(text, &length) : nullptr;
  Failure& failure = ring_->failure;
  if (failure.present.load() == 0) {
    std::snprintf(failure.text, sizeof failure.text, "%s", bytes != nullptr ? bytes : "an operator failed");
    failure.sequence = ring_->completed.load() + 1;
    failure.present = 1;
  }
  PyErr_Clear();
  for (PyObject* object : {type, value, traceback, text}) {
    if (object != nullptr) Py_DecRef(object);
  }
}

void Executor::reply(PyObject* sizes) {
  Reply& reply = ring_->reply;
  reply.count = 0;
  ptrdiff_t position = 0;
  PyObject *key = nullptr, *value = nullptr;
  while (reply.count < Reply::kMax && PyDict_Next(sizes, &position, &key, &value) != 0) {
    Reply::Size& size = reply.sizes[reply.count++];
    size.argument = static_cast<uint32_t>(PyLong_AsLongLong(key));
    size.rank = static_cast<uint32_t>(std::clamp<ptrdiff_t>(PyTuple_Size(value), 0, kMaxDims));
    for (uint32_t i = 0; i < size.rank; ++i) size.sizes[i] = PyLong_AsLongLong(PyTuple_GetItem(value, i));
  }
  PyErr_Clear();  // of sizes that are no tuples of integers
}

void Executor::operate(const RecordHeader& header, const uint8_t* at, const uint8_t* end) {
  PyObject* arguments[64];
  size_t count = 0;
  bool whole = true;
  while (at < end && count < 64) {
    arguments[count] = decode(at);
    if (arguments[count] == nullptr) {
      whole = false;
      break;
    }
    ++count;
  }
  PyObject* function = PyList_GetItem(table_, header.op);
  PyObject* result = whole ? PyObject_Vectorcall(function, arguments, count, nullptr) : nullptr;
  if (result == nullptr) {
    PyObject* all = PyList_New(static_cast<ptrdiff_t>(count));
    for (size_t i = 0; i < count; ++i) {
      Py_IncRef(arguments[i]);
      PyList_SetItem(all, static_cast<ptrdiff_t>(i), arguments[i]);
    }
    PyObject* name = PyLong_FromLongLong(header.op);
    if (ring_->sized[header.op] != 0) ring_->reply.count = 0;
    failed(name, all);
    Py_DecRef(name);
    Py_DecRef(all);
  } else {
    if (ring_->sized[header.op] != 0) reply(result);
    Py_DecRef(result);
  }
  for (size_t i = 0; i < count; ++i) Py_DecRef(arguments[i]);
}

// Name, inputs, outputs, then attributes as pairs of name and value.
void Executor::operate_legacy(const RecordHeader& header, const uint8_t* at, const uint8_t* end) {
  PyObject* name = decode(at);
  PyObject* inputs = decode(at);
  PyObject* outputs = inputs != nullptr ? decode(at) : nullptr;
  PyObject* attributes = PyDict_New();
  while (outputs != nullptr && at < end) {
    PyObject* key = decode(at);
    PyObject* value = decode(at);
    const bool whole = key != nullptr && value != nullptr && PyDict_SetItem(attributes, key, value) == 0;
    for (PyObject* object : {key, value}) {
      if (object != nullptr) Py_DecRef(object);
    }
    if (whole) continue;  // else text that is not UTF-8: the pending exception says so
    Py_DecRef(outputs);
    outputs = nullptr;
  }
  PyObject* arguments[] = {inputs, outputs, attributes};
  PyObject* function = outputs != nullptr ? PyDict_GetItem(legacy_, name) : nullptr;
  PyObject* result =
      outputs != nullptr && function != nullptr ? PyObject_Vectorcall(function, arguments, 3, nullptr) : nullptr;
  const bool sized = header.op != 0;  // else the reply may be another thread's, not yet fetched
  if (sized) ring_->reply.count = 0;
  if (result == nullptr) {
    failed(name != nullptr ? name : none_, inputs != nullptr ? inputs : none_);
  } else {
    if (sized && result != none_) reply(result);
    Py_DecRef(result);
  }
  for (PyObject* object : {name, inputs, outputs, attributes}) {
    if (object != nullptr) Py_DecRef(object);
  }
}

// A kind of call: Python says how long one takes, in ns.
void Executor::price_kind(const uint8_t* at, const uint8_t* end) {
  KindHead head;
  std::memcpy(&head, at, sizeof head);
  PyObject* arguments[] = {PyBytes_FromStringAndSize(reinterpret_cast<const char*>(at), end - at)};
  PyObject* result = PyObject_Vectorcall(price_, arguments, 1, nullptr);
  const long long ns = result != nullptr ? PyLong_AsLongLong(result) : 0;
  PyErr_Clear();
  for (PyObject* object : {arguments[0], result}) {
    if (object != nullptr) Py_DecRef(object);
  }
  if (head.number < kMaxKinds) ring_->durations[head.number] = static_cast<uint64_t>(std::max(ns, 0LL)) + 1;
}

void Executor::move(const RecordHeader& header, const uint8_t* at) {
  const Span to = take<Span>(at);
  uint8_t* destination = window(static_cast<uint32_t>(to.chip)) + to.offset;
  if (header.kind == RecordKind::kFlip) {
    const auto bit = take<uint64_t>(at);
    destination[bit / 8] = static_cast<uint8_t>(destination[bit / 8] ^ 1u << bit % 8);
  } else if (header.kind == RecordKind::kFill) {
    std::memset(destination, static_cast<int>(take<uint64_t>(at)), to.bytes);
  } else if (header.kind == RecordKind::kWrite) {
    std::memcpy(destination, at, to.bytes);
  } else {
    const Span from = take<Span>(at);
    std::memmove(destination, window(static_cast<uint32_t>(from.chip)) + from.offset, to.bytes);
  }
}

bool Executor::wait_for_work(uint64_t tail) {
  for (int spin = 0; spin < 500; ++spin) {
    if (ring_->head.load() != tail) return true;
  }
  while (true) {
    const uint32_t seen = ring_->wake.load();
    ring_->asleep = 1;
    if (ring_->head.load() != tail) break;
    if (ring_->stop.load() != 0 || getppid() != ring_->program) return false;
    futex_wait(ring_->wake, seen, kIdleMs);
    if (ring_->head.load() != tail) break;
  }
  ring_->asleep = 0;
  return true;
}

void Executor::finish_record() {
  const uint64_t done = ring_->completed.load() + 1;
  ring_->times[done % kTimes] = now_ns();
  ring_->completed = done;
  if (ring_->target.load() <= done) {
    ring_->target = kNobody;
    futex_wake(ring_->progress);
  }
}

void Executor::run(PyObject* table, PyObject* legacy, PyObject* make_view, PyObject* make_tensor, PyObject* describe,
                   PyObject* price, PyObject* none) {
  table_ = table, legacy_ = legacy, make_view_ = make_view, make_tensor_ = make_tensor, describe_ = describe,
  price_ = price, none_ = none;
  futex_wake(ring_->ready);
  uint64_t tail = 0;
  while (wait_for_work(tail)) {
    const uint8_t* at = ring_->data + tail % kRingBytes;
    RecordHeader header;
    std::memcpy(&header, at, sizeof header);
    const uint8_t* body = at + sizeof header;
    switch (header.kind) {
      case RecordKind::kPad: break;
      case RecordKind::kOperator: operate(header, body, at + header.bytes); break;
      case RecordKind::kLegacy: operate_legacy(header, body, at + header.bytes); break;
      case RecordKind::kKind: price_kind(body, at + header.bytes); break;
      default: move(header, body);
    }
    tail += header.bytes;
    ring_->tail = tail;
    if (header.kind != RecordKind::kPad) finish_record();
  }
}

Ring* ring = nullptr;
Executor* executor = nullptr;

}  // namespace

}  // namespace jumar

using namespace jumar;

// Maps the ring behind the inherited descriptor; 0, or -1 if it is not one.
JUMAR_API int jumar_executor_open(int fd) {
  void* mapped = mmap(nullptr, sizeof(Ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED || static_cast<Ring*>(mapped)->magic != ring_magic()) return -1;
  close(fd);
  ring = static_cast<Ring*>(mapped);
  executor = new Executor(ring);
  return 0;
}

// Says that operator `op` has arithmetic, which data types it refuses (bit n = type n), and whether its outputs' sizes
// depend on the data; `varying`: its arguments that are seeds or their like. Before jumar_executor_run.
JUMAR_API void jumar_executor_know(uint32_t op, uint32_t refuses, int sized, uint32_t varying) {
  ring->varying[op] = varying;
  ring->known[op] = 1;
  ring->refuses[op] = refuses;
  ring->sized[op] = sized != 0 ? 1 : 0;
}

JUMAR_API void jumar_executor_know_legacy(const char* type) {
  if (ring->legacy_count < kMaxLegacy) ring->legacy[ring->legacy_count++] = name_hash(type);
}

// What the chip and its host take for what is no operator, see Rates. Before jumar_executor_run.
JUMAR_API void jumar_executor_rates(const double* rates) { std::memcpy(&ring->rates, rates, sizeof ring->rates); }

// Of a kind, before its price: what it gives off in die and stacks in joules, and the share of its time that grows as
// the clock falls.
JUMAR_API void jumar_executor_kind_heat(uint32_t number, double die_j, double stack_j, double bound) {
  if (number >= kMaxKinds) return;
  ring->kind_heat[number] = {static_cast<float>(die_j), static_cast<float>(stack_j), static_cast<float>(bound)};
}

// The law of heat, `count` doubles as in HeatLaw, and its matrices; -1 if it is another build's. Before
// jumar_executor_run.
JUMAR_API int jumar_executor_heat(const double* law, uint64_t count, const double* kept, const double* fed) {
  HeatLaw made;
  if (count * sizeof(double) != sizeof made) return -1;
  std::memcpy(&made, law, sizeof made);
  if (made.chips > kMaxChips || made.rows > kMaxRows) return -1;
  const auto chips = static_cast<size_t>(made.chips), nodes = chips * kNodes;
  std::copy_n(kept, nodes * nodes, ring->kept);
  std::copy_n(fed, nodes * (2 * chips + 1), ring->fed);
  ring->heat = made;
  return 0;
}

JUMAR_API void* jumar_executor_window(uint32_t chip, uint64_t* bytes) {
  *bytes = ring->window_bytes[chip];
  return executor->window(chip);
}

// Works until the program ends. table: list of callables by operator number; legacy: dict from type name to callable;
// make_view(chip, dtype, offset, sizes, strides); make_tensor(dtype) or (dtype, sizes, bytes); describe(name,
// exception, arguments) -> str; price(kind: bytes) -> ns.
JUMAR_API void jumar_executor_run(PyObject* table, PyObject* legacy, PyObject* make_view, PyObject* make_tensor,
                                  PyObject* describe, PyObject* price, PyObject* none) {
  executor->run(table, legacy, make_view, make_tensor, describe, price, none);
}
