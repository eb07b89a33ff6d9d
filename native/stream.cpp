// Streams, host callbacks, and waiting for values in memory.
#include <deque>

#include "clock.h"
#include "core.h"
#include "fault.h"

namespace jumar {

namespace {

int64_t timeout_of(int32_t milliseconds) { return milliseconds < 0 ? kForever : milliseconds; }

aclError create_stream(aclrtStream* stream) {
  if (const aclError error = usable()) return error;
  *stream = Engine::get().create_stream(physical_chip(current_chip()));
  return code::kSuccess;
}

aclError submit_call(aclrtStream stream, std::function<void()> call) {
  Item item;
  item.kind = Item::Kind::kHost;
  item.trace = here(TraceType::kHostCallback);
  item.call = std::move(call);
  return submit(stream, std::move(item));
}

// Callbacks for threads that subscribed (aclrtSubscribeReport) and call aclrtProcessReport. Guarded by `mutex`.
struct Reports {
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<std::function<void()>> calls;
};
Reports& reports() {
  static Reports* all = new Reports;
  return *all;
}

}  // namespace

aclError waited(TraceEvent event, uint64_t subject, const Stream* stream, const std::function<aclError()>& wait) {
  const aclError error = wait();
  if (!tracing()) return error;
  event.blocked_ns = now_ns() - event.host_ns;
  event.subject = subject;
  event.chip = static_cast<uint8_t>(stream != nullptr ? stream->chip : physical_chip(current_chip()));
  event.stream = stream != nullptr ? static_cast<uint32_t>(stream->id) : 0;
  Trace::get().add(event);
  return error;
}

aclError submit(aclrtStream stream, Item item) {
  if (const aclError error = usable()) return error;
  Engine& engine = Engine::get();
  engine.submit(engine.resolve(stream), std::move(item));
  return code::kSuccess;
}

}  // namespace jumar

using namespace jumar;

JUMAR_API aclError aclrtCreateStream(aclrtStream* stream) { return create_stream(stream); }
JUMAR_API aclError aclrtCreateStreamWithConfig(aclrtStream* stream, uint32_t, uint32_t) {
  return create_stream(stream);
}

JUMAR_API aclError aclrtDestroyStream(aclrtStream stream) {
  return forked() ? code::kSuccess : Engine::get().destroy_stream(static_cast<Stream*>(stream), false);
}

JUMAR_API aclError aclrtDestroyStreamForce(aclrtStream stream) {
  return forked() ? code::kSuccess : Engine::get().destroy_stream(static_cast<Stream*>(stream), true);
}

JUMAR_API aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream, int32_t milliseconds) {
  if (const aclError error = usable()) return error;
  Engine& engine = Engine::get();
  Stream* const target = engine.resolve(stream);
  return waited(here(TraceType::kSynchroniseStream), 0, target,
                [&] { return engine.synchronize(target, timeout_of(milliseconds)); });
}

JUMAR_API aclError aclrtSynchronizeStream(aclrtStream stream) { return aclrtSynchronizeStreamWithTimeout(stream, -1); }

JUMAR_API aclError aclrtSynchronizeDeviceWithTimeout(int32_t milliseconds) {
  if (forked() || chip_count() == 0) return code::kSuccess;
  const auto chip = static_cast<int32_t>(physical_chip(current_chip()));
  return waited(here(TraceType::kSynchroniseDevice), 0, nullptr,
                [&] { return Engine::get().synchronize_all(chip, timeout_of(milliseconds)); });
}

JUMAR_API aclError aclrtSynchronizeDevice() { return aclrtSynchronizeDeviceWithTimeout(-1); }

JUMAR_API aclError aclrtStreamQuery(aclrtStream stream, int32_t* status) {
  *status = 0;  // complete
  if (forked()) return code::kSuccess;
  if (const aclError error = usable()) return error;
  Engine& engine = Engine::get();
  Stream* const target = engine.resolve(stream);
  if (!engine.idle(target)) *status = 1;  // not ready
  return engine.died() ? device_failed(code::kLostHeartbeat) : broken_error(static_cast<int32_t>(target->chip));
}

JUMAR_API aclError aclrtStreamGetId(aclrtStream stream, int32_t* id) {
  if (const aclError error = usable()) return error;
  *id = Engine::get().resolve(stream)->id;
  return code::kSuccess;
}

// --- host functions
// -----------------------------------------------------------------------------------------------------

JUMAR_API aclError aclrtLaunchHostFunc(aclrtStream stream, void (*function)(void*), void* argument) {
  return submit_call(stream, [=] { function(argument); });
}

// Runs in the thread that processes reports. A blocking callback holds its stream, and nothing else, until then.
JUMAR_API aclError aclrtLaunchCallback(void (*function)(void*), void* argument, int32_t blocking, aclrtStream stream) {
  const auto gate = std::make_shared<Event>();
  gate->newest = std::make_shared<Mark>();  // not reached: closed
  const aclError error = submit_call(stream, [=] {
    Engine::get().close_gate(gate);
    Reports& all = reports();
    std::lock_guard<std::mutex> guard(all.mutex);
    all.calls.push_back([=] {
      function(argument);
      Engine::get().open_gate(gate);
    });
    all.arrived.notify_one();
  });
  if (error != code::kSuccess || blocking == 0) return error;
  Item item;
  item.kind = Item::Kind::kEventWait;
  item.event = gate;
  return submit(stream, std::move(item));
}

JUMAR_API aclError aclrtSubscribeReport(uint64_t, aclrtStream) { return code::kSuccess; }
JUMAR_API aclError aclrtUnSubscribeReport(uint64_t, aclrtStream) { return code::kSuccess; }

JUMAR_API aclError aclrtProcessReport(int32_t milliseconds) {
  Reports& all = reports();
  std::function<void()> call;
  {
    std::unique_lock<std::mutex> lock(all.mutex);
    const auto limit = std::chrono::milliseconds(milliseconds < 0 ? 1000 : milliseconds);
    if (!all.arrived.wait_for(lock, limit, [&] { return !all.calls.empty(); })) return code::kWaitTimeout;
    call = std::move(all.calls.front());
    all.calls.pop_front();
  }
  const CallingBack mark;
  call();
  return code::kSuccess;
}

// --- waiting for and writing values in memory
// ---------------------------------------------------------------------------

JUMAR_API aclError aclrtValueWrite(void* address, uint64_t value, uint32_t, aclrtStream stream) {
  Place place{};
  if (!locate(address, &place)) return fail(code::kInvalidParam, "aclrtValueWrite needs device memory");
  Record record(RecordKind::kWrite);
  record.span(place, sizeof value);
  record.word(value);
  Item item;
  item.bytes = record.take();
  return submit(stream, std::move(item));
}

JUMAR_API aclError aclrtValueWait(void* address, uint64_t value, uint32_t flag, aclrtStream stream) {
  if (!on_device(address) || reinterpret_cast<uintptr_t>(address) % alignof(uint64_t) != 0) {
    return fail(code::kInvalidParam, "aclrtValueWait needs device memory, aligned to 8 bytes");
  }
  Item item;
  item.kind = Item::Kind::kValueWait;
  item.destination = address;
  item.value = value;
  item.flag = flag;
  return submit(stream, std::move(item));
}
