// The vendor's C interface as the adapter calls it: our own declarations, only what the core itself needs.
#pragma once
#include <cstddef>
#include <cstdint>

#define JUMAR_API extern "C" __attribute__((visibility("default")))

using aclError = int;
using aclrtStream = void*;
using aclrtEvent = void*;
using aclrtContext = void*;

// Numbers of the vendor's data types.
enum class aclDataType : int32_t {
  kFloat = 0,
  kFloat16 = 1,
  kInt8 = 2,
  kInt32 = 3,
  kUint8 = 4,
  kInt16 = 6,
  kUint16 = 7,
  kUint32 = 8,
  kInt64 = 9,
  kUint64 = 10,
  kDouble = 11,
  kBool = 12,
  kString = 13,
  kComplex64 = 16,
  kComplex128 = 17,
  kBfloat16 = 27,
  kInt4 = 29,
  kComplex32 = 33,
};

enum MemcpyKind : int32_t {
  kHostToHost = 0,
  kHostToDevice = 1,
  kDeviceToHost = 2,
  kDeviceToDevice = 3,
  kDefault = 4,
  kHostToBufToDevice = 5,
  kInnerDeviceToDevice = 6,
  kInterDeviceToDevice = 7,
};

// Return codes (facts: acl_error_codes.tsv).
namespace code {
constexpr aclError kSuccess = 0;
constexpr aclError kInvalidParam = 107000;
constexpr aclError kInvalidDevice = 107001;
constexpr aclError kContextNull = 107002;
constexpr aclError kWaitTimeout = 107019;
constexpr aclError kInvalidHandle = 107017;
constexpr aclError kStreamCaptured = 107027;
constexpr aclError kStreamNotCaptured = 107029;
constexpr aclError kCaptureUnsupported = 107030;
constexpr aclError kApiNotSupported = 200001;
constexpr aclError kFeatureNotSupported = 207000;
constexpr aclError kMemoryAllocation = 207001;
constexpr aclError kNoDevice = 207004;
constexpr aclError kLostHeartbeat = 507010;
constexpr aclError kVectorCoreException = 507035;
constexpr aclError kStreamSyncTimeout = 507046;
constexpr aclError kEventSyncTimeout = 507047;
constexpr aclError kTaskAbort = 107022;
constexpr aclError kDeviceSetup = 507033;
constexpr aclError kTaskTimeout = 507048;
constexpr aclError kDriverError = 507899;
constexpr aclError kInvalidTensor = 161002;
}  // namespace code
