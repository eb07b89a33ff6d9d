// Stopping a chip's work and repairing its memory: what the adapter's stop_device, restart_device and
// check_uce_in_memory call.
#include <algorithm>
#include <mutex>
#include <vector>

#include "fault.h"

namespace jumar {

namespace {

// Offsets of memory that cannot be read, by chip. Never destroyed: threads may outlive static destruction.
std::mutex& errors_mutex = *new std::mutex;
auto* const errors = new std::vector<uint64_t>[kMaxChips];  // guarded by errors_mutex

bool chip_of(int32_t id, uint32_t* chip) {
  if (id < 0 || static_cast<uint32_t>(id) >= chip_count()) return false;
  *chip = physical_chip(id);
  return true;
}

aclError no_such_chip(int32_t id) { return fail(code::kInvalidDevice, "no chip " + std::to_string(id)); }

}  // namespace

void add_memory_error(uint32_t chip, uint64_t offset) {
  std::lock_guard<std::mutex> guard(errors_mutex);
  if (std::find(errors[chip].begin(), errors[chip].end(), offset) == errors[chip].end()) errors[chip].push_back(offset);
}

void forget_memory_errors(uint32_t chip) {
  std::lock_guard<std::mutex> guard(errors_mutex);
  errors[chip].clear();
}

}  // namespace jumar

using namespace jumar;

// As the adapter reads it: an address, a length, and room for more.
struct MemoryError {
  void* address;
  size_t bytes;
  size_t reserved[14];
};

JUMAR_API aclError aclrtGetMemUceInfo(int32_t id, MemoryError* found, size_t room, size_t* count) {
  uint32_t chip = 0;
  if (count != nullptr) *count = 0;
  if (const aclError error = usable()) return error;
  if (!chip_of(id, &chip)) return no_such_chip(id);
  const Window* opened = window(chip);
  if (opened == nullptr || found == nullptr || count == nullptr) return fail(code::kInvalidParam, "no room for errors");
  std::lock_guard<std::mutex> guard(errors_mutex);
  for (const uint64_t offset : errors[chip]) {
    if (*count == room) break;
    found[(*count)++] = MemoryError{opened->base + offset, kMemoryLine, {}};
  }
  return code::kSuccess;
}

// The memory can be read again; what it held is gone.
JUMAR_API aclError aclrtMemUceRepair(int32_t id, MemoryError* given, size_t count) {
  uint32_t chip = 0;
  if (const aclError error = usable()) return error;
  if (!chip_of(id, &chip)) return no_such_chip(id);
  if (const aclError error = refuse_lost(chip, code::kLostHeartbeat)) return error;
  Place place{};
  bool none_left = false;
  {
    std::lock_guard<std::mutex> guard(errors_mutex);
    for (size_t i = 0; i < count; ++i) {
      if (!locate_own(given[i].address, &place) || place.chip != chip) {
        return fail(code::kInvalidParam, "aclrtMemUceRepair of an address that is not of this chip");
      }
      auto& all = errors[chip];
      all.erase(std::remove(all.begin(), all.end(), place.offset), all.end());
    }
    none_left = errors[chip].empty();
  }
  if (none_left) repaired(chip, true);
  return code::kSuccess;
}

// Drops the chip's work of this process. Whoever waits for it is told that it was stopped.
JUMAR_API aclError aclrtDeviceTaskAbort(int32_t id, uint32_t) {
  uint32_t chip = 0;
  if (const aclError error = usable()) return error;
  if (!chip_of(id, &chip)) return no_such_chip(id);
  if (const aclError error = refuse_lost(chip, code::kLostHeartbeat)) return error;
  Engine::get().abort(chip);
  repaired(chip, false);
  return code::kSuccess;
}

JUMAR_API aclError aclrtResetDeviceForce(int32_t id) {
  uint32_t chip = 0;
  if (const aclError error = usable()) return error;
  if (!chip_of(id, &chip)) return no_such_chip(id);
  if (const aclError error = refuse_lost(chip, code::kLostHeartbeat)) return error;
  Engine::get().abort(chip);
  repaired(chip, true);
  return code::kSuccess;
}
