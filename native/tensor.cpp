// Tensor, scalar and array handles of the aclnn interface.
#include <algorithm>
#include <cstring>

#include "aclnn.h"
#include "dtype.h"

namespace jumar {

bool append_tensor(Record& record, const aclTensor& tensor, std::string* reason, int32_t* chip) {
  int64_t low = tensor.offset, high = tensor.offset;
  bool empty = false;
  for (uint32_t i = 0; i < tensor.rank; ++i) {
    if (tensor.sizes[i] == 0) empty = true;
    const int64_t reach = (tensor.sizes[i] - 1) * tensor.strides[i];
    (reach > 0 ? high : low) += reach;
  }
  const int64_t item = item_bytes(tensor.dtype);
  if (item == 0) {
    *reason = "data type " + std::to_string(tensor.dtype) + " is not known";
    return false;
  }
  Place place{};
  if (!empty) {
    const auto* base = static_cast<const uint8_t*>(tensor.data);
    Place first{}, last{};
    if (!locate(base + low * item, &first) || !locate(base + high * item, &last) || first.window != last.window) {
      *reason = describe(tensor) + " does not lie in device memory";
      return false;
    }
    locate(base + tensor.offset * item, &place);
    const auto here = static_cast<int32_t>(place.chip);
    if (*chip >= 0 && *chip != here) {
      *reason = "tensors lie on chips " + std::to_string(visible_chip(static_cast<uint32_t>(*chip))) + " and " +
                std::to_string(visible_chip(place.chip));
      return false;
    }
    *chip = here;
  }
  record.head(Tag::kTensor, tensor.rank);
  const TensorHead head{static_cast<uint32_t>(tensor.dtype), place.window, place.offset};
  record.raw(&head, sizeof head);
  record.raw(tensor.sizes, tensor.rank * sizeof(int64_t));
  record.raw(tensor.strides, tensor.rank * sizeof(int64_t));
  return true;
}

std::string describe(const aclTensor& tensor) {
  std::string text = std::string(dtype_name(tensor.dtype)) + "[";
  for (uint32_t i = 0; i < tensor.rank; ++i) text += (i ? ", " : "") + std::to_string(tensor.sizes[i]);
  return text + "]";
}

}  // namespace jumar

using namespace jumar;

JUMAR_API aclTensor* aclCreateTensor(const int64_t* sizes, uint64_t rank, aclDataType dtype, const int64_t* strides,
                                     int64_t offset, int32_t format, const int64_t* storage, uint64_t storage_rank,
                                     void* data) {
  if (rank > kMaxDims) {
    fail(code::kInvalidParam, "tensors of more than " + std::to_string(kMaxDims) + " dimensions are not supported");
    return nullptr;
  }
  auto* tensor = new aclTensor;
  tensor->dtype = static_cast<int32_t>(dtype);
  tensor->format = format;
  tensor->rank = static_cast<uint32_t>(rank);
  tensor->offset = offset;
  tensor->data = data;
  std::copy_n(sizes, rank, tensor->sizes);
  int64_t dense = 1;
  for (uint64_t i = rank; i-- > 0;) {
    tensor->strides[i] = strides != nullptr ? strides[i] : dense;
    dense *= sizes[i];
  }
  if (storage != nullptr) tensor->storage.assign(storage, storage + storage_rank);
  return tensor;
}

JUMAR_API aclScalar* aclCreateScalar(void* value, aclDataType dtype) {
  auto* scalar = new aclScalar{Tag::kInt, 0, 0.0};
  switch (dtype) {
    case aclDataType::kDouble: scalar->tag = Tag::kDouble, scalar->number = *static_cast<double*>(value); break;
    case aclDataType::kFloat: scalar->tag = Tag::kDouble, scalar->number = *static_cast<float*>(value); break;
    case aclDataType::kInt64: scalar->integer = *static_cast<int64_t*>(value); break;
    case aclDataType::kInt32: scalar->integer = *static_cast<int32_t*>(value); break;
    case aclDataType::kBool: scalar->tag = Tag::kBool, scalar->integer = *static_cast<bool*>(value); break;
    case aclDataType::kComplex64:
      scalar->tag = Tag::kComplex, scalar->number = *static_cast<std::complex<float>*>(value);
      break;
    case aclDataType::kComplex128:
      scalar->tag = Tag::kComplex, scalar->number = *static_cast<std::complex<double>*>(value);
      break;
    case aclDataType::kFloat16:
    case aclDataType::kBfloat16: {
      uint16_t bits = 0;
      std::memcpy(&bits, value, sizeof bits);
      scalar->tag = Tag::kDouble, scalar->number = widen(bits, dtype == aclDataType::kBfloat16);
      break;
    }
    default:
      fail(code::kInvalidParam, "scalar of data type " + std::to_string(static_cast<int>(dtype)) + " is not supported");
      delete scalar;
      return nullptr;
  }
  return scalar;
}

namespace {
template <typename Array, typename Value>
Array* make_array(const Value* values, uint64_t size) {
  auto* array = new Array;
  if (size != 0) array->items.assign(values, values + size);
  return array;
}

template <typename List>
int destroy_list(const List* list) {
  if (list == nullptr) return code::kSuccess;
  for (const auto* item : list->items) delete item;
  delete list;
  return code::kSuccess;
}

template <typename Handle>
int destroy(const Handle* handle) {
  delete handle;
  return code::kSuccess;
}
}  // namespace

JUMAR_API aclIntArray* aclCreateIntArray(const int64_t* values, uint64_t size) {
  return make_array<aclIntArray>(values, size);
}
JUMAR_API aclBoolArray* aclCreateBoolArray(const bool* values, uint64_t size) {
  return make_array<aclBoolArray>(values, size);
}
JUMAR_API aclFloatArray* aclCreateFloatArray(const float* values, uint64_t size) {
  return make_array<aclFloatArray>(values, size);
}
JUMAR_API aclTensorList* aclCreateTensorList(const aclTensor* const* values, uint64_t size) {
  return make_array<aclTensorList>(values, size);
}
JUMAR_API aclScalarList* aclCreateScalarList(const aclScalar* const* values, uint64_t size) {
  return make_array<aclScalarList>(values, size);
}
JUMAR_API int aclDestroyTensor(const aclTensor* handle) { return destroy(handle); }
JUMAR_API int aclDestroyScalar(const aclScalar* handle) { return destroy(handle); }
JUMAR_API int aclDestroyIntArray(const aclIntArray* handle) { return destroy(handle); }
JUMAR_API int aclDestroyBoolArray(const aclBoolArray* handle) { return destroy(handle); }
JUMAR_API int aclDestroyFloatArray(const aclFloatArray* handle) { return destroy(handle); }
JUMAR_API int aclDestroyTensorList(const aclTensorList* list) { return destroy_list(list); }
JUMAR_API int aclDestroyScalarList(const aclScalarList* list) { return destroy_list(list); }
JUMAR_API int aclDestroyAclOpExecutor(aclOpExecutor* executor) { return destroy(executor); }

JUMAR_API int aclGetViewShape(const aclTensor* tensor, int64_t** sizes, uint64_t* rank) {
  *rank = tensor->rank;
  *sizes = new int64_t[std::max<uint32_t>(tensor->rank, 1)];  // the caller deletes it
  std::copy_n(tensor->sizes, tensor->rank, *sizes);
  return code::kSuccess;
}
