// Settings the adapter makes and reads back, and calls whose effect a virtual chip has no need of. Each of the latter
// stands here with the reason why doing nothing is right.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "core.h"

namespace jumar {

namespace {

std::mutex options_mutex;
auto& compile_options = *new std::map<int32_t, std::string>;  // guarded by options_mutex, never destroyed
auto& system_options = *new std::map<int32_t, int64_t>;       // likewise

std::string compile_option(int32_t option) {
  std::lock_guard<std::mutex> guard(options_mutex);
  const auto found = compile_options.find(option);
  // Unset, just-in-time compilation is off: otherwise the adapter takes the legacy path for every operator.
  return found != compile_options.end() ? found->second : "disable";
}

aclError set_system_option(int32_t option, int64_t value) {
  std::lock_guard<std::mutex> guard(options_mutex);
  system_options[option] = value;
  return code::kSuccess;
}

}  // namespace

}  // namespace jumar

using namespace jumar;

JUMAR_API aclError aclSetCompileopt(int32_t option, const char* value) {
  std::lock_guard<std::mutex> guard(options_mutex);
  compile_options[option] = value;
  return code::kSuccess;
}
JUMAR_API size_t aclGetCompileoptSize(int32_t option) { return compile_option(option).size() + 1; }
JUMAR_API aclError aclGetCompileopt(int32_t option, char* value, size_t length) {
  std::snprintf(value, length, "%s", compile_option(option).c_str());
  return code::kSuccess;
}

JUMAR_API aclError aclrtSetSysParamOpt(int32_t option, int64_t value) { return set_system_option(option, value); }
JUMAR_API aclError aclrtCtxSetSysParamOpt(int32_t option, int64_t value) { return set_system_option(option, value); }
JUMAR_API aclError aclrtGetSysParamOpt(int32_t option, int64_t* value) {
  std::lock_guard<std::mutex> guard(options_mutex);
  const auto found = system_options.find(option);
  *value = found != system_options.end() ? found->second : 0;
  return code::kSuccess;
}

// Arithmetic is CPU PyTorch's, which is deterministic per thread count and keeps infinities and NaN: there is no
// saturation.
JUMAR_API aclError aclrtSetDeviceSatMode(int32_t) { return code::kSuccess; }
JUMAR_API aclError aclrtSetStreamOverflowSwitch(aclrtStream, uint32_t) { return code::kSuccess; }
JUMAR_API aclError aclrtGetStreamOverflowSwitch(aclrtStream, uint32_t* on) {
  *on = 0;
  return code::kSuccess;
}

// Operators on a virtual chip may take as long as the host needs: there is nothing to time out.
JUMAR_API aclError aclrtSetOpExecuteTimeOut(uint32_t) { return code::kSuccess; }
JUMAR_API aclError aclrtSetOpExecuteTimeOutV2(uint64_t timeout, uint64_t* actual) {
  *actual = timeout;
  return code::kSuccess;
}
JUMAR_API aclError aclrtSetOpWaitTimeout(uint32_t) { return code::kSuccess; }
JUMAR_API aclError aclrtSetStreamFailureMode(aclrtStream, uint64_t) { return code::kSuccess; }
JUMAR_API aclError aclrtSetStreamAttribute(aclrtStream, int32_t, void*) { return code::kSuccess; }

// Prefetching into a cache changes no result.
JUMAR_API aclError aclrtCmoAsync(void*, size_t, int32_t, aclrtStream) { return code::kSuccess; }

// Core limits: kept by the adapter per stream; they change the speed of operators only.
JUMAR_API aclError aclrtUseStreamResInCurrentThread(aclrtStream) { return code::kSuccess; }
JUMAR_API aclError aclrtUnuseStreamResInCurrentThread(aclrtStream) { return code::kSuccess; }
JUMAR_API aclError aclrtGetResInCurrentThread(int32_t type, uint32_t* value) {
  const Server* server = Server::get();
  if (server == nullptr) return fail(code::kNoDevice, "no virtual chips");
  *value = type == 0 ? server->settings().cube_cores : server->settings().vector_cores;
  return code::kSuccess;
}
JUMAR_API aclError aclrtGetDeviceResLimit(int32_t, int32_t type, uint32_t* value) {
  return aclrtGetResInCurrentThread(type, value);
}
JUMAR_API aclError aclrtGetStreamResLimit(aclrtStream, int32_t type, uint32_t* value) {
  return aclrtGetResInCurrentThread(type, value);
}

// There are no precompiled kernels to choose between.
JUMAR_API aclError aclnnReselectStaticKernel() { return code::kSuccess; }
JUMAR_API aclError aclnnReselectStaticKernelWithPath(const char*) { return code::kSuccess; }

// No profiler is attached: nobody listens to these reports.
JUMAR_API uint64_t MsprofSysCycleTime() { return now_ns(); }
JUMAR_API uint64_t MsprofGetHashId(const char* text, size_t length) {
  return std::hash<std::string>{}(std::string(text, length));
}
JUMAR_API int32_t MsprofRegisterCallback(uint32_t, void*) { return 0; }
JUMAR_API int32_t MsprofReportApi(uint32_t, const void*) { return 0; }
JUMAR_API int32_t MsprofReportCompactInfo(uint32_t, const void*, uint32_t) { return 0; }
JUMAR_API int32_t MsprofReportAdditionalInfo(uint32_t, const void*, uint32_t) { return 0; }
