// Keeping the trace: a mapped file that grows, and a file of names.
#include "trace.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>

#include "clock.h"
#include "core.h"
#include "profile.h"

namespace jumar {

namespace {

constexpr uint64_t kGrowBytes = 4u << 20;
constexpr uint64_t kBeyond = 1u << 16;   // events kept in memory once the file may not grow
constexpr uint64_t kCatchUp = 1u << 10;  // how often the clock follows of itself

std::atomic<bool> is_open{false};

uint64_t unix_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

std::string path_of(const char* what, const char* ending) {
  const char* directory = Server::get()->settings().trace;
  return std::string(directory) + "/" + what + "-" + std::to_string(getpid()) + ending;
}

int32_t rank() {
  const char* text = std::getenv("RANK");
  return text != nullptr && *text != 0 ? static_cast<int32_t>(std::strtol(text, nullptr, 10)) : -1;
}

int create(const std::string& path, int flags) {
  return open(path.c_str(), flags | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char letter : text) {
    char code[8];
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\')
      (result += '\\') += letter;
    else if (byte < 0x20)
      std::snprintf(code, sizeof code, "\\u%04x", byte), result += code;
    else
      result += letter;
  }
  return result + "\"";
}

}  // namespace

bool tracing() { return is_open.load(std::memory_order_acquire) && !forked(); }

Trace& Trace::get() {
  static Trace* trace = new Trace;  // never destroyed: threads of the program may outlive static destruction
  return *trace;
}

void Trace::open() {
  std::lock_guard<std::mutex> guard(mutex);
  const Settings& settings = Server::get()->settings();
  if (opened_ || settings.trace[0] == 0) return;
  opened_ = true;
  began_ns_ = now_ns();
  limit_ = settings.trace_events;
  if (!map_file(limit_)) {
    std::fprintf(stderr, "jumar: no trace is kept: %s: %s\n", settings.trace, std::strerror(errno));
    limit_ = 0;
  }
  is_open.store(true, std::memory_order_release);
}

bool Trace::map_file(uint64_t limit) {
  const uint64_t bytes = kTraceHeaderBytes + limit * sizeof(TraceEvent);
  file_ = create(path_of("events", ".bin"), O_RDWR);
  names_file_ = create(path_of("names", ".jsonl"), O_WRONLY | O_APPEND);
  if (file_ < 0 || names_file_ < 0 || posix_fallocate(file_, 0, kTraceHeaderBytes) != 0) return false;
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file_, 0);
  if (mapped == MAP_FAILED) return false;
  madvise(mapped, bytes, MADV_DONTFORK);
  madvise(mapped, bytes, MADV_DONTDUMP);
  base_ = static_cast<uint8_t*>(mapped);
  backed_ = kTraceHeaderBytes;
  header_ = new (base_) TraceHeader;
  header_->version = kTraceVersion;
  header_->event_bytes = sizeof(TraceEvent);
  header_->pid = getpid();
  header_->rank = rank();
  header_->began_ns = began_ns_;
  header_->began_unix_ns = unix_ns();
  header_->limit = limit;
  std::memcpy(header_->magic, kTraceMagic, sizeof kTraceMagic);
  return true;
}

void Trace::close() {
  if (!tracing()) return;
  std::lock_guard<std::mutex> guard(mutex);
  if (header_ == nullptr) return;
  const off_t end = static_cast<off_t>(kTraceHeaderBytes + header_->kept.load() * sizeof(TraceEvent));
  // Threads that go on reach only pages that are backed: what is cut off begins behind the last such page.
  const off_t page = sysconf(_SC_PAGESIZE);
  if (ftruncate(file_, (end + page) / page * page) == 0) backed_ = static_cast<uint64_t>((end + page) / page * page);
}

// Reserves disk before it is touched: a full disk ends the trace, not the program.
bool Trace::grow() {
  if (base_ == nullptr) return false;
  if (posix_fallocate(file_, static_cast<off_t>(backed_), kGrowBytes) != 0) return false;
  // What is behind the clock is not looked at again: the file keeps it, this process need not.
  if (backed_ > kGrowBytes) madvise(base_ + backed_ - kGrowBytes, kGrowBytes, MADV_DONTNEED);
  backed_ += kGrowBytes;
  return true;
}

TraceEvent& Trace::place(uint64_t number) {
  if (number < limit_) return reinterpret_cast<TraceEvent*>(base_ + kTraceHeaderBytes)[number];
  return beyond_[(number - limit_) % kBeyond];
}

const TraceEvent& Trace::event(uint64_t number) const { return const_cast<Trace*>(this)->place(number); }

uint64_t Trace::add(const TraceEvent& event) {
  if (!tracing()) return kNoEvent;
  std::lock_guard<std::mutex> guard(mutex);
  const uint64_t number = count_;
  if (number < limit_) {
    const uint64_t end = kTraceHeaderBytes + (number + 1) * sizeof(TraceEvent);
    if (end > backed_ && !grow()) limit_ = number;
  }
  if (number >= limit_ && beyond_.empty()) beyond_.resize(kBeyond);
  const bool full = number >= limit_ + kBeyond && Clock::get().position() <= number - kBeyond;
  if (full) Clock::get().follow(*this, true);
  place(number) = event;
  ++count_;
  Clock::get().look(number, event.chip);
  if (Profile::get().watched()) Profile::get().submitted(number);
  if (header_ != nullptr) {
    header_->events.store(count_, std::memory_order_relaxed);
    if (number < limit_) header_->kept.store(count_, std::memory_order_release);
  }
  if (count_ % kCatchUp == 0) Clock::get().follow(*this, false);
  return number;
}

void Trace::complete(const std::vector<uint64_t>& events, uint32_t line) {
  std::lock_guard<std::mutex> guard(mutex);
  for (const uint64_t number : events) {
    if (number < limit_ && place(number).line == 0) place(number).line = line;
  }
}

void Trace::blocked(uint64_t number, uint64_t ns) {
  if (number == kNoEvent || !tracing()) return;
  std::lock_guard<std::mutex> guard(mutex);
  if (number < limit_ || number + kBeyond > count_) place(number).blocked_ns += ns;
}

uint32_t Trace::name(const char* what, const std::string& text) {
  if (!tracing()) return 0;
  static std::mutex names_mutex;
  static auto* const names = new std::map<std::pair<std::string, std::string>, uint32_t>;  // guarded by names_mutex
  static auto* const counts = new std::map<std::string, uint32_t>;                         // likewise
  std::lock_guard<std::mutex> guard(names_mutex);
  const auto [entry, fresh] = names->emplace(std::pair{what, text}, 0);
  if (!fresh) return entry->second;
  const uint32_t number = entry->second = ++(*counts)[what];
  const std::string line =
      "{\"what\":" + quoted(what) + ",\"number\":" + std::to_string(number) + ",\"text\":" + quoted(text) + "}\n";
  if (names_file_ >= 0 && write(names_file_, line.data(), line.size()) < 0) {
    ::close(names_file_);  // the disk is full: numbers without names follow
    names_file_ = -1;
  }
  return number;
}

}  // namespace jumar

using namespace jumar;

// Whether processes of this server keep a trace, from when they begin to use chips.
JUMAR_API int jumar_trace_wanted() { return Server::get() != nullptr && Server::get()->settings().trace[0] != 0; }
JUMAR_API int jumar_trace_on() { return tracing() ? 1 : 0; }
JUMAR_API uint32_t jumar_trace_name(const char* what, const char* text) { return Trace::get().name(what, text); }
