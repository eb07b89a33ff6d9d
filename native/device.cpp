// Chips, contexts, and what the library says about itself.
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "core.h"
#include "fault.h"

namespace jumar {

namespace {

std::atomic<bool> is_forked{false};
std::atomic<bool> starting{false};     // this process has begun to use chips
std::atomic<bool> initialised{false};  // and can
thread_local int chip_of_thread = -1;
Context contexts[kMaxChips];
std::atomic<bool> active[kMaxChips];

std::vector<uint32_t> read_visible_chips() {
  Server* server = Server::get();
  std::vector<uint32_t> result;
  if (server == nullptr) return result;
  const uint32_t chips = server->settings().chips;
  const char* text = std::getenv("ASCEND_RT_VISIBLE_DEVICES");
  if (text == nullptr) {
    for (uint32_t chip = 0; chip < chips; ++chip) result.push_back(chip);
    return result;
  }
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    char* end = nullptr;
    const unsigned long chip = std::strtoul(word.c_str(), &end, 10);
    if (end == word.c_str() || chip >= chips) break;  // as the vendor: numbers after a bad one are not seen
    result.push_back(static_cast<uint32_t>(chip));
  }
  return result;
}

const std::vector<uint32_t>& visible_chips() {
  static const auto* chips = new std::vector<uint32_t>(read_visible_chips());  // asked for even while the process ends
  return *chips;
}

bool valid(int id) { return id >= 0 && static_cast<uint32_t>(id) < chip_count(); }

struct ForkWatch {
  ForkWatch() {
    pthread_atfork(nullptr, nullptr, [] {
      if (starting) is_forked = true;
    });
  }
} fork_watch;

struct AtExit {
  ~AtExit() { Engine::get().stop(); }
} at_exit;

}  // namespace

uint32_t chip_count() { return static_cast<uint32_t>(visible_chips().size()); }
uint32_t physical_chip(int id) { return visible_chips()[static_cast<size_t>(id)]; }
int current_chip() { return chip_of_thread < 0 ? 0 : chip_of_thread; }
bool forked() { return is_forked; }

int visible_chip(uint32_t physical) {
  const auto& chips = visible_chips();
  const auto found = std::find(chips.begin(), chips.end(), physical);
  return found != chips.end() ? static_cast<int>(found - chips.begin()) : -1;
}

aclError usable() {
  if (forked())
    return fail(code::kContextNull, "a process made by fork cannot use the chips its parent uses; use spawn");
  if (chip_count() == 0) return fail(code::kNoDevice, "no virtual chips");
  if (!initialised) return fail(code::kContextNull, "this process has set no chip yet");
  return code::kSuccess;
}

aclError begin(int id) {
  if (forked()) return usable();
  if (!valid(id)) {
    return fail(code::kInvalidDevice,
                "chip " + std::to_string(id) + " does not exist: this process sees " + std::to_string(chip_count()));
  }
  if (const aclError error = refuse_lost(physical_chip(id), code::kDeviceSetup)) return error;
  starting = true;
  const aclError error = Engine::get().start();
  if (error != code::kSuccess) return error;
  if (window(physical_chip(id)) == nullptr) return code::kMemoryAllocation;
  initialised = true;
  return code::kSuccess;
}

}  // namespace jumar

using namespace jumar;

JUMAR_API aclError aclInit(const char*) { return code::kSuccess; }

JUMAR_API aclError aclFinalize() {
  if (initialised && !forked()) Engine::get().synchronize_all(-1, 10000);
  return code::kSuccess;
}

JUMAR_API aclError aclrtGetDeviceCount(uint32_t* count) {
  *count = chip_count();
  return code::kSuccess;
}

JUMAR_API aclError aclrtSetDevice(int32_t id) {
  if (const aclError error = begin(id)) return error;
  active[id] = true;
  chip_of_thread = id;
  return code::kSuccess;
}

JUMAR_API aclError aclrtResetDevice(int32_t) { return code::kSuccess; }

// Asked of threads that may well have no chip: an answer, not a failure worth a message.
JUMAR_API aclError aclrtGetDevice(int32_t* id) {
  if (chip_of_thread < 0) return code::kContextNull;
  *id = chip_of_thread;
  return code::kSuccess;
}

JUMAR_API aclError aclrtGetCurrentContext(aclrtContext* context) {
  if (chip_of_thread < 0) return code::kContextNull;
  *context = &contexts[chip_of_thread];
  return code::kSuccess;
}

JUMAR_API aclError aclrtSetCurrentContext(aclrtContext context) {
  if (context == nullptr) return fail(code::kContextNull, "no context given");
  chip_of_thread = static_cast<int>(static_cast<Context*>(context) - contexts);
  return code::kSuccess;
}

JUMAR_API aclError aclrtGetPrimaryCtxState(int32_t id, uint32_t* flags, int32_t* active_now) {
  if (!valid(id)) return fail(code::kInvalidDevice, "no such chip");
  if (flags != nullptr) *flags = 0;
  *active_now = active[id] ? 1 : 0;
  return code::kSuccess;
}

JUMAR_API const char* aclrtGetSocName() {
  Server* server = Server::get();
  return server != nullptr ? server->settings().soc_name : nullptr;
}

// Numbers of the vendor's device-information enumeration, as the adapter passes them.
JUMAR_API aclError aclGetDeviceCapability(uint32_t, int32_t what, int64_t* value) {
  Server* server = Server::get();
  if (server == nullptr) return fail(code::kNoDevice, "no virtual chips");
  const Settings& settings = server->settings();
  switch (what) {
    case 0: *value = settings.cube_cores; return code::kSuccess;
    case 1: *value = settings.vector_cores; return code::kSuccess;
    case 2: *value = static_cast<int64_t>(settings.l2_bytes); return code::kSuccess;
    default: return fail(code::kInvalidParam, "device capability " + std::to_string(what) + " is not known");
  }
}

JUMAR_API aclError aclrtGetDeviceInfo(uint32_t, int32_t what, int64_t* value) {
  Server* server = Server::get();
  if (server == nullptr) return fail(code::kNoDevice, "no virtual chips");
  const Settings& settings = server->settings();
  switch (what) {
    case 101:
    case 102: *value = settings.cube_cores; return code::kSuccess;
    case 201: *value = settings.vector_cores; return code::kSuccess;
    case 301: *value = static_cast<int64_t>(settings.memory_bytes); return code::kSuccess;
    case 302: *value = static_cast<int64_t>(settings.l2_bytes); return code::kSuccess;
    default: return fail(code::kInvalidParam, "device attribute " + std::to_string(what) + " is not known");
  }
}

// Abilities the adapter asks about: 0 infinities and NaN instead of saturation, 1 bfloat16, 2 just-in-time compilation.
// Arithmetic here keeps infinities on every chip, so that is what is claimed, also for chips that would saturate.
JUMAR_API aclError aclGetCannAttribute(int32_t attribute, int32_t* value) {
  *value = attribute == 0 || attribute == 1 ? 1 : 0;
  return code::kSuccess;
}

JUMAR_API aclError aclGetCannAttributeList(const int32_t** attributes, size_t* count) {
  *attributes = nullptr;
  *count = 0;
  return code::kSuccess;
}

JUMAR_API aclError aclsysGetCANNVersion(int32_t package, void* version) {
  constexpr int32_t kDriver = 7;
  std::snprintf(static_cast<char*>(version), 64, "%s", package == kDriver ? "25.5.0" : "8.5.0");
  return code::kSuccess;
}

JUMAR_API aclError aclsysGetVersionStr(const char* package, char* version) {
  std::snprintf(version, 64, "%s", std::strcmp(package, "driver") == 0 ? "25.5.0" : "8.5.0");
  return code::kSuccess;
}

JUMAR_API aclError aclrtDeviceCanAccessPeer(int32_t* can, int32_t a, int32_t b) {
  *can = a != b ? 1 : 0;
  return code::kSuccess;
}

JUMAR_API aclError aclrtDeviceEnablePeerAccess(int32_t, uint32_t) { return code::kSuccess; }

JUMAR_API aclError aclrtDeviceGetBareTgid(int32_t* pid) {
  *pid = getpid();
  return code::kSuccess;
}

JUMAR_API aclError aclrtGetLogicDevIdByUserDevId(int32_t user, int32_t* logical) {
  *logical = user;
  return code::kSuccess;
}

JUMAR_API aclError aclrtDeviceGetUuid(int32_t id, void* uuid) {
  if (!valid(id)) return fail(code::kInvalidDevice, "no such chip");
  std::memset(uuid, 0, 16);
  std::snprintf(static_cast<char*>(uuid), 16, "jumar-chip-%02u", physical_chip(id));
  return code::kSuccess;
}
