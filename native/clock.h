// The virtual clock: the events of the trace in order, played on the chips' timelines.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "heat.h"
#include "trace.h"

namespace jumar {

// Guard: the trace's mutex.
class Clock {
 public:
  static Clock& get();
  // Plays what has been added since. Stops at an operator that has no price yet unless `all`.
  void follow(const Trace& trace, bool all);
  uint64_t position() const { return next_; }  // of the first event not played
  void look(uint64_t event, uint32_t chip);    // what faults have made of the chip holds from that event on
  void tell();                                 // chips' condition to who asks from outside

  uint64_t host_ns() const { return host_ns_; }
  // Chips that heat has shut down since the last look, as faults that can be injected.
  std::vector<std::string> newly_shut_down();
  uint64_t event_ns(uint64_t event) const { return event < events_.size() ? events_[event] : 0; }

 private:
  bool play(const TraceEvent& event, bool all);
  struct Burden {
    uint64_t ns;   // at the full clock
    double bound;  // share of that which grows as the clock falls
    Joules joules;
  };
  Burden burden(const TraceEvent& event, uint64_t priced) const;
  void run(const TraceEvent& event, Burden burden, bool cores = false);
  uint64_t slowed_ns(const TraceEvent& event, uint64_t start_ns, Burden* burden);
  void advance_host(const TraceEvent& event);
  void host_waited_until(uint64_t reached_ns);
  uint64_t& ready(uint32_t stream);
  void change();
  void publish();

  uint64_t next_ = 0, host_ns_ = 0, last_call_ns_ = 0;
  std::vector<uint64_t> ready_;         // by stream: when it has done what it was given
  std::vector<uint32_t> chip_;          // by stream
  std::vector<uint64_t> events_;        // by event: its newest record
  std::vector<uint64_t> busy_, shown_;  // by chip: time in which it ran something, and as last published
  std::vector<uint64_t> cores_;  // by chip: when its cores can have done what they were given; streams share them
  uint64_t published_ns_ = 0;

  struct Change {
    uint64_t event = 0;
    uint32_t chip = 0;
    uint32_t slow = 1000;  // thousandths
    int32_t heat = 0;
    uint64_t resets = 0;
  };
  std::deque<Change> changes_;  // at events that are not played yet
  Change seen_[kMaxChips] = {}, now_[kMaxChips] = {};
  Heat heat_;
  uint64_t shut_down_ = 0;  // bits of chips, as last told
};

// Plays everything there is, waiting for prices. Without a trace it does nothing. No lock is held by the caller.
void catch_up();
// Follows heat up to now: a chip that was shut down of it on the way is lost to all. No lock is held by the caller.
void strike_by_heat();

}  // namespace jumar
