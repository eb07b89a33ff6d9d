// Collective communication: configuration only. The collectives themselves are a later chapter and say so when called.
#include <map>

#include "core.h"

namespace jumar {

namespace {
std::mutex config_mutex;
std::map<int32_t, int64_t> config;  // guarded by config_mutex
}  // namespace

}  // namespace jumar

using namespace jumar;

// Kept for the collectives to read; determinism, the one setting the adapter makes today, holds on a virtual chip
// anyway.
JUMAR_API aclError HcclSetConfig(int32_t key, int64_t value) {
  std::lock_guard<std::mutex> guard(config_mutex);
  config[key] = value;
  return code::kSuccess;
}

// The adapter calls these at exit whether or not the shared-memory library was ever initialised.
JUMAR_API int aclshmem_finalize() { return 0; }
JUMAR_API int shmem_finalize() { return 0; }
