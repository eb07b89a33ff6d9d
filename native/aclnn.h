// Handles the adapter builds for operator arguments, and the recording of an operator call by value.
#pragma once
#include <complex>
#include <string>
#include <vector>

#include "core.h"

struct aclTensor {
  int32_t dtype;
  int32_t format;
  uint32_t rank;
  int64_t offset;  // elements
  void* data;      // start of the storage
  int64_t sizes[jumar::kMaxDims];
  int64_t strides[jumar::kMaxDims];  // elements
  std::vector<int64_t> storage;
};

struct aclScalar {
  jumar::Tag tag;  // kInt, kDouble, kBool or kComplex
  int64_t integer;
  std::complex<double> number;
};

struct aclTensorList {
  std::vector<const aclTensor*> items;  // owned, as with the vendor
};
struct aclScalarList {
  std::vector<const aclScalar*> items;  // owned
};
struct aclIntArray {
  std::vector<int64_t> items;
};
struct aclBoolArray {
  std::vector<uint8_t> items;
};
struct aclFloatArray {
  std::vector<float> items;
};

// What GetWorkspaceSize hands to the launch: the whole call, by value.
struct aclOpExecutor {
  uint16_t op = 0;
  bool refused = false;  // already told: nothing to launch
  bool skip = false;     // dry: too large to compute
  bool sized = false;    // output sizes depend on the data
  jumar::TraceEvent trace;
  std::vector<uint8_t> record;
  std::vector<std::vector<uint8_t>> zero_fills;                // dry: small outputs of a skipped operator
  std::vector<std::pair<uint32_t, const aclTensor*>> tensors;  // sized: by argument, alive until after the launch
};

namespace jumar {

// Builds the executor object of one call, argument by argument, in the order of the operator's signature.
class Call {
 public:
  explicit Call(uint16_t op);
  void put(const aclTensor* tensor);
  void put(const aclTensorList* list);
  void put(const aclScalar* scalar);
  void put(const aclScalarList* list);
  void put(const aclIntArray* array);
  void put(const aclBoolArray* array);
  void put(const aclFloatArray* array);
  void put(const char* text);
  void put(aclDataType dtype);
  void put(bool value);
  void put(double value);
  void put(float value) { put(static_cast<double>(value)); }
  void put(int64_t value);
  void put(uint64_t value) { put(static_cast<int64_t>(value)); }
  void put(int32_t value) { put(static_cast<int64_t>(value)); }
  void put(int8_t value) { put(static_cast<int64_t>(value)); }
  aclError finish(uint64_t* workspace, aclOpExecutor** executor);

 private:
  void tensor(const aclTensor* tensor);
  void note_format(const aclTensor& tensor);
  TraceEvent traced() const;
  void scalar(const aclScalar* scalar);
  template <typename Array>
  void array(Tag tag, const Array* array);
  std::string describe() const;
  aclError refused(aclError error, const std::string& text, aclOpExecutor** executor) const;

  uint16_t op_;
  Record record_;
  aclError error_ = code::kSuccess;
  bool lost_ = false;  // this process has no chips or no executor: nothing further is looked at
  std::string reason_;
  int32_t chip_ = -1;  // physical, of the tensors so far
  bool skip_ = false;
  uint32_t argument_ = 0;
  int32_t last_plain_ = -1;                                     // position of the last argument that is no tensor
  std::vector<int32_t> formats_;                                // of the tensors, once one is not plain
  std::vector<std::pair<uint32_t, const aclTensor*>> tensors_;  // every tensor seen, with its argument's position
};

template <typename... Arguments>
aclError prepare(uint16_t op, uint64_t* workspace, aclOpExecutor** executor, Arguments... arguments) {
  Call call(op);
  (call.put(arguments), ...);
  return call.finish(workspace, executor);
}

aclError launch(aclOpExecutor* executor, aclrtStream stream);

// Appends a tensor argument; false with a reason if its memory is not a chip's, or not that of `*chip`, which the first
// tensor of a call sets (physical; -1 before).
bool append_tensor(Record& record, const aclTensor& tensor, std::string* reason, int32_t* chip);
std::string describe(const aclTensor& tensor);
std::string python_line();  // "file.py:12" of the Python code this thread is in; empty if unknown

}  // namespace jumar
