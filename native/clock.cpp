// Time as the program's events see it. Today: the host's clock at the moment the executor finished the work.
#include <ctime>

#include "core.h"

namespace jumar {

uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t event_time_ns(const Event& event, const Ring& ring) {
  if (event.host_ns != 0) return event.host_ns;
  const bool kept = ring.completed.load() - event.sequence < kTimes;
  return kept ? ring.times[event.sequence % kTimes] : now_ns();
}

}  // namespace jumar
