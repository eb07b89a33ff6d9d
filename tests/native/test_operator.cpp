// Operators of the aclnn path: arguments, refusals, failures, outputs whose sizes depend on data.
#include <numeric>

#include "adapter.h"
#include "check.h"

OPERATOR(aclnnNonzero, const aclTensor*, const aclTensor*);
OPERATOR(aclnnDiv, const aclTensor*, const aclTensor*, const aclTensor*);
OPERATOR(aclnnMm, const aclTensor*, const aclTensor*, const aclTensor*, int8_t);
OPERATOR(aclnnRelu, const aclTensor*, const aclTensor*);
OPERATOR(aclnnFloor, const aclTensor*, const aclTensor*);
OPERATOR(aclnnIndex, const aclTensor*, const aclTensorList*, const aclTensor*);
OPERATOR(aclnnClamp, const aclTensor*, const aclScalar*, const aclScalar*, const aclTensor*);
OPERATOR(aclnnCast, const aclTensor*, aclDataType, const aclTensor*);
OPERATOR(aclnnFlip, const aclTensor*, const aclIntArray*, const aclTensor*);
OPERATOR(aclnnAscendQuant, const aclTensor*, const aclTensor*, const aclTensor*, bool, const char*, int32_t,
         const aclTensor*);
OPERATOR(aclnnBatchNormBackward, const aclTensor*, const aclTensor*, const aclTensor*, const aclTensor*,
         const aclTensor*, const aclTensor*, const aclTensor*, bool, double, const aclBoolArray*, const aclTensor*,
         const aclTensor*, const aclTensor*);
OPERATOR(aclnnForeachAddScalarList, const aclTensorList*, const aclScalarList*, const aclTensorList*);

namespace {

const aclTensor* kNoTensor = nullptr;
const aclScalar* kNoScalar = nullptr;

// A tensor of any type and shape at the start of `memory`.
aclTensor* tensor(const Floats& memory, aclDataType dtype, const std::vector<int64_t>& sizes,
                  const std::vector<int64_t>& strides = {}, int64_t offset = 0) {
  const int64_t storage = static_cast<int64_t>(memory.bytes());
  return aclCreateTensor(sizes.data(), sizes.size(), dtype, strides.empty() ? nullptr : strides.data(), offset, 2,
                         &storage, 1, memory.data());
}

// Where the fake executor writes what it was given.
struct Echo {
  Floats memory = Floats(256);
  aclTensor* out = tensor(memory, aclDataType::kUint8, {1024});
  ~Echo() { aclDestroyTensor(out); }
  std::string text() const {
    const std::vector<float> words = memory.read();
    return reinterpret_cast<const char*>(words.data());
  }
};

template <typename Value>
aclScalar* scalar(Value value, aclDataType dtype) {
  return aclCreateScalar(&value, dtype);
}

}  // namespace

TEST(operator, works_on_strided_tensors) {
  use_chip({});
  std::vector<float> values(24);
  std::iota(values.begin(), values.end(), 0.0f);
  const Floats memory(values), out(6);
  double two = 2;
  aclScalar* alpha = aclCreateScalar(&two, aclDataType::kDouble);
  aclTensor* every_other = tensor(memory, aclDataType::kFloat, {2, 3}, {12, 2}, 1);
  aclTensor* same_row = tensor(memory, aclDataType::kFloat, {2, 3}, {0, 1}, 4);
  aclTensor* result = tensor(out, aclDataType::kFloat, {2, 3});
  CHECK_OK(RUN(aclnnAdd, nullptr, every_other, same_row, alpha, result));
  CHECK((out.read() == std::vector<float>{1 + 8, 3 + 10, 5 + 12, 13 + 8, 15 + 10, 17 + 12}));
  int64_t* sizes = nullptr;
  uint64_t rank = 0;
  CHECK_OK(aclGetViewShape(every_other, &sizes, &rank));
  CHECK_EQUAL(rank, uint64_t{2});
  CHECK_EQUAL(sizes[1], 3);
  delete[] sizes;
  for (const aclTensor* each : {every_other, same_row, result}) aclDestroyTensor(each);
  aclDestroyScalar(alpha);
}

TEST(operator, takes_scalars_of_every_type) {
  use_chip({});
  Echo echo;
  aclTensor* self = tensor(echo.memory, aclDataType::kInt32, {});
  const auto said = [&](aclScalar* low, const aclScalar* high) {
    CHECK_OK(RUN(aclnnClamp, nullptr, self, low, high, echo.out));
    aclDestroyScalar(low);
    if (high != nullptr) aclDestroyScalar(high);
    return echo.text();
  };
  CHECK_EQUAL(said(scalar<double>(1.5, aclDataType::kDouble), kNoScalar), "aclnnClamp t3[] d1.5 none t4[1024]");
  CHECK_HAS(said(scalar<float>(-2, aclDataType::kFloat), scalar<int64_t>(-7, aclDataType::kInt64)), " d-2 i-7 ");
  CHECK_HAS(said(scalar<int32_t>(9, aclDataType::kInt32), scalar<bool>(true, aclDataType::kBool)), " i9 true ");
  CHECK_HAS(said(scalar(std::complex<double>(1, 2), aclDataType::kComplex128),
                 scalar(std::complex<float>(3, -4), aclDataType::kComplex64)),
            " c1+2i c3+-4i ");
  CHECK_HAS(said(scalar<uint16_t>(0x3c00, aclDataType::kFloat16), scalar<uint16_t>(0xc040, aclDataType::kBfloat16)),
            " d1 d-3 ");
  int8_t small = 0;
  CHECK(aclCreateScalar(&small, aclDataType::kInt8) == nullptr);
  CHECK_HAS(recent_message(), "scalar of data type 2 is not supported");
  aclDestroyTensor(self);
}

TEST(operator, takes_lists_none_text_and_arrays) {
  use_chip({});
  Echo echo;
  const Floats memory(64);
  aclTensor* self = tensor(memory, aclDataType::kFloat, {4, 2});
  const aclTensor* indices[] = {nullptr, tensor(memory, aclDataType::kInt64, {3})};
  aclTensorList* list = aclCreateTensorList(indices, 2);
  CHECK_OK(RUN(aclnnIndex, nullptr, self, list, echo.out));
  CHECK_EQUAL(echo.text(), "aclnnIndex t0[4,2] (none t9[3]) t4[1024]");
  aclDestroyTensorList(list);

  CHECK_OK(RUN(aclnnCast, nullptr, self, aclDataType::kBfloat16, echo.out));
  CHECK_EQUAL(echo.text(), "aclnnCast t0[4,2] dtype27 t4[1024]");

  const int64_t axes[] = {0, -1};
  aclIntArray* array = aclCreateIntArray(axes, 2);
  CHECK_OK(RUN(aclnnFlip, nullptr, self, array, echo.out));
  CHECK_EQUAL(echo.text(), "aclnnFlip t0[4,2] {0,-1} t4[1024]");
  aclDestroyIntArray(array);
  array = aclCreateIntArray(nullptr, 0);
  CHECK_OK(RUN(aclnnFlip, nullptr, self, array, echo.out));
  CHECK_EQUAL(echo.text(), "aclnnFlip t0[4,2] {} t4[1024]");
  aclDestroyIntArray(array);

  for (const char* text : {"", "round", "exactly8", "more than eight"}) {
    CHECK_OK(RUN(aclnnAscendQuant, nullptr, self, kNoTensor, kNoTensor, true, text, -2, echo.out));
    CHECK_EQUAL(echo.text(), "aclnnAscendQuant t0[4,2] none none true '" + std::string(text) + "' i-2 t4[1024]");
  }

  const bool wanted[] = {true, false, true};
  aclBoolArray* mask = aclCreateBoolArray(wanted, 3);
  CHECK_OK(RUN(aclnnBatchNormBackward, nullptr, self, self, kNoTensor, kNoTensor, kNoTensor, kNoTensor, kNoTensor,
               false, 0.125, mask, kNoTensor, kNoTensor, echo.out));
  CHECK_HAS(echo.text(), " none false d0.125 b{101} none none t4[1024]");
  aclDestroyBoolArray(mask);

  const aclTensor* tensors[] = {self, echo.out};
  const aclScalar* scalars[] = {scalar<int64_t>(1, aclDataType::kInt64), scalar<double>(2, aclDataType::kDouble)};
  aclTensorList* in = aclCreateTensorList(tensors, 2);
  aclScalarList* numbers = aclCreateScalarList(scalars, 2);
  CHECK_OK(RUN(aclnnForeachAddScalarList, nullptr, in, numbers, in));
  CHECK_EQUAL(echo.text(), "aclnnForeachAddScalarList (t0[4,2] t4[1024]) (i1 d2) (t0[4,2] t4[1024])");
  aclDestroyScalarList(numbers);
  aclDestroyTensorList(in);  // with its tensors
  echo.out = nullptr;
}

TEST(operator, handles_may_go_before_the_work_is_done) {
  use_chip({});
  const Floats delay({50}), ones({1}), out(1);
  CHECK_OK(nap(delay, out, nullptr));
  CHECK_OK(add(out, ones, out, nullptr));  // both destroy their handles at once
  CHECK_EQUAL(out.first(), 51.0f);
}

TEST(operator, an_executor_that_is_never_launched_can_be_destroyed) {
  use_chip({});
  const Floats ones({1}), out(1);
  aclTensor *self = ones.tensor(), *result = out.tensor();
  uint64_t workspace = 9;
  aclOpExecutor* executor = nullptr;
  CHECK_OK(aclnnAbsGetWorkspaceSize(self, result, &workspace, &executor));
  CHECK_EQUAL(workspace, uint64_t{0});
  CHECK_EQUAL(aclDestroyAclOpExecutor(executor), 0);
  CHECK_FAILS(code::kInvalidHandle, aclnnAbs(nullptr, 0, nullptr, nullptr));
  for (const aclTensor* each : {self, result}) aclDestroyTensor(each);
}

TEST(operator, what_has_no_arithmetic_says_so) {
  use_chip({});
  const Floats values({1, 2, 3});
  aclTensor* self = values.tensor();
  CHECK_FAILS(code::kApiNotSupported, RUN(aclnnFloor, nullptr, self, self));
  CHECK_HAS(recent_message(), "aclnnFloor(float32[3], float32[3]) has no arithmetic yet");
  CHECK_EQUAL(recent_message(), "");  // told once
  const std::string report = jumar_server_report(test_directory().c_str());
  CHECK_HAS(report, "\"unsupported\":{\"aclnnFloor\":1}");
  aclDestroyTensor(self);
}

TEST(operator, refusals_hold_from_the_first_call) {
  setenv("JUMAR_TEST_START_DELAY_MS", "300", 1);  // the executor's tables come late
  use_chip({});
  Floats values(16);
  aclTensor* doubles = tensor(values, aclDataType::kDouble, {2, 2});
  CHECK_FAILS(code::kInvalidTensor, RUN(aclnnMm, nullptr, doubles, doubles, doubles, int8_t{0}));
  CHECK_HAS(recent_message(),
            "aclnnMm(float64[2, 2], float64[2, 2], float64[2, 2]): the chip does not take float64 here");
  aclDestroyTensor(doubles);
}

TEST(operator, tensors_elsewhere_are_refused) {
  use_chip({});
  const Floats values({1, 2});
  std::vector<float> host(2);
  const int64_t size = 2, stride = 1;
  aclTensor* there = values.tensor();
  aclTensor* here = aclCreateTensor(&size, 1, aclDataType::kFloat, &stride, 0, 2, &size, 1, host.data());
  CHECK_FAILS(code::kInvalidTensor, RUN(aclnnAbs, nullptr, here, there));
  CHECK_HAS(recent_message(), "float32[2] does not lie in device memory");
  aclTensor* strange = tensor(values, static_cast<aclDataType>(-1), {2});
  CHECK_FAILS(code::kInvalidTensor, RUN(aclnnAbs, nullptr, strange, there));
  CHECK_HAS(recent_message(), "data type -1 is not known");
  const std::vector<int64_t> many(26, 1);
  CHECK(aclCreateTensor(many.data(), 26, aclDataType::kFloat, nullptr, 0, 2, &size, 1, values.data()) == nullptr);
  aclTensor* empty = aclCreateTensor(many.data(), 0, aclDataType::kFloat, nullptr, 0, 2, nullptr, 0, nullptr);
  CHECK_FAILS(code::kInvalidTensor, RUN(aclnnAbs, nullptr, empty, there));  // one element, nowhere
  for (const aclTensor* each : {there, here, strange, empty}) aclDestroyTensor(each);
}

TEST(operator, too_many_arguments_are_refused) {
  use_chip({});
  Echo echo;
  aclTensor* self = tensor(echo.memory, aclDataType::kFloat, {2});
  const std::vector<int64_t> axes(600000, 1);
  aclIntArray* array = aclCreateIntArray(axes.data(), axes.size());
  CHECK_FAILS(code::kInvalidParam, RUN(aclnnFlip, nullptr, self, array, echo.out));
  CHECK_HAS(recent_message(), "too many arguments");
  aclDestroyIntArray(array);
  array = aclCreateIntArray(axes.data(), 500000);  // nearly half the ring
  for (int i = 0; i < 5; ++i) CHECK_OK(RUN(aclnnFlip, nullptr, self, array, echo.out));
  CHECK_OK(aclrtSynchronizeStream(nullptr));
  aclDestroyIntArray(array);
  aclDestroyTensor(self);
}

TEST(operator, sizes_that_depend_on_data_come_back) {
  use_chip({});
  const Floats values({0, 3, 0, 4, 5}), room(64);
  aclTensor *self = values.tensor(), *out = tensor(room, aclDataType::kInt64, {5, 1});
  CHECK_OK(RUN(aclnnNonzero, nullptr, self, out));
  int64_t* sizes = nullptr;
  uint64_t rank = 0;
  CHECK_OK(aclGetViewShape(out, &sizes, &rank));
  CHECK_EQUAL(rank, uint64_t{2});
  CHECK_EQUAL(sizes[0], 3);
  delete[] sizes;
  aclrtStream stream = nullptr;
  CHECK_OK(aclrtCreateStream(&stream));
  CHECK_OK(aclmdlRICaptureBegin(stream, 0));
  CHECK_FAILS(code::kCaptureUnsupported, RUN(aclnnNonzero, stream, self, out));
  CHECK_HAS(recent_message(), "cannot be captured");
  for (const aclTensor* each : {self, out}) aclDestroyTensor(each);
}

TEST(operator, a_failure_is_told_once_at_the_next_wait) {
  use_chip({});
  const Floats values({1}), out(1);
  {
    Floats other({2});
    aclTensor *self = values.tensor(), *result = other.tensor();
    CHECK_OK(RUN(aclnnDiv, nullptr, self, self, result));
    for (const aclTensor* each : {self, result}) aclDestroyTensor(each);
  }  // freeing memory waits as well, and must leave the failure for the program's own wait
  CHECK_FAILS(code::kVectorCoreException, aclrtSynchronizeStream(nullptr));
  CHECK_FAILS(code::kVectorCoreException, aclrtPeekAtLastError(0));
  CHECK_HAS(recent_message(), "the fake executor does not divide");
  CHECK_OK(aclrtPeekAtLastError(0));
  CHECK_OK(aclrtSynchronizeStream(nullptr));
  CHECK_OK(add(values, values, out, nullptr));
  CHECK_EQUAL(out.first(), 2.0f);
}
