// Faults of the server's chips (condition.cpp, injection.cpp), and what this process's work meets of them (fault.cpp).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core.h"

namespace jumar {

// --- condition.cpp: the server's table. Callers hold the server's lock where `locked` is not said otherwise.
constexpr const char* kHealthNames[] = {"OK", "Warning", "Alarm", "Critical"};

struct HealthEvent {
  uint32_t chip;
  const char* event;  // fault, recovered, throttle, full clock, shutdown, reset
  std::string code, kind, level, text;
};
// One JSON line in events.jsonl of the server's directory. Needs no lock.
void tell_event(const std::string& directory, const ServerState& state, const HealthEvent& event);

// What all see of it. `operators`: the number of the one that is struck, or of the next.
void strike(ServerState& state, const std::string& directory, Fault& fault, uint64_t operators, uint64_t virtual_ns);
void end_fault(ServerState& state, const std::string& directory, Fault& fault);
void plan_chip(ServerState& state, uint32_t chip);  // when its faults have something to do next
std::string default_text(const Fault& fault);
std::string condition_json(ServerState& state, uint32_t chip);  // takes the lock
const char* server_directory();                                 // of this process
void make_well(Condition& condition);                           // as it is before anything has happened
void end_faults_of_the_dead(ServerState& state, const std::string& directory, int fd);  // takes the lock

// --- fault.cpp: this process. Called under the engine's lock unless said otherwise.
struct Struck {
  std::vector<Item> before, after;  // what the fault does to memory around the operator
};
Struck count_operator(Stream* stream, const Item& item);  // one more; the faults due strike
void strike_by_time();                                    // those due in virtual time; no lock is held
bool broken(uint32_t chip);                               // nothing that is given to it is done
bool lost(uint32_t chip);
aclError broken_error(int32_t chip);  // with the text remembered for aclGetRecentErrMsg; < 0: any. Success if none is
bool holds_exchange(uint32_t chip, int64_t since_ms);  // a collective does not go on; may break the chip
aclError refuse_lost(uint32_t chip, aclError error);   // for calls that need the chip to be there; no lock is held
aclError refuse_host_memory();                         // success: there is some; no lock is held
void repaired(uint32_t chip, bool memory_too);         // failures of this process end, unless the chip is lost

// --- recovery.cpp: memory that can no longer be read, until it is repaired. No lock is held.
constexpr uint64_t kMemoryLine = 64;  // bytes that one error takes
void add_memory_error(uint32_t chip, uint64_t offset);
void forget_memory_errors(uint32_t chip);

}  // namespace jumar
