// The collective library's calls as the adapter declares them, and ranks that are threads or processes of a test.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "adapter.h"
#include "check.h"

extern "C" {
int HcclGetRootInfo(void* info);
int HcclCommInitRootInfo(uint32_t ranks, const void* info, uint32_t rank, void** comm);
int HcclCommInitAll(uint32_t count, const int32_t* devices, void** comms);
int HcclCommDestroy(void* comm);
int HcclGetCommAsyncError(void* comm, int* error);
int HcclGetRankSize(void* comm, uint32_t* ranks);
int HcclAllReduce(void* send, void* receive, uint64_t count, uint32_t dtype, uint32_t op, void* comm, void* stream);
int HcclBroadcast(void* buffer, uint64_t count, uint32_t dtype, uint32_t root, void* comm, void* stream);
int HcclAllGather(void* send, void* receive, uint64_t count, uint32_t dtype, void* comm, void* stream);
int HcclReduceScatter(void* send, void* receive, uint64_t count, uint32_t dtype, uint32_t op, void* comm, void* stream);
int HcclReduce(void* send, void* receive, uint64_t count, uint32_t dtype, uint32_t op, uint32_t root, void* comm,
               void* stream);
int HcclScatter(void* send, void* receive, uint64_t count, uint32_t dtype, uint32_t root, void* comm, void* stream);
int HcclAlltoAll(const void* send, uint64_t send_count, uint32_t dtype, const void* receive, uint64_t receive_count,
                 uint32_t receive_dtype, void* comm, void* stream);
int HcclAlltoAllV(const void* send, const void* send_counts, const void* send_offsets, uint32_t dtype,
                  const void* receive, const void* receive_counts, const void* receive_offsets, uint32_t receive_dtype,
                  void* comm, void* stream);
int HcclAllGatherV(const void* send, uint64_t send_count, const void* receive, const void* receive_counts,
                   const void* receive_offsets, uint32_t dtype, void* comm, void* stream);
int HcclReduceScatterV(const void* send, const void* send_counts, const void* send_offsets, const void* receive,
                       uint64_t receive_count, uint32_t dtype, uint32_t op, void* comm, void* stream);
int HcclBarrier(void* comm, void* stream);
int HcclSend(void* buffer, uint64_t count, uint32_t dtype, uint32_t peer, void* comm, void* stream);
int HcclRecv(void* buffer, uint64_t count, uint32_t dtype, uint32_t peer, void* comm, void* stream);
int HcclGroupStart();
int HcclGroupEnd();
}

constexpr uint32_t kFloat32 = 4, kSum = 0, kMax = 2;

// Ranks of one communicator in this process, rank n on chip n with a stream of its own. Calls are made by one thread:
// nothing in them waits.
struct Ranks {
  explicit Ranks(uint32_t count) : comms(count), streams(count) {
    std::vector<int32_t> devices;
    for (uint32_t rank = 0; rank < count; ++rank) devices.push_back(static_cast<int32_t>(rank));
    CHECK_OK(HcclCommInitAll(count, devices.data(), comms.data()));
    each([&](uint32_t rank) { CHECK_OK(aclrtCreateStream(&streams[rank])); });
  }
  ~Ranks() {
    for (aclrtStream stream : streams) CHECK_OK(aclrtDestroyStream(stream));
    for (void* comm : comms) CHECK_OK(HcclCommDestroy(comm));
  }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  uint32_t size() const { return static_cast<uint32_t>(comms.size()); }
  template <typename Body>
  void each(Body body) {
    for (uint32_t rank = 0; rank < size(); ++rank) {
      CHECK_OK(aclrtSetDevice(static_cast<int32_t>(rank)));
      body(rank);
    }
    CHECK_OK(aclrtSetDevice(0));
  }
  // A vector for each rank, made by `values(rank)`.
  template <typename Values>
  std::vector<std::unique_ptr<Floats>> vectors(Values values) {
    std::vector<std::unique_ptr<Floats>> made;
    each([&](uint32_t rank) { made.push_back(std::make_unique<Floats>(values(rank))); });
    return made;
  }
  void synchronize() {
    for (aclrtStream stream : streams) CHECK_OK(aclrtSynchronizeStream(stream));
  }

  std::vector<void*> comms;
  std::vector<aclrtStream> streams;
};

inline std::string shown(const std::vector<float>& values) {
  std::string text;
  for (const float value : values) text += (text.empty() ? "" : " ") + std::to_string(static_cast<int>(value));
  return text;
}

// This process's rank of a communicator whose id lies in a file: made by rank 0, waited for by the others.
void* join_by_file(uint32_t ranks, uint32_t rank);
