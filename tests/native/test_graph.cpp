// Capture and replay.
#include <atomic>

#include "adapter.h"
#include "check.h"

namespace {

aclrtStream new_stream() {
  aclrtStream stream = nullptr;
  CHECK_OK(aclrtCreateStream(&stream));
  return stream;
}

aclrtEvent new_event() {
  aclrtEvent event = nullptr;
  CHECK_OK(aclrtCreateEvent(&event));
  return event;
}

int capture_status(aclrtStream stream) {
  int32_t status = -1;
  void* model = nullptr;
  CHECK_OK(aclmdlRICaptureGetInfo(stream, &status, &model));
  return status;
}

void increment(void* counter) { static_cast<std::atomic<int>*>(counter)->fetch_add(1); }

}  // namespace

TEST(graph, replays_what_was_captured) {
  use_chip({});
  aclrtStream stream = new_stream();
  const Floats ones({1, 1}), sum(2);
  std::atomic<int> calls{0};
  CHECK_OK(aclmdlRICaptureBegin(stream, 0));
  CHECK_EQUAL(capture_status(stream), 1);
  CHECK_FAILS(code::kStreamCaptured, aclmdlRICaptureBegin(stream, 0));
  CHECK_OK(add(sum, ones, sum, stream));
  CHECK_OK(aclrtLaunchHostFunc(stream, increment, &calls));
  CHECK_OK(add(sum, ones, sum, stream));
  CHECK_FAILS(code::kStreamCaptured, aclrtSynchronizeStream(stream));
  CHECK_OK(aclrtSynchronizeDevice());  // the other streams
  void* model = nullptr;
  CHECK_OK(aclmdlRICaptureEnd(stream, &model));
  CHECK_EQUAL(capture_status(stream), 0);
  CHECK_FAILS(code::kStreamNotCaptured, aclmdlRICaptureEnd(stream, &model));
  CHECK(model == nullptr);
  CHECK_EQUAL(sum.first(), 0.0f);  // capture alone does nothing
}

TEST(graph, replays_many_times) {
  use_chip({});
  aclrtStream stream = new_stream();
  const Floats ones({1, 1}), sum(2);
  std::atomic<int> calls{0};
  void *pinned = nullptr, *model = nullptr;
  CHECK_OK(aclrtMallocHost(&pinned, 8));
  CHECK_OK(aclmdlRICaptureBegin(stream, 0));
  CHECK_OK(add(sum, ones, sum, stream));
  CHECK_OK(aclrtLaunchCallback(increment, &calls, 1, stream));
  CHECK_OK(aclrtMemcpyAsync(pinned, 8, sum.data(), 8, kDeviceToHost, stream));
  CHECK_OK(aclmdlRICaptureEnd(stream, &model));
  for (int i = 1; i <= 100; ++i) {
    CHECK_OK(aclmdlRIExecuteAsync(model, stream));
    CHECK_OK(aclrtProcessReport(10000));
    CHECK_OK(aclrtSynchronizeStream(stream));
    CHECK_EQUAL(calls.load(), i);
    CHECK_EQUAL(*static_cast<float*>(pinned), static_cast<float>(i));
  }
  CHECK_OK(aclmdlRIExecuteAsync(model, stream));
  CHECK_OK(aclmdlRIDestroy(model));  // while it runs
  CHECK_FAILS(code::kInvalidHandle, aclmdlRIDestroy(model));
  CHECK_FAILS(code::kInvalidHandle, aclmdlRIExecuteAsync(model, stream));
  CHECK_OK(aclrtProcessReport(10000));
  CHECK_OK(aclrtSynchronizeStream(stream));
  CHECK_EQUAL(sum.first(), 101.0f);
  CHECK_OK(aclrtFreeHost(pinned));
  CHECK_OK(aclrtDestroyStream(stream));
}

TEST(graph, uploads_are_read_at_replay) {
  use_chip({});
  aclrtStream stream = new_stream();
  const Floats target(1);
  void *pinned = nullptr, *model = nullptr;
  CHECK_OK(aclrtMallocHost(&pinned, 4));
  CHECK_OK(aclmdlRICaptureBegin(stream, 0));
  CHECK_OK(aclrtMemcpyAsync(target.data(), 4, pinned, 4, kHostToDevice, stream));
  CHECK_OK(aclmdlRICaptureEnd(stream, &model));
  for (const float value : {1.0f, 2.0f, 3.0f}) {
    *static_cast<float*>(pinned) = value;
    CHECK_OK(aclmdlRIExecuteAsync(model, stream));
    CHECK_OK(aclrtSynchronizeStream(stream));
    CHECK_EQUAL(target.first(), value);
  }
  CHECK_OK(aclmdlRIDestroy(model));
  CHECK_OK(aclrtFreeHost(pinned));
}

TEST(graph, forks_into_other_streams_and_joins) {
  use_chip({});
  aclrtStream a = new_stream(), b = new_stream();
  aclrtEvent fork = new_event(), join = new_event();
  const Floats ones({1}), x(1), y(1), z(1);
  void* model = nullptr;
  CHECK_OK(aclmdlRICaptureBegin(a, 0));
  CHECK_OK(add(x, ones, x, a));
  CHECK_OK(aclrtRecordEvent(fork, a));
  CHECK_OK(aclrtStreamWaitEvent(b, fork));
  CHECK_EQUAL(capture_status(b), 1);
  CHECK_OK(add(x, ones, y, b));
  CHECK_OK(aclrtRecordEvent(join, b));
  CHECK_OK(aclrtStreamWaitEvent(a, join));
  CHECK_OK(add(y, x, z, a));
  CHECK_OK(aclmdlRICaptureEnd(a, &model));
  CHECK_EQUAL(capture_status(b), 0);
  for (int i = 1; i <= 5; ++i) CHECK_OK(aclmdlRIExecuteAsync(model, a));
  CHECK_OK(aclrtSynchronizeStream(a));
  CHECK_EQUAL(z.first(), 11.0f);  // x = 5, y = 6
  CHECK_OK(aclmdlRIDestroy(model));

  // Events of a capture that is over mean nothing to streams any more, even where the graph has gone.
  CHECK_OK(aclrtStreamWaitEvent(b, join));
  CHECK_EQUAL(capture_status(b), 0);
  CHECK_OK(add(x, x, y, b));
  CHECK_OK(aclrtSynchronizeStream(b));
  CHECK_EQUAL(y.first(), 10.0f);
  CHECK_OK(aclmdlRICaptureBegin(a, 0));
  CHECK_OK(aclrtStreamWaitEvent(b, join));
  CHECK_EQUAL(capture_status(b), 0);
  CHECK_OK(aclmdlRICaptureEnd(a, &model));
  CHECK_OK(aclmdlRIDestroy(model));
  for (aclrtEvent event : {fork, join}) CHECK_OK(aclrtDestroyEvent(event));
}

TEST(graph, streams_and_graphs_go_during_capture) {
  use_chip({});
  aclrtStream a = new_stream(), b = new_stream(), c = new_stream();
  aclrtEvent fork = new_event();
  const Floats ones({1}), x(1);
  CHECK_OK(aclmdlRICaptureBegin(a, 0));
  CHECK_OK(aclrtRecordEvent(fork, a));
  CHECK_OK(aclrtStreamWaitEvent(b, fork));
  CHECK_OK(aclrtStreamWaitEvent(c, fork));
  CHECK_OK(add(x, ones, x, c));
  CHECK_OK(aclrtDestroyStream(c));  // its work stays in the graph
  CHECK_OK(aclrtDestroyStream(a));  // the capture ends with its origin
  CHECK_EQUAL(capture_status(b), 0);
  CHECK_OK(add(x, ones, x, b));
  CHECK_OK(aclrtSynchronizeStream(b));
  CHECK_EQUAL(x.first(), 1.0f);
  CHECK_OK(aclmdlRICaptureBegin(b, 0));
  void* model = nullptr;
  int32_t status = 0;
  CHECK_OK(aclmdlRICaptureGetInfo(b, &status, &model));
  CHECK_FAILS(code::kStreamCaptured, aclmdlRIExecuteAsync(model, nullptr));
  CHECK_OK(aclmdlRIDestroy(model));
  CHECK_EQUAL(capture_status(b), 0);
  CHECK_OK(aclrtDestroyEvent(fork));
}

TEST(graph, longer_than_the_ring) {
  use_chip({});
  aclrtStream stream = new_stream();
  const Floats ones({1}), sum(1);
  void* model = nullptr;
  CHECK_OK(aclmdlRICaptureBegin(stream, 0));
  for (int i = 0; i < 40000; ++i) CHECK_OK(add(sum, ones, sum, stream));  // 9 MB of records
  CHECK_OK(aclmdlRICaptureEnd(stream, &model));
  CHECK_OK(aclmdlRIExecuteAsync(model, stream));
  CHECK_OK(aclmdlRIExecuteAsync(model, stream));
  CHECK_OK(aclrtSynchronizeStream(stream));
  CHECK_EQUAL(sum.first(), 80000.0f);
  CHECK_OK(aclmdlRIDestroy(model));
}
