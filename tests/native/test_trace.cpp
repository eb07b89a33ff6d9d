// The trace and the virtual clock. The fake executor prices a kind at a microsecond a byte of its record, and its host
// takes no time, so that times are sums of prices.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "adapter.h"
#include "check.h"
#include "collectives.h"
#include "trace.h"

extern "C" int jumar_trace_on();

using jumar::TraceEvent;
using jumar::TraceHeader;
using jumar::TraceType;

namespace {

ServerOptions traced(uint64_t events = 1u << 20) {
  ServerOptions options;
  options.trace_events = events;
  return options;
}

// What this process has left so far.
struct Left {
  Left() {
    const std::string path = test_directory() + "/events-" + std::to_string(getpid()) + ".bin";
    const int fd = open(path.c_str(), O_RDONLY);
    struct stat info{};
    CHECK(fd >= 0 && fstat(fd, &info) == 0);
    std::vector<char> bytes(static_cast<size_t>(info.st_size));
    CHECK(read(fd, bytes.data(), bytes.size()) == info.st_size);
    close(fd);
    const auto* first = reinterpret_cast<const TraceEvent*>(bytes.data() + jumar::kTraceHeaderBytes);
    const auto* head = reinterpret_cast<const TraceHeader*>(bytes.data());
    happened = head->events.load();
    events.assign(first, first + head->kept.load());
  }
  std::vector<TraceEvent> of(TraceType type) const {
    std::vector<TraceEvent> found;
    std::copy_if(events.begin(), events.end(), std::back_inserter(found),
                 [type](const TraceEvent& each) { return each.type == type; });
    return found;
  }
  uint64_t happened;
  std::vector<TraceEvent> events;
};

struct Timed {
  Timed() {
    for (auto* event : {&start, &end}) CHECK_OK(aclrtCreateEvent(event));
  }
  ~Timed() {
    for (aclrtEvent event : {start, end}) CHECK_OK(aclrtDestroyEvent(event));
  }
  float between() const {
    float milliseconds = -1;
    CHECK_OK(aclrtEventElapsedTime(&milliseconds, start, end));
    return milliseconds;
  }
  aclrtEvent start = nullptr, end = nullptr;
};

}  // namespace

TEST(trace, tells_what_was_asked_for_in_order) {
  use_chip(traced());
  const Floats a({1, 2}), b({1, 2}), large(1000);
  CHECK_OK(add(a, a, b, nullptr));
  CHECK_OK(add(b, b, a, nullptr));
  CHECK_OK(add(large, large, large, nullptr));
  CHECK_OK(aclrtSynchronizeDevice());
  const Left left;
  const auto adds = left.of(TraceType::kOperator);
  CHECK_EQUAL(adds.size(), size_t{3});
  CHECK_EQUAL(adds[0].kind, adds[1].kind);  // other addresses, the same kind
  CHECK(adds[0].kind != 0 && adds[0].kind != adds[2].kind);
  CHECK_EQUAL(left.of(TraceType::kAllocate).size(), size_t{3});
  CHECK_EQUAL(left.of(TraceType::kCopyToDevice)[0].bytes, uint64_t{8});
  CHECK(left.events.back().type == TraceType::kSynchroniseDevice);
  CHECK(std::is_sorted(left.events.begin(), left.events.end(),
                       [](const TraceEvent& x, const TraceEvent& y) { return x.host_ns < y.host_ns; }));
}

TEST(trace, is_not_kept_unasked) {
  use_chip({});
  const Floats a({1, 2});
  CHECK_OK(add(a, a, a, nullptr));
  CHECK(access((test_directory() + "/events-" + std::to_string(getpid()) + ".bin").c_str(), F_OK) != 0);
}

TEST(trace, drives_the_clock_of_events) {
  use_chip(traced());
  const Floats a({1, 2}), nap_time({30}), out(1);
  const Timed one, three, slept;
  CHECK_OK(aclrtRecordEvent(one.start, nullptr));
  CHECK_OK(add(a, a, a, nullptr));
  CHECK_OK(aclrtRecordEvent(one.end, nullptr));
  CHECK_OK(aclrtRecordEvent(three.start, nullptr));
  for (int i = 0; i < 3; ++i) CHECK_OK(add(a, a, a, nullptr));
  CHECK_OK(aclrtRecordEvent(three.end, nullptr));
  CHECK_OK(aclrtRecordEvent(slept.start, nullptr));
  CHECK_OK(nap(nap_time, out, nullptr));
  CHECK_OK(aclrtRecordEvent(slept.end, nullptr));
  CHECK(one.between() > 0);
  CHECK(std::abs(three.between() - 3 * one.between()) < 1e-4f);
  CHECK(slept.between() < 1);  // what its price says, however long it took here
}

TEST(trace, streams_share_the_cores_and_wait_in_virtual_time) {
  use_chip(traced());
  aclrtStream first = nullptr, second = nullptr;
  for (auto* stream : {&first, &second}) CHECK_OK(aclrtCreateStream(stream));
  const Floats a({1, 2}), b({1, 2});
  const Timed alone, apart, after;
  aclrtEvent half = nullptr;
  CHECK_OK(aclrtCreateEvent(&half));
  CHECK_OK(aclrtRecordEvent(alone.start, first));
  CHECK_OK(add(a, a, a, first));
  CHECK_OK(aclrtRecordEvent(alone.end, first));
  CHECK_OK(aclrtSynchronizeDevice());
  CHECK_OK(aclrtRecordEvent(apart.start, first));
  for (int i = 0; i < 20; ++i) CHECK_OK(add(a, a, a, first));
  CHECK_OK(add(b, b, b, second));
  CHECK_OK(aclrtRecordEvent(apart.end, second));
  CHECK_OK(aclrtSynchronizeDevice());
  CHECK_OK(aclrtRecordEvent(after.start, first));
  for (int i = 0; i < 20; ++i) CHECK_OK(add(a, a, a, first));
  CHECK_OK(aclrtRecordEvent(half, first));
  CHECK_OK(aclrtStreamWaitEvent(second, half));
  CHECK_OK(add(b, b, b, second));
  CHECK_OK(aclrtRecordEvent(after.end, second));
  CHECK(alone.between() > 0);
  CHECK(std::abs(apart.between() - 8 * alone.between()) < 1e-3f);  // held up, but not by all twenty
  CHECK(std::abs(after.between() - 21 * alone.between()) < 1e-3f);
  CHECK_OK(aclrtDestroyEvent(half));
  for (aclrtStream stream : {first, second}) CHECK_OK(aclrtDestroyStream(stream));
}

TEST(trace, goes_on_counting_beyond_its_limit) {
  ServerOptions options = traced(100);
  options.dry = true;
  use_chip(options);
  const Floats large(1u << 20), small({1, 2});
  const Timed one, many;
  CHECK_OK(aclrtRecordEvent(one.start, nullptr));
  CHECK_OK(add(large, large, large, nullptr));
  CHECK_OK(aclrtRecordEvent(one.end, nullptr));
  CHECK_OK(aclrtRecordEvent(many.start, nullptr));
  constexpr int kMany = 200000;
  for (int i = 0; i < kMany; ++i) CHECK_OK(add(large, large, large, nullptr));
  CHECK_OK(aclrtRecordEvent(many.end, nullptr));
  const float expected = kMany * one.between();
  CHECK(std::abs(many.between() - expected) < expected * 1e-5f);
  const Left left;
  CHECK_EQUAL(left.events.size(), size_t{100});
  CHECK(left.happened > kMany);
}

TEST(trace, graphs_count_when_they_are_replayed) {
  use_chip(traced());
  aclrtStream stream = nullptr;
  CHECK_OK(aclrtCreateStream(&stream));
  const Floats a({1, 2});
  CHECK_OK(aclmdlRICaptureBegin(stream, 0));
  CHECK_OK(add(a, a, a, stream));
  void* model = nullptr;
  CHECK_OK(aclmdlRICaptureEnd(stream, &model));
  CHECK_EQUAL(Left().of(TraceType::kOperator).size(), size_t{0});
  for (int i = 0; i < 2; ++i) CHECK_OK(aclmdlRIExecuteAsync(model, stream));
  CHECK_OK(aclrtSynchronizeStream(stream));
  const auto adds = Left().of(TraceType::kOperator);
  CHECK_EQUAL(adds.size(), size_t{2});
  CHECK_EQUAL(int{adds[1].flags}, int{jumar::kTraceReplayed});
  CHECK_OK(aclmdlRIDestroy(model));
  CHECK_OK(aclrtDestroyStream(stream));
}

TEST(trace, of_a_parent_is_left_alone_by_its_child) {
  use_chip(traced());
  const Floats a({1, 2});
  const size_t before = Left().events.size();
  const pid_t child = fork();
  if (child == 0) {
    void* address = nullptr;
    aclrtMalloc(&address, 1 << 20, 0);
    aclrtSynchronizeDevice();
    _exit(jumar_trace_on());
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK_EQUAL(Left().events.size(), before);
  CHECK_OK(add(a, a, a, nullptr));
  CHECK_EQUAL(Left().events.size(), before + 1);
}

TEST(trace, threads_add_to_it_together) {
  use_chip(traced());
  constexpr size_t kThreads = 4, kEach = 500;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([] {
      CHECK_OK(aclrtSetDevice(0));
      aclrtStream stream = nullptr;
      CHECK_OK(aclrtCreateStream(&stream));
      const Floats a({1, 2});
      for (size_t n = 0; n < kEach; ++n) CHECK_OK(add(a, a, a, stream));
      CHECK_OK(aclrtSynchronizeStream(stream));
      CHECK_OK(aclrtDestroyStream(stream));
    });
  }
  for (auto& thread : threads) thread.join();
  const Left left;
  CHECK_EQUAL(left.of(TraceType::kOperator).size(), kThreads * kEach);
  CHECK(std::none_of(left.events.begin(), left.events.end(),
                     [](const TraceEvent& each) { return each.type == TraceType::kNothing; }));
}

TEST(trace, collectives_tell_whole_buffers_and_who_takes_part) {
  use_chip(traced());
  Ranks ranks(2);
  const auto values = ranks.vectors([](uint32_t rank) { return std::vector<float>(8, static_cast<float>(rank)); });
  ranks.each([&](uint32_t rank) {
    void* mine = values[rank]->data();
    CHECK_OK(HcclAllReduce(mine, mine, 8, kFloat32, kSum, ranks.comms[rank], ranks.streams[rank]));
  });
  CHECK_OK(HcclSend(values[0]->data(), 4, kFloat32, 1, ranks.comms[0], ranks.streams[0]));
  CHECK_OK(HcclRecv(values[1]->data(), 4, kFloat32, 0, ranks.comms[1], ranks.streams[1]));
  ranks.each([&](uint32_t rank) { CHECK_OK(aclrtSynchronizeStream(ranks.streams[rank])); });
  const auto found = Left().of(TraceType::kCollective);
  CHECK_EQUAL(found.size(), size_t{4});
  CHECK_EQUAL(found[0].bytes, uint64_t{32});
  CHECK_EQUAL(found[1].chip, 1);
  CHECK_EQUAL(found[0].subject, found[1].subject);
  CHECK(found[2].exchange == jumar::TraceExchange::kSend && found[3].exchange == jumar::TraceExchange::kReceive);
  CHECK_EQUAL(found[2].peer, int16_t{1});
  CHECK_EQUAL(found[2].bytes, uint64_t{16});
  CHECK_EQUAL(found[3].ranks, uint16_t{2});
}
