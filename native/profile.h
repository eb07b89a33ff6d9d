// What profilers see: each thing that ran on a stream while one was looking, on the virtual clock.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "trace.h"

namespace jumar {

// src/jumar/runs/profiled.py and src/jumar/cuda/device_times.py read it.
struct ProfileSpan {
  uint64_t event;     // its number in the trace
  uint64_t start_ns;  // on the virtual clock, as the next two
  uint64_t end_ns;
  uint64_t issued_ns;  // when the host had issued it
  uint64_t host_ns;    // monotonic clock: when the program made the call
  uint64_t
      submitted_ns;  // raw monotonic clock: when the adapter, perhaps on a thread of its own, gave it to the stream
  uint64_t bytes;
  uint32_t kind, stream, line, module;
  uint8_t type, chip, phase, exchange;  // as in TraceEvent
  uint32_t spare;
};
static_assert(sizeof(ProfileSpan) == 80);

// Guard: the trace's mutex, except for `watched`.
class Profile {
 public:
  static Profile& get();
  bool watched() const { return watchers_ != 0; }
  void submitted(uint64_t event);  // that number was just added to the trace
  void ran(uint64_t number, const TraceEvent& event, uint64_t issued_ns, uint64_t start_ns, uint64_t end_ns);

  uint64_t begin(uint64_t next);                 // somebody looks from event `next` on; the place of the first span
  std::vector<ProfileSpan> end(uint64_t place);  // and no longer

 private:
  uint32_t watchers_ = 0;
  uint64_t first_ = 0;  // event that submitted_ begins with
  std::vector<uint64_t> submitted_;
  std::vector<ProfileSpan> spans_;
};

}  // namespace jumar
