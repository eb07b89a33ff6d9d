// The engine: streams of this process, in order, handed to the executor process or done here.
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "core.h"
#include "futex.h"

extern char** environ;

namespace jumar {

namespace {

constexpr uint64_t kNobody = ~uint64_t{0};
constexpr int64_t kForever = INT64_MAX / 4;
constexpr int64_t kHeartbeatMs = 100;  // how often a waiter looks whether the executor still lives
constexpr auto kQuiet = std::chrono::milliseconds(200);
constexpr auto kPoll = std::chrono::milliseconds(1);

int64_t now_ms() { return static_cast<int64_t>(now_ns() / 1000000); }

// The executor must not become a client of the server itself, nor load torch_npu.
std::vector<std::string> executor_environment() {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.rfind("JUMAR_SERVER=", 0) != 0 && text.rfind("TORCH_DEVICE_BACKEND_AUTOLOAD=", 0) != 0) {
      result.push_back(text);
    }
  }
  result.push_back("TORCH_DEVICE_BACKEND_AUTOLOAD=0");
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Engine& Engine::get() {
  static Engine* engine = new Engine;  // never destroyed: threads of the program may outlive static destruction
  return *engine;
}

aclError Engine::start() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (ring_ != nullptr) return code::kSuccess;
  Server* server = Server::get();
  if (server == nullptr) return fail(code::kNoDevice, "no virtual chips: JUMAR_SERVER is not set; use `jumar run`");
  const int fd = memfd_create("jumar-ring", MFD_CLOEXEC);
  void* mapped = MAP_FAILED;
  if (fd >= 0 && ftruncate(fd, sizeof(Ring)) == 0) {
    mapped = mmap(nullptr, sizeof(Ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  if (mapped == MAP_FAILED) return fail(code::kMemoryAllocation, "cannot make the operator ring");
  auto* ring = static_cast<Ring*>(mapped);
  ring->magic = Ring::kMagic;
  ring->program = getpid();
  ring->target = kNobody;
  std::fill(std::begin(ring->window_fd), std::end(ring->window_fd), -1);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, 2, 1);
  posix_spawn_file_actions_adddup2(&actions, fd, fd);  // clears close-on-exec
  std::vector<std::string> words = {server->settings().python, "-P", "-m", "jumar.machine.executor", std::to_string(fd)};
  std::vector<std::string> environment = executor_environment();
  const int error = posix_spawnp(&executor_, words[0].c_str(), &actions, nullptr, pointers(words).data(),
                                 pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    munmap(mapped, sizeof(Ring));
    close(fd);
    return fail(code::kNoDevice, "cannot start the executor with " + words[0] + ": " + std::strerror(error));
  }
  ring_fd_ = fd;
  ring_ = ring;
  std::thread([this] { serve(); }).detach();
  return code::kSuccess;
}

bool Engine::executor_died() {
  if (died_) return true;
  int status = 0;
  if (waitpid(executor_, &status, WNOHANG) == 0) return false;
  died_ = true;
  const std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                              : "exit status " + std::to_string(WEXITSTATUS(status));
  set_device_error("jumar: the executor process of this program's chips ended (" + how +
                   "). Its last lines are on stderr; out of host memory is the usual reason.");
  return true;
}

bool Engine::await_ready() {
  while (ring_->ready.load() == 0) {
    futex_wait(ring_->ready, 0, kHeartbeatMs);
    if (ring_->ready.load() == 0 && executor_died()) return false;
  }
  return true;
}

void Engine::stop() {
  if (ring_ == nullptr || forked()) return;
  ring_->stop = 1;
  futex_wake(ring_->wake);
}

// --- streams ----------------------------------------------------------------------------------------------------------

Stream* Engine::create_stream(uint32_t chip) {
  std::lock_guard<std::mutex> guard(mutex_);
  auto stream = std::make_unique<Stream>();
  stream->chip = chip;
  stream->id = next_stream_++;
  streams_.push_back(std::move(stream));
  return streams_.back().get();
}

void Engine::destroy_stream(Stream* stream) {
  synchronize(stream, kForever);
  std::lock_guard<std::mutex> guard(mutex_);
  streams_.erase(std::remove_if(streams_.begin(), streams_.end(), [&](auto& each) { return each.get() == stream; }),
                 streams_.end());
}

Stream* Engine::resolve(aclrtStream stream) {
  if (stream != nullptr) return static_cast<Stream*>(stream);
  const uint32_t chip = physical_chip(current_chip());
  {
    std::lock_guard<std::mutex> guard(mutex_);
    if (auto found = defaults_.find(chip); found != defaults_.end()) return found->second;
  }
  Stream* made = create_stream(chip);
  std::lock_guard<std::mutex> guard(mutex_);
  return defaults_[chip] = made;
}

bool Engine::is_stream(const void* stream) {
  std::lock_guard<std::mutex> guard(mutex_);
  return std::any_of(streams_.begin(), streams_.end(), [&](auto& each) { return each.get() == stream; });
}

void Engine::write_record(Stream* stream, const std::vector<uint8_t>& bytes) {
  const uint64_t head = ring_->head.load(std::memory_order_relaxed);
  const uint64_t at = head % kRingBytes;
  const uint64_t pad = at + bytes.size() > kRingBytes ? kRingBytes - at : 0;
  while (head + pad + bytes.size() - ring_->tail.load() > kRingBytes) {
    if (!wait_sequence(ring_->completed.load() + 1, kForever)) return;
  }
  if (pad != 0) {
    const RecordHeader filler{static_cast<uint32_t>(pad), RecordKind::kPad, 0};
    std::memcpy(ring_->data + at, &filler, sizeof filler);
  }
  std::memcpy(ring_->data + (head + pad) % kRingBytes, bytes.data(), bytes.size());
  stream->sequence = ++sequence_;
  ring_->head.store(head + pad + bytes.size());
  if (ring_->asleep.load() != 0) futex_wake(ring_->wake);
}

// Does head items of a stream as far as possible without waiting. Copies and host calls run outside the lock, marked by
// `busy`. Host calls run on the engine's own thread alone, because whoever waits may hold locks they need.
bool Engine::advance(Stream* stream, std::unique_lock<std::mutex>& lock, bool may_call_host) {
  bool moved = false;
  while (!stream->busy && !stream->items.empty()) {
    Item& item = stream->items.front();
    const bool caught_up = ring_->completed.load() >= stream->sequence;
    switch (item.kind) {
      case Item::Kind::kRecord:
        write_record(stream, item.bytes);
        break;
      case Item::Kind::kEventRecord:
        item.event->reached = std::max(item.event->reached, item.ticket);
        item.event->sequence = stream->sequence;
        item.event->host_ns = caught_up ? now_ns() : 0;
        break;
      case Item::Kind::kEventWait:
        if (item.event->reached < item.ticket) return moved;
        stream->sequence = std::max(stream->sequence, item.event->sequence);
        break;
      case Item::Kind::kValueWait: {
        if (!caught_up) return moved;
        const uint64_t seen = *static_cast<volatile uint64_t*>(item.destination);
        const bool holds[] = {seen >= item.value, seen == item.value, (seen & item.value) != 0, ~(seen | item.value) != 0};
        if (!holds[item.flag & 3]) return moved;
        break;
      }
      case Item::Kind::kHost:
        if (!may_call_host) return moved;
        [[fallthrough]];
      case Item::Kind::kCopy: {
        if (!caught_up) return moved;
        stream->busy = true;
        const Item mine = std::move(item);
        lock.unlock();
        if (mine.kind == Item::Kind::kCopy) {
          std::memcpy(mine.destination, mine.source, mine.count);
        } else {
          mine.call();
        }
        lock.lock();
        stream->busy = false;
        break;
      }
    }
    stream->items.pop_front();
    moved = true;
  }
  return moved;
}

void Engine::submit(Stream* stream, Item item) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (item.kind == Item::Kind::kEventRecord) item.ticket = ++item.event->issued;
  if (item.kind == Item::Kind::kEventWait) {
    item.ticket = item.event->issued;
    Model* model = item.event->captured;
    if (model != nullptr && stream->capture == nullptr) {  // a captured stream forks into this one
      stream->capture = model;
      model->streams.insert(stream);
    }
  }
  if (stream->capture != nullptr) return capture_item(stream, item);
  if (item.kind == Item::Kind::kEventRecord) item.event->captured = nullptr;
  const bool host = item.kind == Item::Kind::kHost;
  const bool first = stream->items.empty() && !stream->busy;
  if (first && item.kind == Item::Kind::kRecord) return write_record(stream, item.bytes);
  stream->items.push_back(std::move(item));
  if (first && advance(stream, lock, false) && stream->items.empty()) return;
  if (!waiting_items_ || host) {
    waiting_items_ = true;
    pending_.notify_one();
  }
}

void Engine::serve() {
  pthread_setname_np(pthread_self(), "jumar-engine");
  std::unique_lock<std::mutex> lock(mutex_);
  auto last_moved = std::chrono::steady_clock::now();
  while (true) {
    bool moved = false;
    uint64_t awaited = kNobody;
    for (size_t i = 0; i < streams_.size(); ++i) {
      Stream* stream = streams_[i].get();
      moved |= advance(stream, lock, true);
      if (!stream->items.empty() && stream->items.front().kind == Item::Kind::kHost) {
        awaited = std::min(awaited, stream->sequence);
      }
    }
    const auto now = std::chrono::steady_clock::now();
    if (moved) {
      last_moved = now;
      moved_.notify_all();
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

// --- waiting ----------------------------------------------------------------------------------------------------------

bool Engine::wait_sequence(uint64_t sequence, int64_t deadline_ms) {
  for (int spin = 0; spin < 200; ++spin) {
    if (ring_->completed.load() >= sequence) return true;
  }
  while (true) {
    const uint32_t seen = ring_->progress.load();
    uint64_t target = ring_->target.load();
    while (target > sequence && !ring_->target.compare_exchange_weak(target, sequence)) {
    }
    if (ring_->completed.load() >= sequence) return true;
    const int64_t left = deadline_ms - now_ms();
    if (left <= 0) return false;
    futex_wait(ring_->progress, seen, std::min(left, kHeartbeatMs));
    if (ring_->completed.load() >= sequence) return true;
    if (executor_died()) return false;
  }
}

aclError Engine::collect_failure() {
  if (died_) return device_failed(code::kLostHeartbeat);
  Failure& failure = ring_->failure;
  if (failure.present.load() == 0) return code::kSuccess;
  set_device_error(failure.text);
  failure.present = 0;
  return device_failed(code::kVectorCoreException);
}

// Waits until `done` (asked under the lock) holds, helping the stream `help` along meanwhile.
aclError Engine::wait_until(const std::function<bool()>& done, const std::function<uint64_t()>& sequence, Stream* help,
                            int64_t timeout_ms, aclError timeout_code) {
  if (ring_ == nullptr) return code::kSuccess;
  const int64_t deadline = timeout_ms >= kForever ? kForever : now_ms() + timeout_ms;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!died_) {
    if (help != nullptr && advance(help, lock, false)) moved_.notify_all();
    const bool handed_on = done();
    const uint64_t awaited = sequence();
    if (handed_on && ring_->completed.load() >= awaited) break;
    if (now_ms() >= deadline) return fail(timeout_code, "timed out while waiting for a stream or event");
    if (ring_->completed.load() < awaited) {
      lock.unlock();
      wait_sequence(awaited, std::min(deadline, now_ms() + 1000));
      lock.lock();
    } else {
      moved_.wait_for(lock, kPoll);
    }
  }
  return collect_failure();
}

aclError Engine::synchronize(Stream* stream, int64_t timeout_ms) {
  if (stream->capture != nullptr) return fail(code::kStreamCaptured, "cannot synchronize a stream that is being captured");
  return wait_until([=] { return stream->items.empty() && !stream->busy; }, [=] { return stream->sequence; }, stream,
                    timeout_ms, code::kStreamSyncTimeout);
}

aclError Engine::synchronize_event(const EventRef& event, int64_t timeout_ms) {
  return wait_until([&] { return event->reached >= event->issued; }, [&] { return event->sequence; }, nullptr,
                    timeout_ms, code::kEventSyncTimeout);
}

aclError Engine::synchronize_all(int32_t chip, int64_t timeout_ms) {
  std::vector<Stream*> streams;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    for (auto& stream : streams_) {
      if ((chip < 0 || stream->chip == static_cast<uint32_t>(chip)) && stream->capture == nullptr) {
        streams.push_back(stream.get());
      }
    }
  }
  aclError worst = code::kSuccess;
  for (Stream* stream : streams) {
    const aclError error = synchronize(stream, timeout_ms);
    if (error != code::kSuccess) worst = error;
  }
  return worst;
}

bool Engine::idle(Stream* stream) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (ring_ == nullptr) return true;
  advance(stream, lock, false);
  return stream->items.empty() && !stream->busy && ring_->completed.load() >= stream->sequence;
}

bool Engine::nothing_queued(Stream* stream) {
  std::lock_guard<std::mutex> guard(mutex_);
  return stream->items.empty() && !stream->busy && stream->capture == nullptr;
}

bool Engine::reached(const EventRef& event) {
  std::lock_guard<std::mutex> guard(mutex_);
  return ring_ == nullptr || (event->reached >= event->issued && ring_->completed.load() >= event->sequence);
}

aclError Engine::run_now(Stream* stream, Item item, Reply* reply) {
  static std::mutex one_at_a_time;  // the reply area holds one answer
  std::lock_guard<std::mutex> guard(one_at_a_time);
  if (stream->capture != nullptr) {
    return fail(code::kCaptureUnsupported, "an operator whose output sizes depend on data cannot be captured");
  }
  submit(stream, std::move(item));
  const aclError error = synchronize(stream, kForever);
  if (error == code::kSuccess) std::memcpy(reply, &ring_->reply, sizeof *reply);
  return error;
}

}  // namespace jumar
