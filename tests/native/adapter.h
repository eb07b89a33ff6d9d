// What the adapter declares of the vendor's interface, as far as the tests call it, and shorthands for playing adapter.
#pragma once
#include <complex>
#include <functional>
#include <string>
#include <vector>

#include "acl.h"

struct aclTensor;
struct aclTensorList;
struct aclScalar;
struct aclScalarList;
struct aclIntArray;
struct aclBoolArray;
struct aclFloatArray;
struct aclOpExecutor;
struct aclTensorDesc;
struct aclDataBuffer;
struct aclopAttr;

extern "C" {
int jumar_server_create(const char* directory, const char* settings);
const char* jumar_server_report(const char* directory);
const char* jumar_last_error();
int jumar_server_inject(const char* directory, const char* lines);
int jumar_server_clear(const char* directory, int chip);

aclError aclInit(const char* config);
aclError aclFinalize();
const char* aclGetRecentErrMsg();
aclError aclrtPeekAtLastError(int32_t level);
aclError aclrtGetDeviceCount(uint32_t* count);
aclError aclrtSetDevice(int32_t id);
aclError aclrtGetDevice(int32_t* id);
aclError aclrtGetCurrentContext(aclrtContext* context);
aclError aclrtSetCurrentContext(aclrtContext context);
aclError aclrtGetPrimaryCtxState(int32_t id, uint32_t* flags, int32_t* active);
const char* aclrtGetSocName();
aclError aclGetDeviceCapability(uint32_t id, int32_t what, int64_t* value);

struct MemoryError {
  void* address;
  size_t bytes, reserved[14];
};
aclError aclrtGetMemUceInfo(int32_t id, MemoryError* found, size_t room, size_t* count);
aclError aclrtMemUceRepair(int32_t id, MemoryError* given, size_t count);
aclError aclrtDeviceTaskAbort(int32_t id, uint32_t milliseconds);
aclError aclrtResetDeviceForce(int32_t id);

aclError aclrtMalloc(void** address, size_t bytes, int32_t policy);
aclError aclrtFree(void* address);
aclError aclrtGetMemInfo(int32_t attribute, size_t* free, size_t* total);
aclError aclrtReserveMemAddress(void** address, size_t bytes, size_t alignment, void* wanted, uint64_t flags);
aclError aclrtReleaseMemAddress(void* address);
aclError aclrtMallocPhysical(void** handle, size_t bytes, const void* properties, uint64_t flags);
aclError aclrtFreePhysical(void* handle);
aclError aclrtMapMem(void* address, size_t bytes, size_t offset, void* handle, uint64_t flags);
aclError aclrtUnmapMem(void* address);
aclError aclrtMallocHost(void** address, size_t bytes);
aclError aclrtFreeHost(void* address);
aclError aclrtHostRegisterV2(void* address, uint64_t bytes, uint32_t flags);
aclError aclrtHostUnregister(void* address);
aclError aclrtPointerGetAttributes(const void* address, void* attributes);
aclError aclrtIpcMemGetExportKey(void* address, size_t bytes, char* key, size_t length, uint64_t flags);
aclError aclrtIpcMemImportByKey(void** address, const char* key, uint64_t flags);
aclError aclrtIpcMemClose(const char* key);
aclError aclrtMemcpy(void* destination, size_t capacity, const void* source, size_t count, int32_t kind);
aclError aclrtMemcpyAsync(void* destination, size_t capacity, const void* source, size_t count, int32_t kind,
                          aclrtStream stream);
aclError aclrtMemcpyBatch(void** destinations, size_t* capacities, void** sources, size_t* counts, size_t batches,
                          void* attributes, size_t* indexes, size_t attribute_count, size_t* failed);
aclError aclrtMemset(void* destination, size_t capacity, int32_t value, size_t count);
aclError aclrtMemsetAsync(void* destination, size_t capacity, int32_t value, size_t count, aclrtStream stream);

aclError aclrtCreateStream(aclrtStream* stream);
aclError aclrtDestroyStream(aclrtStream stream);
aclError aclrtDestroyStreamForce(aclrtStream stream);
aclError aclrtSynchronizeStream(aclrtStream stream);
aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream, int32_t milliseconds);
aclError aclrtSynchronizeDevice();
aclError aclrtStreamQuery(aclrtStream stream, int32_t* status);
aclError aclrtStreamGetId(aclrtStream stream, int32_t* id);
aclError aclrtCreateEvent(aclrtEvent* event);
aclError aclrtDestroyEvent(aclrtEvent event);
aclError aclrtRecordEvent(aclrtEvent event, aclrtStream stream);
aclError aclrtStreamWaitEvent(aclrtStream stream, aclrtEvent event);
aclError aclrtQueryEventStatus(aclrtEvent event, int32_t* status);
aclError aclrtSynchronizeEvent(aclrtEvent event);
aclError aclrtEventElapsedTime(float* milliseconds, aclrtEvent start, aclrtEvent end);
aclError aclrtLaunchHostFunc(aclrtStream stream, void (*function)(void*), void* argument);
aclError aclrtLaunchCallback(void (*function)(void*), void* argument, int32_t blocking, aclrtStream stream);
aclError aclrtProcessReport(int32_t milliseconds);
aclError aclrtValueWrite(void* address, uint64_t value, uint32_t flag, aclrtStream stream);
aclError aclrtValueWait(void* address, uint64_t value, uint32_t flag, aclrtStream stream);

aclError aclmdlRICaptureBegin(aclrtStream stream, int32_t mode);
aclError aclmdlRICaptureEnd(aclrtStream stream, void** model);
aclError aclmdlRICaptureGetInfo(aclrtStream stream, int32_t* status, void** model);
aclError aclmdlRIExecuteAsync(void* model, aclrtStream stream);
aclError aclmdlRIDestroy(void* model);

aclTensor* aclCreateTensor(const int64_t* sizes, uint64_t rank, aclDataType dtype, const int64_t* strides,
                           int64_t offset, int32_t format, const int64_t* storage, uint64_t storage_rank, void* data);
aclScalar* aclCreateScalar(void* value, aclDataType dtype);
aclIntArray* aclCreateIntArray(const int64_t* values, uint64_t size);
aclBoolArray* aclCreateBoolArray(const bool* values, uint64_t size);
aclTensorList* aclCreateTensorList(const aclTensor* const* values, uint64_t size);
aclScalarList* aclCreateScalarList(const aclScalar* const* values, uint64_t size);
int aclDestroyTensor(const aclTensor* handle);
int aclDestroyScalar(const aclScalar* handle);
int aclDestroyIntArray(const aclIntArray* handle);
int aclDestroyBoolArray(const aclBoolArray* handle);
int aclDestroyTensorList(const aclTensorList* list);
int aclDestroyScalarList(const aclScalarList* list);
int aclDestroyAclOpExecutor(aclOpExecutor* executor);
int aclGetViewShape(const aclTensor* tensor, int64_t** sizes, uint64_t* rank);

aclTensorDesc* aclCreateTensorDesc(int32_t dtype, int rank, const int64_t* sizes, int32_t format);
void aclDestroyTensorDesc(const aclTensorDesc* desc);
aclError aclSetTensorPlaceMent(aclTensorDesc* desc, int32_t placement);
size_t aclGetTensorDescNumDims(const aclTensorDesc* desc);
aclError aclGetTensorDescDimV2(const aclTensorDesc* desc, size_t index, int64_t* size);
aclDataBuffer* aclCreateDataBuffer(void* data, size_t bytes);
aclError aclDestroyDataBuffer(const aclDataBuffer* buffer);
aclopAttr* aclopCreateAttr();
void aclopDestroyAttr(const aclopAttr* attributes);
aclError aclopSetAttrBool(aclopAttr* attributes, const char* name, uint8_t value);
aclError aclopSetAttrInt(aclopAttr* attributes, const char* name, int64_t value);
aclError aclopSetAttrFloat(aclopAttr* attributes, const char* name, float value);
aclError aclopSetAttrString(aclopAttr* attributes, const char* name, const char* value);
aclError aclopSetAttrDataType(aclopAttr* attributes, const char* name, int32_t value);
aclError aclopSetAttrListInt(aclopAttr* attributes, const char* name, int count, const int64_t* values);
aclError aclopSetAttrListFloat(aclopAttr* attributes, const char* name, int count, const float* values);
aclError aclopSetAttrListBool(aclopAttr* attributes, const char* name, int count, const uint8_t* values);
aclError aclopSetAttrListListInt(aclopAttr* attributes, const char* name, int lists, const int* counts,
                                 const int64_t* const* values);
aclError aclopCompileAndExecute(const char* type, int inputs, aclTensorDesc** input_descs,
                                aclDataBuffer** input_buffers, int outputs, aclTensorDesc** output_descs,
                                aclDataBuffer** output_buffers, const aclopAttr* attributes, int32_t engine,
                                int32_t flag, const char* path, aclrtStream stream);
aclError aclopCompileAndExecuteV2(const char* type, int inputs, aclTensorDesc** input_descs,
                                  aclDataBuffer** input_buffers, int outputs, aclTensorDesc** output_descs,
                                  aclDataBuffer** output_buffers, aclopAttr* attributes, int32_t engine, int32_t flag,
                                  const char* path, aclrtStream stream);
}

// Declares both entry points of an operator.
#define OPERATOR(name, ...)                                                       \
  extern "C" int name##GetWorkspaceSize(__VA_ARGS__, uint64_t*, aclOpExecutor**); \
  extern "C" int name(void*, uint64_t, aclOpExecutor*, aclrtStream)

OPERATOR(aclnnAdd, const aclTensor*, const aclTensor*, const aclScalar*, const aclTensor*);
OPERATOR(aclnnAbs, const aclTensor*, const aclTensor*);

constexpr const char* kDirectoryVariable = "JUMAR_TEST_DIRECTORY";

struct ServerOptions {
  uint32_t chips = 2;
  uint64_t memory_bytes = uint64_t{1} << 30;
  bool dry = false;
  std::string python;         // empty: the fake executor
  uint64_t trace_events = 0;  // 0: no trace
};

std::string test_directory();                         // of this test, emptied afterwards
void make_server(const ServerOptions& options = {});  // and sets JUMAR_SERVER
void use_chip(const ServerOptions& options = {});     // makes a server and sets chip 0
std::string recent_message();                         // aclGetRecentErrMsg, empty if none
int executor_pid();                                   // of this process; waits until it has started
uint64_t committed_bytes(int chip);                   // of the chip's memory, as the system counts them
void sleep_ms(int milliseconds);
bool soon(const std::function<bool()>& holds);  // within ten seconds

// Ends the test with the code and the message unless the call succeeded, or failed as expected.
void expect(aclError got, aclError wanted, const char* text, const char* file, int line);
#define CHECK_OK(call) expect(call, code::kSuccess, #call, __FILE__, __LINE__)
#define CHECK_FAILS(wanted, call) expect(call, wanted, #call, __FILE__, __LINE__)

// A dense float32 vector on the chip.
class Floats {
 public:
  explicit Floats(const std::vector<float>& values);
  explicit Floats(std::initializer_list<float> values) : Floats(std::vector<float>(values)) {}
  explicit Floats(size_t count);  // zeros
  ~Floats();
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  void* data() const { return data_; }
  size_t bytes() const { return count_ * sizeof(float); }
  aclTensor* tensor() const;  // the caller destroys it
  std::vector<float> read() const;
  float first() const { return read().front(); }

 private:
  void* data_ = nullptr;
  size_t count_;
};

// Both calls of an operator, with the arguments as the adapter gives them.
template <typename Prepare, typename Launch, typename... Arguments>
aclError run(Prepare prepare, Launch launch, aclrtStream stream, Arguments... arguments) {
  uint64_t workspace = 0;
  aclOpExecutor* executor = nullptr;
  const aclError error = prepare(arguments..., &workspace, &executor);
  return error != code::kSuccess ? error : launch(nullptr, workspace, executor, stream);
}
#define RUN(name, stream, ...) run(name##GetWorkspaceSize, name, stream, __VA_ARGS__)

aclError add(const Floats& a, const Floats& b, const Floats& out, aclrtStream stream);  // out = a + b
aclError nap(const Floats& milliseconds, const Floats& out, aclrtStream stream);        // out = milliseconds, later

// Another process on the same server that runs the test `role` until finish() or kill().
class Companion {
 public:
  explicit Companion(const char* role, const char* argument = "");
  ~Companion();
  Companion(const Companion&) = delete;
  Companion& operator=(const Companion&) = delete;
  std::string line();  // the next one it says
  void kill();
  int finish();  // closes its input, waits, tells its exit status

 private:
  int pid_ = -1, to_ = -1, from_ = -1;
};
