// The trace: what this process asked its chips to do, event by event, in the order of submission, in a growing mapped
// file. It says nothing about time on the chip; the clock and later readers price it.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ring.h"

namespace jumar {

// --- the raw format: events-<pid>.bin is a header page and then events; src/jumar/runs/collecting.py reads it.
constexpr char kTraceMagic[8] = {'j', 'u', 'm', 'a', 'r', 'e', 'v', 't'};
constexpr uint32_t kTraceVersion = 1;
constexpr uint64_t kTraceHeaderBytes = 4096;

struct TraceHeader {
  char magic[8];
  uint32_t version;
  uint32_t event_bytes;
  int32_t pid;
  int32_t rank;                  // of the process, as torchrun told it; -1: not told
  uint64_t began_ns;             // monotonic clock
  uint64_t began_unix_ns;        // the same moment, since 1970
  uint64_t limit;                // events that the file may hold
  std::atomic<uint64_t> events;  // that happened, also those beyond the limit
  std::atomic<uint64_t> kept;    // that are in the file
};

// Numbers of Type in src/jumar/runs/format.py, plus one: a place not written yet is 0.
enum class TraceType : uint8_t {
  kNothing = 0,
  kOperator,
  kCollective,
  kCopyToDevice,
  kCopyToHost,
  kCopyOnDevice,
  kFill,
  kAllocate,
  kFree,
  kEventRecord,
  kEventWait,
  kSynchroniseStream,
  kSynchroniseEvent,
  kSynchroniseDevice,
  kHostCallback,
  kStep,
  kBlockAllocate,  // the adapter's allocator gives a tensor memory, and has it back
  kBlockFree,
};

enum class TracePhase : uint8_t { kNone = 0, kForward, kBackward, kOptimizer };

// Numbers of Exchange in src/jumar/runs/format.py.
enum class TraceExchange : uint8_t {
  kAllReduce = 0,
  kAllGather,
  kReduceScatter,
  kAllToAll,
  kBroadcast,
  kSend,
  kReceive,
  kReduce,
  kScatter,
  kBarrier,
};

constexpr uint8_t kTraceBlocking = 1;  // the host waited in this call until the chip had done it
constexpr uint8_t kTraceReplayed = 2;  // part of a graph: it cost the host no call

struct TraceEvent {
  TraceType type = TraceType::kNothing;
  uint8_t chip = 0;  // physical
  TracePhase phase = TracePhase::kNone;
  uint8_t flags = 0;
  uint32_t stream = 0;
  uint32_t kind = 0;  // of an operator or collective; 0: there were too many kinds
  uint32_t line = 0;  // numbers of names; 0 = unknown
  uint32_t module = 0;
  uint32_t step = 0;        // optimizer steps that were complete before
  uint64_t host_ns = 0;     // when the host made the call; monotonic clock
  uint64_t blocked_ns = 0;  // how long the call held the host
  uint64_t bytes = 0;
  uint64_t subject = 0;  // address; event; of a collective: communicator << 32 | how many came before
  uint16_t ranks = 0;
  int16_t peer = -1;  // or the root
  TraceExchange exchange = TraceExchange::kAllReduce;
  uint8_t spare[3] = {};
};
static_assert(sizeof(TraceEvent) == 64);

constexpr uint64_t kNoEvent = ~uint64_t{0};

// Whether this process keeps a trace. False in a forked child.
bool tracing();

class Trace {
 public:
  static Trace& get();
  void open();   // once, when the process begins to use chips; does nothing if the server asks for no trace
  void close();  // cuts the file to what is in it

  // Adds an event and returns its number; kNoEvent if there is no trace.
  uint64_t add(const TraceEvent& event);
  void complete(const std::vector<uint64_t>& events, uint32_t line);  // which had no line yet
  void blocked(uint64_t number, uint64_t ns);                         // the call of that event held the host so long
  // The number of a text, from 1; the same text of one sort has one number. `what`: line, module, communicator.
  uint32_t name(const char* what, const std::string& text);

  uint64_t began_ns() const { return began_ns_; }

  // Caller holds `mutex`. Events from before the clock has passed them are always there.
  const TraceEvent& event(uint64_t number) const;
  uint64_t count() const { return count_; }
  std::mutex mutex;  // guards adding, and the clock. Nothing is waited for while it is held

 private:
  bool map_file(uint64_t limit);
  bool grow();
  TraceEvent& place(uint64_t number);

  bool opened_ = false;
  int file_ = -1, names_file_ = -1;
  uint8_t* base_ = nullptr;
  TraceHeader* header_ = nullptr;
  uint64_t limit_ = 0, backed_ = 0, count_ = 0, began_ns_ = 0;
  std::vector<TraceEvent> beyond_;  // the latest events beyond the limit, for the clock
};

// --- kinds.cpp
// The number of the kind of a call, given as a record (with room left for its length in the header): what is the same
// in all calls that take the same time. New ones are handed to the executor, which prices them. `formats`: the layouts
// of the record's tensors, empty if all are plain. 0 if there are too many kinds.
uint32_t intern(const uint8_t* record, size_t bytes, const std::vector<int32_t>& formats);

// --- attribution.cpp: where the program is
// Line, module, phase and step of the calling thread, with the host's time. `may_ask`: whether Python's lock may be
// taken for a line that has not been seen before; not where the caller may hold locks of the adapter.
TraceEvent here(TraceType type, bool may_ask = true);
void note_memory(TraceType type, uint32_t chip, const void* address, uint64_t bytes);  // adds such an event
void adopt(const TraceEvent& event);  // on a thread without Python: what follows belongs to where this event came from

}  // namespace jumar
