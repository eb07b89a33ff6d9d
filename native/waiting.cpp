// Waiting for streams, events and the executor. Nobody waits with the engine's lock held.
#include <algorithm>
#include <chrono>

#include "core.h"
#include "fault.h"
#include "futex.h"

namespace jumar {

namespace {
constexpr auto kPoll = std::chrono::milliseconds(1);

aclError aborted() {
  set_device_error("jumar: the program has stopped this chip: error code 107022, reason=[device task abort]");
  return device_failed(code::kTaskAbort);
}

}  // namespace

bool Engine::wait_sequence(uint64_t sequence, int64_t deadline_ms) {
  Ring* ring = ring_;
  for (int spin = 0; spin < 200; ++spin) {
    if (ring->completed.load() >= sequence) return true;
  }
  while (true) {
    const uint32_t seen = ring->progress.load();
    uint64_t target = ring->target.load();
    while (target > sequence && !ring->target.compare_exchange_weak(target, sequence)) {
    }
    if (ring->completed.load() >= sequence) return true;
    if (executor_died()) return false;
    const int64_t left = deadline_ms - now_ms();
    if (left <= 0) return false;
    futex_wait(ring->progress, seen, std::min(left, kHeartbeatMs));
    if (ring->completed.load() >= sequence) return true;
  }
}

aclError Engine::collect_failure(int32_t chip) {
  if (died_) return device_failed(code::kLostHeartbeat);
  if (const aclError error = broken_error(chip)) return error;
  Failure& failure = ring_.load()->failure;
  std::lock_guard<std::mutex> guard(later_mutex_);
  if (failure.present.load() == 0 && later_.empty()) return code::kSuccess;
  set_device_error(!later_.empty() ? later_ : failure.text);
  const aclError error = !later_.empty() ? later_error_ : code::kVectorCoreException;
  failure.present = 0;
  later_.clear();
  return device_failed(error);
}

void Engine::forget_failures() {
  std::lock_guard<std::mutex> guard(later_mutex_);
  ring_.load()->failure.present = 0;
  later_.clear();
}

void Engine::fail_later(const std::string& text, aclError error) {
  std::lock_guard<std::mutex> guard(later_mutex_);
  if (!later_.empty()) return;
  later_ = "jumar: " + text;
  later_error_ = error;
}

// Waits until `done` (asked under the lock) holds and then until the record `sequence` (asked once) is done, helping
// the stream `help` along meanwhile. What is submitted later is not waited for.
aclError Engine::wait_until(const std::function<bool()>& done, const std::function<uint64_t()>& sequence, Stream* help,
                            int64_t timeout_ms, aclError timeout_code, std::unique_lock<std::mutex>& lock) {
  const int64_t deadline = timeout_ms >= kForever ? kForever : now_ms() + timeout_ms;
  uint64_t last = kNobody;
  while (!died_) {
    if (help != nullptr && advance(help, lock, false)) moved_.notify_all();
    if (last == kNobody && done()) last = sequence();
    const uint64_t completed = ring_.load()->completed.load();
    if (last != kNobody && completed >= last) break;
    if (now_ms() >= deadline) return fail(timeout_code, "timed out while waiting for a stream or event");
    const uint64_t awaited = last != kNobody ? last : sequence();
    if (completed < awaited) {
      lock.unlock();
      wait_sequence(awaited, std::min(deadline, now_ms() + 1000));
      lock.lock();
    } else {
      moved_.wait_for(lock, kPoll);
      executor_died();
    }
  }
  return code::kSuccess;
}

aclError Engine::wait_stream(Stream* stream, int64_t timeout_ms, std::unique_lock<std::mutex>& lock) {
  if (ring_ == nullptr) return code::kSuccess;
  const uint64_t last = stream->submitted;
  return wait_until([=] { return stream->handed_on >= last; }, [=] { return stream->sequence; }, stream, timeout_ms,
                    code::kStreamSyncTimeout, lock);
}

aclError Engine::synchronize(Stream* stream, int64_t timeout_ms) {
  if (forked()) return usable();
  strike_by_time();
  const uint64_t aborts = aborts_;
  std::unique_lock<std::mutex> lock(mutex_);
  if (ring_ == nullptr) return code::kSuccess;
  if (stream->capture != nullptr)
    return fail(code::kStreamCaptured, "cannot synchronize a stream that is being captured");
  const aclError error = wait_stream(stream, timeout_ms, lock);
  if (aborts_ != aborts) return aborted();
  return error != code::kSuccess ? error : collect_failure(static_cast<int32_t>(stream->chip));
}

aclError Engine::synchronize_event(const EventRef& event, int64_t timeout_ms) {
  if (forked()) return usable();
  strike_by_time();
  const uint64_t aborts = aborts_;
  std::unique_lock<std::mutex> lock(mutex_);
  if (ring_ == nullptr) return code::kSuccess;
  const MarkRef mark = event->newest;
  if (mark == nullptr) return collect_failure(-1);
  const aclError error = wait_until([&] { return mark->reached; }, [&] { return mark->sequence; }, nullptr, timeout_ms,
                                    code::kEventSyncTimeout, lock);
  if (aborts_ != aborts) return aborted();
  return error != code::kSuccess ? error : collect_failure(mark->chip);
}

std::vector<std::shared_ptr<Stream>> Engine::streams_of(int32_t chip) {
  std::lock_guard<std::mutex> guard(mutex_);
  std::vector<std::shared_ptr<Stream>> result;
  for (auto& stream : streams_) {
    if ((chip < 0 || stream->chip == static_cast<uint32_t>(chip)) && stream->capture == nullptr)
      result.push_back(stream);
  }
  return result;
}

aclError Engine::synchronize_all(int32_t chip, int64_t timeout_ms) {
  if (forked()) return usable();
  aclError worst = code::kSuccess;
  for (const auto& stream : streams_of(chip)) {
    const aclError error = synchronize(stream.get(), timeout_ms);
    if (error != code::kSuccess) worst = error;
  }
  return worst;
}

void Engine::drain(int32_t chip) {
  if (forked() || CallingBack::here()) return;
  for (const auto& stream : streams_of(chip)) {
    std::unique_lock<std::mutex> lock(mutex_);
    wait_stream(stream.get(), kForever, lock);
  }
}

bool Engine::idle(Stream* stream) {
  if (forked()) return true;
  std::unique_lock<std::mutex> lock(mutex_);
  if (ring_ == nullptr) return true;
  advance(stream, lock, false);
  if (stream->items.empty() && !stream->busy && ring_.load()->completed.load() >= stream->sequence) return true;
  executor_died();
  return false;
}

bool Engine::nothing_queued(Stream* stream) {
  std::lock_guard<std::mutex> guard(mutex_);
  return stream->items.empty() && !stream->busy && stream->capture == nullptr;
}

bool Engine::reached(const EventRef& event) {
  if (forked()) return true;
  std::lock_guard<std::mutex> guard(mutex_);
  if (ring_ == nullptr) return true;
  const Mark* mark = event->newest.get();
  if (mark == nullptr || (mark->reached && ring_.load()->completed.load() >= mark->sequence)) return true;
  executor_died();
  return false;
}

uint64_t Engine::time_ns(const EventRef& event) {
  std::lock_guard<std::mutex> guard(mutex_);
  return ring_ != nullptr ? event_time_ns(*event, *ring_) : now_ns();
}

void Engine::close_gate(const EventRef& gate) {
  std::lock_guard<std::mutex> guard(mutex_);
  gate->newest->reached = false;
}

void Engine::open_gate(const EventRef& gate) {
  std::lock_guard<std::mutex> guard(mutex_);
  gate->newest->reached = true;
  moved_.notify_all();
}

}  // namespace jumar
