// Heat of the chips in virtual time: energy of what ran, temperatures by the matrices that physics hands over, and the
// governor's rows. The law itself is the executor's (HeatLaw); here it is only followed.
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

#include "ring.h"

namespace jumar {

// What something on a chip gives off beyond what the chip draws anyway.
struct Joules {
  double die = 0, stack = 0;
};

// Guard: the trace's mutex, as of the clock that owns it.
class Heat {
 public:
  struct Cause {
    const char *code, *kind, *level;
  };

  bool followed();  // whether there is a law; asked once the executor is ready
  const HeatLaw& law() const { return *law_; }

  // The governor's row for work of that chip that begins then; no work of this process begins before `host_ns`.
  const GovernorRow& row(uint32_t chip, uint64_t start_ns, uint64_t host_ns);
  void ran(uint32_t chip, uint64_t start_ns, uint64_t end_ns, Joules joules);
  void reach(uint64_t host_ns);
  void warm(uint32_t chip, double degrees);  // through faults: what cools that chip is so much warmer
  void restart(uint32_t chip);
  void publish(uint64_t host_ns) const;  // into the server's state
  bool shut_down(uint32_t chip) const { return chip < chips_.size() && chips_[chip].off; }
  const Cause& cause(uint32_t chip) const { return chips_[chip].cause; }

 private:
  struct Chip {
    bool ours = false, off = false;  // used by this process; shut down of heat
    uint32_t row = 0;
    uint64_t step = 0;                               // the first that is not done
    std::deque<Joules> ahead;                        // given off in that one and in those behind it
    double joules = 0, decided_j = 0, warmer_c = 0;  // decided: what had been given off at the last decision
    double celsius[kNodes] = {}, next[kNodes] = {};
    Cause cause{};               // of being shut down
    Joules worked, power;        // watts in the latest step: of what ran, and all
    std::vector<uint32_t> near;  // chips on which its temperatures depend, itself among them
  };

  void open();
  void own(uint32_t number, uint64_t host_ns);
  void gather(uint32_t number);
  void step();
  Joules work(Chip& chip, double idle_w);
  void spend(uint32_t number);
  void warm_up(uint32_t number);
  void govern(uint32_t number);
  std::vector<bool> told_here() const;
  void publish_one(uint32_t number) const;
  void tell(uint32_t number, const char* event, const Cause& cause) const;

  const HeatLaw* law_ = nullptr;
  const double *kept_ = nullptr, *fed_ = nullptr;
  bool asked_ = false;
  uint64_t step_ns_ = 0, due_ns_ = 0;
  uint32_t leader_ = kMaxChips;     // the first of ours; those that are not ours keep step with it
  std::vector<uint32_t> together_;  // chips that do the next step at once
  std::vector<Chip> chips_;
};

}  // namespace jumar
