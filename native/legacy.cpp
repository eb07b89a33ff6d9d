// The legacy operator path (aclop…): descriptions, buffers and attributes, compiled and executed by type name.
#include <algorithm>
#include <cstring>
#include <string>

#include "aclnn.h"
#include "dtype.h"

struct aclTensorDesc {
  int32_t dtype;
  int32_t format;
  std::vector<int64_t> sizes;
  std::string name;
  bool on_host = false;
};

struct aclDataBuffer {
  void* data;
  uint64_t bytes;
};

// Attributes are kept as the arguments of a record: name, value, name, value …
struct aclopAttr {
  std::vector<std::vector<uint8_t>> entries;
};

namespace jumar {

namespace {

// An attribute's bytes without a record header around them.
class Attribute {
 public:
  explicit Attribute(const char* name) : record_(RecordKind::kLegacy) { text(name); }
  Record& value() { return record_; }
  void text(const char* value) {
    const size_t length = std::strlen(value);
    record_.head(Tag::kString, static_cast<uint32_t>(length));
    record_.raw(value, length);
  }
  aclError add_to(aclopAttr* attributes) {
    std::vector<uint8_t> bytes = record_.take();
    attributes->entries.emplace_back(bytes.begin() + sizeof(RecordHeader), bytes.end());
    return code::kSuccess;
  }

 private:
  Record record_;
};

// Operators that only move data. Chips of one server reach each other's memory, and the adapter has these read from
// one and write to another when it copies a view between them.
bool moves(const char* type) {
  static const char* const kMoving[] = {"AsStrided",    "BroadcastTo", "Cast",      "Identity", "Slice",
                                        "StridedSlice", "TensorMove",  "Transpose", "ViewCopy"};
  return std::any_of(std::begin(kMoving), std::end(kMoving),
                     [type](const char* name) { return std::strcmp(type, name) == 0; });
}

aclError append(Record& record, const aclTensorDesc* desc, const aclDataBuffer* buffer, std::string* reason,
                int32_t* chip) {
  const bool absent = desc == nullptr || buffer == nullptr || find_dtype(desc->dtype) == nullptr;
  if (absent) return record.head(Tag::kNone, 0), code::kSuccess;
  if (desc->on_host || (buffer->data != nullptr && !on_device(buffer->data))) {
    record.head(Tag::kHostTensor, static_cast<uint32_t>(desc->sizes.size()));
    record.word(static_cast<uint64_t>(desc->dtype));
    record.raw(desc->sizes.data(), desc->sizes.size() * sizeof(int64_t));
    uint64_t bytes = static_cast<uint64_t>(item_bytes(desc->dtype));
    for (const int64_t size : desc->sizes) bytes *= static_cast<uint64_t>(size);
    bytes = buffer->data != nullptr ? std::min(bytes, buffer->bytes) : 0;
    record.word(bytes);
    record.raw(buffer->data, bytes);
    return code::kSuccess;
  }
  aclTensor tensor{desc->dtype, desc->format, static_cast<uint32_t>(desc->sizes.size()), 0, buffer->data, {}, {}, {}};
  int64_t dense = 1;
  for (size_t i = desc->sizes.size(); i-- > 0;) {
    tensor.sizes[i] = desc->sizes[i];
    tensor.strides[i] = dense;
    dense *= desc->sizes[i];
  }
  return append_tensor(record, tensor, reason, chip) ? code::kSuccess : code::kInvalidParam;
}

bool too_large(int count, const aclTensorDesc* const* descs) {
  const Settings& settings = Server::get()->settings();
  if (settings.dry == 0) return false;
  return std::any_of(descs, descs + count, [&](const aclTensorDesc* desc) {
    if (desc == nullptr) return false;
    uint64_t elements = 1;
    for (const int64_t size : desc->sizes) elements *= static_cast<uint64_t>(size);
    return elements > settings.dry_limit_elements;
  });
}

aclError execute(const char* type, int inputs, aclTensorDesc** input_descs, aclDataBuffer** input_buffers, int outputs,
                 aclTensorDesc** output_descs, aclDataBuffer** output_buffers, const aclopAttr* attributes,
                 aclrtStream stream, bool sized) {
  if (const aclError error = usable()) return error;
  Server* server = Server::get();
  Engine& engine = Engine::get();
  if (!engine.await_ready()) return fail(code::kLostHeartbeat, "the executor process ended");
  const Ring& ring = engine.ring();
  const uint64_t* end = ring.legacy + ring.legacy_count;
  if (std::find(ring.legacy, end, name_hash(type)) == end) {
    server->count(server->state().unsupported, type);
    const std::string line = python_line();
    return refuse(code::kApiNotSupported, std::string("legacy operator ") + type +
                                              (line.empty() ? "" : " called from " + line) +
                                              " has no arithmetic yet: add it to src/jumar/ops/ with @legacy");
  }
  server->count(server->state().legacy, type);
  const bool skip = too_large(inputs, input_descs) || too_large(outputs, output_descs);
  if (skip && !tracing()) return code::kSuccess;
  Record record(RecordKind::kLegacy, sized ? 1 : 0);
  record.head(Tag::kString, static_cast<uint32_t>(std::strlen(type)));
  record.raw(type, std::strlen(type));
  std::string reason;
  int32_t chip = -1;
  const bool anywhere = moves(type);
  aclError error = code::kSuccess;
  const auto list = [&](int count, aclTensorDesc** descs, aclDataBuffer** buffers) {
    record.head(Tag::kTensorList, static_cast<uint32_t>(count));
    for (int i = 0; i < count && error == code::kSuccess; ++i) {
      error = append(record, descs[i], buffers[i], &reason, &chip);
      if (anywhere) chip = -1;
    }
  };
  list(inputs, input_descs, input_buffers);
  list(outputs, output_descs, output_buffers);
  if (error != code::kSuccess) return refuse(error, std::string("legacy operator ") + type + ": " + reason);
  if (attributes != nullptr) {
    for (const auto& entry : attributes->entries) record.raw(entry.data(), entry.size());
  }
  if (record.bytes() > kMostRecord) {
    return fail(code::kInvalidParam, std::string("legacy operator ") + type + ": too many values on the host");
  }
  Item item;
  item.trace = here(TraceType::kOperator);
  item.operation = true;
  if (tracing()) item.trace.kind = intern(record.data(), record.bytes(), {});
  Stream* target = engine.resolve(stream);
  if (skip) {
    item.kind = Item::Kind::kSkipped;
    return engine.submit(target, std::move(item)), code::kSuccess;
  }
  item.bytes = record.take();
  if (!sized) return engine.submit(target, std::move(item)), code::kSuccess;
  static thread_local Reply reply;
  error = engine.run_now(target, std::move(item), &reply);
  for (uint32_t i = 0; error == code::kSuccess && i < reply.count; ++i) {
    const auto& size = reply.sizes[i];
    if (size.argument < static_cast<uint32_t>(outputs)) {
      output_descs[size.argument]->sizes.assign(size.sizes, size.sizes + size.rank);
    }
  }
  return error;
}

}  // namespace

}  // namespace jumar

using namespace jumar;

JUMAR_API aclTensorDesc* aclCreateTensorDesc(int32_t dtype, int rank, const int64_t* sizes, int32_t format) {
  return new aclTensorDesc{dtype, format, std::vector<int64_t>(sizes, sizes + rank), "", false};
}
JUMAR_API void aclDestroyTensorDesc(const aclTensorDesc* desc) { delete desc; }
JUMAR_API void aclSetTensorDescName(aclTensorDesc* desc, const char* name) { desc->name = name; }
JUMAR_API aclError aclSetTensorFormat(aclTensorDesc* desc, int32_t format) {
  desc->format = format;
  return code::kSuccess;
}
JUMAR_API aclError aclSetTensorShape(aclTensorDesc*, int, const int64_t*) { return code::kSuccess; }  // storage shape
JUMAR_API aclError aclSetTensorPlaceMent(aclTensorDesc* desc, int32_t placement) {
  desc->on_host = placement != 0;
  return code::kSuccess;
}
JUMAR_API int32_t aclGetTensorDescType(const aclTensorDesc* desc) { return desc->dtype; }
JUMAR_API int32_t aclGetTensorDescFormat(const aclTensorDesc* desc) { return desc->format; }
JUMAR_API size_t aclGetTensorDescNumDims(const aclTensorDesc* desc) { return desc->sizes.size(); }
JUMAR_API aclError aclGetTensorDescDimV2(const aclTensorDesc* desc, size_t index, int64_t* size) {
  if (index >= desc->sizes.size()) return fail(code::kInvalidParam, "dimension out of range");
  *size = desc->sizes[index];
  return code::kSuccess;
}
JUMAR_API aclDataBuffer* aclCreateDataBuffer(void* data, size_t bytes) { return new aclDataBuffer{data, bytes}; }
JUMAR_API aclError aclDestroyDataBuffer(const aclDataBuffer* buffer) {
  delete buffer;
  return code::kSuccess;
}
JUMAR_API aclopAttr* aclopCreateAttr() { return new aclopAttr; }
JUMAR_API void aclopDestroyAttr(const aclopAttr* attributes) { delete attributes; }

JUMAR_API aclError aclopSetAttrBool(aclopAttr* attributes, const char* name, uint8_t value) {
  Attribute attribute(name);
  attribute.value().head(Tag::kBool, 1);
  attribute.value().word(value != 0 ? 1 : 0);
  return attribute.add_to(attributes);
}
JUMAR_API aclError aclopSetAttrInt(aclopAttr* attributes, const char* name, int64_t value) {
  Attribute attribute(name);
  attribute.value().head(Tag::kInt, 1);
  attribute.value().word(static_cast<uint64_t>(value));
  return attribute.add_to(attributes);
}
JUMAR_API aclError aclopSetAttrFloat(aclopAttr* attributes, const char* name, float value) {
  Attribute attribute(name);
  const double wide = value;
  attribute.value().head(Tag::kDouble, 1);
  attribute.value().raw(&wide, sizeof wide);
  return attribute.add_to(attributes);
}
JUMAR_API aclError aclopSetAttrString(aclopAttr* attributes, const char* name, const char* value) {
  Attribute attribute(name);
  attribute.text(value);
  return attribute.add_to(attributes);
}
JUMAR_API aclError aclopSetAttrDataType(aclopAttr* attributes, const char* name, int32_t value) {
  Attribute attribute(name);
  attribute.value().head(Tag::kDataType, 1);
  attribute.value().word(static_cast<uint64_t>(value));
  return attribute.add_to(attributes);
}
JUMAR_API aclError aclopSetAttrListInt(aclopAttr* attributes, const char* name, int count, const int64_t* values) {
  Attribute attribute(name);
  attribute.value().head(Tag::kIntList, static_cast<uint32_t>(count));
  attribute.value().raw(values, static_cast<uint64_t>(count) * sizeof(int64_t));
  return attribute.add_to(attributes);
}
JUMAR_API aclError aclopSetAttrListFloat(aclopAttr* attributes, const char* name, int count, const float* values) {
  Attribute attribute(name);
  attribute.value().head(Tag::kFloatList, static_cast<uint32_t>(count));
  attribute.value().raw(values, static_cast<uint64_t>(count) * sizeof(float));
  return attribute.add_to(attributes);
}
JUMAR_API aclError aclopSetAttrListBool(aclopAttr* attributes, const char* name, int count, const uint8_t* values) {
  Attribute attribute(name);
  attribute.value().head(Tag::kBoolList, static_cast<uint32_t>(count));
  attribute.value().raw(values, static_cast<uint64_t>(count));
  return attribute.add_to(attributes);
}
JUMAR_API aclError aclopSetAttrListListInt(aclopAttr* attributes, const char* name, int lists, const int* counts,
                                           const int64_t* const* values) {
  Attribute attribute(name);
  attribute.value().head(Tag::kScalarList, static_cast<uint32_t>(lists));
  for (int i = 0; i < lists; ++i) {
    attribute.value().head(Tag::kIntList, static_cast<uint32_t>(counts[i]));
    attribute.value().raw(values[i], static_cast<uint64_t>(counts[i]) * sizeof(int64_t));
  }
  return attribute.add_to(attributes);
}

JUMAR_API aclError aclopCompileAndExecute(const char* type, int inputs, aclTensorDesc** input_descs,
                                          aclDataBuffer** input_buffers, int outputs, aclTensorDesc** output_descs,
                                          aclDataBuffer** output_buffers, const aclopAttr* attributes, int32_t, int32_t,
                                          const char*, aclrtStream stream) {
  return execute(type, inputs, input_descs, input_buffers, outputs, output_descs, output_buffers, attributes, stream,
                 false);
}

// Waits and tells the true sizes of the outputs.
JUMAR_API aclError aclopCompileAndExecuteV2(const char* type, int inputs, aclTensorDesc** input_descs,
                                            aclDataBuffer** input_buffers, int outputs, aclTensorDesc** output_descs,
                                            aclDataBuffer** output_buffers, aclopAttr* attributes, int32_t, int32_t,
                                            const char*, aclrtStream stream) {
  return execute(type, inputs, input_descs, input_buffers, outputs, output_descs, output_buffers, attributes, stream,
                 true);
}
