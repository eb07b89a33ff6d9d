// Takes the place of the Python process: reads records from the ring and does a few operators' work in C++.
//   aclnnAdd      out = self + alpha * other, float32, any strides
//   aclnnAbs      sleeps self[0] milliseconds, then out = |self|
//   aclnnNonzero  tells the size of its output: sized
//   aclnnDiv      fails
//   aclnnMm       refuses float64
//   HcclReduction reduces its inputs, float32: sum or max
// Any other operator it knows, and the legacy operator Echo, write their arguments as text into the last tensor given.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "futex.h"
#include "operator_names.h"
#include "ring.h"

using namespace jumar;

namespace {

Ring* ring = nullptr;

uint8_t* window(uint32_t chip) {
  static uint8_t* windows[kMaxWindows];
  if (windows[chip] != nullptr) return windows[chip];
  const std::string path = "/proc/" + std::to_string(ring->program) + "/fd/" + std::to_string(ring->window_fd[chip]);
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  void* base = mmap(nullptr, ring->window_bytes[chip], PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (base == MAP_FAILED) std::perror("fake executor: mmap"), std::exit(3);
  close(fd);
  return windows[chip] = static_cast<uint8_t*>(base);
}

template <typename Value>
Value take(const uint8_t*& at) {
  Value value;
  std::memcpy(&value, at, sizeof value);
  at += (sizeof value + 7) & ~size_t{7};
  return value;
}

struct Argument {
  Tag tag = Tag::kNone;
  std::string text;  // as Echo writes it
  double number = 0;
  TensorHead head{};
  std::vector<int64_t> sizes, strides;
  float* data() const { return reinterpret_cast<float*>(window(head.chip) + head.offset); }
};

std::string join(const std::vector<int64_t>& values) {
  std::string text;
  for (const int64_t value : values) text += (text.empty() ? "" : ",") + std::to_string(value);
  return text;
}

std::vector<int64_t> integers(const uint8_t*& at, uint32_t count) {
  std::vector<int64_t> values;
  for (uint32_t i = 0; i < count; ++i) values.push_back(take<int64_t>(at));
  return values;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

// Decodes one argument; tensors, those in lists too, are added to `tensors`.
Argument decode(const uint8_t*& at, std::vector<Argument>* tensors) {
  Argument made;
  const auto head = take<ArgumentHead>(at);
  made.tag = head.tag;
  const auto bytes = [&](uint64_t size) {
    const auto* start = reinterpret_cast<const char*>(at);
    at += (size + 7) & ~uint64_t{7};
    return std::string(start, size);
  };
  switch (head.tag) {
    case Tag::kNone: made.text = "none"; break;
    case Tag::kTensor:
      made.head = take<TensorHead>(at);
      made.sizes = integers(at, head.count);
      made.strides = integers(at, head.count);
      made.text = "t" + std::to_string(made.head.dtype) + "[" + join(made.sizes) + "]";
      tensors->push_back(made);
      break;
    case Tag::kTensorList:
    case Tag::kScalarList:
      for (uint32_t i = 0; i < head.count; ++i) made.text += (i ? " " : "") + decode(at, tensors).text;
      made.text = "(" + made.text + ")";
      break;
    case Tag::kInt:
      made.number = static_cast<double>(take<int64_t>(at));
      made.text = "i" + number(made.number);
      break;
    case Tag::kDouble:
      made.number = take<double>(at);
      made.text = "d" + number(made.number);
      break;
    case Tag::kBool: made.text = take<int64_t>(at) != 0 ? "true" : "false"; break;
    case Tag::kComplex: {
      const auto real = take<double>(at);
      made.text = "c" + number(real) + "+" + number(take<double>(at)) + "i";
      break;
    }
    case Tag::kString: made.text = "'" + bytes(head.count) + "'"; break;
    case Tag::kDataType: made.text = "dtype" + std::to_string(take<int64_t>(at)); break;
    case Tag::kIntList: made.text = "{" + join(integers(at, head.count)) + "}"; break;
    case Tag::kBoolList:
      for (const char value : bytes(head.count)) made.text += value ? "1" : "0";
      made.text = "b{" + made.text + "}";
      break;
    case Tag::kFloatList: {
      const std::string raw = bytes(head.count * sizeof(float));
      for (uint32_t i = 0; i < head.count; ++i) {
        float value = 0;
        std::memcpy(&value, raw.data() + i * sizeof value, sizeof value);
        made.text += (i ? "," : "") + number(value);
      }
      made.text = "f{" + made.text + "}";
      break;
    }
    case Tag::kHostTensor: {
      const auto dtype = take<int64_t>(at);
      made.sizes = integers(at, head.count);
      const auto size = static_cast<uint64_t>(take<int64_t>(at));
      made.text = "host" + std::to_string(dtype) + "[" + join(made.sizes) + "]" + std::to_string(bytes(size).size());
      break;
    }
  }
  return made;
}

// Calls body(index into each tensor) for every element of a shape, with each tensor's own strides.
template <typename Body>
void for_each_element(const std::vector<Argument>& tensors, Body body) {
  const auto& sizes = tensors.back().sizes;
  int64_t count = 1;
  for (const int64_t size : sizes) count *= size;
  for (int64_t flat = 0; flat < count; ++flat) {
    std::vector<int64_t> at(tensors.size(), 0);
    int64_t left = flat;
    for (size_t i = sizes.size(); i-- > 0; left /= sizes[i]) {
      for (size_t t = 0; t < tensors.size(); ++t) at[t] += left % sizes[i] * tensors[t].strides[i];
    }
    body(at);
  }
}

void echo(const std::vector<Argument>& tensors, const std::string& text) {
  if (tensors.empty()) return;
  uint64_t room = 1;
  for (const int64_t size : tensors.back().sizes) room *= static_cast<uint64_t>(size);
  std::memcpy(tensors.back().data(), text.c_str(), std::min<uint64_t>(text.size() + 1, room));
}

void fail(const std::string& text) {
  if (ring->failure.present.load() != 0) return;
  std::snprintf(ring->failure.text, sizeof ring->failure.text, "%s", text.c_str());
  ring->failure.present = 1;
}

void operate(const std::string& name, const uint8_t* at, const uint8_t* end) {
  std::vector<Argument> arguments, tensors;
  std::string text = name;
  while (at < end) {
    arguments.push_back(decode(at, &tensors));
    text += " " + arguments.back().text;
  }
  if (name == "aclnnAdd") {
    const auto alpha = static_cast<float>(arguments[2].number);
    for_each_element(tensors, [&](const std::vector<int64_t>& i) {
      tensors[2].data()[i[2]] = tensors[0].data()[i[0]] + alpha * tensors[1].data()[i[1]];
    });
  } else if (name == "aclnnAbs") {
    std::this_thread::sleep_for(std::chrono::microseconds(static_cast<int64_t>(tensors[0].data()[0] * 1000)));
    for_each_element(
        tensors, [&](const std::vector<int64_t>& i) { tensors[1].data()[i[1]] = std::fabs(tensors[0].data()[i[0]]); });
  } else if (name == "aclnnNonzero") {
    int64_t count = 0;
    for (int64_t i = 0; i < tensors[0].sizes[0]; ++i) count += tensors[0].data()[i] != 0 ? 1 : 0;
    ring->reply.count = 1;
    ring->reply.sizes[0] = {1, 2, {count, 1}};
  } else if (name == "aclnnDiv") {
    fail("the fake executor does not divide");
  } else {
    echo(tensors, text);
  }
}

// The last tensor is the output.
void reduce(const std::vector<Argument>& tensors, bool sum) {
  for (int64_t i = 0; i < tensors.back().sizes[0]; ++i) {
    float total = tensors[0].data()[i];
    for (size_t t = 1; t + 1 < tensors.size(); ++t) {
      const float each = tensors[t].data()[i];
      total = sum ? total + each : std::max(total, each);
    }
    tensors.back().data()[i] = total;
  }
}

void operate_legacy(bool sized, const uint8_t* at, const uint8_t* end) {
  std::vector<Argument> tensors;
  std::string text;
  while (at < end) text += (text.empty() ? "" : " ") + decode(at, &tensors).text;
  if (text.find("'HcclReduction'") == 0) return reduce(tensors, text.find("'sum'") != std::string::npos);
  echo(tensors, text);
  if (!sized) return;
  ring->reply.count = 1;
  ring->reply.sizes[0] = {0, 1, {7}};
}

// Every kind takes a microsecond for each byte of its record.
void price(const uint8_t* at) {
  KindHead head;
  std::memcpy(&head, at, sizeof head);
  ring->durations[head.number] = head.record_bytes * uint64_t{1000} + 1;
}

void move(RecordKind kind, const uint8_t* at) {
  const Span to = take<Span>(at);
  uint8_t* destination = window(static_cast<uint32_t>(to.chip)) + to.offset;
  if (kind == RecordKind::kFlip) {
    const auto bit = take<uint64_t>(at);
    destination[bit / 8] = static_cast<uint8_t>(destination[bit / 8] ^ 1u << bit % 8);
  } else if (kind == RecordKind::kFill) {
    std::memset(destination, static_cast<int>(take<uint64_t>(at)), to.bytes);
  } else if (kind == RecordKind::kWrite) {
    std::memcpy(destination, at, to.bytes);
  } else {
    const Span from = take<Span>(at);
    std::memmove(destination, window(static_cast<uint32_t>(from.chip)) + from.offset, to.bytes);
  }
}

bool wait_for_work(uint64_t tail) {
  while (ring->head.load() == tail) {
    const uint32_t seen = ring->wake.load();
    ring->asleep = 1;
    if (ring->head.load() != tail) break;
    if (ring->stop.load() != 0 || getppid() != ring->program) return false;
    futex_wait(ring->wake, seen, 200);
  }
  ring->asleep = 0;
  return true;
}

void finish_record() {
  const uint64_t done = ring->completed.load() + 1;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  ring->times[done % kTimes] = static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
  ring->completed = done;
  if (ring->target.load() > done) return;
  ring->target = ~uint64_t{0};
  futex_wake(ring->progress);
}

void introduce() {
  const std::set<std::string> known = {"aclnnAdd",
                                       "aclnnAbs",
                                       "aclnnNonzero",
                                       "aclnnDiv",
                                       "aclnnMm",
                                       "aclnnIndex",
                                       "aclnnClamp",
                                       "aclnnCast",
                                       "aclnnFlip",
                                       "aclnnAscendQuant",
                                       "aclnnBatchNormBackward",
                                       "aclnnForeachAddScalarList"};
  for (uint32_t op = 0; op < kOperatorCount; ++op) {
    const std::string name = kOperatorNames[op];
    ring->known[op] = known.count(name) != 0 ? 1 : 0;
    ring->sized[op] = name == "aclnnNonzero" ? 1 : 0;
    ring->refuses[op] = name == "aclnnMm" ? 1u << 11 : 0;
  }
  ring->legacy[ring->legacy_count++] = name_hash("Echo");
  if (const char* directory = std::getenv("JUMAR_TEST_DIRECTORY")) {
    std::ofstream(std::string(directory) + "/executor-of-" + std::to_string(ring->program)) << getpid() << std::endl;
  }
  if (const char* delay = std::getenv("JUMAR_TEST_START_DELAY_MS")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(delay)));
  }
}

}  // namespace

// Started as the core starts Python: -P -m jumar.machine.executor DESCRIPTOR [TRACE CHIP PROGRAM CHIPS COOLING INLET].
int main(int count, char** words) {
  if ((count != 5 && count != 11) || std::strcmp(words[3], "jumar.machine.executor") != 0) return 2;
  const int fd = std::atoi(words[4]);
  void* mapped = mmap(nullptr, sizeof(Ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED || static_cast<Ring*>(mapped)->magic != ring_magic()) return 2;
  close(fd);
  ring = static_cast<Ring*>(mapped);
  introduce();
  futex_wake(ring->ready);
  for (uint64_t tail = 0; wait_for_work(tail);) {
    const uint8_t* at = ring->data + tail % kRingBytes;
    const auto header = take<RecordHeader>(at);
    const uint8_t* end = at - sizeof header + header.bytes;
    switch (header.kind) {
      case RecordKind::kPad: break;
      case RecordKind::kOperator: operate(kOperatorNames[header.op], at, end); break;
      case RecordKind::kLegacy: operate_legacy(header.op != 0, at, end); break;
      case RecordKind::kKind: price(at); break;
      default: move(header.kind, at);
    }
    tail += header.bytes;
    ring->tail = tail;
    if (header.kind != RecordKind::kPad) finish_record();
  }
  return 0;
}
