// Device memory and events that another process on this server has given a key for. A chip's memory is a file of the
// process that allocated it: the key says which file and where in it, and this process maps that part.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>

#include "core.h"
#include "ring.h"

namespace jumar {

namespace {

// Windows onto chips of other processes, kept for the life of this one: the executor maps them by number.
class ForeignWindows {
 public:
  uint32_t number(int32_t pid, int32_t fd) {
    const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
    const int opened = open(path.c_str(), O_RDWR | O_CLOEXEC);
    struct stat info{};
    if (opened < 0 || fstat(opened, &info) != 0) return 0;
    std::lock_guard<std::mutex> guard(mutex_);
    const auto [entry, fresh] = numbers_.emplace(std::pair{info.st_dev, info.st_ino}, next_);
    if (!fresh || next_ >= kMaxWindows) {
      close(opened);
      if (fresh) numbers_.erase(entry), errno = ENOSPC;
      return fresh ? 0 : entry->second;
    }
    Ring& ring = Engine::get().ring();
    ring.window_bytes[next_] = static_cast<uint64_t>(info.st_size);
    ring.window_fd[next_] = opened;
    return next_++;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<dev_t, ino_t>, uint32_t> numbers_;  // guarded by mutex_, as the next
  uint32_t next_ = kMaxChips;
};

struct Key {
  int32_t pid, fd;
  uint32_t chip;  // physical
  uint64_t offset, bytes;
};
constexpr size_t kKeyBytes = 65;
constexpr char kKeyFormat[] = "%" PRId32 " %" PRId32 " %" PRIu32 " %" PRIx64 " %" PRIx64;

bool read_key(const char* text, Key* key) {
  return text != nullptr && std::sscanf(text, "%" SCNd32 " %" SCNd32 " %" SCNu32 " %" SCNx64 " %" SCNx64, &key->pid,
                                        &key->fd, &key->chip, &key->offset, &key->bytes) == 5;
}

struct Import {
  uint8_t* address;  // of the first byte that the key names
  Key key;
  uint32_t window;
  uint32_t users;
};
std::mutex imports_mutex;  // guards the next
auto* const imports = new std::map<std::string, Import>;
std::atomic<uint32_t> import_count{0};

uint64_t before_page(uint64_t offset) { return offset % static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

aclError import(const char* text, void** address) {
  Key key{};
  if (!read_key(text, &key)) return fail(code::kInvalidParam, "this is no key of memory of a virtual chip");
  if (key.pid == getpid()) {
    *address = window(key.chip)->base + key.offset;
    return code::kSuccess;
  }
  std::lock_guard<std::mutex> guard(imports_mutex);
  if (const auto known = imports->find(text); known != imports->end()) {
    ++known->second.users;
    *address = known->second.address;
    return code::kSuccess;
  }
  const std::string whose = "memory of process " + std::to_string(key.pid);
  const uint32_t number = foreign_window(key.pid, key.fd);
  if (number == 0) return fail(code::kInvalidParam, whose + " cannot be reached: " + std::strerror(errno));
  const uint64_t lead = before_page(key.offset);
  void* mapped = mmap(nullptr, key.bytes + lead, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                      Engine::get().ring().window_fd[number], static_cast<off_t>(key.offset - lead));
  if (mapped == MAP_FAILED) return fail(code::kMemoryAllocation, whose + " cannot be mapped: " + std::strerror(errno));
  madvise(mapped, key.bytes + lead, MADV_DONTFORK);
  *address = static_cast<uint8_t*>(mapped) + lead;
  imports->emplace(text, Import{static_cast<uint8_t*>(*address), key, number, 1});
  import_count.fetch_add(1, std::memory_order_release);
  return code::kSuccess;
}

// The process that gave a key may close it too: its memory is its own and stays.
aclError give_up(const char* text) {
  std::unique_lock<std::mutex> guard(imports_mutex);
  const auto found = text != nullptr ? imports->find(text) : imports->end();
  if (found == imports->end() || --found->second.users != 0) return code::kSuccess;
  guard.unlock();
  Engine::get().drain(-1);
  guard.lock();
  const auto again = imports->find(text);
  if (again == imports->end() || again->second.users != 0) return code::kSuccess;
  const uint64_t lead = before_page(again->second.key.offset);
  munmap(again->second.address - lead, again->second.key.bytes + lead);
  imports->erase(again);
  import_count.fetch_sub(1, std::memory_order_release);
  return code::kSuccess;
}

}  // namespace

uint32_t foreign_window(int32_t pid, int32_t fd) {
  static auto* windows = new ForeignWindows;
  return windows->number(pid, fd);
}

bool locate_foreign(const void* address, Place* place) {
  if (import_count.load(std::memory_order_acquire) == 0) return false;
  const auto* byte = static_cast<const uint8_t*>(address);
  std::lock_guard<std::mutex> guard(imports_mutex);
  for (const auto& [text, one] : *imports) {
    if (byte < one.address || byte >= one.address + one.key.bytes) continue;
    *place = {one.window, one.key.offset + static_cast<uint64_t>(byte - one.address), one.key.chip};
    return true;
  }
  return false;
}

}  // namespace jumar

using namespace jumar;

JUMAR_API aclError aclrtIpcMemGetExportKey(void* address, size_t bytes, char* key, size_t length, uint64_t) {
  Place place{};
  if (!locate_own(address, &place)) return fail(code::kInvalidParam, "a key is for device memory of this process");
  char text[kKeyBytes] = {};
  const int written = std::snprintf(text, sizeof text, kKeyFormat, getpid(), window(place.chip)->fd, place.chip,
                                    place.offset, static_cast<uint64_t>(bytes));
  if (written < 0 || static_cast<size_t>(written) >= length) {
    return fail(code::kInvalidParam, "a key of memory takes " + std::to_string(written + 1) + " bytes");
  }
  std::memset(key, 0, length);
  std::memcpy(key, text, static_cast<size_t>(written));
  return code::kSuccess;
}

JUMAR_API aclError aclrtIpcMemSetImportPid(const char*, int32_t*, size_t) { return code::kSuccess; }

JUMAR_API aclError aclrtIpcMemImportByKey(void** address, const char* key, uint64_t) {
  *address = nullptr;
  if (const aclError error = usable()) return error;
  return import(key, address);
}

JUMAR_API aclError aclrtIpcMemClose(const char* key) { return forked() ? code::kSuccess : give_up(key); }

extern "C" {
aclError aclrtSynchronizeEvent(aclrtEvent event);
aclError aclrtCreateEvent(aclrtEvent* event);
}

// An event travels as one that has happened: whoever asks for its handle waits for it first. So the process that opens
// the handle has nothing to wait for. The handle is larger than two registers; what is written begins it.
struct IpcEventHandle {
  char text[64];
};

JUMAR_API aclError aclrtIpcGetEventHandle(aclrtEvent event, IpcEventHandle* handle) {
  if (const aclError error = aclrtSynchronizeEvent(event)) return error;
  std::memcpy(handle->text, "happened", 9);
  return code::kSuccess;
}

JUMAR_API aclError aclrtIpcOpenEventHandle(IpcEventHandle, aclrtEvent* event) { return aclrtCreateEvent(event); }
