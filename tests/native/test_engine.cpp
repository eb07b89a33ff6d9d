// The ring under load, and many threads at once.
#include <atomic>
#include <thread>

#include "adapter.h"
#include "check.h"

namespace {

constexpr int kMany = 300000;  // about 70 MB of records through a ring of 8 MiB

void increment(void* counter) { static_cast<std::atomic<int>*>(counter)->fetch_add(1); }

}  // namespace

TEST(engine, the_ring_wraps_around) {
  use_chip({});
  const Floats ones({1}), sum(1);
  for (int i = 0; i < kMany; ++i) CHECK_OK(add(sum, ones, sum, nullptr));
  CHECK_EQUAL(sum.first(), static_cast<float>(kMany));
}

TEST(engine, records_of_every_size_fit_the_end_of_the_ring) {
  use_chip({});
  const Floats target(16384), first(1);
  std::vector<float> values(16384, 1);
  for (int i = 0; i < 20000; ++i) {  // sizes that do not divide the ring's
    const size_t count = static_cast<size_t>(i * 37 % 4096 + 1);
    values[0] = static_cast<float>(i);
    CHECK_OK(aclrtMemcpyAsync(target.data(), target.bytes(), values.data(), count * 4, kHostToDevice, nullptr));
    if (i % 1000 == 999) CHECK_EQUAL(target.first(), static_cast<float>(i));
  }
}

TEST(engine, a_full_ring_holds_nobody_else_up) {
  use_chip({});
  aclrtStream stream = nullptr, other = nullptr;
  CHECK_OK(aclrtCreateStream(&stream));
  CHECK_OK(aclrtCreateStream(&other));
  const Floats delay({700}), done(1), ones({1}), sum(1);
  std::atomic<int> calls{0};
  std::atomic<bool> full{true};
  CHECK_OK(nap(delay, done, stream));
  std::thread producer([&] {
    CHECK_OK(aclrtSetDevice(0));
    for (int i = 0; i < 60000; ++i) CHECK_OK(add(sum, ones, sum, stream));
    full = false;
  });
  sleep_ms(400);  // under a sanitizer the ring may not be full by now; the answers below are the same
  for (int i = 0; i < 100; ++i) {
    int32_t status = -1;
    CHECK_OK(aclrtStreamQuery(other, &status));
    CHECK_EQUAL(status, 0);
  }
  CHECK_OK(aclrtLaunchHostFunc(other, increment, &calls));
  CHECK_OK(aclrtSynchronizeStreamWithTimeout(other, 5000));
  CHECK_EQUAL(calls.load(), 1);
  producer.join();
  CHECK_EQUAL(sum.first(), 60000.0f);
}

TEST(engine, host_functions_submit_into_a_full_ring) {
  use_chip({});
  static aclrtStream stream, other;
  CHECK_OK(aclrtCreateStream(&stream));
  CHECK_OK(aclrtCreateStream(&other));
  const Floats delay({100}), done(1), ones({1}), sum(1);
  static const Floats *more, *one;
  const Floats count(1);
  more = &count;
  one = &ones;
  const auto submit = [](void*) {
    CHECK_OK(aclrtSetDevice(0));
    for (int i = 0; i < 1000; ++i) CHECK_OK(add(*more, *one, *more, other));
  };
  CHECK_OK(nap(delay, done, stream));
  for (int round = 0; round < 3; ++round) {
    CHECK_OK(aclrtLaunchHostFunc(other, submit, nullptr));
    for (int i = 0; i < 40000; ++i) CHECK_OK(add(sum, ones, sum, stream));
  }
  CHECK_OK(aclrtSynchronizeStream(stream));
  CHECK_OK(aclrtSynchronizeStream(other));
  CHECK_OK(aclrtSynchronizeStream(other));
  CHECK_EQUAL(sum.first(), 120000.0f);
  CHECK_EQUAL(count.first(), 3000.0f);
}

TEST(engine, threads_submit_at_once) {
  use_chip({});
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([t] {
      CHECK_OK(aclrtSetDevice(t % 2));
      aclrtStream stream = nullptr;
      aclrtEvent event = nullptr;
      CHECK_OK(aclrtCreateStream(&stream));
      CHECK_OK(aclrtCreateEvent(&event));
      {
        const Floats ones({1}), sum(1), copy(1);
        std::atomic<int> calls{0};
        for (int i = 1; i <= 300; ++i) {
          CHECK_OK(add(sum, ones, sum, stream));
          CHECK_OK(aclrtRecordEvent(event, stream));
          CHECK_OK(aclrtStreamWaitEvent(nullptr, event));
          CHECK_OK(add(sum, ones, copy, nullptr));
          CHECK_OK(aclrtRecordEvent(event, nullptr));
          CHECK_OK(aclrtStreamWaitEvent(stream, event));
          if (i % 20 == 0) CHECK_OK(aclrtLaunchHostFunc(stream, increment, &calls));
          if (i % 50 != 0) continue;
          CHECK_OK(aclrtSynchronizeEvent(event));
          CHECK_EQUAL(sum.first(), static_cast<float>(i));
          CHECK_EQUAL(copy.first(), static_cast<float>(i + 1));
        }
        CHECK_OK(aclrtSynchronizeStream(stream));
        CHECK_EQUAL(calls.load(), 15);
      }
      CHECK_OK(aclrtDestroyEvent(event));
      CHECK_OK(aclrtDestroyStream(stream));
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(engine, waits_of_every_kind_at_once) {
  use_chip({});
  const Floats ones({1}), sum(1);
  aclrtEvent event = nullptr;
  CHECK_OK(aclrtCreateEvent(&event));
  std::atomic<bool> stop{false};
  std::vector<std::thread> watchers;
  for (int t = 0; t < 4; ++t) {
    watchers.emplace_back([&, t] {
      CHECK_OK(aclrtSetDevice(0));
      while (!stop) {
        int32_t status = 0;
        float milliseconds = 0;
        if (t == 0) CHECK_OK(aclrtSynchronizeEvent(event));
        if (t == 1) CHECK_OK(aclrtQueryEventStatus(event, &status));
        if (t == 2) CHECK_OK(aclrtSynchronizeDevice());
        if (t == 3) CHECK_OK(aclrtEventElapsedTime(&milliseconds, event, event));
      }
    });
  }
  for (int i = 0; i < 3000; ++i) {
    CHECK_OK(add(sum, ones, sum, nullptr));
    CHECK_OK(aclrtRecordEvent(event, nullptr));
  }
  CHECK_OK(aclrtSynchronizeStream(nullptr));
  stop = true;
  for (auto& watcher : watchers) watcher.join();
  CHECK_EQUAL(sum.first(), 3000.0f);
  CHECK_OK(aclrtDestroyEvent(event));
}
