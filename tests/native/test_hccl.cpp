// Collectives and messages: between ranks of one process, between processes, on several streams, in graphs, dry.
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>

#include "collectives.h"

void* join_by_file(uint32_t ranks, uint32_t rank) {
  char info[64] = {};
  const std::string path = test_directory() + "/id";
  if (rank == 0) {
    CHECK_OK(HcclGetRootInfo(info));
    std::ofstream(path + ".new") << info;
    std::filesystem::rename(path + ".new", path);
  }
  CHECK(soon([&] { return static_cast<bool>(std::ifstream(path) >> info); }));
  void* comm = nullptr;
  CHECK_OK(HcclCommInitRootInfo(ranks, info, rank, &comm));
  return comm;
}

namespace {

constexpr uint32_t kRanks = 3;

ServerOptions chips(uint32_t count, bool dry = false) {
  ServerOptions options;
  options.chips = count;
  options.dry = dry;
  return options;
}

// Every rank's result of one call, as text: "rank 0's | rank 1's | …".
std::string results(const std::function<std::vector<float>(uint32_t)>& send, size_t receive,
                    const std::function<int(uint32_t, Ranks&, const Floats&, const Floats&)>& call) {
  Ranks ranks(kRanks);
  const auto from = ranks.vectors(send);
  const auto to = ranks.vectors([&](uint32_t) { return std::vector<float>(receive, -1); });
  ranks.each([&](uint32_t rank) { CHECK_OK(call(rank, ranks, *from[rank], *to[rank])); });
  ranks.synchronize();
  std::string text;
  for (const auto& each : to) text += (text.empty() ? "" : " | ") + shown(each->read());
  return text;
}

std::vector<float> tens(uint32_t rank, size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), static_cast<float>(10 * rank));
  return values;
}

std::function<std::vector<float>(uint32_t)> tens_of(size_t count) {
  return [count](uint32_t rank) { return tens(rank, count); };
}

}  // namespace

TEST(hccl, reductions) {
  use_chip(chips(kRanks));
  for (const bool sum : {true, false}) {
    const std::string all = results(tens_of(4), 4, [&](uint32_t rank, Ranks& r, const Floats& from, const Floats& to) {
      return HcclAllReduce(from.data(), to.data(), 4, kFloat32, sum ? kSum : kMax, r.comms[rank], r.streams[rank]);
    });
    CHECK_EQUAL(
        all, std::string(sum ? "30 33 36 39 | 30 33 36 39 | 30 33 36 39" : "20 21 22 23 | 20 21 22 23 | 20 21 22 23"));
  }
  const std::string one = results(tens_of(2), 2, [](uint32_t rank, Ranks& r, const Floats& from, const Floats& to) {
    return HcclReduce(from.data(), to.data(), 2, kFloat32, kSum, 1, r.comms[rank], r.streams[rank]);
  });
  CHECK_EQUAL(one, std::string("-1 -1 | 30 33 | -1 -1"));
  const std::string parts = results(tens_of(6), 2, [](uint32_t rank, Ranks& r, const Floats& from, const Floats& to) {
    return HcclReduceScatter(from.data(), to.data(), 2, kFloat32, kSum, r.comms[rank], r.streams[rank]);
  });
  CHECK_EQUAL(parts, std::string("30 33 | 36 39 | 42 45"));
  const std::string uneven = results(tens_of(6), 3, [](uint32_t rank, Ranks& r, const Floats& from, const Floats& to) {
    const uint64_t counts[] = {1, 2, 3}, offsets[] = {0, 1, 3};
    return HcclReduceScatterV(from.data(), counts, offsets, to.data(), counts[rank], kFloat32, kSum, r.comms[rank],
                              r.streams[rank]);
  });
  CHECK_EQUAL(uneven, std::string("30 -1 -1 | 33 36 -1 | 39 42 45"));
}

TEST(hccl, gathering_and_scattering) {
  use_chip(chips(kRanks));
  const std::string all = results(tens_of(2), 6, [](uint32_t rank, Ranks& r, const Floats& from, const Floats& to) {
    return HcclAllGather(from.data(), to.data(), 2, kFloat32, r.comms[rank], r.streams[rank]);
  });
  CHECK_EQUAL(all, std::string("0 1 10 11 20 21 | 0 1 10 11 20 21 | 0 1 10 11 20 21"));
  const std::string uneven = results(tens_of(3), 6, [](uint32_t rank, Ranks& r, const Floats& from, const Floats& to) {
    const uint64_t counts[] = {1, 2, 3}, offsets[] = {5, 3, 0};
    return HcclAllGatherV(from.data(), counts[rank], to.data(), counts, offsets, kFloat32, r.comms[rank],
                          r.streams[rank]);
  });
  CHECK_EQUAL(uneven, std::string("20 21 22 10 11 0 | 20 21 22 10 11 0 | 20 21 22 10 11 0"));
  const std::string out = results(tens_of(3), 1, [](uint32_t rank, Ranks& r, const Floats& from, const Floats& to) {
    return HcclScatter(rank == 2 ? from.data() : nullptr, to.data(), 1, kFloat32, 2, r.comms[rank], r.streams[rank]);
  });
  CHECK_EQUAL(out, std::string("20 | 21 | 22"));
  const std::string across = results(tens_of(3), 3, [](uint32_t rank, Ranks& r, const Floats& from, const Floats& to) {
    return HcclAlltoAll(from.data(), 1, kFloat32, to.data(), 1, kFloat32, r.comms[rank], r.streams[rank]);
  });
  CHECK_EQUAL(across, std::string("0 10 20 | 1 11 21 | 2 12 22"));
  const std::string some = results(tens_of(3), 3, [](uint32_t rank, Ranks& r, const Floats& from, const Floats& to) {
    const uint64_t all_of[] = {rank == 0 ? 3u : 0u, rank == 1 ? 3u : 0u, rank == 2 ? 3u : 0u}, none[] = {0, 0, 0};
    const uint64_t next[] = {all_of[2], all_of[0], all_of[1]};  // rank n sends to rank n + 1
    const uint64_t last[] = {all_of[1], all_of[2], all_of[0]};
    return HcclAlltoAllV(from.data(), next, none, kFloat32, to.data(), last, none, kFloat32, r.comms[rank],
                         r.streams[rank]);
  });
  CHECK_EQUAL(some, std::string("20 21 22 | 0 1 2 | 10 11 12"));
}

TEST(hccl, in_place_and_behind_earlier_work) {
  use_chip(chips(kRanks));
  Ranks ranks(kRanks);
  const auto delay = ranks.vectors([](uint32_t rank) { return std::vector<float>{20.0f * static_cast<float>(rank)}; });
  const auto values = ranks.vectors([](uint32_t) { return std::vector<float>{1}; });
  for (int round = 0; round < 5; ++round) {
    ranks.each([&](uint32_t rank) {
      CHECK_OK(nap(*delay[rank], *delay[rank], ranks.streams[rank]));
      CHECK_OK(HcclAllReduce(values[rank]->data(), values[rank]->data(), 1, kFloat32, kSum, ranks.comms[rank],
                             ranks.streams[rank]));
      CHECK_OK(HcclBroadcast(values[rank]->data(), 1, kFloat32, 2, ranks.comms[rank], ranks.streams[rank]));
      CHECK_OK(HcclBarrier(ranks.comms[rank], ranks.streams[rank]));
    });
  }
  ranks.synchronize();
  for (const auto& each : values) CHECK_EQUAL(each->first(), 243.0f);
}

TEST(hccl, communicators_in_opposite_order_on_two_streams) {
  use_chip(chips(2));
  Ranks a(2), b(2);
  const auto x = a.vectors([](uint32_t) { return std::vector<float>{1}; });
  const auto y = a.vectors([](uint32_t) { return std::vector<float>{2}; });
  const auto sum = [](Ranks& ranks, uint32_t rank, const Floats& of) {
    CHECK_OK(HcclAllReduce(of.data(), of.data(), 1, kFloat32, kSum, ranks.comms[rank], ranks.streams[rank]));
  };
  a.each([&](uint32_t rank) {
    if (rank == 0) sum(a, rank, *x[rank]), sum(b, rank, *y[rank]);
    if (rank == 1) sum(b, rank, *y[rank]), sum(a, rank, *x[rank]);
  });
  a.synchronize();
  b.synchronize();
  CHECK_EQUAL(x[0]->first() + x[1]->first(), 4.0f);
  CHECK_EQUAL(y[0]->first() + y[1]->first(), 8.0f);
}

TEST(hccl, calls_of_one_communicator_keep_their_order_across_streams) {
  use_chip(chips(2));
  Ranks ranks(2), more(2);
  const auto x = ranks.vectors([](uint32_t rank) { return std::vector<float>{rank + 1.0f}; });
  const auto delay = ranks.vectors([](uint32_t) { return std::vector<float>{50}; });
  ranks.each([&](uint32_t rank) {
    CHECK_OK(nap(*delay[rank], *delay[rank], ranks.streams[rank]));
    CHECK_OK(
        HcclAllReduce(x[rank]->data(), x[rank]->data(), 1, kFloat32, kSum, ranks.comms[rank], ranks.streams[rank]));
    CHECK_OK(HcclAllReduce(x[rank]->data(), x[rank]->data(), 1, kFloat32, kMax, ranks.comms[rank], more.streams[rank]));
  });
  ranks.synchronize();
  more.synchronize();
  for (const auto& each : x) CHECK_EQUAL(each->first(), 3.0f);
}

TEST(hccl, messages) {
  use_chip(chips(kRanks));
  const std::string ring = results(tens_of(2), 2, [](uint32_t rank, Ranks& r, const Floats& from, const Floats& to) {
    CHECK_OK(HcclGroupStart());
    CHECK_OK(HcclSend(from.data(), 2, kFloat32, (rank + 1) % kRanks, r.comms[rank], r.streams[rank]));
    CHECK_OK(HcclRecv(to.data(), 2, kFloat32, (rank + 2) % kRanks, r.comms[rank], r.streams[rank]));
    return HcclGroupEnd();
  });
  CHECK_EQUAL(ring, std::string("20 21 | 0 1 | 10 11"));
  const std::string ordered = results(tens_of(2), 2, [](uint32_t rank, Ranks& r, const Floats& from, const Floats& to) {
    for (size_t i = 0; i < 2; ++i) {  // both before the other side is asked for anything
      auto* out = static_cast<float*>(from.data()) + i;
      auto* in = static_cast<float*>(to.data()) + i;
      if (rank == 0) CHECK_OK(HcclSend(out, 1, kFloat32, 1, r.comms[rank], r.streams[rank]));
      if (rank == 1) CHECK_OK(HcclRecv(in, 1, kFloat32, 0, r.comms[rank], r.streams[rank]));
    }
    return 0;
  });
  CHECK_EQUAL(ordered, std::string("-1 -1 | 0 1 | -1 -1"));
}

TEST(hccl, captured_and_replayed) {
  use_chip(chips(2));
  Ranks ranks(2);
  const auto x = ranks.vectors([](uint32_t) { return std::vector<float>{1}; });
  void* models[2];
  ranks.each([&](uint32_t rank) {
    CHECK_OK(aclmdlRICaptureBegin(ranks.streams[rank], 0));
    CHECK_OK(
        HcclAllReduce(x[rank]->data(), x[rank]->data(), 1, kFloat32, kSum, ranks.comms[rank], ranks.streams[rank]));
    CHECK_OK(aclmdlRICaptureEnd(ranks.streams[rank], &models[rank]));
  });
  for (int round = 0; round < 3; ++round) {
    ranks.each([&](uint32_t rank) { CHECK_OK(aclmdlRIExecuteAsync(models[rank], ranks.streams[rank])); });
  }
  ranks.synchronize();
  for (const auto& each : x) CHECK_EQUAL(each->first(), 8.0f);
  for (void* model : models) CHECK_OK(aclmdlRIDestroy(model));
}

TEST(hccl, dry_runs_wait_and_check_but_move_small_payloads_alone) {
  use_chip(chips(2, true));
  Ranks ranks(2);
  for (const size_t count : {size_t{8}, size_t{1} << 16}) {
    const auto x = ranks.vectors([&](uint32_t) { return std::vector<float>(count, 1); });
    ranks.each([&](uint32_t rank) {
      CHECK_OK(HcclAllReduce(x[rank]->data(), x[rank]->data(), count, kFloat32, kSum, ranks.comms[rank],
                             ranks.streams[rank]));
    });
    ranks.synchronize();
    if (count == 8) CHECK_EQUAL(x[1]->first(), 2.0f);
    if (count != 8) CHECK_EQUAL(x[1]->first(), 0.0f);  // in a dry run the large upload was not made either
  }
}

TEST(hccl, between_processes) {
  make_server(chips(2));
  Companion other("rank_one");
  CHECK_OK(aclrtSetDevice(0));
  void* comm = join_by_file(2, 0);
  std::vector<float> values(10000);
  std::iota(values.begin(), values.end(), 0.0f);
  {
    const Floats x(values), y(20000);
    for (int round = 0; round < 3; ++round) {
      CHECK_OK(HcclAllReduce(x.data(), x.data(), 10000, kFloat32, kSum, comm, nullptr));
      CHECK_OK(HcclAllGather(x.data(), y.data(), 10000, kFloat32, comm, nullptr));
    }
    CHECK_OK(aclrtSynchronizeDevice());
    const std::vector<float> result = y.read();
    for (size_t i = 0; i < 20000; ++i) CHECK_EQUAL(result[i], 8 * static_cast<float>(i % 10000) + 4);
  }
  CHECK_EQUAL(other.finish(), 0);
  CHECK_OK(HcclCommDestroy(comm));
  for (const auto& entry : std::filesystem::directory_iterator(test_directory())) {
    CHECK(entry.path().string().find("communicator-") == std::string::npos);  // the board has no name any more
  }
}

TEST(role, rank_one) {
  CHECK_OK(aclrtSetDevice(1));
  void* comm = join_by_file(2, 1);
  std::vector<float> values(10000);
  std::iota(values.begin(), values.end(), 1.0f);
  const Floats x(values), y(20000);
  for (int round = 0; round < 3; ++round) {
    CHECK_OK(HcclAllReduce(x.data(), x.data(), 10000, kFloat32, kSum, comm, nullptr));
    CHECK_OK(HcclAllGather(x.data(), y.data(), 10000, kFloat32, comm, nullptr));
  }
  CHECK_OK(aclrtSynchronizeDevice());
  CHECK_OK(HcclCommDestroy(comm));
}
