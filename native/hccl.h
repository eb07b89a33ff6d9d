// Communicators: the board that ranks share, and what one rank knows of its communicator.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core.h"

using HcclResult = int;
using HcclComm = void*;

// Return codes of the vendor's collective library, as the adapter prints them.
namespace hccl {
constexpr HcclResult kSuccess = 0;
constexpr HcclResult kBadParameter = 1;
constexpr HcclResult kInternal = 4;
constexpr HcclResult kNotSupported = 5;
constexpr HcclResult kTimeout = 9;
constexpr HcclResult kRemote = 21;
}  // namespace hccl

namespace jumar {

constexpr uint32_t kMaxRanks = 64;
constexpr uint32_t kCommNameBytes = 128;

enum class CallKind : uint32_t {
  kAllReduce,
  kBroadcast,
  kAllGather,
  kReduceScatter,
  kReduce,
  kScatter,
  kAllToAll,
  kAllToAllV,
  kAllGatherV,
  kReduceScatterV,
  kCount,
};
constexpr uint32_t kNoRoot = ~0u, kNoReduction = ~0u;

// What a rank asks for. Everything but addresses must be the same on all ranks of a collective.
struct Request {
  uint32_t call;   // CallKind
  uint32_t dtype;  // the vendor's number in this library
  uint32_t op;
  uint32_t root;
  uint64_t count;  // elements
};

// One rank's part of the board. Written by that rank alone; others read `joined` resp. `progress` first.
struct RankState {
  std::atomic<uint32_t> joined;
  std::atomic<uint32_t> left;  // its communicator is gone or broken: nothing more comes from it
  int32_t pid;
  int32_t slot;       // in the server's table of processes
  int32_t window_fd;  // descriptor, in that process, of the memory of its chip
  uint32_t chip;
  uint32_t ranks;
  std::atomic<uint64_t> progress;  // meetings that it has come to
  Request request;
  uint64_t send;  // offsets into its chip's memory
  uint64_t receive;
  uint64_t send_counts[kMaxRanks];  // where calls have them
  uint64_t send_offsets[kMaxRanks];
};

// What one rank sends another, message by message. `sent` is the sender's, `taken` the receiver's.
struct Channel {
  std::atomic<uint64_t> sent;
  std::atomic<uint64_t> taken;
  uint64_t offset;
  uint64_t count;
  uint32_t dtype;
};

struct Board {
  RankState ranks[kMaxRanks];
  Channel channels[kMaxRanks][kMaxRanks];  // from, to
};

// One rank of a communicator. Queued calls keep it alive; when the last of them and the handle are gone, it has left.
// `issued`, `turn`, `met` and what the trace counts are guarded by the engine's lock.
class Communicator {
 public:
  // Joins the communicator of that id with the current chip. Null with `*result` set if that fails.
  static std::shared_ptr<Communicator> join(const std::string& id, uint32_t ranks, uint32_t rank,
                                            const std::string& name, HcclResult* result);
  HcclResult gather();  // waits until every rank has joined; before that nothing can be sent
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  RankState& mine() { return board_->ranks[rank]; }
  RankState& state(uint32_t of) { return board_->ranks[of]; }
  Channel& channel(uint32_t from, uint32_t to) { return board_->channels[from][to]; }
  uint64_t window(uint32_t of) const { return windows_[of]; }  // its chip's memory, as the executor numbers it
  std::string why_absent(uint32_t of);  // why nothing comes from that rank any more; empty if it may
  void break_off(const std::string& why, aclError error = code::kVectorCoreException);
  bool imagined() const { return imagined_; }  // the other ranks are not there: they have the same data as this one
  void mirror();                               // what this rank has posted stands for all ranks
  bool broken() const { return broken_ms_ != 0; }
  bool broken_for_long() const;  // so long that the program could have been told
  std::string describe() const;  // "rank 1 of 2 of communicator NAME"

  const std::string id, name;
  const uint32_t ranks, rank;
  const uint32_t chip;                   // physical
  const uint32_t number;                 // of its id among the trace's names
  std::atomic<int64_t> destroyed_ms{0};  // when the program gave it up; 0 = it has not
  uint64_t issued = 0;                   // calls ever queued
  uint64_t turn = 0;                     // how many of them are done
  uint64_t met = 0;                      // meetings this rank has come to
  // For the trace: collectives so far, the same number on all ranks, and messages by the other rank.
  uint32_t collectives = 0;
  uint32_t sent[kMaxRanks] = {}, received[kMaxRanks] = {};

 private:
  Communicator(std::string id, uint32_t ranks, uint32_t rank, std::string name, Board* board);
  HcclResult open_windows();

  Board* board_;
  std::vector<uint64_t> windows_;
  const bool imagined_;
  std::atomic<int64_t> broken_ms_{0};  // when it was broken off; 0 = it is in order
};

using CommunicatorRef = std::shared_ptr<Communicator>;

// A message of one rank to or from another.
struct Message {
  bool send;
  uint32_t peer;
  uint64_t offset;
  uint64_t count;
  uint32_t dtype;
  uint32_t kind = 0;  // in the trace
};

struct Collective {
  Request request;
  TraceEvent trace;                                                                  // without its number
  uint64_t send = 0, receive = 0;                                                    // offsets into the chip's memory
  std::vector<uint64_t> send_counts, send_offsets, receive_counts, receive_offsets;  // elements, where calls have them
};

// What the stream does for them, in steps.
Item collective_item(CommunicatorRef communicator, Collective collective);
Item messages_item(CommunicatorRef communicator, std::vector<Message> messages);

const char* call_name(uint32_t call);
TraceExchange call_exchange(uint32_t call);  // what it is in the trace
uint32_t hccl_item_bytes(uint32_t dtype);    // 0: unknown
bool hccl_known_reduction(uint32_t op);

// Seconds from HCCL_CONNECT_TIMEOUT and HCCL_EXEC_TIMEOUT, or the vendor's defaults, in milliseconds.
int64_t connect_limit_ms();
int64_t exec_limit_ms();

}  // namespace jumar
