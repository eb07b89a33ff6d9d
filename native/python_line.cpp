// Which line of Python the calling thread is in, found through the interpreter this process may or may not have.
#include "python_line.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstring>

#include "aclnn.h"
#include "python.h"

namespace jumar {

namespace {

template <typename Function>
Function* find(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

// What is used of the interpreter; null where there is none.
struct Interpreter {
  void* (*state)() = find<void*()>("PyGILState_GetThisThreadState");
  int (*initialised)() = find<int()>("Py_IsInitialized");
  int (*ensure)() = find<int()>("PyGILState_Ensure");
  void (*release)(int) = find<void(int)>("PyGILState_Release");
  PyObject* (*frame)() = find<PyObject*()>("PyEval_GetFrame");
  PyObject* (*back)(PyObject*) = find<PyObject*(PyObject*)>("PyFrame_GetBack");
  int (*number)(PyObject*) = find<int(PyObject*)>("PyFrame_GetLineNumber");
  PyObject* (*code)(PyObject*) = find<PyObject*(PyObject*)>("PyFrame_GetCode");
  PyObject* (*attribute)(PyObject*, const char*) = find<PyObject*(PyObject*, const char*)>("PyObject_GetAttrString");
  const char* (*text)(PyObject*, ptrdiff_t*) = find<const char*(PyObject*, ptrdiff_t*)>("PyUnicode_AsUTF8AndSize");
  void (*keep)(PyObject*) = find<void(PyObject*)>("Py_IncRef");
  void (*drop)(PyObject*) = find<void(PyObject*)>("Py_DecRef");
  const char* (*version)() = find<const char*()>("Py_GetVersion");
  bool whole = state && initialised && ensure && release && frame && back && number && code && attribute && text &&
               keep && drop && version;
};

const Interpreter& python() {
  static const Interpreter found;
  return found;
}

// --- whose code a file is

std::mutex libraries_mutex;
auto& libraries = *new std::vector<std::string>;  // directories of PyTorch, the adapter and jumar; by libraries_mutex

bool of_a_library(const char* file) {
  std::lock_guard<std::mutex> guard(libraries_mutex);
  for (const auto& directory : libraries) {
    if (std::strncmp(file, directory.c_str(), directory.size()) == 0) return true;
  }
  return libraries.empty() &&
         (std::strstr(file, "-packages/torch/") != nullptr || std::strstr(file, "-packages/torch_npu/") != nullptr);
}

std::string shortened(const char* file) {
  static const std::string here = [] {
    char directory[4096];
    return getcwd(directory, sizeof directory) != nullptr ? std::string(directory) + "/" : std::string();
  }();
  const bool inside = here.size() > 1 && std::strncmp(file, here.c_str(), here.size()) == 0;
  return inside ? file + here.size() : file;
}

// --- frames as the interpreter keeps them, read by their own thread without its lock
// A frame's code object stays alive as long as the frame, and only its own thread changes the chain. Where these
// offsets are not those of the interpreter that runs, the lock is taken each time.
struct Layout {
  const char* version;
  size_t state_to_chain, chain_to_frame, code, previous, instruction;
};
constexpr Layout kLayouts[] = {{"3.11.", 56, 8, 32, 48, 56}};

const char* field(const char* object, size_t offset) {
  const char* value = nullptr;
  std::memcpy(&value, object + offset, sizeof value);
  return value;
}

enum class Trust : int { kUntried, kGood, kBad };
std::atomic<Trust> trust{Trust::kUntried};

const Layout* layout() {
  static const Layout* const found = []() -> const Layout* {
    for (const Layout& each : kLayouts) {
      if (std::strncmp(python().version(), each.version, std::strlen(each.version)) == 0) return &each;
    }
    return nullptr;
  }();
  return trust.load(std::memory_order_relaxed) != Trust::kBad ? found : nullptr;
}

const char* top_frame(const Layout& of, const void* state) {
  const char* chain = field(static_cast<const char*>(state), of.state_to_chain);
  return chain != nullptr ? field(chain, of.chain_to_frame) : nullptr;
}

// --- lines seen before, by the instruction that made the call; entries stay, as do the code objects they point into
constexpr uint32_t kSlots = 1u << 16;
struct Slot {
  std::atomic<const char*> instruction;
  std::atomic<uint32_t> line;
};
Slot* const slots = new Slot[kSlots]();
std::mutex slots_mutex;  // guards adding
uint32_t used_slots = 0;

uint32_t slot_of(const char* instruction) {
  return static_cast<uint32_t>((reinterpret_cast<uintptr_t>(instruction) * 0x9e3779b97f4a7c15u) >> 48) % kSlots;
}

// The number of its line, kLibrary, or kUnseen.
constexpr uint32_t kLibrary = 0, kUnseen = kUnseenLine;

uint32_t look_up(const char* instruction) {
  for (uint32_t slot = slot_of(instruction);; slot = (slot + 1) % kSlots) {
    const char* found = slots[slot].instruction.load(std::memory_order_acquire);
    if (found == instruction) return slots[slot].line.load(std::memory_order_relaxed);
    if (found == nullptr) return kUnseen;
  }
}

void keep_line(const char* instruction, uint32_t line, PyObject* code) {
  std::lock_guard<std::mutex> guard(slots_mutex);
  if (used_slots > kSlots / 2 || look_up(instruction) != kUnseen) return;
  uint32_t slot = slot_of(instruction);
  while (slots[slot].instruction.load(std::memory_order_relaxed) != nullptr) slot = (slot + 1) % kSlots;
  python().keep(code);
  slots[slot].line.store(line, std::memory_order_relaxed);
  slots[slot].instruction.store(instruction, std::memory_order_release);
  ++used_slots;
}

// Walks outwards with the interpreter's lock held, by its own functions. `seen` is told of each frame.
template <typename Seen>
void walk(const Seen& seen) {
  PyObject* frame = python().frame();
  if (frame != nullptr) python().keep(frame);
  while (frame != nullptr) {
    PyObject* code = python().code(frame);
    PyObject* name = python().attribute(code, "co_filename");
    const char* file = name != nullptr ? python().text(name, nullptr) : nullptr;
    const bool more = seen(code, file != nullptr ? file : "?", frame);
    PyObject* outer = more ? python().back(frame) : nullptr;
    for (PyObject* object : {name, code, frame}) {
      if (object != nullptr) python().drop(object);
    }
    frame = outer;
  }
}

uint32_t ask_the_interpreter(const void* state) {
  const int held = python().ensure();
  const Layout* known = layout();
  const char* raw = known != nullptr ? top_frame(*known, state) : nullptr;
  uint32_t line = kNoLine;
  walk([&](PyObject* code, const char* file, PyObject* frame) {
    const bool library = of_a_library(file);
    const uint32_t number =
        library ? kLibrary : Trace::get().name("line", shortened(file) + ":" + std::to_string(python().number(frame)));
    while (raw != nullptr && field(raw, known->code) != reinterpret_cast<const char*>(code)) {
      raw = field(raw, known->previous);
    }
    if (known != nullptr && trust.load() == Trust::kUntried) trust = raw != nullptr ? Trust::kGood : Trust::kBad;
    if (raw != nullptr && trust.load() == Trust::kGood) {
      keep_line(field(raw, known->instruction), number, code);
      raw = field(raw, known->previous);
    }
    line = number;
    return library;
  });
  python().release(held);
  return line;
}

}  // namespace

bool on_queue_thread() { return python().whole && python().initialised() != 0 && python().state() == nullptr; }

uint32_t python_line_number(bool may_ask) {
  if (!python().whole) return kNoLine;
  const void* state = python().state();
  if (state == nullptr) return kNoLine;
  const Layout* known = layout();
  if (known == nullptr) return may_ask ? ask_the_interpreter(state) : kUnseenLine;
  const char* frame = top_frame(*known, state);
  if (frame == nullptr) return kNoLine;
  for (; frame != nullptr; frame = field(frame, known->previous)) {
    const uint32_t line = look_up(field(frame, known->instruction));
    if (line == kUnseen) return may_ask ? ask_the_interpreter(state) : kUnseenLine;
    if (line != kLibrary) return line;
  }
  return kLibrary;
}

// Error paths only: it takes the interpreter lock. A thread that never ran Python has no line.
std::string python_line() {
  if (!python().whole || python().state() == nullptr) return "";
  const int held = python().ensure();
  std::string line;
  walk([&](PyObject*, const char* file, PyObject* frame) {
    const bool library = of_a_library(file);
    if (!library || line.empty()) line = std::string(file) + ":" + std::to_string(python().number(frame));
    return library;
  });
  python().release(held);
  return line;
}

}  // namespace jumar

using namespace jumar;

// Adds a directory whose code is not the program's own.
JUMAR_API void jumar_trace_library(const char* directory) {
  std::lock_guard<std::mutex> guard(libraries_mutex);
  libraries.emplace_back(directory);
}
