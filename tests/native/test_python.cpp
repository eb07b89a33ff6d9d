// The real executor, with Python and PyTorch, driven through every kind of record. Needs JUMAR_TEST_PYTHON: see
// test_native.py, which gives it one whose libjumar_executor.so is built with the address sanitizer.
#include "adapter.h"
#include "check.h"

OPERATOR(aclnnNonzero, const aclTensor*, const aclTensor*);
OPERATOR(aclnnDiv, const aclTensor*, const aclTensor*, const aclTensor*);
OPERATOR(aclnnMm, const aclTensor*, const aclTensor*, const aclTensor*, int8_t);
OPERATOR(aclnnCat, const aclTensorList*, int64_t, const aclTensor*);
OPERATOR(aclnnIndex, const aclTensor*, const aclTensorList*, const aclTensor*);
OPERATOR(aclnnClamp, const aclTensor*, const aclScalar*, const aclScalar*, const aclTensor*);
OPERATOR(aclnnCast, const aclTensor*, aclDataType, const aclTensor*);
OPERATOR(aclnnFlip, const aclTensor*, const aclIntArray*, const aclTensor*);

namespace {

aclTensor* tensor(const Floats& memory, const std::vector<int64_t>& sizes, aclDataType dtype = aclDataType::kFloat) {
  const auto storage = static_cast<int64_t>(memory.bytes());
  return aclCreateTensor(sizes.data(), sizes.size(), dtype, nullptr, 0, 2, &storage, 1, memory.data());
}

void use_python() {
  ServerOptions options;
  const char* python = std::getenv("JUMAR_TEST_PYTHON");
  CHECK(python != nullptr);
  options.python = python;
  use_chip(options);
}

void plain_operators() {
  const Floats values({1, 2, 3, 4}), out(4);
  aclTensor *in = values.tensor(), *result = out.tensor(), *square = tensor(values, {2, 2}),
            *other = tensor(out, {2, 2});
  CHECK_OK(add(values, values, out, nullptr));
  CHECK((out.read() == std::vector<float>{2, 4, 6, 8}));
  CHECK_OK(RUN(aclnnMm, nullptr, square, square, other, int8_t{0}));
  CHECK((out.read() == std::vector<float>{7, 10, 15, 22}));
  double low = 2, high = 3;
  aclScalar *least = aclCreateScalar(&low, aclDataType::kDouble), *most = aclCreateScalar(&high, aclDataType::kDouble);
  CHECK_OK(RUN(aclnnClamp, nullptr, in, least, most, result));
  CHECK((out.read() == std::vector<float>{2, 2, 3, 3}));
  const int64_t axis = 0;
  aclIntArray* axes = aclCreateIntArray(&axis, 1);
  CHECK_OK(RUN(aclnnFlip, nullptr, in, axes, result));
  CHECK((out.read() == std::vector<float>{4, 3, 2, 1}));
  CHECK_OK(RUN(aclnnCast, nullptr, in, aclDataType::kFloat, result));
  CHECK((out.read() == values.read()));
  for (const aclTensor* each : {in, result, square, other}) aclDestroyTensor(each);
  for (const aclScalar* each : {least, most}) aclDestroyScalar(each);
  aclDestroyIntArray(axes);
}

void lists() {
  const Floats first({1, 2, 3, 4}), second({5, 6}), out(6);
  aclTensor *result = tensor(out, {3, 2}), *table = tensor(first, {2, 2}), *picked = tensor(out, {3, 2});
  const aclTensor* rows[] = {tensor(first, {2, 2}), tensor(second, {1, 2})};
  aclTensorList* list = aclCreateTensorList(rows, 2);
  CHECK_OK(RUN(aclnnCat, nullptr, list, int64_t{0}, result));
  CHECK((out.read() == std::vector<float>{1, 2, 3, 4, 5, 6}));
  const Floats chosen(6);
  const int64_t wanted[] = {1, 0, 1};  // rows
  CHECK_OK(aclrtMemcpy(chosen.data(), chosen.bytes(), wanted, sizeof wanted, kHostToDevice));
  const aclTensor* indices[] = {tensor(chosen, {3}, aclDataType::kInt64)};
  aclTensorList* index = aclCreateTensorList(indices, 1);
  CHECK_OK(RUN(aclnnIndex, nullptr, table, index, picked));
  CHECK((out.read() == std::vector<float>{3, 4, 1, 2, 3, 4}));
  aclDestroyTensorList(list);
  aclDestroyTensorList(index);
  for (const aclTensor* each : {result, table, picked}) aclDestroyTensor(each);
}

void sized_and_failing() {
  const Floats values({0, 3, 0, 4, 5}), room(10);
  aclTensor *in = values.tensor(), *out = tensor(room, {5, 1}, aclDataType::kInt64), *wrong = tensor(room, {3});
  CHECK_OK(RUN(aclnnNonzero, nullptr, in, out));
  int64_t* sizes = nullptr;
  uint64_t rank = 0;
  CHECK_OK(aclGetViewShape(out, &sizes, &rank));
  CHECK_EQUAL(sizes[0], 3);
  delete[] sizes;
  CHECK_OK(RUN(aclnnDiv, nullptr, in, wrong, in));
  CHECK_FAILS(code::kVectorCoreException, aclrtSynchronizeDevice());
  CHECK_HAS(recent_message(), "aclnnDiv(float32[5], float32[3], float32[5]) failed in ops/");
  for (const aclTensor* each : {in, out, wrong}) aclDestroyTensor(each);
}

void legacy() {
  const Floats out(6);
  const int64_t two = 2, shape[] = {2, 3};
  float seven = 7;
  std::vector<int64_t> sizes = {2, 3};
  aclTensorDesc* ins[] = {aclCreateTensorDesc(9, 1, &two, 2), aclCreateTensorDesc(0, 0, nullptr, 2)};
  aclDataBuffer* buffers[] = {aclCreateDataBuffer(sizes.data(), 16), aclCreateDataBuffer(&seven, 4)};
  aclTensorDesc* desc = aclCreateTensorDesc(0, 2, shape, 2);
  aclDataBuffer* buffer = aclCreateDataBuffer(out.data(), out.bytes());
  for (aclTensorDesc* each : ins) CHECK_OK(aclSetTensorPlaceMent(each, 1));
  aclopAttr* attributes = aclopCreateAttr();
  const float floats[] = {1, 2};
  const int counts[] = {1, 0};
  const int64_t* nested[] = {shape, nullptr};
  CHECK_OK(aclopSetAttrListFloat(attributes, "floats", 2, floats));
  CHECK_OK(aclopSetAttrListListInt(attributes, "nested", 2, counts, nested));
  CHECK_OK(aclopSetAttrString(attributes, "text", "some"));
  CHECK_OK(aclopCompileAndExecute("Fill", 2, ins, buffers, 1, &desc, &buffer, attributes, 0, 0, nullptr, nullptr));
  CHECK_EQUAL(out.read().back(), 7.0f);
  CHECK_OK(aclopSetAttrString(attributes, "text", "\xff\xfe no text"));
  CHECK_OK(aclopCompileAndExecute("Fill", 2, ins, buffers, 1, &desc, &buffer, attributes, 0, 0, nullptr, nullptr));
  CHECK_FAILS(code::kVectorCoreException, aclrtSynchronizeDevice());
  CHECK_HAS(recent_message(), "legacy operator Fill");
  for (int i = 0; i < 2; ++i) aclDestroyTensorDesc(ins[i]), aclDestroyDataBuffer(buffers[i]);
  aclDestroyTensorDesc(desc);
  aclDestroyDataBuffer(buffer);
  aclopDestroyAttr(attributes);
}

// More views than the executor keeps, and more records than the ring holds.
void many() {
  const Floats memory(size_t{1} << 16), sum(1), ones({1});
  double zero = 0;
  aclScalar* alpha = aclCreateScalar(&zero, aclDataType::kDouble);
  for (int64_t i = 0; i < 20000; ++i) {
    const int64_t size = 2, stride = 1, storage = 1 << 16;
    aclTensor* view = aclCreateTensor(&size, 1, aclDataType::kFloat, &stride, i * 3, 2, &storage, 1, memory.data());
    CHECK_OK(RUN(aclnnAdd, nullptr, view, view, alpha, view));
    aclDestroyTensor(view);
  }
  for (int i = 0; i < 5000; ++i) CHECK_OK(add(sum, ones, sum, nullptr));
  CHECK_EQUAL(sum.first(), 5000.0f);
  aclDestroyScalar(alpha);
}

}  // namespace

TEST(python, the_executor_decodes_every_record) {
  use_python();
  plain_operators();
  lists();
  sized_and_failing();
  legacy();
  many();
}
