// The blocks that the adapter's caching allocator gives to tensors, for the trace: it tells them to whoever attaches a
// tracker. PyTorch's and the adapter's versions are pinned; what is declared here holds for those that Python names.
#include <dlfcn.h>

#include <functional>

#include "core.h"

namespace jumar {

namespace {

struct BlockEntry {
  int32_t action;
  int32_t device;  // visible numbering
  int64_t address;
  void* context[2];
  aclrtStream stream;
  int64_t bytes;
};
enum Action : int32_t { kGiven = 0, kTakenBack = 2 };
using Tracker = std::function<void(const BlockEntry&)>;
using Attach = void(void* allocator, Tracker tracker);

std::atomic<uint64_t> attach_offset{0};  // of the method in the allocator's table; 0: not known
std::atomic<bool> attached{false};

// Called with the allocator's lock held.
void track(const BlockEntry& entry) {
  if (entry.action == kGiven || entry.action == kTakenBack) {
    const auto type = entry.action == kGiven ? TraceType::kBlockAllocate : TraceType::kBlockFree;
    note_memory(type, physical_chip(entry.device), reinterpret_cast<const void*>(entry.address),
                static_cast<uint64_t>(entry.bytes));
  }
}

}  // namespace

// The allocator exists once it asks for memory, and has not yet told the block that it asks for.
void attach_to_blocks() {
  const uint64_t offset = attach_offset.load(std::memory_order_relaxed);
  if (offset == 0 || attached.exchange(true)) return;
  void* library = dlopen("libtorch_npu.so", RTLD_LAZY | RTLD_NOLOAD);
  void* place = library != nullptr ? dlsym(library, "_ZN7c10_npu19NPUCachingAllocator9allocatorE") : nullptr;
  void* allocator = place != nullptr ? *static_cast<void**>(place) : nullptr;
  if (allocator == nullptr) return;
  void* const* table = *static_cast<void* const**>(allocator);
  reinterpret_cast<Attach*>(table[offset / sizeof(void*)])(allocator, track);
}

}  // namespace jumar

using namespace jumar;

// Where in the table of its methods the adapter's allocator has the one that attaches a tracker.
JUMAR_API void jumar_trace_blocks(uint64_t offset) { attach_offset = offset; }
