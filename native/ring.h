// The shared-memory ring through which a program process hands operators to its executor process.
// One producer (under the engine's lock) and one consumer; records are copied in, so nothing in them points home.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace jumar {

constexpr uint32_t kMaxChips = 64;
constexpr uint32_t kMaxWindows = 256;  // a program's own chips by their numbers, then those of other ranks
constexpr uint32_t kMaxOperators = 1024;
constexpr uint32_t kMaxDims = 25;
constexpr uint32_t kMaxLegacy = 512;
constexpr uint64_t kRingBytes = 8u << 20;
constexpr uint64_t kMostRecord = kRingBytes / 2;  // with filler before it, a record must still fit into an empty ring
constexpr uint32_t kTimes = 1u << 18;             // more records than the ring can hold
constexpr uint32_t kMaxKinds = 1u << 16;          // of calls; number 0 stands for all beyond
constexpr uint32_t kMaxRows = 32;                 // clocks of a governor
constexpr uint32_t kNodes = 4;                    // of a chip in the thermal network: die, stack, sink, coolant

// What a record asks of the executor. Values are part of the protocol with executor.cpp only.
enum class RecordKind : uint16_t {
  kPad = 0,       // filler up to the end of the ring
  kOperator = 1,  // arguments follow, see Tag
  kLegacy = 2,    // name, inputs, outputs, attributes follow, see Tag; op = 1: the sizes of the outputs are wanted
  kFill = 3,      // Span, then byte value
  kCopy = 4,      // Span destination, Span source
  kWrite = 5,     // Span destination, then the bytes
  kKind = 6,      // KindHead, a record, the formats of its tensors as int32: to be priced, not done
  kFlip = 7,      // Span, then the number of the bit in it that changes
};

struct RecordHeader {
  uint32_t bytes;  // of the whole record, a multiple of 8
  RecordKind kind;
  uint16_t op;
};

struct KindHead {
  uint32_t number;
  uint32_t formats;
  uint32_t record_bytes;
  uint32_t unused;
};

struct Span {
  uint64_t offset;  // bytes into the chip's memory
  uint64_t bytes;
  uint64_t chip;
};

// One argument: a 32-bit tag, a 32-bit count, then its payload in units of 8 bytes.
enum class Tag : uint32_t {
  kNone = 0,
  kTensor,      // count = rank; TensorHead, sizes, strides
  kTensorList,  // count = length; then that many arguments
  kInt,         // one int64
  kDouble,      // one double
  kBool,        // one int64, 0 or 1
  kComplex,     // two doubles
  kString,      // count = bytes; padded
  kDataType,    // one int64
  kIntList,     // count int64
  kBoolList,    // count bytes; padded
  kFloatList,   // count float; padded
  kScalarList,  // count = length; then that many arguments
  kHostTensor,  // count = rank; int64 dtype, sizes, int64 bytes, data padded
};

struct ArgumentHead {
  Tag tag;
  uint32_t count;
};
constexpr uint32_t kOfScalar = 2;  // the count of a number that was an aclScalar, else 1

struct TensorHead {
  uint32_t dtype;
  uint32_t chip;
  uint64_t offset;  // bytes of the first element into the chip's memory
};

struct Reply {  // sizes of the outputs of the last data-dependent operator
  static constexpr uint32_t kMax = 8;
  uint32_t count;
  struct Size {
    uint32_t argument;
    uint32_t rank;
    int64_t sizes[kMaxDims];
  } sizes[kMax];
};

struct Failure {  // first failure since the program last asked
  std::atomic<uint32_t> present;
  uint64_t sequence;
  char text[4096];
};

// What the chip and its host take for what is no operator. Set by the executor before `ready`.
struct Rates {
  double host_call_ns;
  double launch_ns;
  double synchronise_ns;
  double host_copy_ns;
  double host_ns_per_byte;
  double memory_ns_per_byte;
};

// A clock of the governor, and at which temperatures it is left for the next slower and the next faster one.
struct GovernorRow {
  double clock_share;
  double energy;  // of the same work in the die, relative to full clock
  double slower_c, faster_c, slower_stack_c, faster_stack_c;
};

// What makes the chips of a server hot and what their governors do then: numbers of src/jumar/machine/heating.py, all
// of them doubles so that they travel as one array. Set by the executor before `ready`.
struct HeatLaw {
  double chips;  // of the server; 0: heat is not followed
  double alike;  // the first so many do what those of this process do, wherever they run
  double step_ns;
  double inlet_c;
  double idle_die_w, idle_stack_w, leakage_per_k, leakage_at_c;
  double most_w;  // a chip draws no more: what is left over counts a step later
  double copy_die_j_ns, copy_stack_j_ns, link_die_j_ns,
      link_stack_j_ns;  // of copies on the chip, and from and to the host
  double slower_w, faster_w, shutdown_c, shutdown_stack_c, period_steps;
  double rows;
  GovernorRow row[kMaxRows];
  double rest_c[kMaxChips * kNodes];  // temperatures at which a program finds the chips
};

// A kind of call beside its duration at full clock. Set by the executor before that.
struct KindHeat {
  float die_j, stack_j;  // beyond what the chip draws anyway
  float bound;           // share of its time that grows as the clock falls
};

struct Ring {
  uint64_t magic;                  // ring_magic()
  int32_t program;                 // process that owns this ring
  int32_t window_fd[kMaxWindows];  // its descriptor of each chip's memory, -1 until opened
  uint64_t window_bytes[kMaxWindows];
  std::atomic<uint32_t> ready;      // set by the executor once its tables below are filled; futex
  uint8_t known[kMaxOperators];     // this operator has arithmetic
  uint8_t sized[kMaxOperators];     // output sizes depend on the data
  uint32_t refuses[kMaxOperators];  // bit n: data type number n is refused
  uint32_t varying[kMaxOperators];  // bit n: argument n, a seed or its like, is no part of a kind
  uint64_t legacy[kMaxLegacy];      // name_hash of legacy operators with arithmetic
  uint32_t legacy_count;
  Rates rates;
  HeatLaw heat;
  // By rows: temperatures a step later = kept · temperatures + fed · (watts of dies, watts of stacks, inlet).
  double kept[kMaxChips * kNodes * kMaxChips * kNodes];
  double fed[kMaxChips * kNodes * (2 * kMaxChips + 1)];

  alignas(64) std::atomic<uint64_t> head;  // bytes produced
  std::atomic<uint32_t> wake;              // futex the executor sleeps on
  std::atomic<uint32_t> asleep;
  std::atomic<uint32_t> stop;

  alignas(64) std::atomic<uint64_t> tail;  // bytes consumed
  std::atomic<uint64_t> completed;         // records done
  std::atomic<uint32_t> progress;          // futex the program sleeps on
  std::atomic<uint64_t> target;            // smallest record number somebody sleeps for; ~0 = nobody
  uint64_t times[kTimes];                  // ns of completion, by record number modulo kTimes

  std::atomic<uint64_t> durations[kMaxKinds];  // of a kind, in ns plus one; 0 = not priced yet
  KindHeat kind_heat[kMaxKinds];

  Failure failure;
  Reply reply;
  alignas(64) uint8_t data[kRingBytes];
};

// Both sides must be of one build: the layout takes part.
constexpr uint64_t ring_magic() { return 0x6a756d6172000000u + sizeof(Ring); }

inline uint64_t name_hash(const char* name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (; *name != 0; ++name) hash = (hash ^ static_cast<uint8_t>(*name)) * 0x100000001b3u;
  return hash;
}

}  // namespace jumar
