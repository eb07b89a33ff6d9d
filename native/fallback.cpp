// Counts operators that the adapter leaves to the CPU. It does that through one exported function of PyTorch, which
// this library, loaded first, stands in for: the call is counted and handed on.
#include <dlfcn.h>

#include "core.h"

namespace jumar {

#define CPU_FALLBACK \
  "_ZN2at6native12cpu_fallbackERKN3c1014OperatorHandleEPSt6vectorINS1_6IValueESaIS6_EEbNS1_11DispatchKeyE"

// The start of what PyTorch's OperatorHandle refers to. PyTorch's version is pinned, and a test compares the names.
struct OperatorName {
  std::string name;
  std::string overload;
};
struct OperatorHandle {
  const OperatorName* definition;
};

namespace {

using Fallback = void(const OperatorHandle&, void*, bool, uint16_t);

Fallback* pytorchs() {
  void* library = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD);
  return library != nullptr ? reinterpret_cast<Fallback*>(dlsym(library, CPU_FALLBACK)) : nullptr;
}

}  // namespace

__attribute__((visibility("default"))) void counted_fallback(const OperatorHandle& handle, void* stack,
                                                             bool error_on_views, uint16_t key) __asm__(CPU_FALLBACK);

void counted_fallback(const OperatorHandle& handle, void* stack, bool error_on_views, uint16_t key) {
  static Fallback* const original = pytorchs();
  if (Server* server = Server::get()) {
    const OperatorName& name = *handle.definition;
    const std::string full = name.overload.empty() ? name.name : name.name + "." + name.overload;
    server->count(server->state().fallbacks, full.c_str());
  }
  if (original != nullptr) original(handle, stack, error_on_views, key);
}

}  // namespace jumar
