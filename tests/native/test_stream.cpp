// Streams, events, host functions, and values in memory.
#include <algorithm>
#include <atomic>
#include <thread>

#include "adapter.h"
#include "check.h"

namespace {

struct Streams {
  Streams() {
    for (auto* stream : {&a, &b}) CHECK_OK(aclrtCreateStream(stream));
    for (auto* event : {&e, &f}) CHECK_OK(aclrtCreateEvent(event));
  }
  ~Streams() {
    for (aclrtStream stream : {a, b}) CHECK_OK(aclrtDestroyStream(stream));
    for (aclrtEvent event : {e, f}) CHECK_OK(aclrtDestroyEvent(event));
  }
  aclrtStream a = nullptr, b = nullptr;
  aclrtEvent e = nullptr, f = nullptr;
};

int stream_status(aclrtStream stream) {
  int32_t status = -1;
  CHECK_OK(aclrtStreamQuery(stream, &status));
  return status;
}

int event_status(aclrtEvent event) {
  int32_t status = -1;
  CHECK_OK(aclrtQueryEventStatus(event, &status));
  return status;
}

void increment(void* counter) { static_cast<std::atomic<int>*>(counter)->fetch_add(1); }

}  // namespace

TEST(stream, queries_tell_whether_work_is_left) {
  use_chip({});
  Streams s;
  const Floats delay({150}), done(1);
  CHECK_EQUAL(stream_status(s.a), 0);
  CHECK_EQUAL(event_status(s.e), 1);  // never recorded
  CHECK_OK(nap(delay, done, s.a));
  CHECK_OK(aclrtRecordEvent(s.e, s.a));
  CHECK_EQUAL(stream_status(s.a), 1);
  CHECK_EQUAL(event_status(s.e), 0);
  CHECK_EQUAL(stream_status(s.b), 0);
  CHECK_FAILS(code::kStreamSyncTimeout, aclrtSynchronizeStreamWithTimeout(s.a, 10));
  CHECK_OK(aclrtSynchronizeEvent(s.e));
  CHECK_EQUAL(event_status(s.e), 1);
  CHECK_EQUAL(stream_status(s.a), 0);
  CHECK_EQUAL(done.first(), 150.0f);
}

TEST(stream, an_event_orders_two_streams) {
  use_chip({});
  Streams s;
  const Floats delay({20}), ones({1}), sum(1), copy(1);
  for (int round = 0; round < 20; ++round) {
    CHECK_OK(aclrtMemsetAsync(sum.data(), 4, 0, 4, s.a));
    CHECK_OK(nap(delay, sum, s.a));
    CHECK_OK(aclrtRecordEvent(s.e, s.a));
    CHECK_OK(aclrtStreamWaitEvent(s.b, s.e));
    CHECK_OK(add(sum, ones, copy, s.b));
    CHECK_OK(aclrtRecordEvent(s.f, s.b));
    CHECK_OK(aclrtStreamWaitEvent(s.a, s.f));
    CHECK_OK(add(copy, ones, sum, s.a));
    CHECK_OK(aclrtSynchronizeStream(s.a));
    CHECK_EQUAL(sum.first(), 22.0f);
  }
}

TEST(stream, an_event_waits_for_copies_too) {
  use_chip({});
  Streams s;
  const Floats delay({50}), up(1 << 16), ones(std::vector<float>(1 << 16, 1)), out(1 << 16), done(1);
  void* pinned = nullptr;
  CHECK_OK(aclrtMallocHost(&pinned, up.bytes()));
  std::fill_n(static_cast<float*>(pinned), 1 << 16, 3.0f);
  CHECK_OK(nap(delay, done, s.a));
  CHECK_OK(aclrtMemcpyAsync(up.data(), up.bytes(), pinned, up.bytes(), kHostToDevice, s.a));
  CHECK_OK(aclrtRecordEvent(s.e, s.a));
  CHECK_OK(aclrtStreamWaitEvent(s.b, s.e));
  CHECK_OK(add(up, ones, out, s.b));
  CHECK_OK(aclrtSynchronizeStream(s.b));
  CHECK_EQUAL(out.read().back(), 4.0f);
  CHECK_OK(aclrtFreeHost(pinned));
}

TEST(stream, events_go_while_they_are_queued) {
  use_chip({});
  Streams s;
  const Floats delay({50}), done(1), out(1), ones({1});
  std::atomic<int> calls{0};
  CHECK_OK(nap(delay, done, s.a));
  CHECK_OK(aclrtLaunchHostFunc(s.a, increment, &calls));
  for (int i = 0; i < 10; ++i) {
    aclrtEvent event = nullptr;
    CHECK_OK(aclrtCreateEvent(&event));
    CHECK_OK(aclrtRecordEvent(event, s.a));
    CHECK_OK(aclrtStreamWaitEvent(s.b, event));
    CHECK_OK(aclrtDestroyEvent(event));
  }
  CHECK_OK(add(done, ones, out, s.b));
  CHECK_OK(aclrtSynchronizeStream(s.b));
  CHECK_EQUAL(out.first(), 51.0f);
  CHECK_EQUAL(calls.load(), 1);
}

// The adapter destroys from the queue of one chip while the queue of another is still about to wait or record.
TEST(stream, a_destroyed_event_holds_nobody_up) {
  use_chip({});
  Streams s;
  aclrtEvent gone = nullptr;
  CHECK_OK(aclrtCreateEvent(&gone));
  CHECK_OK(aclrtRecordEvent(gone, s.a));
  CHECK_OK(aclrtDestroyEvent(gone));
  aclrtEvent later = nullptr;
  CHECK_OK(aclrtCreateEvent(&later));
  CHECK(later != gone);
  CHECK_OK(aclrtStreamWaitEvent(s.b, gone));
  CHECK_OK(aclrtRecordEvent(gone, s.b));
  CHECK_OK(aclrtSynchronizeEvent(gone));
  CHECK_OK(aclrtSynchronizeStream(s.b));
  CHECK_EQUAL(event_status(gone), 1);
  float milliseconds = 0;
  CHECK_FAILS(code::kInvalidHandle, aclrtEventElapsedTime(&milliseconds, gone, later));
  CHECK_OK(aclrtDestroyEvent(gone));
  CHECK_OK(aclrtDestroyEvent(later));
  CHECK_FAILS(code::kInvalidHandle, aclrtStreamWaitEvent(s.b, nullptr));
}

TEST(stream, elapsed_time_is_the_work_between) {
  use_chip({});
  Streams s;
  const Floats delay({40}), done(1);
  float milliseconds = -1;
  CHECK_OK(aclrtRecordEvent(s.e, s.a));
  CHECK_OK(nap(delay, done, s.a));
  CHECK_OK(aclrtRecordEvent(s.f, s.a));
  CHECK_OK(aclrtEventElapsedTime(&milliseconds, s.e, s.f));
  CHECK(milliseconds >= 39 && milliseconds < 5000);
}

TEST(stream, elapsed_time_survives_many_operators) {
  use_chip({});
  Streams s;
  const Floats delay({80}), done(1), scratch(1);
  float milliseconds = -1;
  CHECK_OK(nap(delay, done, s.a));  // so that the first event is reached before the stream is
  CHECK_OK(aclrtRecordEvent(s.e, s.a));
  CHECK_OK(nap(delay, done, s.a));
  for (int i = 0; i < 300000; ++i) CHECK_OK(aclrtMemsetAsync(scratch.data(), 4, i, 4, s.a));
  CHECK_OK(aclrtRecordEvent(s.f, s.a));
  CHECK_OK(aclrtEventElapsedTime(&milliseconds, s.e, s.f));
  CHECK(milliseconds >= 79);
}

TEST(stream, host_functions_run_in_order) {
  use_chip({});
  Streams s;
  const Floats delay({30}), done(1);
  static std::vector<int> order;
  CHECK_OK(nap(delay, done, s.a));
  for (int i = 0; i < 20; ++i) {
    const auto append = [](void* number) { order.push_back(static_cast<int>(reinterpret_cast<intptr_t>(number))); };
    CHECK_OK(aclrtLaunchHostFunc(s.a, append, reinterpret_cast<void*>(static_cast<intptr_t>(i))));
  }
  CHECK_EQUAL(event_status(s.e), 1);
  CHECK_OK(aclrtSynchronizeStream(s.a));
  CHECK_EQUAL(order.size(), size_t{20});
  for (int i = 0; i < 20; ++i) CHECK_EQUAL(order[static_cast<size_t>(i)], i);
}

TEST(stream, host_functions_may_free_and_submit) {
  use_chip({});
  static aclrtStream stream;
  static Floats* target;
  CHECK_OK(aclrtCreateStream(&stream));
  target = new Floats(1);
  static void* pinned;
  CHECK_OK(aclrtMallocHost(&pinned, 64));
  const auto work = [](void*) {
    CHECK_OK(aclrtSetDevice(0));
    CHECK_OK(aclrtFreeHost(pinned));
    void* memory = nullptr;
    CHECK_OK(aclrtMalloc(&memory, 64, 0));
    CHECK_OK(aclrtFree(memory));
    CHECK_OK(aclrtMemsetAsync(target->data(), 4, 0x3f, 4, stream));
  };
  CHECK_OK(aclrtLaunchHostFunc(stream, work, nullptr));
  CHECK_OK(aclrtSynchronizeStream(stream));
  CHECK_OK(aclrtSynchronizeStream(stream));  // what the host function submitted came after the first wait
  CHECK(target->first() != 0);
  delete target;
  CHECK_OK(aclrtDestroyStream(stream));
}

TEST(stream, callbacks_run_where_reports_are_processed) {
  use_chip({});
  Streams s;
  std::atomic<int> calls{0};
  CHECK_FAILS(code::kWaitTimeout, aclrtProcessReport(10));
  CHECK_OK(aclrtLaunchCallback(increment, &calls, 1, s.a));
  CHECK_OK(aclrtLaunchHostFunc(s.a, increment, &calls));
  CHECK_FAILS(code::kStreamSyncTimeout, aclrtSynchronizeStreamWithTimeout(s.a, 50));
  std::atomic<int> others{0};
  CHECK_OK(aclrtLaunchHostFunc(s.b, increment, &others));  // another stream is not held up
  CHECK_OK(aclrtSynchronizeStream(s.b));
  CHECK_EQUAL(others.load(), 1);
  CHECK_EQUAL(calls.load(), 0);
  CHECK_OK(aclrtProcessReport(5000));
  CHECK_OK(aclrtSynchronizeStream(s.a));
  CHECK_EQUAL(calls.load(), 2);
  CHECK_OK(aclrtLaunchCallback(increment, &calls, 0, s.a));
  CHECK_OK(aclrtSynchronizeStream(s.a));  // not blocking: the stream goes on
  CHECK_OK(aclrtProcessReport(5000));
  CHECK_EQUAL(calls.load(), 3);
}

TEST(stream, values_in_memory_are_waited_for) {
  use_chip({});
  Streams s;
  const Floats flags(16), done(1), ones({1});
  auto* flag = static_cast<uint64_t*>(flags.data());
  CHECK_OK(aclrtValueWait(flag, 5, 1, s.a));  // equal
  CHECK_OK(add(ones, ones, done, s.a));
  CHECK_FAILS(code::kStreamSyncTimeout, aclrtSynchronizeStreamWithTimeout(s.a, 30));
  CHECK_OK(aclrtValueWrite(flag, 4, 0, s.b));
  CHECK_FAILS(code::kStreamSyncTimeout, aclrtSynchronizeStreamWithTimeout(s.a, 30));
  CHECK_OK(aclrtValueWrite(flag, 5, 0, s.b));
  CHECK_OK(aclrtSynchronizeStream(s.a));
  CHECK_EQUAL(done.first(), 2.0f);
  CHECK_OK(aclrtValueWait(flag, 4, 0, s.a));  // at least
  CHECK_OK(aclrtSynchronizeStream(s.a));
  int here = 0;
  CHECK_FAILS(code::kInvalidParam, aclrtValueWait(&here, 1, 1, s.a));
  CHECK_FAILS(code::kInvalidParam, aclrtValueWait(reinterpret_cast<char*>(flag) + 4, 1, 1, s.a));
  CHECK_FAILS(code::kInvalidParam, aclrtValueWrite(&here, 1, 0, s.a));
}

// As collectives use events: one event, recorded on whichever stream is current.
TEST(stream, a_wait_is_for_the_record_before_it) {
  use_chip({});
  Streams s;
  aclrtStream c = nullptr;
  CHECK_OK(aclrtCreateStream(&c));
  const Floats flags(16), sum({1}), ones({1}), out(1);
  auto* flag = static_cast<uint64_t*>(flags.data());
  CHECK_OK(aclrtValueWait(flag, 5, 1, s.a));  // equal
  CHECK_OK(add(ones, ones, sum, s.a));
  CHECK_OK(aclrtRecordEvent(s.e, s.a));
  CHECK_OK(aclrtStreamWaitEvent(s.b, s.e));
  CHECK_OK(add(sum, ones, out, s.b));
  CHECK_OK(aclrtRecordEvent(s.e, c));  // reached at once, and another matter
  CHECK_OK(aclrtSynchronizeEvent(s.e));
  CHECK_FAILS(code::kStreamSyncTimeout, aclrtSynchronizeStreamWithTimeout(s.b, 30));
  CHECK_OK(aclrtValueWrite(flag, 5, 0, c));
  CHECK_OK(aclrtSynchronizeStream(s.b));
  CHECK_EQUAL(out.first(), 3.0f);
  CHECK_OK(aclrtDestroyStream(c));
}

TEST(stream, destroying_waits_or_drops) {
  use_chip({});
  const Floats flags(16), delay({50}), done(1);
  aclrtStream patient = nullptr, stuck = nullptr;
  CHECK_OK(aclrtCreateStream(&patient));
  CHECK_OK(aclrtCreateStream(&stuck));
  aclrtEvent event = nullptr;
  CHECK_OK(aclrtCreateEvent(&event));
  CHECK_OK(nap(delay, done, patient));
  CHECK_OK(aclrtDestroyStream(patient));
  CHECK_EQUAL(*static_cast<float*>(done.data()), 50.0f);
  CHECK_OK(aclrtValueWait(flags.data(), 5, 1, stuck));
  CHECK_OK(aclrtRecordEvent(event, stuck));
  CHECK_OK(aclrtDestroyStreamForce(stuck));
  CHECK_OK(aclrtSynchronizeEvent(event));  // it would never come
  CHECK_FAILS(code::kInvalidHandle, aclrtDestroyStream(stuck));
  CHECK_FAILS(code::kInvalidHandle, aclrtDestroyStream(nullptr));
  CHECK_OK(aclrtDestroyEvent(event));
}

TEST(stream, the_default_stream_is_one_for_all_threads) {
  use_chip({});
  std::atomic<int> ready{0}, first{-1};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      CHECK_OK(aclrtSetDevice(1));
      ++ready;
      while (ready < 8) std::this_thread::yield();
      int32_t id = -1;
      CHECK_OK(aclrtStreamGetId(nullptr, &id));
      int expected = -1;
      if (!first.compare_exchange_strong(expected, id)) CHECK_EQUAL(id, expected);
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(stream, a_wait_ends_though_others_go_on_submitting) {
  use_chip({});
  const Floats ones({1}), out(1);
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    CHECK_OK(aclrtSetDevice(0));
    while (!stop) CHECK_OK(add(ones, ones, out, nullptr));
  });
  for (int i = 0; i < 20; ++i) CHECK_OK(aclrtSynchronizeStreamWithTimeout(nullptr, 20000));
  stop = true;
  busy.join();
}
