// Which line of Python the calling thread is in, found through the interpreter this process may or may not have.
#include <dlfcn.h>

#include <cstring>

#include "aclnn.h"
#include "python.h"

namespace jumar {

namespace {

template <typename Function>
Function* find(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

bool of_a_library(const char* file) {
  return std::strstr(file, "/torch/") != nullptr || std::strstr(file, "/torch_npu/") != nullptr;
}

}  // namespace

bool on_queue_thread() {
  static auto* state = find<void*()>("PyGILState_GetThisThreadState");
  static auto* initialised = find<int()>("Py_IsInitialized");
  return state != nullptr && initialised != nullptr && initialised() != 0 && state() == nullptr;
}

// Error paths only: it takes the interpreter lock. A thread that never ran Python has no line.
std::string python_line() {
  static auto* state = find<void*()>("PyGILState_GetThisThreadState");
  static auto* ensure = find<int()>("PyGILState_Ensure");
  static auto* release = find<void(int)>("PyGILState_Release");
  static auto* current = find<PyObject*()>("PyEval_GetFrame");
  static auto* back = find<PyObject*(PyObject*)>("PyFrame_GetBack");
  static auto* number = find<int(PyObject*)>("PyFrame_GetLineNumber");
  static auto* code_of = find<PyObject*(PyObject*)>("PyFrame_GetCode");
  static auto* attribute = find<PyObject*(PyObject*, const char*)>("PyObject_GetAttrString");
  static auto* text_of = find<const char*(PyObject*, ptrdiff_t*)>("PyUnicode_AsUTF8AndSize");
  static auto* keep = find<void(PyObject*)>("Py_IncRef");
  static auto* drop = find<void(PyObject*)>("Py_DecRef");
  if (state == nullptr || state() == nullptr || current == nullptr) return "";
  const int held = ensure();
  std::string line;
  PyObject* frame = current();
  if (frame != nullptr) keep(frame);
  while (frame != nullptr) {
    PyObject* code = code_of(frame);
    PyObject* name = attribute(code, "co_filename");
    const char* file = text_of(name, nullptr);
    const bool mine = file != nullptr && !of_a_library(file);
    if (mine || line.empty()) line = std::string(file != nullptr ? file : "?") + ":" + std::to_string(number(frame));
    PyObject* outer = mine ? nullptr : back(frame);
    for (PyObject* object : {name, code, frame}) drop(object);
    frame = outer;
  }
  release(held);
  return line;
}

}  // namespace jumar
