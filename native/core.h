// What the chapters of the core share: errors, chips and their memory, and the engine that runs streams.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdarg>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "acl.h"
#include "ring.h"
#include "server.h"
#include "trace.h"

namespace jumar {

// --- error.cpp -------------------------------------------------------------------------------------------------------
// Remembers `text` for aclGetRecentErrMsg of this thread and returns `error`.
aclError fail(aclError error, const std::string& text);
aclError unsupported(const char* name);
// Like fail, for what may be called on the adapter's queue thread, where an error would end that thread for good: there
// the next synchronisation tells it, and this returns success.
aclError refuse(aclError error, const std::string& text);
bool on_queue_thread();                          // a thread that never runs Python, in a process that does
aclError device_failed(aclError error);          // work on the chip failed: remembered for aclrtPeekAtLastError
void set_device_error(const std::string& text);  // what the next aclGetRecentErrMsg of any thread says

// --- device.cpp ------------------------------------------------------------------------------------------------------
struct Context {  // its place in the table says whose it is
  char unused;
};
uint32_t chip_count();           // visible to this process
uint32_t physical_chip(int id);  // ASCEND_RT_VISIBLE_DEVICES applied
int visible_chip(uint32_t physical);
int current_chip();      // of this thread; visible numbering
bool forked();           // a child made by fork: the chips stayed with the parent
aclError begin(int id);  // starts the engine if need be and opens that chip's memory (visible numbering)
aclError usable();       // success if this process has chips and may use them; else the reason is remembered

// --- memory.cpp ------------------------------------------------------------------------------------------------------
// One chip's memory as this process sees it: a sparse shared file mapped at `base`. Address = base + file offset.
struct Window {
  uint8_t* base = nullptr;
  uint64_t bytes = 0;
  int fd = -1;
};
struct Place {
  uint32_t window;  // number of the window: that of the chip if it is this process's, above kMaxChips if another's
  uint64_t offset;
  uint32_t chip;  // physical
};
Window* window(uint32_t physical);                       // opened on first use; null with an error set
bool locate(const void* address, Place* place);          // false: not device memory
bool locate_foreign(const void* address, Place* place);  // ipc.cpp: memory that another process has shared
uint32_t foreign_window(int32_t pid, int32_t fd);    // number of a window onto it; 0 with errno if it cannot be reached
bool locate_own(const void* address, Place* place);  // and of this process
bool on_device(const void* address);
void attach_to_blocks();                 // blocks.cpp: from the adapter's first allocation on
bool page_locked(const void* address);   // host memory that the program got or registered here
bool window_is_open(uint32_t physical);  // this process uses that chip
bool some_allocation(uint32_t physical, uint64_t random, Place* place);  // a place in one; false: there is none

// --- engine.cpp, waiting.cpp, graph.cpp
// ---------------------------------------------------------------------------------
constexpr uint64_t kNobody = ~uint64_t{0};
constexpr int64_t kForever = INT64_MAX / 4;  // milliseconds
constexpr int64_t kHeartbeatMs = 100;        // how often a waiter looks whether the executor still lives

struct Stream;
struct Model;

// One call of record: a point of a stream, whatever becomes of the event later. Guarded by the engine's lock.
struct Mark {
  bool reached = false;   // the stream has come to it
  uint64_t sequence = 0;  // executor record that must be done then
  uint64_t host_ns = 0;   // when it was seen done; 0 = not yet
  int32_t chip = -1;      // of the stream; -1: of a captured one
};
using MarkRef = std::shared_ptr<Mark>;

struct Event {
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  const uint64_t number;  // in the trace; given again once the event is gone
  MarkRef newest;         // of the newest record; null = never recorded
  uint64_t captured = 0;  // the capture that the newest record belongs to; 0 = none
};
using EventRef = std::shared_ptr<Event>;

// Work that waits for other ranks between batches of records. Called under the engine's lock, never waits itself.
class Steps {
 public:
  enum class Now { kWait, kRecords, kDone };
  virtual ~Steps() = default;
  virtual std::shared_ptr<Steps> begin() = 0;  // what is queued, each time it is, also from a graph
  // Asked when every earlier record of the stream is done. kRecords: do `records` first, then ask again.
  virtual Now next() = 0;
  std::deque<std::vector<uint8_t>> records;
  std::vector<TraceEvent> events;  // what begin() made stands in the trace for
  int64_t held_ms = 0;             // since when a fault holds it up; 0: none does
};

// One thing a stream has to do. What the executor can do is bytes; the rest is done in this process.
struct Item {
  enum class Kind { kRecord, kCopy, kHost, kEventRecord, kEventWait, kValueWait, kSteps, kSkipped };
  Kind kind = Kind::kRecord;
  TraceEvent trace;             // what it is in the trace, if anything
  std::vector<uint8_t> bytes;   // kRecord
  void* destination = nullptr;  // kCopy; kValueWait: the address
  const void* source = nullptr;
  uint64_t count = 0;
  std::function<void()> call;  // kHost
  EventRef event;              // kEventRecord, kEventWait
  MarkRef mark;                // what this record makes, or what this wait is for; null = nothing to wait for
  uint64_t value = 0;          // kValueWait
  uint32_t flag = 0;
  std::shared_ptr<Steps> steps;  // kSteps
  bool operation = false;        // an operator, done or skipped: faults count it
};

struct Stream {
  uint32_t chip = 0;  // physical
  int32_t id = 0;
  std::deque<Item> items;    // not yet handed on; guarded by Engine::mutex_
  bool busy = false;         // the head item is being done outside the lock
  uint64_t submitted = 0;    // items ever given to this stream
  uint64_t handed_on = 0;    // how many of them are done or with the executor
  uint64_t sequence = 0;     // executor record that must be done for this stream to be idle
  Model* capture = nullptr;  // being recorded into
};

// A recorded graph: the items of all captured streams in order of submission.
struct Model {
  std::vector<Item> items;
  std::unordered_set<Stream*> streams;
  Stream* origin = nullptr;
  uint32_t id = 0;
  uint64_t capture = 0;  // number of the capture under way; 0 = none
};

// Marks the thread as running a callback of the program: it must not wait for the stream that it holds up.
struct CallingBack {
  CallingBack();
  ~CallingBack();
  static bool here();
};

aclError submit(aclrtStream stream, Item item);
// A wait of the host stands in the trace with what it waited for, also where it fails.
aclError waited(TraceEvent event, uint64_t subject, const Stream* stream, const std::function<aclError()>& wait);

// Runs the streams of this process. A stream's items are done in order; items of different streams are handed to the
// one executor in order of submission, which respects every event wait. Guard: mutex_, never held while waiting for
// anything.
class Engine {
 public:
  static Engine& get();
  aclError start();  // starts the executor process; once
  Ring& ring() { return *ring_; }
  bool await_ready();  // the executor's tables are there; false: it died

  Stream* create_stream(uint32_t chip);
  aclError destroy_stream(Stream* stream, bool force);  // force: what it has not begun is dropped
  Stream* resolve(aclrtStream stream);  // null = the current chip's default stream; null in a forked child

  uint64_t submit(Stream* stream, Item item);        // its number in the trace, kNoEvent if it has none
  void hand_on(const std::vector<uint8_t>& record);  // to the executor, belonging to no stream
  void look() { executor_died(); }
  aclError synchronize(Stream* stream, int64_t timeout_ms);
  aclError synchronize_event(const EventRef& event, int64_t timeout_ms);
  aclError synchronize_all(int32_t chip, int64_t timeout_ms);  // chip < 0: every chip
  void drain(int32_t chip);  // waits alike, but leaves failures for whoever asks; nothing in a callback
  bool idle(Stream* stream);
  bool nothing_queued(Stream* stream);  // no item of it waits in this process
  bool reached(const EventRef& event);
  bool died() const { return died_; }
  uint64_t time_ns(const EventRef& event);  // of its newest record, which must have been reached
  void close_gate(const EventRef& gate);    // from now on its waiters wait
  void open_gate(const EventRef& gate);     // until now
  // Submits, waits, fetches the sizes of outputs. On the queue thread a failure is left to the next synchronisation.
  aclError run_now(Stream* stream, Item item, Reply* reply);
  void fail_later(const std::string& text, aclError error = code::kVectorCoreException);  // the next synchronisation
  void forget_failures();     // of work that was stopped since
  void abort(uint32_t chip);  // drops what waits on that chip's streams; whoever waits for them is told

  aclError capture_begin(Stream* stream, Model* into);
  aclError capture_end(Stream* stream, Model** model);
  Model* capturing(Stream* stream);
  aclError replay(Model* model, Stream* stream);
  aclError destroy_model(Model* model);
  void stop();

 private:
  bool room_for(uint64_t bytes);
  void wait_for_room(uint64_t bytes, std::unique_lock<std::mutex>& lock);
  void write_record(Stream* stream, const std::vector<uint8_t>& bytes);
  uint64_t submit(Stream* stream, Item item, std::unique_lock<std::mutex>& lock, bool replayed = false);
  uint64_t begin(Stream* stream, Item item, std::unique_lock<std::mutex>& lock, bool replayed);
  uint64_t note(Stream* stream, Item& item, bool replayed);
  void keep_times();
  void abandon();
  bool advance(Stream* stream, std::unique_lock<std::mutex>& lock, bool may_call_host);
  bool step(Stream* stream, Steps& steps);
  void capture_item(Stream* stream, Item& item);
  Model* under_way(uint64_t capture);
  void finish_capture(Model* model);
  void serve();  // the engine thread: items nobody waits for
  bool wait_sequence(uint64_t sequence, int64_t deadline_ms);
  bool executor_died();
  aclError collect_failure(int32_t chip);  // chip < 0: of any
  void drop(Stream* stream, Item& item);   // what a broken chip is given
  void drop_waiting(Stream* stream);
  aclError wait_stream(Stream* stream, int64_t timeout_ms, std::unique_lock<std::mutex>& lock);
  aclError wait_until(const std::function<bool()>& done, const std::function<uint64_t()>& sequence, Stream* help,
                      int64_t timeout_ms, aclError timeout_code, std::unique_lock<std::mutex>& lock);
  std::vector<std::shared_ptr<Stream>> streams_of(int32_t chip);
  Stream* add_stream(uint32_t chip);

  std::mutex mutex_;
  std::condition_variable pending_, moved_;
  std::vector<std::shared_ptr<Stream>> streams_;  // shared with whoever waits for all of them
  std::unordered_map<uint32_t, Stream*> defaults_;
  std::unordered_map<Model*, std::shared_ptr<Model>> models_;
  std::deque<std::pair<uint64_t, std::weak_ptr<Mark>>> untimed_;  // by record number: marks whose time the ring has
  std::atomic<Ring*> ring_{nullptr};
  int executor_ = -1;
  std::mutex later_mutex_;
  std::string later_;                      // what fail_later was given; guarded by later_mutex_
  aclError later_error_ = code::kSuccess;  // likewise
  std::mutex death_mutex_;                 // one thread at a time asks after the executor
  std::atomic<bool> died_{false};
  std::atomic<int64_t> looked_ms_{0};
  std::atomic<uint64_t> aborts_{0};
  bool waiting_items_ = false;
  uint64_t sequence_ = 0;  // records written
  uint64_t captures_ = 0;
  uint32_t next_model_ = 0;
  int32_t next_stream_ = 0;
};

// --- clock.cpp: the one seam for time. Nothing else in the core looks at a clock for the program's sake.
// ----------------
uint64_t now_ns();
inline int64_t now_ms() { return static_cast<int64_t>(now_ns() / 1000000); }
uint64_t event_time_ns(const Event& event, const Ring& ring);  // caller holds the engine's lock
uint64_t host_time_ns(const Mark& mark, const Ring& ring);     // likewise; as if there were no trace

// --- record.cpp: building executor records
// ----------------------------------------------------------------------------
class Record {
 public:
  explicit Record(RecordKind kind, uint16_t op = 0);
  void word(uint64_t value);
  void head(Tag tag, uint32_t count);
  void raw(const void* data, uint64_t bytes);  // padded to 8
  void span(const Place& place, uint64_t bytes);
  uint64_t bytes() const { return bytes_.size(); }
  const uint8_t* data() const { return bytes_.data(); }
  std::vector<uint8_t> take();  // finishes the header

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace jumar
