// Dry servers: large tensors are neither computed nor committed, small ones are.
#include "adapter.h"
#include "check.h"

namespace {

constexpr size_t kLarge = size_t{1} << 20;

ServerOptions dry() {
  ServerOptions options;
  options.dry = true;
  return options;
}

}  // namespace

TEST(dry, small_tensors_are_computed) {
  use_chip(dry());
  const Floats a({1, 2}), out(2);
  CHECK_OK(add(a, a, out, nullptr));
  CHECK((out.read() == std::vector<float>{2, 4}));
}

TEST(dry, large_tensors_are_left_alone) {
  use_chip(dry());
  const Floats a(kLarge), b(kLarge), out(kLarge);
  CHECK_OK(add(a, b, out, nullptr));
  CHECK_OK(aclrtMemset(out.data(), out.bytes(), 1, out.bytes()));
  CHECK_OK(aclrtMemcpy(out.data(), out.bytes(), a.data(), a.bytes(), kDeviceToDevice));
  std::vector<float> host(kLarge, 3);
  CHECK_OK(aclrtMemcpy(a.data(), a.bytes(), host.data(), a.bytes(), kHostToDevice));
  CHECK_EQUAL(committed_bytes(0), uint64_t{0});
  CHECK_OK(aclrtMemcpy(host.data(), a.bytes(), a.data(), a.bytes(), kDeviceToHost));
  CHECK_EQUAL(host[5], 0.0f);
  const std::string report = jumar_server_report(test_directory().c_str());
  CHECK_HAS(report, "\"aclnnAdd\":{\"run\":0,\"skipped\":1}");
}

TEST(dry, small_outputs_of_what_is_skipped_read_as_zero) {
  use_chip(dry());
  const Floats large(kLarge), small({7, 8, 9});
  aclTensor *in = large.tensor(), *out = small.tensor();
  CHECK_OK(RUN(aclnnAbs, nullptr, in, out));
  CHECK((small.read() == std::vector<float>{0, 0, 0}));
  for (const aclTensor* each : {in, out}) aclDestroyTensor(each);
}

TEST(dry, memory_runs_out_all_the_same) {
  use_chip(dry());
  void *first = nullptr, *second = nullptr;
  CHECK_OK(aclrtMalloc(&first, size_t{900} << 20, 0));
  CHECK_FAILS(code::kMemoryAllocation, aclrtMalloc(&second, size_t{200} << 20, 0));
  CHECK_OK(aclrtFree(first));
}
