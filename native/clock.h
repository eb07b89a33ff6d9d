// The virtual clock: the events of the trace in order, played on the chips' timelines.
#pragma once
#include <cstdint>
#include <vector>

#include "trace.h"

namespace jumar {

// Guard: the trace's mutex.
class Clock {
 public:
  static Clock& get();
  // Plays what has been added since. Stops at an operator that has no price yet unless `all`.
  void follow(const Trace& trace, bool all);
  uint64_t position() const { return next_; }  // of the first event not played

  uint64_t host_ns() const { return host_ns_; }
  uint64_t event_ns(uint64_t event) const { return event < events_.size() ? events_[event] : 0; }

 private:
  bool play(const TraceEvent& event, bool all);
  void run(const TraceEvent& event, uint64_t duration_ns, bool cores = false);
  void advance_host(const TraceEvent& event);
  void host_waited_until(uint64_t reached_ns);
  uint64_t& ready(uint32_t stream);
  void publish();

  uint64_t next_ = 0, host_ns_ = 0, last_call_ns_ = 0;
  std::vector<uint64_t> ready_;         // by stream: when it has done what it was given
  std::vector<uint32_t> chip_;          // by stream
  std::vector<uint64_t> events_;        // by event: its newest record
  std::vector<uint64_t> busy_, shown_;  // by chip: time in which it ran something, and as last published
  std::vector<uint64_t> cores_;  // by chip: when its cores can have done what they were given; streams share them
  uint64_t published_ns_ = 0;
};

// Plays everything there is, waiting for prices. Without a trace it does nothing. No lock is held by the caller.
void catch_up();

}  // namespace jumar
