// Copies and fills, in every direction and in order.
#include <cstring>
#include <numeric>

#include "adapter.h"
#include "check.h"

namespace {

std::vector<float> ramp(size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

}  // namespace

TEST(copy, goes_in_every_direction) {
  use_chip({});
  for (const size_t count : {1, 100, 16384, 16385, 1 << 20}) {  // in the record, at its limit, and beyond
    const std::vector<float> values = ramp(count);
    const Floats first(values), second(count);
    CHECK_OK(aclrtMemcpy(second.data(), second.bytes(), first.data(), first.bytes(), kDeviceToDevice));
    CHECK(second.read() == values);
  }
  const std::vector<float> values = ramp(10);
  std::vector<float> other(10);
  CHECK_OK(aclrtMemcpy(other.data(), 40, values.data(), 40, kHostToHost));
  CHECK(other == values);
  const Floats here(values);
  CHECK_OK(aclrtSetDevice(1));
  const Floats there(10);
  CHECK_OK(aclrtMemcpy(there.data(), 40, here.data(), 40, kInterDeviceToDevice));
  CHECK(there.read() == values);
}

TEST(copy, sizes_are_checked) {
  use_chip({});
  const Floats target(10);
  const std::vector<float> values = ramp(11);
  CHECK_FAILS(code::kInvalidParam, aclrtMemcpy(target.data(), 40, values.data(), 44, kHostToDevice));
  CHECK_HAS(recent_message(), "copy of 44 bytes into 40");
  CHECK_FAILS(code::kInvalidParam, aclrtMemset(target.data(), 40, 1, 44));
  std::vector<float> host(4);
  CHECK_FAILS(code::kInvalidParam, aclrtMemset(host.data(), 16, 1, 16));
  CHECK_OK(aclrtMemcpy(target.data(), 40, values.data(), 0, kHostToDevice));
}

TEST(copy, small_uploads_take_the_values_of_the_call) {
  use_chip({});
  const Floats target(16);
  const Floats delay({50}), done(1);
  CHECK_OK(nap(delay, done, nullptr));
  std::vector<float> values = ramp(16);
  CHECK_OK(aclrtMemcpyAsync(target.data(), 64, values.data(), 64, kHostToDevice, nullptr));
  values.assign(16, -1);  // pageable memory: the copy has been taken
  CHECK(target.read() == ramp(16));
}

TEST(copy, order_within_a_stream_holds) {
  use_chip({});
  aclrtStream stream = nullptr;
  CHECK_OK(aclrtCreateStream(&stream));
  constexpr size_t kCount = 1 << 16;
  const Floats values(kCount), ones(std::vector<float>(kCount, 1));
  void* pinned = nullptr;
  CHECK_OK(aclrtMallocHost(&pinned, values.bytes()));
  auto* host = static_cast<float*>(pinned);
  for (int round = 1; round <= 50; ++round) {  // up, work, down, all without waiting in between
    host[0] = host[kCount - 1] = static_cast<float>(round);
    CHECK_OK(aclrtMemcpyAsync(values.data(), values.bytes(), pinned, values.bytes(), kHostToDevice, stream));
    CHECK_OK(add(values, ones, values, stream));
    CHECK_OK(aclrtMemcpyAsync(pinned, values.bytes(), values.data(), values.bytes(), kDeviceToHost, stream));
    CHECK_OK(aclrtMemsetAsync(values.data(), values.bytes(), 0, values.bytes(), stream));
    CHECK_OK(aclrtSynchronizeStream(stream));
    CHECK_EQUAL(host[0], static_cast<float>(round + 1));
    CHECK_EQUAL(host[kCount - 1], static_cast<float>(round + 1));
  }
  CHECK_EQUAL(values.first(), 0.0f);
  CHECK_OK(aclrtFreeHost(pinned));
  CHECK_OK(aclrtDestroyStream(stream));
}

TEST(copy, an_upload_waits_for_a_download_into_its_source) {
  use_chip({});
  const Floats delay({60}), result(1), target(1);
  void* between = nullptr;
  CHECK_OK(aclrtMallocHost(&between, 4));
  CHECK_OK(nap(delay, result, nullptr));
  CHECK_OK(aclrtMemcpyAsync(between, 4, result.data(), 4, kDeviceToHost, nullptr));
  CHECK_OK(aclrtMemcpyAsync(target.data(), 4, between, 4, kHostToDevice, nullptr));
  CHECK_EQUAL(target.first(), 60.0f);
  CHECK_OK(aclrtFreeHost(between));
}

TEST(copy, downloads_into_ordinary_memory_are_done_on_return) {
  use_chip({});
  const Floats delay({60}), result(1);
  float here = -1;
  CHECK_OK(nap(delay, result, nullptr));
  CHECK_OK(aclrtMemcpyAsync(&here, 4, result.data(), 4, kDeviceToHost, nullptr));
  CHECK_EQUAL(here, 60.0f);
}

TEST(copy, batches) {
  use_chip({});
  const Floats first(4), second(4);
  std::vector<float> up = ramp(4), down(4);
  void* destinations[] = {first.data(), second.data(), down.data()};
  void* sources[] = {up.data(), first.data(), second.data()};
  size_t sizes[] = {16, 16, 16}, failed = 99;
  CHECK_OK(aclrtMemcpyBatch(destinations, sizes, sources, sizes, 3, nullptr, nullptr, 0, &failed));
  CHECK(down == up);
  size_t small[] = {16, 8, 16};
  CHECK_FAILS(code::kInvalidParam,
              aclrtMemcpyBatch(destinations, small, sources, sizes, 3, nullptr, nullptr, 0, &failed));
  CHECK_EQUAL(failed, size_t{1});
}
