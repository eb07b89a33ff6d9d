// Errors: the vendor's codes, and the text behind them for people.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "core.h"

namespace jumar {

namespace {
// Plain bytes, not strings: the adapter reports errors even while the process ends and destructors have run.
thread_local char recent[4096];
thread_local char handed_out[8192];
std::mutex device_mutex;
char device_text[4096];                                    // guarded by device_mutex
thread_local aclError last_device_error = code::kSuccess;  // failures of work on the chip, not of calls
}  // namespace

aclError fail(aclError error, const std::string& text) {
  std::snprintf(recent, sizeof recent, "jumar: %s", text.c_str());
  return error;
}

aclError refuse(aclError error, const std::string& text) {
  if (!on_queue_thread()) return fail(error, text);
  Engine::get().fail_later(text);
  return code::kSuccess;
}

void set_device_error(const std::string& text) {
  std::lock_guard<std::mutex> guard(device_mutex);
  std::snprintf(device_text, sizeof device_text, "%s", text.c_str());
}

aclError device_failed(aclError error) { return last_device_error = error; }

aclError unsupported(const char* name) {
  if (Server* server = Server::get()) server->count(server->state().unsupported, name);
  // For an operator the adapter takes "feature not supported" lightly and goes on to launch it.
  const bool is_operator = std::strncmp(name, "aclnn", 5) == 0;
  return fail(is_operator ? code::kApiNotSupported : code::kFeatureNotSupported,
              std::string(name) + " has no implementation on the virtual chip yet; it would go into native/");
}

}  // namespace jumar

using namespace jumar;

JUMAR_API const char* aclGetRecentErrMsg() {
  handed_out[0] = 0;
  if (!forked()) {  // else another thread may have held the lock
    std::lock_guard<std::mutex> guard(device_mutex);
    std::memcpy(handed_out, device_text, sizeof device_text);
    device_text[0] = 0;
  }
  if (recent[0] != 0) {
    const std::string device = handed_out;
    std::snprintf(handed_out, sizeof handed_out, "%s%s%s", recent, device.empty() ? "" : "\n", device.c_str());
  }
  recent[0] = 0;
  last_device_error = code::kSuccess;  // told
  return handed_out[0] != 0 ? handed_out : nullptr;
}

JUMAR_API aclError aclrtPeekAtLastError(int32_t) { return last_device_error; }

JUMAR_API aclError aclrtGetLastError(int32_t) {
  const aclError error = last_device_error;
  last_device_error = code::kSuccess;
  return error;
}

// The adapter's log lines. Severity: 0 debug, 1 info, 2 warning, 3 error; shown from ASCEND_GLOBAL_LOG_LEVEL (3)
// upwards only where the user asks for them on the terminal, as with the vendor's library.
JUMAR_API void aclAppLog(int32_t severity, const char* function, const char* file, uint32_t line, const char* format,
                         ...) {
  static const char* level = std::getenv("ASCEND_GLOBAL_LOG_LEVEL");
  static const char* on_screen = std::getenv("ASCEND_SLOG_PRINT_TO_STDOUT");
  if (on_screen == nullptr || *on_screen != '1' || severity < (level != nullptr ? std::atoi(level) : 3)) return;
  va_list arguments;
  va_start(arguments, format);
  char text[2048];
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  std::fprintf(stderr, "[%d] %s %s:%u %s\n", severity, function, file, line, text);
}
