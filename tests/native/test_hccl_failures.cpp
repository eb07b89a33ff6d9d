// Ranks that ask for different things, come late, end or never come: an error names rank, communicator and call.
#include <chrono>

#include "collectives.h"

namespace {

constexpr int kBadParameter = 1, kTimeout = 9, kRemote = 21;

ServerOptions two_chips() {
  ServerOptions options;
  options.chips = 2;
  return options;
}

void expect_failure(aclrtStream stream, const std::vector<std::string>& parts,
                    aclError error = code::kVectorCoreException) {
  CHECK_FAILS(error, aclrtSynchronizeStream(stream));
  const std::string text = recent_message();
  for (const std::string& part : parts) CHECK_HAS(text, part);
}

int sum(const Floats& x, uint64_t count, void* comm, aclrtStream stream) {
  return HcclAllReduce(x.data(), x.data(), count, kFloat32, kSum, comm, stream);
}

}  // namespace

TEST(hccl, different_calls_meet) {
  use_chip(two_chips());
  Ranks ranks(2);
  const auto x = ranks.vectors([](uint32_t) { return std::vector<float>{1, 2}; });
  CHECK_OK(sum(*x[0], 2, ranks.comms[0], ranks.streams[0]));
  CHECK_OK(HcclBroadcast(x[1]->data(), 1, kFloat32, 0, ranks.comms[1], ranks.streams[1]));
  expect_failure(ranks.streams[0],
                 {"of communicator", "HcclAllReduce(2 × float32, sum)", "HcclBroadcast(1 × float32, root 0)"});
  CHECK(soon([&] {  // a program that does not look is ended by the adapter's watchdog some seconds later
    int error = 0;
    CHECK_OK(HcclGetCommAsyncError(ranks.comms[1], &error));
    return error == kRemote;
  }));
  CHECK_OK(sum(*x[0], 2, ranks.comms[0], ranks.streams[0]));  // and so is everything after it
  expect_failure(ranks.streams[0], {"HcclAllReduce(2 × float32, sum)", "after the communicator broke"});
  Ranks fresh(2);
  fresh.each([&](uint32_t rank) { CHECK_OK(sum(*x[rank], 2, fresh.comms[rank], fresh.streams[rank])); });
  fresh.synchronize();
  CHECK_EQUAL(x[0]->first(), 2.0f);
}

TEST(hccl, messages_of_different_sizes_meet) {
  use_chip(two_chips());
  Ranks ranks(2);
  const auto x = ranks.vectors([](uint32_t) { return std::vector<float>{1, 2}; });
  CHECK_OK(HcclSend(x[0]->data(), 2, kFloat32, 1, ranks.comms[0], ranks.streams[0]));
  CHECK_OK(HcclRecv(x[1]->data(), 1, kFloat32, 0, ranks.comms[1], ranks.streams[1]));
  expect_failure(ranks.streams[1],
                 {"rank 1 of 2", "HcclRecv(1 × float32) from rank 0", "HcclSend(2 × float32) to rank 1"});
  CHECK(soon([&] {  // the sender is told that rank 1 has left, and waits no longer
    int32_t status = 1;
    CHECK_OK(aclrtStreamQuery(ranks.streams[0], &status));
    return status == 0;
  }));
}

TEST(hccl, a_rank_that_does_not_come_in_time) {
  setenv("HCCL_EXEC_TIMEOUT", "1", 1);
  use_chip(two_chips());
  Ranks ranks(2);
  const Floats x({1});
  CHECK_OK(sum(x, 1, ranks.comms[0], ranks.streams[0]));
  expect_failure(ranks.streams[0], {"rank 0 of 2", "HcclAllReduce(1 × float32, sum)", "for rank 1 (HCCL_EXEC_TIMEOUT)"},
                 code::kTaskTimeout);
}

TEST(hccl, a_call_that_outlives_its_communicator) {
  use_chip(two_chips());
  void* comms[2];
  const int32_t devices[] = {0, 1};
  CHECK_OK(HcclCommInitAll(2, devices, comms));
  const Floats x({1});
  CHECK_OK(sum(x, 1, comms[0], nullptr));
  CHECK_OK(HcclCommDestroy(comms[0]));
  expect_failure(nullptr, {"still waits for rank 1, but the communicator was destroyed"});
  CHECK_OK(HcclCommDestroy(comms[1]));
}

TEST(hccl, a_rank_that_never_joins) {
  setenv("HCCL_CONNECT_TIMEOUT", "1", 1);
  use_chip(two_chips());
  char info[64] = {};
  void* comm = nullptr;
  CHECK_OK(HcclGetRootInfo(info));
  CHECK_FAILS(kTimeout, HcclCommInitRootInfo(2, info, 0, &comm));
  CHECK_HAS(recent_message(), "rank 1 has not joined in time (HCCL_CONNECT_TIMEOUT)");
}

TEST(hccl, a_rank_that_is_killed) {
  make_server(two_chips());
  Companion other("rank_that_waits");
  CHECK_OK(aclrtSetDevice(0));
  void* comm = join_by_file(2, 0);
  CHECK_EQUAL(other.line(), "joined");
  const Floats x({1});
  CHECK_OK(sum(x, 1, comm, nullptr));
  other.kill();
  const auto start = std::chrono::steady_clock::now();
  expect_failure(nullptr, {"rank 1 (process ", "has ended while HcclAllReduce(1 × float32, sum)"});
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  CHECK_OK(HcclCommDestroy(comm));
}

TEST(hccl, a_rank_that_leaves) {
  make_server(two_chips());
  Companion other("rank_that_waits");
  CHECK_OK(aclrtSetDevice(0));
  void* comm = join_by_file(2, 0);
  const Floats x({1});
  CHECK_OK(sum(x, 1, comm, nullptr));
  CHECK_EQUAL(other.finish(), 0);
  expect_failure(nullptr, {"rank 1 (process "});  // has left, or has ended
  CHECK_OK(HcclCommDestroy(comm));
}

TEST(role, rank_that_waits) {
  CHECK_OK(aclrtSetDevice(1));
  void* comm = join_by_file(2, 1);
  std::printf("joined\n");
  std::fflush(stdout);
  std::getchar();
  CHECK_OK(HcclCommDestroy(comm));
}

TEST(hccl, bad_arguments) {
  use_chip(two_chips());
  Ranks ranks(2);
  const Floats here({1, 2});
  void* comm = ranks.comms[0];
  float host = 0;
  CHECK_FAILS(kBadParameter, HcclAllReduce(&host, &host, 1, kFloat32, kSum, comm, nullptr));
  CHECK_HAS(recent_message(), "HcclAllReduce needs memory of chip 0");
  CHECK_FAILS(kBadParameter, HcclAllReduce(here.data(), here.data(), 2, kFloat32, kSum, ranks.comms[1], nullptr));
  CHECK_HAS(recent_message(), "needs memory of chip 1");
  CHECK_FAILS(kBadParameter, HcclAllReduce(here.data(), here.data(), 2, 99, kSum, comm, nullptr));
  CHECK_FAILS(kBadParameter, HcclAllReduce(here.data(), here.data(), 2, kFloat32, 9, comm, nullptr));
  CHECK_FAILS(kBadParameter, HcclBroadcast(here.data(), 2, kFloat32, 2, comm, nullptr));
  CHECK_HAS(recent_message(), "there is no rank 2");
  CHECK_FAILS(kBadParameter, HcclSend(here.data(), 2, kFloat32, 2, comm, nullptr));
  CHECK_FAILS(kBadParameter, HcclGroupEnd());
  void* more = nullptr;
  char info[64] = {};
  CHECK_OK(HcclGetRootInfo(info));
  CHECK_FAILS(kBadParameter, HcclCommInitRootInfo(2, info, 2, &more));
  uint32_t count = 0;
  CHECK_OK(HcclGetRankSize(comm, &count));
  CHECK_EQUAL(count, 2u);
}
