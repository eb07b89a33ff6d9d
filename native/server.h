// The server: a small file shared by every process that uses it. It says what the chips are and who holds how much.
#pragma once
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "condition.h"
#include "ring.h"

namespace jumar {

constexpr uint32_t kMaxProcesses = 256;
constexpr uint32_t kMaxNames = 512;
constexpr uint32_t kNameBytes = 96;

struct Settings {
  char soc_name[64];
  char python[1024];
  uint64_t memory_bytes;
  uint64_t l2_bytes;
  uint32_t cube_cores;
  uint32_t vector_cores;
  uint32_t chips;
  uint32_t dry;
  uint64_t dry_limit_elements;
  uint64_t seed;
  char chip[1024];         // name or file of the chip's profile, for pricing
  char trace[1024];        // directory that each process leaves its trace in; empty: none is kept
  uint64_t trace_events;   // how many a process may keep
  uint64_t host_call_ns;   // host's time for a call; 0: as the chip's parameters say
  uint32_t host_measured;  // 1: as long as it took on this host, times the factor
  double host_factor;
  char cooling[16];   // how the chips are cooled; empty: as usual
  double inlet_c;     // temperature of what cools them; NaN: as usual with that cooling
  uint32_t imagined;  // 1: of a communicator only the ranks of one process are here, the others are imagined
};

struct NamedCount {
  char name[kNameBytes];
  std::atomic<uint64_t> count;
};

// The file `state`. `mutex` (robust, shared) guards `processes`, `peak`, `faults` and the claiming of names; counters
// and conditions are atomic.
struct ServerState {
  uint64_t magic;  // server_magic()
  Settings settings;
  pthread_mutex_t mutex;
  struct Process {
    int32_t pid;  // 0 = free slot. Alive while its byte of the file is locked.
    uint64_t used[kMaxChips];
  } processes[kMaxProcesses];
  uint64_t peak[kMaxChips];
  std::atomic<uint32_t> utilisation[kMaxChips];  // thousandths of the time, in virtual time just past
  std::atomic<uint64_t> run[kMaxOperators];
  std::atomic<uint64_t> skipped[kMaxOperators];
  NamedCount legacy[kMaxNames];  // and collectives
  NamedCount unsupported[kMaxNames];
  NamedCount fallbacks[kMaxNames];  // PyTorch operators that ran on the CPU for want of one on the chip
  std::atomic<uint64_t> copies;
  std::atomic<uint64_t> copied_bytes;
  Condition condition[kMaxChips];
  Fault faults[kMaxFaults];
};

// Holds the state's mutex. A process that died inside leaves consistent data: every change is one store.
struct ServerLock {
  explicit ServerLock(ServerState* state);
  ~ServerLock();
  ServerLock(const ServerLock&) = delete;
  ServerLock& operator=(const ServerLock&) = delete;
  ServerState* state_;
};

ServerState* map_server(const char* directory, int* fd);  // null with the last error set
void unmap_server(ServerState* state);
bool process_lives(const ServerState& state, int fd, int slot, int pid);

// Every process must be of one build: the layout takes part.
constexpr uint64_t server_magic() { return 0x6a756d6100000000u + sizeof(ServerState); }

// This process's connection to the server named by JUMAR_SERVER; null without one.
class Server {
 public:
  static Server* get();

  const Settings& settings() const { return state_->settings; }
  ServerState& state() { return *state_; }
  uint64_t used(uint32_t chip);               // by all live processes
  bool claim(uint32_t chip, uint64_t bytes);  // false: the chip has not that much left
  void release(uint32_t chip, uint64_t bytes);
  void count(NamedCount* table, const char* name);
  int slot();                     // of this process in the table of processes; -1 if that is full
  void end_faults_of_the_dead();  // of what processes met that have ended
  bool lives(int slot, int pid);  // whether that process is still the one in that slot

 private:
  explicit Server(ServerState* state, int fd) : state_(state), fd_(fd) {}
  void enter();  // takes a slot
  void bury();   // frees the slots of dead processes; caller holds the mutex

  ServerState* state_;
  int fd_;
  int slot_ = -1;
};

void set_last_error(const std::string& text);

}  // namespace jumar
