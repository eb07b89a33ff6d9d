// The CUDA face below Python: PyTorch's accelerator slot, which the adapter named "npu", goes by the name "cuda".
// Four functions of libc10 translate between a device and its name. While the face is on, PyTorch's libraries call
// ours instead: their import tables (PLT slots) are rewritten, and put back when it goes off. Nothing else is touched,
// so a call that takes a device costs what it always did. The same way errors of the adapter's C++ pass by here on
// their way into Python, to be worded as CUDA programs expect.
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <vector>

#include "python.h"

extern "C" {
int PyGILState_Check();
PyObject* PyEval_GetGlobals();
PyObject* PyUnicode_InternFromString(const char* text);
void PyErr_SetString(PyObject* type, const char* text);
void PyErr_SetObject(PyObject* type, PyObject* value);
}

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace {

// PyTorch's own, as its libraries are called: the layout and the mangled names are those of the pinned version, and
// `jumar_face_enter` refuses if a name is not there.
struct Device {
  int8_t type;
  int8_t index;
};
constexpr int8_t kPrivateUse1 = 20;

using NameOf = std::string(int8_t type, bool lower_case);
using BackendName = std::string(bool lower_case);
using Parse = void(Device* self, const std::string& text);

#define TEXT "RKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
constexpr char kNameOf[] = "_ZN3c1014DeviceTypeNameB5cxx11ENS_10DeviceTypeEb";
constexpr char kBackendName[] = "_ZN3c1023get_privateuse1_backendB5cxx11Eb";
constexpr char kParse[] = "_ZN3c106DeviceC1E" TEXT;

NameOf* original_name_of = nullptr;
BackendName* original_backend_name = nullptr;
Parse* original_parse = nullptr;

std::atomic<uint64_t> parsed{0};    // how often "cuda…" was read as the chip
std::vector<std::string> own_face;  // packages that see the chip's own name; fixed while the face is on
void (*on_first)() = nullptr;       // told of the first, if Python names the device: it notes the line

// Whether the Python code that asks belongs to a package that knows the chip by its own name, as the adapter does.
bool caller_knows_chip() {
  if (PyGILState_Check() == 0) return false;
  PyObject* globals = PyEval_GetGlobals();
  if (globals == nullptr) return false;
  static PyObject* const key = PyUnicode_InternFromString("__name__");
  PyObject* name = PyDict_GetItem(globals, key);
  ptrdiff_t size = 0;
  const char* text = name != nullptr ? PyUnicode_AsUTF8AndSize(name, &size) : nullptr;
  if (text == nullptr) {
    if (name != nullptr) PyErr_Clear();
    return false;
  }
  for (const std::string& package : own_face) {
    const auto length = static_cast<ptrdiff_t>(package.size());
    if (size >= length && std::memcmp(text, package.data(), package.size()) == 0 &&
        (size == length || text[length] == '.'))
      return true;
  }
  return false;
}

std::string backend_name(bool lower_case) {
  if (caller_knows_chip()) return original_backend_name(lower_case);
  return lower_case ? "cuda" : "CUDA";
}

std::string name_of(int8_t type, bool lower_case) {
  return type == kPrivateUse1 ? backend_name(lower_case) : original_name_of(type, lower_case);
}

// `name` alone or with ":<digits>"; anything else is the original's to parse or refuse.
bool names(const std::string& text, const std::string& name) {
  const size_t length = name.size();
  if (text.compare(0, length, name) != 0) return false;
  if (text.size() == length) return true;
  return text[length] == ':' && text.size() > length + 1 &&
         text.find_first_not_of("0123456789", length + 1) == std::string::npos;
}

void parse(Device* self, const std::string& text) {
  static const std::string cuda = "cuda", chip = original_backend_name(true), slot = "privateuseone";
  const bool is_cuda = names(text, cuda);
  if (!is_cuda && !names(text, chip)) return original_parse(self, text);
  const bool first = is_cuda && parsed.fetch_add(1, std::memory_order_relaxed) == 0;
  if (first && on_first != nullptr && PyGILState_Check() != 0) on_first();
  original_parse(self, slot + text.substr(is_cuda ? cuda.size() : chip.size()));
}

PyObject* wording = nullptr;  // Python: (type, text) to (type, value); set and read under the interpreter lock

// What the adapter's errors have in them, whoever raises them.
bool of_chip(const char* text) {
  for (const char* mark : {"NPU", "ACL ", "aclnn"})
    if (std::strstr(text, mark) != nullptr) return true;
  return false;
}

void set_error(PyObject* type, const char* text) {
  if (wording == nullptr || text == nullptr || !of_chip(text)) return PyErr_SetString(type, text);
  PyObject* const words = PyUnicode_FromStringAndSize(text, static_cast<ptrdiff_t>(std::strlen(text)));
  PyObject* const arguments[] = {type, words};
  PyObject* const pair = words != nullptr ? PyObject_Vectorcall(wording, arguments, 2, nullptr) : nullptr;
  if (pair == nullptr) {
    PyErr_Clear();
    PyErr_SetString(type, text);
  } else {
    PyErr_SetObject(PyTuple_GetItem(pair, 0), PyTuple_GetItem(pair, 1));
    Py_DecRef(pair);
  }
  if (words != nullptr) Py_DecRef(words);
}

struct Redirection {
  const char* symbol;
  void* replacement;
  bool also_adapter;  // the adapter's own library too: it parses what programs wrote, but names the chip itself
};
const Redirection kRedirections[] = {
    {kNameOf, reinterpret_cast<void*>(name_of), false},
    {kBackendName, reinterpret_cast<void*>(backend_name), false},
    {kParse, reinterpret_cast<void*>(parse), true},
    {"PyErr_SetString", reinterpret_cast<void*>(set_error), true},
};

struct Slot {
  void** place;
  void* before;
};
std::vector<Slot> slots;  // what to put back; changed only under the interpreter lock, by enter and leave

std::string file_name(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

bool is_adapter(const std::string& file) { return file == "libtorch_npu.so"; }

bool is_pytorch(const std::string& file) {
  return file == "libc10.so" || file == "libtorch_cpu.so" || file == "libtorch_python.so";
}

// Relocation tables of one loaded library: those that fill slots with the addresses of functions.
class Imports {
 public:
  explicit Imports(const dl_phdr_info& library) : base_(library.dlpi_addr) {
    for (int i = 0; i < library.dlpi_phnum; ++i)
      if (library.dlpi_phdr[i].p_type == PT_DYNAMIC)
        read(reinterpret_cast<const ElfW(Dyn)*>(base_ + library.dlpi_phdr[i].p_vaddr));
  }

  template <typename Visit>
  void each(Visit visit) const {
    if (symbols_ == nullptr || names_ == nullptr) return;
    for (const auto& [first, size] : {table_, plt_})
      for (const ElfW(Rela)* one = first; one != nullptr && one < first + size / sizeof(*one); ++one) {
        const auto symbol = ELF64_R_SYM(one->r_info);
        if (symbol != 0 && one->r_addend == 0)
          visit(names_ + symbols_[symbol].st_name, reinterpret_cast<void**>(base_ + one->r_offset));
      }
  }

 private:
  struct Table {
    const ElfW(Rela) * first = nullptr;
    size_t size = 0;
  };

  void read(const ElfW(Dyn) * entry) {
    for (; entry->d_tag != DT_NULL; ++entry) {
      const auto address = entry->d_un.d_ptr < base_ ? base_ + entry->d_un.d_ptr : entry->d_un.d_ptr;
      switch (entry->d_tag) {
        case DT_SYMTAB: symbols_ = reinterpret_cast<const ElfW(Sym)*>(address); break;
        case DT_STRTAB: names_ = reinterpret_cast<const char*>(address); break;
        case DT_RELA: table_.first = reinterpret_cast<const ElfW(Rela)*>(address); break;
        case DT_RELASZ: table_.size = entry->d_un.d_val; break;
        case DT_JMPREL: plt_.first = reinterpret_cast<const ElfW(Rela)*>(address); break;
        case DT_PLTRELSZ: plt_.size = entry->d_un.d_val; break;
        default: break;
      }
    }
  }

  ElfW(Addr) base_;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* names_ = nullptr;
  Table table_, plt_;
};

// Slots may lie in pages that are read-only after loading.
bool write_slot(void** place, void* value) {
  const auto page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  void* page = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(place) & ~(page_size - 1));
  if (mprotect(page, page_size, PROT_READ | PROT_WRITE) != 0) return false;
  __atomic_store_n(place, value, __ATOMIC_RELEASE);
  return true;
}

int redirect(dl_phdr_info* library, size_t, void*) {
  const std::string file = file_name(library->dlpi_name);
  const bool adapter = is_adapter(file);
  if (!adapter && !is_pytorch(file)) return 0;
  Imports(*library).each([&](const char* name, void** place) {
    for (const Redirection& one : kRedirections) {
      if ((adapter && !one.also_adapter) || std::strcmp(one.symbol, name) != 0) continue;
      void* const before = *place;
      if (before != one.replacement && write_slot(place, one.replacement)) slots.push_back({place, before});
    }
  });
  return 0;
}

template <typename Function>
bool find(Function*& original, const char* symbol) {
  void* library = dlopen("libc10.so", RTLD_LAZY | RTLD_NOLOAD);
  original = library != nullptr ? reinterpret_cast<Function*>(dlsym(library, symbol)) : nullptr;
  return original != nullptr;
}

}  // namespace

// Turns the face on. `packages` (names separated by spaces) go on seeing the chip's own name; `first` is called when
// a device is named cuda for the first time. Returns null, or the name of what this PyTorch lacks; then nothing is
// changed. Libraries that are loaded later are taken in by another call.
EXPORTED const char* jumar_face_enter(const char* packages, void (*first)()) {
  if (!find(original_name_of, kNameOf)) return kNameOf;
  if (!find(original_backend_name, kBackendName)) return kBackendName;
  if (!find(original_parse, kParse)) return kParse;
  on_first = first;
  own_face.clear();
  const std::string names = packages;
  for (size_t at = 0; at < names.size();) {
    const size_t end = std::min(names.find(' ', at), names.size());
    if (end > at) own_face.push_back(names.substr(at, end - at));
    at = end + 1;
  }
  dl_iterate_phdr(redirect, nullptr);
  return slots.empty() ? "import slots of libc10.so" : nullptr;
}

// Turns the face off: every slot gets back what it had.
EXPORTED void jumar_face_leave() {
  for (const Slot& slot : slots) write_slot(slot.place, slot.before);
  slots.clear();
}

// The function that words the adapter's errors, called with an exception's type and text; null for none.
EXPORTED void jumar_face_word_errors(PyObject* function) {
  if (function != nullptr) Py_IncRef(function);
  if (wording != nullptr) Py_DecRef(wording);
  wording = function;
}

EXPORTED uint64_t jumar_face_parsed() { return parsed.load(std::memory_order_relaxed); }
EXPORTED uint64_t jumar_face_slots() { return slots.size(); }
