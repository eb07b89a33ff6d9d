// Where the program is: line, module and phase of the calling thread. Backward work has the line and module of the
// forward call whose gradient it computes, which autograd's own numbering of its nodes tells.
#include <dlfcn.h>

#include <algorithm>

#include "core.h"
#include "python_line.h"

namespace jumar {

namespace {

// Written from Python, for its own thread, through jumar_trace_cell.
struct Cell {
  uint32_t module;
  uint32_t phase;
};
thread_local Cell cell{};

struct Known {  // what the last event of this thread was attributed to
  uint32_t line = 0, module = 0;
  TracePhase phase = TracePhase::kNone;
};
thread_local Known last;
thread_local std::vector<uint64_t> lineless;  // events of this thread at a place not seen before
std::atomic<uint32_t> steps{0};

// --- autograd's nodes: a number from 1 for each call that has a gradient, per thread
struct Node {
  void* table;
  std::atomic<uint64_t> references;
  uint64_t sequence;  // PyTorch's version is pinned, and a test looks whether attribution holds
};
struct NodeReference {  // PyTorch's is returned like this: by a pointer to where it shall be
  Node* node;
  ~NodeReference() {
    if (node != nullptr) node->references.fetch_sub(1);  // never the last: the engine holds what it runs
  }
};

struct Autograd {
  uint64_t (*peek)() = nullptr;
  NodeReference (*current)() = nullptr;
  Autograd() {
    void* library = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD);
    if (library == nullptr) return;
    peek = reinterpret_cast<uint64_t (*)()>(dlsym(library, "_ZN2at15sequence_number4peekEv"));
    current = reinterpret_cast<NodeReference (*)()>(dlsym(library, "_ZN5torch8autograd16get_current_nodeEv"));
  }
};

const Autograd& autograd() {
  static const Autograd found;
  return found;
}

constexpr uint64_t kNodes = 1u << 19;
constexpr uint64_t kMostAtOnce = 64;  // nodes that one call is credited with: views make nodes and no call
struct Forward {
  std::atomic<uint64_t> sequence;
  std::atomic<uint32_t> line, module;
};
Forward* const forward = new Forward[kNodes]();

// The nodes made on this thread since its last call belong to where it is now.
bool credit(const Known& known) {
  if (autograd().peek == nullptr) return false;
  static thread_local uint64_t credited = 0;
  const uint64_t now = autograd().peek();
  if (now == credited) return false;
  const uint64_t first = now > kMostAtOnce ? std::max(credited, now - kMostAtOnce) : credited;
  for (uint64_t number = first; number < now; ++number) {
    Forward& entry = forward[number % kNodes];
    entry.line.store(known.line, std::memory_order_relaxed);
    entry.module.store(known.module, std::memory_order_relaxed);
    entry.sequence.store(number, std::memory_order_release);
  }
  credited = now;
  return true;
}

constexpr uint64_t kNoNode = ~uint64_t{0} - 1;

uint64_t running_node() {
  if (autograd().current == nullptr) return kNoNode;
  const NodeReference running = autograd().current();
  return running.node != nullptr ? running.node->sequence : kNoNode;
}

Known locate_here(bool may_ask) {
  const uint32_t line = python_line_number(may_ask);
  const bool python = line != kNoLine;
  Known known = last;
  if (python && line != 0) known.line = line == kUnseenLine ? 0 : line;
  if (const uint64_t node = running_node(); node != kNoNode) {
    known.phase = TracePhase::kBackward;
    const Forward& entry = forward[node % kNodes];
    const bool found = entry.sequence.load(std::memory_order_acquire) == node;
    if (cell.module != 0) {  // a forward pass done again
      known.module = cell.module;
    } else if (found) {
      known.module = entry.module.load(std::memory_order_relaxed);
      if (!python || line == 0 || line == kUnseenLine) known.line = entry.line.load(std::memory_order_relaxed);
    }
    if (line != kUnseenLine) credit(known);
  } else if (python) {
    known.module = cell.module;
    static thread_local bool gradient = false;  // since the last call
    if (line != kUnseenLine && credit(known)) gradient = true;
    known.phase = cell.phase != 0                ? static_cast<TracePhase>(cell.phase)
                  : cell.module != 0 || gradient ? TracePhase::kForward
                                                 : TracePhase::kNone;
    if (may_ask) gradient = false;
  }
  return known;
}

TraceEvent at(const Known& known, TraceType type) {
  TraceEvent event;
  event.type = type;
  event.line = known.line;
  event.module = known.module;
  event.phase = known.phase;
  event.step = steps.load(std::memory_order_relaxed);
  event.host_ns = now_ns();
  return event;
}

}  // namespace

TraceEvent here(TraceType type, bool may_ask) {
  if (!tracing()) return {};
  last = locate_here(may_ask);
  const TraceEvent event = at(last, type);
  if (may_ask && !lineless.empty()) {  // what comes next tells where they were
    Trace::get().complete(lineless, last.line);
    lineless.clear();
  }
  return event;
}

// The adapter's allocator holds its locks: no line is asked for that is not known.
void note_memory(TraceType type, uint32_t chip, const void* address, uint64_t bytes) {
  if (!tracing()) return;
  const bool given_back = type == TraceType::kFree || type == TraceType::kBlockFree;
  TraceEvent event = given_back ? at(last, type) : here(type, false);  // who gives back says little
  event.chip = static_cast<uint8_t>(chip);
  event.bytes = bytes;
  event.subject = reinterpret_cast<uint64_t>(address);
  const uint64_t number = Trace::get().add(event);
  if (event.line == 0 && !given_back && !on_queue_thread()) lineless.push_back(number);
}

void adopt(const TraceEvent& event) {
  if (event.type == TraceType::kNothing || !on_queue_thread()) return;
  last = {event.line, event.module, event.phase};
}

}  // namespace jumar

using namespace jumar;

// The calling thread's module (a number of jumar_trace_name) and phase, two 32-bit words that Python writes.
JUMAR_API void* jumar_trace_cell() { return &cell; }

// An optimizer, by its ordinal, has made a step; so many are complete.
JUMAR_API void jumar_trace_step(uint32_t optimizer, uint32_t count) {
  if (!tracing()) return;
  TraceEvent event = here(TraceType::kStep);
  event.subject = optimizer;
  steps = count;
  Trace::get().add(event);
}
