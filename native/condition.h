// The condition of a chip as every process of the server sees it, and the faults that wait for it or trouble it.
#pragma once
#include <atomic>
#include <cstdint>

namespace jumar {

constexpr uint32_t kMaxFaults = 256;
constexpr int32_t kUnmeasured = INT32_MIN;  // no trace is kept or no heat is followed
constexpr uint64_t kNever = ~uint64_t{0};

enum class Health : uint32_t { kOk, kWarning, kAlarm, kCritical };

// Milli-units: 45000 is 45 °C or 45 W, 1000 is the full clock. Written by whoever finds out, without a lock.
struct Condition {
  std::atomic<int32_t> temperature, hbm_temperature, inlet, power;
  std::atomic<uint32_t> clock_share;    // of the full clock
  std::atomic<uint32_t> slow;           // how much longer work takes through faults
  std::atomic<int32_t> heat;            // what faults add to the inlet
  std::atomic<uint32_t> health;         // through faults
  std::atomic<uint32_t> heat_health;    // through temperature; the worse of the two is told
  std::atomic<int32_t> lost;            // the error that every use of the chip ends with; 0: it is there
  std::atomic<uint32_t> link_down;      // how many faults hold its link down
  std::atomic<uint32_t> stuck;          // how many faults hold its collectives up
  std::atomic<uint32_t> host_refusals;  // page-locked allocations that are still to fail
  std::atomic<uint64_t> operators;      // given to the chip by all processes
  std::atomic<uint64_t> virtual_ns;     // of the process that told its clock last
  std::atomic<uint64_t> energy_uj;
  std::atomic<uint64_t> single_bit, double_bit, isolated_single, isolated_double;  // ECC errors, isolated pages
  std::atomic<uint64_t> resets;         // whoever has seen fewer forgets its failures
  std::atomic<uint64_t> next_operator;  // number of operators at which a fault has something to do; kNever
  std::atomic<uint64_t> next_virtual_ns;
};

enum class Effect : uint32_t {
  kNone,
  kLost,
  kFail,
  kUce,
  kSlow,
  kCorrupt,
  kLinkDown,
  kStuck,
  kHostMemory,
  kEcc,
  kHeat,
};

// One row of the server's table of faults. Guarded by the server's mutex. Free: not active and nothing left.
struct Fault {
  uint32_t chip;
  Effect effect;
  uint32_t left;    // how often it will still strike
  uint32_t active;  // it struck, and what it did is still there
  int32_t error;
  Health health;
  double amount;
  uint64_t seed;
  uint64_t at_operator;  // strikes the operator with this number, counted from 0; kNever: not by operators
  uint64_t at_virtual_ns;
  uint64_t every_operators;  // between strikes, or from an end to the next strike
  uint64_t every_ns;
  uint64_t lasting_operators;  // 0: until it is repaired
  uint64_t lasting_ns;
  uint64_t until_operator;
  uint64_t until_virtual_ns;
  uint64_t ecc[4];  // added to the chip's counters when it strikes
  uint64_t struck_virtual_ns;
  uint64_t struck;    // how often
  int32_t pid, slot;  // the process whose work it struck; 0: the chip itself
  char kind[48];
  char code[16];
  char level[40];
  char text[640];
};

}  // namespace jumar
