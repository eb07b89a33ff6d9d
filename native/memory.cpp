// Device memory and host memory. A chip's memory is a sparse shared file: reserved in full, committed page by
// page when touched, given back when freed.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include "core.h"
#include "fault.h"

namespace jumar {

namespace {

constexpr uint64_t kAlign = 2u << 20;

// Address space of one chip's window: where free ranges begin and how long they are. Windows are far larger than the
// chip, so that reserved address ranges (expandable segments) and fragmentation never matter; the chip's own limit is
// kept by Server::claim. Guarded by memory_mutex.
struct Range {
  uint64_t bytes;
  bool reserved;  // addresses alone, without memory of their own
};
struct Chip {
  Window window;
  std::map<uint64_t, uint64_t> free;    // offset -> bytes
  std::map<uint64_t, Range> allocated;  // by offset
};

struct Physical {  // aclrtDrvMemHandle: memory claimed but without an address until mapped
  uint32_t chip;
  uint64_t bytes;
  bool host;
};

// Never destroyed: threads of the program may free memory while the process ends.
std::mutex& memory_mutex = *new std::mutex;
Chip* const chips = new Chip[kMaxChips];
auto& mapped = *new std::map<uint64_t, std::pair<Physical*, uint64_t>>;  // address -> handle, bytes; by memory_mutex
auto& host_blocks = *new std::map<uint64_t, uint64_t>;                   // address -> bytes; by memory_mutex
std::atomic<const Window*> windows[kMaxChips];  // those that are open, for readers without lock
std::atomic<uint32_t> highest_window{0};

uint64_t round_up(uint64_t value) { return (value + kAlign - 1) & ~(kAlign - 1); }

bool take_range(Chip& chip, uint64_t bytes, bool reserved, uint64_t* offset) {
  const uint64_t wanted = round_up(std::max<uint64_t>(bytes, 1));
  for (auto range = chip.free.begin(); range != chip.free.end(); ++range) {
    if (range->second < wanted) continue;
    *offset = range->first;
    const uint64_t left = range->second - wanted;
    chip.free.erase(range);
    if (left != 0) chip.free[*offset + wanted] = left;
    chip.allocated[*offset] = {wanted, reserved};
    return true;
  }
  return false;
}

// How many bytes the range had; 0 if none of that sort begins there.
uint64_t give_range(Chip& chip, uint64_t offset, bool reserved) {
  const auto found = chip.allocated.find(offset);
  if (found == chip.allocated.end() || found->second.reserved != reserved) return 0;
  const uint64_t bytes = found->second.bytes;
  chip.allocated.erase(found);
  auto [range, fresh] = chip.free.emplace(offset, bytes);
  if (auto next = std::next(range); next != chip.free.end() && range->first + range->second == next->first) {
    range->second += next->second;
    chip.free.erase(next);
  }
  if (range != chip.free.begin()) {
    if (auto before = std::prev(range); before->first + before->second == range->first) {
      before->second += range->second;
      chip.free.erase(range);
    }
  }
  return bytes;
}

void decommit(const Chip& chip, uint64_t offset, uint64_t bytes) {
  while (fallocate(chip.window.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                   static_cast<off_t>(bytes)) != 0 &&
         errno == EINTR) {  // a signal came
  }
}

aclError out_of_memory(uint32_t chip, uint64_t bytes) {
  Server* server = Server::get();
  return fail(code::kMemoryAllocation,
              "chip " + std::to_string(chip) + " has " + std::to_string(server->settings().memory_bytes) + " bytes, " +
                  std::to_string(server->used(chip)) + " in use; " + std::to_string(bytes) + " more do not fit");
}

aclError allocate(void** address, size_t bytes) {
  *address = nullptr;
  if (const aclError error = usable()) return error;
  if (bytes == 0) return fail(code::kInvalidParam, "device memory of 0 bytes was asked for");
  const uint32_t id = physical_chip(current_chip());
  if (const aclError error = refuse_lost(id, code::kDriverError)) return error;
  Window* opened = window(id);
  if (opened == nullptr) return code::kMemoryAllocation;
  if (bytes > Server::get()->settings().memory_bytes || !Server::get()->claim(id, round_up(bytes))) {
    return out_of_memory(id, bytes);
  }
  std::lock_guard<std::mutex> guard(memory_mutex);
  uint64_t offset = 0;
  if (!take_range(chips[id], bytes, false, &offset)) {
    Server::get()->release(id, round_up(bytes));
    return fail(code::kMemoryAllocation, "the chip's address range is used up");
  }
  *address = opened->base + offset;
  attach_to_blocks();
  note_memory(TraceType::kAllocate, id, *address, round_up(bytes));
  return code::kSuccess;
}

// 47 bits of address space hold 64 windows of 1 TiB; with few chips there is room for more expandable segments.
uint64_t window_bytes() {
#ifdef __SANITIZE_THREAD__
  return uint64_t{64} << 30;  // the thread sanitizer leaves little address space to others
#endif
  return Server::get()->settings().chips > 16 ? uint64_t{1} << 40 : uint64_t{4} << 40;
}

}  // namespace

bool page_locked(const void* address) {
  std::lock_guard<std::mutex> guard(memory_mutex);
  const auto value = reinterpret_cast<uint64_t>(address);
  const auto block = host_blocks.upper_bound(value);
  return block != host_blocks.begin() && value < std::prev(block)->first + std::prev(block)->second;
}

Window* window(uint32_t physical) {
  std::lock_guard<std::mutex> guard(memory_mutex);
  Chip& chip = chips[physical];
  if (chip.window.base != nullptr) return &chip.window;
  const uint64_t bytes = window_bytes();
  const int fd = memfd_create(("jumar-chip-" + std::to_string(physical)).c_str(), MFD_CLOEXEC);
  void* base = MAP_FAILED;
  if (fd >= 0 && ftruncate(fd, static_cast<off_t>(bytes)) == 0) {
    base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  }
  if (base == MAP_FAILED) {
    fail(code::kMemoryAllocation, std::string("cannot reserve the chip's address range: ") + std::strerror(errno));
    if (fd >= 0) close(fd);
    return nullptr;
  }
  madvise(base, bytes, MADV_DONTFORK);
  madvise(base, bytes, MADV_DONTDUMP);
  chip.window = {static_cast<uint8_t*>(base), bytes, fd};
  chip.free[0] = bytes;
  Ring& ring = Engine::get().ring();
  ring.window_bytes[physical] = bytes;
  ring.window_fd[physical] = fd;
  windows[physical] = &chip.window;
  if (highest_window.load() <= physical) highest_window = physical + 1;
  return &chip.window;
}

bool window_is_open(uint32_t physical) { return windows[physical].load(std::memory_order_acquire) != nullptr; }

bool some_allocation(uint32_t physical, uint64_t random, Place* place) {
  std::lock_guard<std::mutex> guard(memory_mutex);
  const auto& allocated = chips[physical].allocated;
  if (allocated.empty()) return false;
  const auto& [offset, range] = *std::next(allocated.begin(), static_cast<int64_t>(random % allocated.size()));
  *place = {physical, offset + (random >> 32) % (range.bytes / 64) * 64, physical};
  return true;
}

bool locate(const void* address, Place* place) {
  const auto* byte = static_cast<const uint8_t*>(address);
  for (uint32_t chip = 0; chip < highest_window.load(std::memory_order_acquire); ++chip) {
    const Window* candidate = windows[chip].load(std::memory_order_acquire);
    if (candidate != nullptr && byte >= candidate->base && byte < candidate->base + candidate->bytes) {
      *place = {chip, static_cast<uint64_t>(byte - candidate->base), chip};
      return true;
    }
  }
  return locate_foreign(address, place);
}

bool locate_own(const void* address, Place* place) { return locate(address, place) && place->window < kMaxChips; }

bool on_device(const void* address) {
  Place place{};
  return locate(address, &place);
}

}  // namespace jumar

using namespace jumar;

JUMAR_API aclError aclrtMalloc(void** address, size_t bytes, int32_t) { return allocate(address, bytes); }
JUMAR_API aclError aclrtMallocAlign32(void** address, size_t bytes, int32_t) { return allocate(address, bytes); }

JUMAR_API aclError aclrtFree(void* address) {
  Place place{};
  if (forked()) return code::kSuccess;
  if (!locate_own(address, &place))
    return fail(code::kInvalidParam, "aclrtFree of an address that is not device memory");
  Engine::get().drain(static_cast<int32_t>(place.chip));
  std::lock_guard<std::mutex> guard(memory_mutex);
  const uint64_t bytes = give_range(chips[place.chip], place.offset, false);
  if (bytes == 0) return fail(code::kInvalidParam, "aclrtFree of an address that was not allocated");
  decommit(chips[place.chip], place.offset, bytes);
  Server::get()->release(place.chip, bytes);
  note_memory(TraceType::kFree, place.chip, address, bytes);
  return code::kSuccess;
}

JUMAR_API aclError aclrtGetMemInfo(int32_t, size_t* free, size_t* total) {
  if (chip_count() == 0) return fail(code::kNoDevice, "no virtual chips");
  const uint32_t chip = physical_chip(current_chip());
  *total = Server::get()->settings().memory_bytes;
  *free = *total - std::min<uint64_t>(*total, Server::get()->used(chip));
  return code::kSuccess;
}

// --- virtual memory: an address range, physical memory, and the joining of the two
// --------------------------------------

// The adapter tries this out while it starts, before it has set a chip.
JUMAR_API aclError aclrtReserveMemAddress(void** address, size_t bytes, size_t, void*, uint64_t) {
  if (const aclError error = begin(current_chip())) return error;
  const uint32_t id = physical_chip(current_chip());
  Window* opened = window(id);
  if (opened == nullptr) return code::kMemoryAllocation;
  std::lock_guard<std::mutex> guard(memory_mutex);
  uint64_t offset = 0;
  if (bytes > opened->bytes || !take_range(chips[id], bytes, true, &offset)) {
    return fail(code::kMemoryAllocation, "the chip's address range is used up");
  }
  *address = opened->base + offset;
  return code::kSuccess;
}

JUMAR_API aclError aclrtReleaseMemAddress(void* address) {
  Place place{};
  if (forked()) return code::kSuccess;
  if (!locate_own(address, &place)) return fail(code::kInvalidParam, "not a reserved address range");
  std::lock_guard<std::mutex> guard(memory_mutex);
  const bool given = give_range(chips[place.chip], place.offset, true) != 0;
  return given ? code::kSuccess : fail(code::kInvalidParam, "not the start of a reserved range");
}

// What the adapter fills in to say where physical memory shall be.
struct PhysicalProperties {
  int32_t handle_type;
  int32_t allocation_type;
  int32_t memory_attribute;
  uint32_t location_id;
  int32_t location_type;  // 0 host, 1 device
  uint64_t reserved;
};

JUMAR_API aclError aclrtMallocPhysical(void** handle, size_t bytes, const PhysicalProperties* properties, uint64_t) {
  if (const aclError error = usable()) return error;
  const bool host = properties->location_type == 0;
  if (!host && properties->location_id >= chip_count()) return fail(code::kInvalidDevice, "no such chip");
  const uint32_t id = physical_chip(host ? current_chip() : static_cast<int>(properties->location_id));
  const bool too_much = bytes > Server::get()->settings().memory_bytes;
  if (!host && (too_much || !Server::get()->claim(id, bytes))) return out_of_memory(id, bytes);
  *handle = new Physical{id, bytes, host};
  if (!host) attach_to_blocks();
  if (!host) note_memory(TraceType::kAllocate, id, *handle, bytes);
  return code::kSuccess;
}

JUMAR_API aclError aclrtFreePhysical(void* handle) {
  auto* physical = static_cast<Physical*>(handle);
  if (!physical->host && !forked()) {
    Server::get()->release(physical->chip, physical->bytes);
    note_memory(TraceType::kFree, physical->chip, handle, physical->bytes);
  }
  delete physical;
  return code::kSuccess;
}

JUMAR_API aclError aclrtMapMem(void* address, size_t bytes, size_t, void* handle, uint64_t) {
  if (const aclError error = usable()) return error;
  if (!on_device(address)) return fail(code::kInvalidParam, "aclrtMapMem outside of reserved addresses");
  std::lock_guard<std::mutex> guard(memory_mutex);
  mapped[reinterpret_cast<uint64_t>(address)] = {static_cast<Physical*>(handle), bytes};
  return code::kSuccess;
}

JUMAR_API aclError aclrtUnmapMem(void* address) {
  Place place{};
  if (forked()) return code::kSuccess;
  if (!locate_own(address, &place)) return fail(code::kInvalidParam, "aclrtUnmapMem outside of reserved addresses");
  Engine::get().drain(static_cast<int32_t>(place.chip));
  std::lock_guard<std::mutex> guard(memory_mutex);
  const auto found = mapped.find(reinterpret_cast<uint64_t>(address));
  if (found == mapped.end()) return fail(code::kInvalidParam, "aclrtUnmapMem of an address that is not mapped");
  decommit(chips[place.chip], place.offset, found->second.second);
  mapped.erase(found);
  return code::kSuccess;
}

// --- host memory
// --------------------------------------------------------------------------------------------------------

JUMAR_API aclError aclrtMallocHost(void** address, size_t bytes) {
  if (forked()) return *address = nullptr, usable();
  if (const aclError error = refuse_host_memory()) return *address = nullptr, error;
  *address = std::aligned_alloc(4096, (std::max<size_t>(bytes, 1) + 4095) & ~size_t{4095});
  if (*address == nullptr) return fail(code::kMemoryAllocation, "no host memory left");
  std::lock_guard<std::mutex> guard(memory_mutex);
  host_blocks[reinterpret_cast<uint64_t>(*address)] = bytes;
  return code::kSuccess;
}

JUMAR_API aclError aclrtMallocHostWithCfg(void** address, uint64_t bytes, void*) {
  return aclrtMallocHost(address, bytes);
}

JUMAR_API aclError aclrtFreeHost(void* address) {
  if (forked()) return code::kSuccess;  // the parent's; and a thread of the parent's may have held the lock
  {
    std::lock_guard<std::mutex> guard(memory_mutex);
    if (host_blocks.erase(reinterpret_cast<uint64_t>(address)) == 0) {
      return fail(code::kInvalidParam, "aclrtFreeHost of an address that was not allocated");
    }
  }
  Engine::get().drain(-1);
  std::free(address);
  return code::kSuccess;
}

JUMAR_API aclError aclrtHostRegister(void* address, uint64_t bytes, int32_t, void** device) {
  if (device != nullptr) *device = address;
  if (forked()) return usable();
  std::lock_guard<std::mutex> guard(memory_mutex);
  host_blocks[reinterpret_cast<uint64_t>(address)] = bytes;
  return code::kSuccess;
}

JUMAR_API aclError aclrtHostRegisterV2(void* address, uint64_t bytes, uint32_t) {
  return aclrtHostRegister(address, bytes, 0, nullptr);
}

JUMAR_API aclError aclrtHostUnregister(void* address) {
  if (forked()) return code::kSuccess;
  Engine::get().drain(-1);
  std::lock_guard<std::mutex> guard(memory_mutex);
  host_blocks.erase(reinterpret_cast<uint64_t>(address));
  return code::kSuccess;
}

struct PointerAttributes {
  uint32_t location_id;
  int32_t location_type;  // 0 host (page-locked), 1 device, 2 unregistered
  uint32_t page_bytes;
  uint32_t reserved[4];
};

JUMAR_API aclError aclrtPointerGetAttributes(const void* address, PointerAttributes* attributes) {
  Place place{};
  *attributes = {};
  attributes->page_bytes = 4096;
  if (locate(address, &place)) {
    attributes->location_id = static_cast<uint32_t>(visible_chip(place.chip));
    attributes->location_type = 1;
    return code::kSuccess;
  }
  attributes->location_type = 2;
  if (forked()) return code::kSuccess;
  attributes->location_type = page_locked(address) ? 0 : 2;
  return code::kSuccess;
}
