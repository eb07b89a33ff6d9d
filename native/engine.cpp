// The engine: streams of this process, in order, handed to the executor process or done here.
#include <algorithm>
#include <chrono>
#include <cstring>

#include "core.h"
#include "fault.h"
#include "futex.h"

namespace jumar {

namespace {

constexpr auto kQuiet = std::chrono::milliseconds(200);
constexpr auto kPoll = std::chrono::milliseconds(1);
constexpr auto kBrisk = std::chrono::microseconds(50);  // other ranks answer quickly or not for long
thread_local int callbacks_here = 0;

}  // namespace

CallingBack::CallingBack() { ++callbacks_here; }
CallingBack::~CallingBack() { --callbacks_here; }
bool CallingBack::here() { return callbacks_here != 0; }

Engine& Engine::get() {
  static Engine* engine = new Engine;  // never destroyed: threads of the program may outlive static destruction
  return *engine;
}

// --- streams
// ----------------------------------------------------------------------------------------------------------

Stream* Engine::add_stream(uint32_t chip) {
  auto stream = std::make_shared<Stream>();
  stream->chip = chip;
  stream->id = next_stream_++;
  streams_.push_back(std::move(stream));
  return streams_.back().get();
}

Stream* Engine::create_stream(uint32_t chip) {
  std::lock_guard<std::mutex> guard(mutex_);
  return add_stream(chip);
}

aclError Engine::destroy_stream(Stream* stream, bool force) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto found =
      std::find_if(streams_.begin(), streams_.end(), [&](const auto& each) { return each.get() == stream; });
  if (found == streams_.end()) return fail(code::kInvalidHandle, "this stream does not exist (any more)");
  const std::shared_ptr<Stream> kept = *found;  // while somebody waits for it, or does its head item
  if (stream->capture != nullptr && stream->capture->origin == stream) finish_capture(stream->capture);
  if (stream->capture != nullptr) stream->capture->streams.erase(stream);
  if (!force) wait_stream(stream, kForever, lock);
  drop_waiting(stream);
  while (stream->busy && !CallingBack::here()) moved_.wait_for(lock, kPoll);
  streams_.erase(std::remove(streams_.begin(), streams_.end(), kept), streams_.end());
  return code::kSuccess;
}

void Engine::drop_waiting(Stream* stream) {
  while (stream->items.size() > (stream->busy ? 1 : 0)) {
    Item& last = stream->items.back();
    if (last.kind == Item::Kind::kEventRecord) last.mark->reached = true;
    stream->items.pop_back();
    ++stream->handed_on;
  }
}

// Waits for it end at once: what comes after an event of a broken chip need not wait.
void Engine::drop(Stream* stream, Item& item) {
  if (item.kind != Item::Kind::kEventRecord) return;
  item.mark = item.event->newest = std::make_shared<Mark>();
  item.mark->chip = static_cast<int32_t>(stream->chip);
  item.mark->reached = true;
  item.mark->sequence = stream->sequence;
  item.mark->host_ns = now_ns();
}

void Engine::abort(uint32_t chip) {
  std::unique_lock<std::mutex> lock(mutex_);
  ++aborts_;
  for (const auto& stream : streams_) {
    if (stream->chip == chip && stream->capture == nullptr) drop_waiting(stream.get());
  }
  forget_failures();
  moved_.notify_all();
}

Stream* Engine::resolve(aclrtStream stream) {
  if (stream != nullptr) return static_cast<Stream*>(stream);
  if (forked() || chip_count() == 0) return nullptr;
  const uint32_t chip = physical_chip(current_chip());
  std::lock_guard<std::mutex> guard(mutex_);
  Stream*& found = defaults_[chip];
  if (found == nullptr) found = add_stream(chip);
  return found;
}

bool Engine::room_for(uint64_t bytes) {
  const uint64_t head = ring_.load()->head.load(std::memory_order_relaxed);
  const uint64_t at = head % kRingBytes;
  const uint64_t pad = at + bytes > kRingBytes ? kRingBytes - at : 0;
  return head + pad + bytes - ring_.load()->tail.load() <= kRingBytes;
}

// Without the lock: other threads look at streams and events meanwhile, and host functions run.
void Engine::wait_for_room(uint64_t bytes, std::unique_lock<std::mutex>& lock) {
  while (!died_) {
    const uint64_t done = ring_.load()->completed.load();  // before the look at the ring: what fills it is not yet done
    if (room_for(bytes)) return;
    const uint64_t some = done + std::max<uint64_t>((sequence_ - done) / 4, 1);
    lock.unlock();
    wait_sequence(some, kForever);
    lock.lock();
  }
}

// The caller has made sure that there is room. Without a stream, nobody waits for it.
void Engine::write_record(Stream* stream, const std::vector<uint8_t>& bytes) {
  Ring* ring = ring_;
  const uint64_t head = ring->head.load(std::memory_order_relaxed);
  const uint64_t at = head % kRingBytes;
  const uint64_t pad = at + bytes.size() > kRingBytes ? kRingBytes - at : 0;
  if (pad != 0) {
    const RecordHeader filler{static_cast<uint32_t>(pad), RecordKind::kPad, 0};
    std::memcpy(ring->data + at, &filler, sizeof filler);
  }
  std::memcpy(ring->data + (head + pad) % kRingBytes, bytes.data(), bytes.size());
  ++sequence_;
  if (stream != nullptr) stream->sequence = sequence_;
  ring->head.store(head + pad + bytes.size());
  if (ring->asleep.load() != 0) futex_wake(ring->wake);
  keep_times();
}

// The ring keeps the times of its latest records alone: takes those that events need, long before they are overwritten.
void Engine::keep_times() {
  while (!untimed_.empty() && ring_.load()->completed.load() >= untimed_.front().first) {
    const std::weak_ptr<Mark> weak = std::move(untimed_.front().second);
    untimed_.pop_front();
    const MarkRef mark = weak.lock();
    if (mark != nullptr) mark->host_ns = host_time_ns(*mark, *ring_);
  }
}

// Does head items of a stream as far as possible without waiting. Copies and host calls run outside the lock, marked by
// `busy`. Host calls run on the engine's own thread alone, because whoever waits may hold locks they need.
bool Engine::advance(Stream* stream, std::unique_lock<std::mutex>& lock, bool may_call_host) {
  bool moved = false;
  while (!stream->busy && !stream->items.empty()) {
    Item& item = stream->items.front();
    const bool caught_up = ring_.load()->completed.load() >= stream->sequence;
    switch (item.kind) {
      case Item::Kind::kRecord:
        if (!room_for(item.bytes.size())) return moved;
        write_record(stream, item.bytes);
        break;
      case Item::Kind::kEventRecord:
        item.mark->reached = true;
        item.mark->sequence = stream->sequence;
        item.mark->host_ns = caught_up ? now_ns() : 0;
        keep_times();
        if (!caught_up) untimed_.emplace_back(stream->sequence, item.mark);
        break;
      case Item::Kind::kEventWait:
        if (item.mark == nullptr) break;
        if (!item.mark->reached) return moved;
        stream->sequence = std::max(stream->sequence, item.mark->sequence);
        break;
      case Item::Kind::kValueWait: {
        if (lost(stream->chip)) break;
        if (!caught_up) return moved;
        const uint64_t seen = *static_cast<volatile uint64_t*>(item.destination);
        const bool holds[] = {seen >= item.value, seen == item.value, (seen & item.value) != 0,
                              ~(seen | item.value) != 0};
        if (!holds[item.flag & 3]) return moved;
        break;
      }
      case Item::Kind::kSkipped: break;
      case Item::Kind::kSteps:
        if (!step(stream, *item.steps)) return moved;
        break;
      case Item::Kind::kHost:
        if (!may_call_host) return moved;
        [[fallthrough]];
      case Item::Kind::kCopy: {
        if (!caught_up) return moved;
        stream->busy = true;
        {
          const Item mine = std::move(item);
          lock.unlock();
          if (mine.kind == Item::Kind::kCopy) {
            std::memcpy(mine.destination, mine.source, mine.count);
          } else {
            const CallingBack mark;
            mine.call();
          }
        }
        lock.lock();
        stream->busy = false;
        break;
      }
    }
    stream->items.pop_front();
    ++stream->handed_on;
    moved = true;
  }
  return moved;
}

// Whether they are done. Otherwise other ranks or the executor must come further first.
bool Engine::step(Stream* stream, Steps& steps) {
  if (lost(stream->chip)) return true;
  if (steps.held_ms == 0) steps.held_ms = now_ms();
  if (holds_exchange(stream->chip, steps.held_ms)) return broken(stream->chip);
  steps.held_ms = 0;
  while (true) {
    for (auto& records = steps.records; !records.empty(); records.pop_front()) {
      if (!room_for(records.front().size())) return false;
      write_record(stream, records.front());
    }
    if (ring_.load()->completed.load() < stream->sequence) return false;
    const Steps::Now now = steps.next();
    if (now == Steps::Now::kWait) return false;
    if (now == Steps::Now::kDone) return true;
  }
}

uint64_t Engine::submit(Stream* stream, Item item) {
  if (forked()) return kNoEvent;
  std::unique_lock<std::mutex> lock(mutex_);
  return submit(stream, std::move(item), lock);
}

void Engine::hand_on(const std::vector<uint8_t>& record) {
  if (forked()) return;
  std::unique_lock<std::mutex> lock(mutex_);
  wait_for_room(record.size(), lock);
  if (!died_) write_record(nullptr, record);
}

// Adds what the stream was just given to the trace.
uint64_t Engine::note(Stream* stream, Item& item, bool replayed) {
  TraceEvent event = item.trace;
  if (event.type == TraceType::kNothing || !tracing()) return kNoEvent;
  event.stream = static_cast<uint32_t>(stream->id);
  event.chip = static_cast<uint8_t>(stream->chip);
  if (replayed) event.flags = kTraceReplayed, event.host_ns = now_ns();
  if (item.kind != Item::Kind::kSteps) return Trace::get().add(event);
  for (const TraceEvent& part : item.steps->events) {
    event.kind = part.kind;
    event.bytes = part.bytes;
    event.subject = part.subject;
    event.ranks = part.ranks;
    event.peer = part.peer;
    event.exchange = part.exchange;
    Trace::get().add(event);
  }
  return kNoEvent;
}

uint64_t Engine::submit(Stream* stream, Item item, std::unique_lock<std::mutex>& lock, bool replayed) {
  if (item.kind == Item::Kind::kRecord && stream->capture == nullptr && !room_for(item.bytes.size())) {
    const uint64_t since = now_ns();
    wait_for_room(item.bytes.size(), lock);
    item.trace.blocked_ns += now_ns() - since;
  }
  if (died_) return kNoEvent;  // every wait says so
  if (item.kind == Item::Kind::kEventRecord) item.mark = item.event->newest = std::make_shared<Mark>();
  if (item.kind == Item::Kind::kEventWait) {
    item.mark = item.event->newest;
    if (item.mark == nullptr) item.trace = TraceEvent{};  // never recorded: nothing to wait for
    Model* model = under_way(item.event->captured);
    if (model != nullptr && stream->capture == nullptr) {  // a captured stream forks into this one
      stream->capture = model;
      model->streams.insert(stream);
    }
  }
  if (stream->capture != nullptr) return capture_item(stream, item), kNoEvent;
  if (item.kind == Item::Kind::kEventRecord) {
    item.event->captured = 0;
    item.mark->chip = static_cast<int32_t>(stream->chip);
  }
  Struck struck;
  if (broken(stream->chip)) return drop(stream, item), kNoEvent;
  if (item.operation) struck = count_operator(stream, item);
  for (Item& each : struck.before) begin(stream, std::move(each), lock, false);
  if (broken(stream->chip)) return drop(stream, item), kNoEvent;
  const uint64_t number = begin(stream, std::move(item), lock, replayed);
  for (Item& each : struck.after) begin(stream, std::move(each), lock, false);
  return number;
}

uint64_t Engine::begin(Stream* stream, Item item, std::unique_lock<std::mutex>& lock, bool replayed) {
  if (item.kind == Item::Kind::kSteps) item.steps = item.steps->begin();
  const uint64_t number = note(stream, item, replayed);
  const bool host = item.kind == Item::Kind::kHost;
  const bool first = stream->items.empty() && !stream->busy;
  ++stream->submitted;
  if (first && item.kind == Item::Kind::kRecord && room_for(item.bytes.size())) {
    ++stream->handed_on;
    write_record(stream, item.bytes);
    return number;
  }
  if (first && item.kind == Item::Kind::kSkipped) return ++stream->handed_on, number;
  stream->items.push_back(std::move(item));
  if (first && advance(stream, lock, false) && stream->items.empty()) return moved_.notify_all(), number;
  if (!waiting_items_ || host) {
    waiting_items_ = true;
    pending_.notify_one();
  }
  return number;
}

// The executor is gone: nothing will ever be done, and whoever waits is told.
void Engine::abandon() {
  for (auto& stream : streams_) {
    if (!stream->busy) stream->items.clear();
  }
  moved_.notify_all();
}

void Engine::serve() {
  pthread_setname_np(pthread_self(), "jumar-engine");
  std::unique_lock<std::mutex> lock(mutex_);
  auto last_moved = std::chrono::steady_clock::now();
  while (true) {
    if (executor_died()) {
      abandon();
      pending_.wait(lock, [&] { return !died_; });  // for good
    }
    bool moved = false, exchanging = false;
    uint64_t awaited = kNobody;
    for (size_t i = 0; i < streams_.size(); ++i) {
      const std::shared_ptr<Stream> stream = streams_[i];
      moved |= advance(stream.get(), lock, true);
      if (!stream->items.empty() && stream->items.front().kind == Item::Kind::kHost) {
        awaited = std::min(awaited, stream->sequence);
      }
      exchanging |= !stream->items.empty() && stream->items.front().kind == Item::Kind::kSteps;
    }
    const auto now = std::chrono::steady_clock::now();
    if (moved) {
      last_moved = now;
      moved_.notify_all();
    } else if (exchanging) {
      pending_.wait_for(lock, now - last_moved < kQuiet ? kBrisk : kPoll);
    } else if (awaited != kNobody) {
      lock.unlock();
      wait_sequence(awaited, now_ms() + 20);
      lock.lock();
    } else if (now - last_moved < kQuiet ||
               std::any_of(streams_.begin(), streams_.end(), [](auto& each) { return !each->items.empty(); })) {
      pending_.wait_for(lock, kPoll);
    } else {
      waiting_items_ = false;
      pending_.wait(lock, [&] { return waiting_items_; });
      last_moved = std::chrono::steady_clock::now();
    }
  }
}

aclError Engine::run_now(Stream* stream, Item item, Reply* reply) {
  static std::mutex one_at_a_time;  // the reply area holds one answer
  std::lock_guard<std::mutex> guard(one_at_a_time);
  if (capturing(stream) != nullptr) {
    return fail(code::kCaptureUnsupported, "an operator whose output sizes depend on data cannot be captured");
  }
  item.trace.flags |= kTraceBlocking;
  const uint64_t since = now_ns();
  const uint64_t number = submit(stream, std::move(item));
  std::unique_lock<std::mutex> lock(mutex_);
  aclError error = wait_stream(stream, kForever, lock);
  lock.unlock();
  Trace::get().blocked(number, now_ns() - since);
  if (error == code::kSuccess) std::memcpy(reply, &ring_.load()->reply, sizeof *reply);
  if (broken(stream->chip)) reply->count = 0;  // it was not done
  if (error == code::kSuccess && !on_queue_thread()) error = collect_failure(static_cast<int32_t>(stream->chip));
  return error;
}

}  // namespace jumar
