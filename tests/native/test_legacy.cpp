// The legacy path: descriptions, buffers, attributes, execution by type name.
#include <thread>

#include "adapter.h"
#include "check.h"

OPERATOR(aclnnNonzero, const aclTensor*, const aclTensor*);

namespace {

struct Described {
  Described(const Floats& memory, int32_t dtype, const std::vector<int64_t>& sizes)
      : desc(aclCreateTensorDesc(dtype, static_cast<int>(sizes.size()), sizes.data(), 2)),
        buffer(aclCreateDataBuffer(memory.data(), memory.bytes())) {}
  ~Described() {
    aclDestroyTensorDesc(desc);
    aclDestroyDataBuffer(buffer);
  }
  aclTensorDesc* desc;
  aclDataBuffer* buffer;
};

std::string echoed(const Floats& memory) {
  const std::vector<float> words = memory.read();
  return reinterpret_cast<const char*>(words.data());
}

}  // namespace

TEST(legacy, attributes_of_every_type_arrive) {
  use_chip({});
  const Floats input({1, 2}), output(256);
  Described in(input, 0, {2}), out(output, 4, {1024});
  aclopAttr* attributes = aclopCreateAttr();
  const int64_t integers[] = {3, -4};
  const float floats[] = {0.5f, 2, 1};
  const uint8_t bools[] = {1, 0, 1};
  const int counts[] = {2, 0, 1};
  const int64_t* lists[] = {integers, integers, integers};
  CHECK_OK(aclopSetAttrBool(attributes, "yes", 1));
  CHECK_OK(aclopSetAttrInt(attributes, "n", -1));
  CHECK_OK(aclopSetAttrFloat(attributes, "half", 0.5f));
  CHECK_OK(aclopSetAttrString(attributes, "mode", "constant"));
  CHECK_OK(aclopSetAttrDataType(attributes, "to", 27));
  CHECK_OK(aclopSetAttrListInt(attributes, "ints", 2, integers));
  CHECK_OK(aclopSetAttrListFloat(attributes, "floats", 3, floats));
  CHECK_OK(aclopSetAttrListBool(attributes, "bools", 3, bools));
  CHECK_OK(aclopSetAttrListListInt(attributes, "nested", 3, counts, lists));
  aclTensorDesc* descs[] = {in.desc, nullptr};
  aclDataBuffer* buffers[] = {in.buffer, nullptr};
  CHECK_OK(
      aclopCompileAndExecute("Echo", 2, descs, buffers, 1, &out.desc, &out.buffer, attributes, 0, 0, nullptr, nullptr));
  CHECK_EQUAL(echoed(output),
              "'Echo' (t0[2] none) (t4[1024]) 'yes' true 'n' i-1 'half' d0.5 'mode' 'constant' 'to' dtype27 "
              "'ints' {3,-4} 'floats' f{0.5,2,1} 'bools' b{101} 'nested' ({3,-4} {} {3})");
  aclopDestroyAttr(attributes);
}

TEST(legacy, values_on_the_host_travel_along) {
  use_chip({});
  const Floats output(256);
  Described out(output, 4, {1024});
  std::vector<int64_t> axes = {1, 2, 3};
  const int64_t size = 3;
  aclTensorDesc* desc = aclCreateTensorDesc(9, 1, &size, 2);
  CHECK_OK(aclSetTensorPlaceMent(desc, 1));
  aclDataBuffer* buffer = aclCreateDataBuffer(axes.data(), 24);
  CHECK_OK(
      aclopCompileAndExecute("Echo", 1, &desc, &buffer, 1, &out.desc, &out.buffer, nullptr, 0, 0, nullptr, nullptr));
  CHECK_EQUAL(echoed(output), "'Echo' (host9[3]24) (t4[1024])");
  aclDestroyDataBuffer(buffer);
  aclDestroyTensorDesc(desc);

  const int64_t large = 1 << 20;
  std::vector<int64_t> values(1 << 20);
  desc = aclCreateTensorDesc(9, 1, &large, 2);
  buffer = aclCreateDataBuffer(values.data(), values.size() * 8);
  CHECK_FAILS(code::kInvalidParam, aclopCompileAndExecute("Echo", 1, &desc, &buffer, 1, &out.desc, &out.buffer, nullptr,
                                                          0, 0, nullptr, nullptr));
  CHECK_HAS(recent_message(), "too many values on the host");
  aclDestroyDataBuffer(buffer);
  aclDestroyTensorDesc(desc);
}

TEST(legacy, what_has_no_arithmetic_says_so) {
  use_chip({});
  CHECK_FAILS(code::kApiNotSupported, aclopCompileAndExecute("Warp", 0, nullptr, nullptr, 0, nullptr, nullptr, nullptr,
                                                             0, 0, nullptr, nullptr));
  CHECK_HAS(recent_message(), "legacy operator Warp has no arithmetic yet");
}

TEST(legacy, true_sizes_come_back) {
  use_chip({});
  const Floats output(256);
  Described out(output, 4, {1024, 1});
  aclopAttr* attributes = aclopCreateAttr();
  CHECK_OK(aclopCompileAndExecuteV2("Echo", 0, nullptr, nullptr, 1, &out.desc, &out.buffer, attributes, 0, 0, nullptr,
                                    nullptr));
  CHECK_EQUAL(aclGetTensorDescNumDims(out.desc), size_t{1});
  int64_t size = 0;
  CHECK_OK(aclGetTensorDescDimV2(out.desc, 0, &size));
  CHECK_EQUAL(size, 7);
  CHECK_FAILS(code::kInvalidParam, aclGetTensorDescDimV2(out.desc, 1, &size));
  aclopDestroyAttr(attributes);
}

TEST(legacy, sizes_do_not_mix_with_those_of_other_threads) {
  use_chip({});
  std::thread other([] {
    CHECK_OK(aclrtSetDevice(0));
    aclrtStream stream = nullptr;
    CHECK_OK(aclrtCreateStream(&stream));
    const Floats output(256);
    Described out(output, 4, {1024});
    for (int i = 0; i < 3000; ++i) {
      CHECK_OK(aclopCompileAndExecute("Echo", 0, nullptr, nullptr, 1, &out.desc, &out.buffer, nullptr, 0, 0, nullptr,
                                      stream));
    }
    CHECK_OK(aclrtDestroyStream(stream));
  });
  const Floats values({0, 3, 0, 4, 5}), room(64);
  for (int i = 0; i < 500; ++i) {
    const int64_t sizes[] = {5, 1}, storage = 256;
    aclTensor *self = values.tensor(),
              *out = aclCreateTensor(sizes, 2, aclDataType::kInt64, nullptr, 0, 2, &storage, 1, room.data());
    CHECK_OK(RUN(aclnnNonzero, nullptr, self, out));
    int64_t* found = nullptr;
    uint64_t rank = 0;
    CHECK_OK(aclGetViewShape(out, &found, &rank));
    CHECK_EQUAL(found[0], 3);
    delete[] found;
    for (const aclTensor* each : {self, out}) aclDestroyTensor(each);
  }
  other.join();
}
