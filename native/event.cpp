// Events. A handle is a number that is never given again, so that one that outlived its event is told apart: the
// adapter destroys an event from the queue of one chip while the queue of another may still be about to wait for it.
#include <unordered_map>

#include "clock.h"
#include "core.h"

namespace jumar {

namespace {

// Numbers of events, given again, so that they stay small.
class EventNumbers {
 public:
  static EventNumbers& get() {
    static auto* numbers = new EventNumbers;
    return *numbers;
  }
  uint64_t take() {
    std::lock_guard<std::mutex> guard(mutex_);
    if (free_.empty()) return next_++;
    const uint64_t number = free_.back();
    free_.pop_back();
    return number;
  }
  void give(uint64_t number) {
    std::lock_guard<std::mutex> guard(mutex_);
    free_.push_back(number);
  }

 private:
  std::mutex mutex_;
  std::vector<uint64_t> free_;  // guarded by mutex_, as the next
  uint64_t next_ = 0;
};

class Events {
 public:
  static Events& get() {
    static auto* events = new Events;
    return *events;
  }
  aclrtEvent create() {
    std::lock_guard<std::mutex> guard(mutex_);
    events_[next_] = std::make_shared<Event>();
    return as_handle(next_++);
  }
  void destroy(aclrtEvent handle) {
    EventRef last;  // dropped outside of the lock
    std::lock_guard<std::mutex> guard(mutex_);
    const auto found = events_.find(as_number(handle));
    if (found == events_.end()) return;
    last = std::move(found->second);
    events_.erase(found);
  }
  // null: destroyed, or never made
  EventRef find(aclrtEvent handle) {
    std::lock_guard<std::mutex> guard(mutex_);
    const auto found = events_.find(as_number(handle));
    return found != events_.end() ? found->second : nullptr;
  }
  // What a handle without an event means: one that was destroyed had been reached, and nothing waits for it.
  aclError missing(aclrtEvent handle) {
    std::lock_guard<std::mutex> guard(mutex_);
    const uintptr_t number = as_number(handle);
    if (number != 0 && number < next_ && as_handle(number) == handle) return code::kSuccess;
    return fail(code::kInvalidHandle, "this is no event: " + std::to_string(reinterpret_cast<uintptr_t>(handle)));
  }

 private:
  static constexpr int kLowBits = 4;  // handles look like aligned addresses
  static aclrtEvent as_handle(uintptr_t number) { return reinterpret_cast<aclrtEvent>(number << kLowBits); }
  static uintptr_t as_number(aclrtEvent handle) { return reinterpret_cast<uintptr_t>(handle) >> kLowBits; }

  std::mutex mutex_;
  std::unordered_map<uintptr_t, EventRef> events_;  // guarded by mutex_, as the next
  uintptr_t next_ = 1;
};

aclError create_event(aclrtEvent* event) {
  *event = Events::get().create();
  return code::kSuccess;
}

aclError submit(aclrtStream stream, aclrtEvent event, Item::Kind kind, TraceType type) {
  Item item;
  item.kind = kind;
  item.event = Events::get().find(event);
  if (item.event == nullptr) return Events::get().missing(event);
  item.trace = here(type);
  item.trace.subject = item.event->number;
  return submit(stream, std::move(item));
}

// Whether it is reached is `*status`: `reached` or 1 - `reached`.
aclError query(aclrtEvent handle, int32_t reached, int32_t* status) {
  const EventRef event = Events::get().find(handle);
  *status = event == nullptr || Engine::get().reached(event) ? reached : 1 - reached;
  if (event == nullptr) return Events::get().missing(handle);
  return Engine::get().died() ? device_failed(code::kLostHeartbeat) : code::kSuccess;
}

// The time of its newest record, once reached; a destroyed event has none.
aclError reached_at(aclrtEvent handle, uint64_t* time_ns) {
  const EventRef event = Events::get().find(handle);
  if (event == nullptr) return fail(code::kInvalidHandle, "this event has been destroyed, or never was one");
  const aclError error = Engine::get().synchronize_event(event, kForever);
  catch_up();
  if (error == code::kSuccess) *time_ns = Engine::get().time_ns(event);
  return error;
}

}  // namespace

Event::Event() : number(EventNumbers::get().take()) {}
Event::~Event() { EventNumbers::get().give(number); }

}  // namespace jumar

using namespace jumar;

JUMAR_API aclError aclrtCreateEvent(aclrtEvent* event) { return create_event(event); }
JUMAR_API aclError aclrtCreateEventWithFlag(aclrtEvent* event, uint32_t) { return create_event(event); }
JUMAR_API aclError aclrtCreateEventExWithFlag(aclrtEvent* event, uint32_t) { return create_event(event); }

JUMAR_API aclError aclrtDestroyEvent(aclrtEvent event) {
  Events::get().destroy(event);
  return code::kSuccess;
}

JUMAR_API aclError aclrtRecordEvent(aclrtEvent event, aclrtStream stream) {
  return submit(stream, event, Item::Kind::kEventRecord, TraceType::kEventRecord);
}

JUMAR_API aclError aclrtResetEvent(aclrtEvent, aclrtStream) { return code::kSuccess; }

JUMAR_API aclError aclrtStreamWaitEvent(aclrtStream stream, aclrtEvent event) {
  return submit(stream, event, Item::Kind::kEventWait, TraceType::kEventWait);
}

JUMAR_API aclError aclrtQueryEventStatus(aclrtEvent event, int32_t* status) { return query(event, 1, status); }
JUMAR_API aclError aclrtQueryEventWaitStatus(aclrtEvent event, int32_t* status) { return query(event, 0, status); }

JUMAR_API aclError aclrtSynchronizeEvent(aclrtEvent handle) {
  const EventRef event = Events::get().find(handle);
  if (event == nullptr) return Events::get().missing(handle);
  return waited(here(TraceType::kSynchroniseEvent), event->number, nullptr,
                [&] { return Engine::get().synchronize_event(event, kForever); });
}

JUMAR_API aclError aclrtEventElapsedTime(float* milliseconds, aclrtEvent start, aclrtEvent end) {
  uint64_t from = 0, to = 0;
  for (const auto& [event, time_ns] : {std::pair{start, &from}, std::pair{end, &to}}) {
    if (const aclError error = reached_at(event, time_ns)) return error;
  }
  *milliseconds = static_cast<float>((static_cast<double>(to) - static_cast<double>(from)) / 1e6);
  return code::kSuccess;
}

JUMAR_API aclError aclrtEventGetTimestamp(aclrtEvent event, uint64_t* microseconds) {
  uint64_t time_ns = 0;
  const aclError error = reached_at(event, &time_ns);
  if (error == code::kSuccess) *microseconds = time_ns / 1000;
  return error;
}
