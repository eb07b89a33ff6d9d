// Ends and beginnings: an executor that dies or does not start, fork, threads that outlive main.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "adapter.h"
#include "check.h"

namespace {

int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void nothing(void*) {}

bool other_threads_gone = false;

}  // namespace

// Asked by the leak sanitizer at exit: in a forked child, what the parent's other threads held looks lost.
extern "C" __attribute__((visibility("default"))) int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return other_threads_gone ? 1 : 0; }

TEST(process, every_wait_ends_when_the_executor_is_killed) {
  use_chip({});
  const Floats delay({60000}), done(1), ones({1});
  aclrtStream streams[4];
  aclrtEvent events[2];
  for (auto& stream : streams) CHECK_OK(aclrtCreateStream(&stream));
  for (auto& event : events) CHECK_OK(aclrtCreateEvent(&event));
  CHECK_OK(nap(delay, done, streams[0]));
  CHECK_OK(aclrtRecordEvent(events[0], streams[0]));
  void* host = nullptr;  // page-locked: copies into other memory are done on return
  CHECK_OK(aclrtMallocHost(&host, 4));
  CHECK_OK(aclrtMemcpyAsync(host, 4, done.data(), 4, kDeviceToHost, streams[0]));
  CHECK_OK(aclrtRecordEvent(events[1], streams[0]));
  CHECK_OK(aclrtStreamWaitEvent(streams[1], events[1]));  // nothing of stream 1 is with the executor
  CHECK_OK(aclrtLaunchHostFunc(streams[2], nothing, nullptr));
  CHECK_OK(aclrtStreamWaitEvent(streams[3], events[1]));
  CHECK_OK(aclrtLaunchHostFunc(streams[3], nothing, nullptr));

  std::vector<std::thread> waiting;
  std::atomic<int> told{0};
  const auto waiter = [&](auto call) {
    waiting.emplace_back([&told, call] {
      CHECK_OK(aclrtSetDevice(0));
      CHECK_FAILS(code::kLostHeartbeat, call());
      ++told;
    });
  };
  waiter([&] { return aclrtSynchronizeStream(streams[0]); });
  waiter([&] { return aclrtSynchronizeStream(streams[1]); });
  waiter([&] { return aclrtSynchronizeStream(streams[3]); });
  waiter([&] { return aclrtSynchronizeEvent(events[0]); });
  waiter([&] { return aclrtSynchronizeEvent(events[1]); });
  waiter([&] { return aclrtSynchronizeDevice(); });
  waiter([&] {
    float back = 0;
    return aclrtMemcpy(&back, 4, done.data(), 4, kDeviceToHost);
  });
  waiter([&] {
    int32_t status = 0;
    while (aclrtQueryEventStatus(events[0], &status) == code::kSuccess) sleep_ms(1);
    return aclrtQueryEventStatus(events[0], &status);
  });
  waiter([&] {
    int32_t status = 0;
    while (aclrtStreamQuery(streams[1], &status) == code::kSuccess) sleep_ms(1);
    return aclrtStreamQuery(streams[1], &status);
  });
  sleep_ms(300);
  CHECK_EQUAL(told.load(), 0);
  const int64_t start = now_ms();
  CHECK(kill(executor_pid(), SIGKILL) == 0);
  for (auto& thread : waiting) thread.join();
  CHECK(now_ms() - start < 5000);
  CHECK_FAILS(code::kLostHeartbeat, aclrtSynchronizeDevice());
  CHECK_HAS(recent_message(), "the executor process of this program's chips ended (signal 9)");

  for (int i = 0; i < 100000; ++i)
    CHECK_OK(aclrtMemsetAsync(done.data(), 4, i, 4, nullptr));  // more than the ring holds
  CHECK(now_ms() - start < 30000);
  for (aclrtStream stream : streams) CHECK_OK(aclrtDestroyStream(stream));
  for (aclrtEvent event : events) CHECK_OK(aclrtDestroyEvent(event));
  CHECK_OK(aclrtFreeHost(host));
}

TEST(process, an_executor_that_ends_at_once_is_named) {
  ServerOptions options;
  options.python = "/bin/false";
  use_chip(options);
  void* memory = nullptr;
  CHECK_OK(aclrtMalloc(&memory, 64, 0));
  aclTensor* tensor = aclCreateTensor(nullptr, 0, aclDataType::kFloat, nullptr, 0, 2, nullptr, 0, memory);
  CHECK_FAILS(code::kLostHeartbeat, RUN(aclnnAbs, nullptr, tensor, tensor));
  CHECK_HAS(recent_message(), "ended (exit status 1)");
  aclDestroyTensor(tensor);
  CHECK_OK(aclrtFree(memory));
}

TEST(process, an_executor_that_cannot_start_is_named) {
  ServerOptions options;
  options.python = "/nowhere/python";
  make_server(options);
  CHECK_FAILS(code::kNoDevice, aclrtSetDevice(0));
  CHECK_HAS(recent_message(), "cannot start the executor with /nowhere/python: No such file or directory");
}

TEST(process, the_executor_ends_with_its_program) {
  make_server({});
  for (const bool killed : {true, false}) {
    Companion other("run_and_wait");
    const int executor = std::stoi(other.line());
    CHECK(kill(executor, 0) == 0);
    if (killed) other.kill();
    if (!killed) CHECK_EQUAL(other.finish(), 0);
    CHECK(soon([&] { return kill(executor, 0) != 0; }));
  }
}

TEST(role, run_and_wait) {
  CHECK_OK(aclrtSetDevice(0));
  const Floats ones({1}), out(1);
  CHECK_OK(add(ones, ones, out, nullptr));
  CHECK_OK(aclrtSynchronizeDevice());
  std::printf("%d\n", executor_pid());
  std::fflush(stdout);
  std::getchar();
}

TEST(process, a_forked_child_is_refused_and_harms_nobody) {
  use_chip({});
  aclrtStream stream = nullptr;
  aclrtEvent event = nullptr;
  CHECK_OK(aclrtCreateStream(&stream));
  CHECK_OK(aclrtCreateEvent(&event));
  void* pinned = nullptr;
  CHECK_OK(aclrtMallocHost(&pinned, 64));
  const Floats ones({1}), sum(1);
  std::atomic<bool> stop{false};
  std::atomic<int> done{0};
  std::thread busy([&] {  // so that locks are held at the moment of the fork
    CHECK_OK(aclrtSetDevice(0));
    for (; !stop; ++done) {
      CHECK_OK(add(sum, ones, sum, stream));
      void *memory = nullptr, *host = nullptr;
      CHECK_OK(aclrtMalloc(&memory, 64, 0));
      CHECK_OK(aclrtMallocHost(&host, 64));
      CHECK_OK(aclrtFreeHost(host));
      CHECK_OK(aclrtFree(memory));
    }
  });
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      other_threads_gone = true;
      void* memory = nullptr;
      int32_t status = 0;
      CHECK_FAILS(code::kContextNull, aclrtSetDevice(0));
      CHECK_HAS(recent_message(), "use spawn");
      CHECK_FAILS(code::kContextNull, aclrtMalloc(&memory, 64, 0));
      CHECK_FAILS(code::kContextNull, aclrtMallocHost(&memory, 64));
      CHECK_FAILS(code::kContextNull, aclrtMemcpyAsync(pinned, 4, pinned, 4, kDefault, stream));
      CHECK_FAILS(code::kContextNull, aclrtSynchronizeStream(stream));
      CHECK_FAILS(code::kContextNull, aclrtRecordEvent(event, stream));
      CHECK_FAILS(code::kContextNull, aclrtSynchronizeEvent(event));
      CHECK_FAILS(code::kContextNull, aclmdlRICaptureBegin(stream, 0));
      CHECK_OK(aclrtStreamQuery(stream, &status));
      CHECK_OK(aclrtQueryEventStatus(event, &status));
      aclTensor* tensor = ones.tensor();
      CHECK_FAILS(code::kContextNull, RUN(aclnnAbs, stream, tensor, tensor));
      aclDestroyTensor(tensor);
      // What destructors call at the end of a worker must not fail.
      CHECK_OK(aclrtSynchronizeDevice());
      CHECK_OK(aclrtFreeHost(pinned));
      CHECK_OK(aclrtFree(ones.data()));
      CHECK_OK(aclrtDestroyEvent(event));
      CHECK_OK(aclrtDestroyStream(stream));
      CHECK_OK(aclFinalize());
      if (round % 2 == 0) std::_Exit(0);
      std::exit(0);  // static destructors run: the parent's executor must live on
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK_EQUAL(status, 0);
  }
  stop = true;
  busy.join();
  CHECK_OK(aclrtSynchronizeStream(stream));
  CHECK_EQUAL(sum.first(), static_cast<float>(done.load()));
  CHECK_OK(aclrtFreeHost(pinned));
  CHECK_OK(aclrtDestroyEvent(event));
  CHECK_OK(aclrtDestroyStream(stream));
}

TEST(process, a_child_forked_before_the_first_chip_has_its_own) {
  make_server({});
  uint32_t count = 0;
  CHECK_OK(aclrtGetDeviceCount(&count));
  const pid_t child = fork();
  CHECK_OK(aclrtSetDevice(0));
  {
    const Floats ones({1}), out(1);
    CHECK_OK(add(ones, ones, out, nullptr));
    CHECK_EQUAL(out.first(), 2.0f);
  }
  if (child == 0) std::_Exit(0);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK_EQUAL(status, 0);
}

TEST(process, may_end_with_work_under_way) {
  use_chip({});
  static const Floats delay({200}), done(1), ones({1}), sum(1);
  CHECK_OK(nap(delay, done, nullptr));
  static std::atomic<bool> ended{false};
  std::thread([] {  // goes on while static objects are destroyed
    CHECK_OK(aclrtSetDevice(0));
    while (!ended) {
      (void)add(sum, ones, sum, nullptr);
      int here = 0;
      (void)aclrtFree(&here);
    }
  })
      .detach();
  std::atexit([] { (void)recent_message(); });
}
