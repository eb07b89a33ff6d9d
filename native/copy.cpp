// Copies and fills, ordered on streams.
#include <cstring>

#include "core.h"

namespace jumar {

namespace {

bool dry_skips(uint64_t bytes) {
  const Settings& settings = Server::get()->settings();
  return settings.dry != 0 && bytes > settings.dry_limit_elements * 8;
}

// Orders a copy on a stream. What touches device memory alone is the executor's; small uploads travel in the record,
// which is allowed because every earlier item of the stream that could still write the source is in this process's
// queue.
aclError copy_on_stream(Stream* stream, void* destination, uint64_t capacity, const void* source, uint64_t count) {
  if (count == 0) return code::kSuccess;
  if (destination == nullptr || source == nullptr || count > capacity) {
    return fail(code::kInvalidParam, "copy of " + std::to_string(count) + " bytes into " + std::to_string(capacity));
  }
  Server* server = Server::get();
  server->state().copies.fetch_add(1, std::memory_order_relaxed);
  server->state().copied_bytes.fetch_add(count, std::memory_order_relaxed);
  Place to{}, from{};
  const bool to_device = locate(destination, &to), from_device = locate(source, &from);
  Item item;
  const TraceType type = !to_device     ? TraceType::kCopyToHost
                         : !from_device ? TraceType::kCopyToDevice
                                        : TraceType::kCopyOnDevice;
  item.trace = here(type);
  item.trace.bytes = count;
  // From or to ordinary host memory the copy is done on return, as with the drivers of CUDA: only page-locked memory is
  // read or filled behind the program's back.
  const bool on_return = !(to_device && from_device) && !page_locked(to_device ? source : destination);
  if (on_return) item.trace.flags |= kTraceBlocking;
  constexpr uint64_t kInline = 64u << 10;
  if (dry_skips(count) && (to_device || from_device)) {
    if (!to_device) std::memset(destination, 0, count);
    item.kind = Item::Kind::kSkipped;
    return Engine::get().submit(stream, std::move(item)), code::kSuccess;
  }
  if (to_device && from_device) {
    Record record(RecordKind::kCopy);
    record.span(to, count);
    record.span(from, count);
    item.bytes = record.take();
  } else if (to_device && count <= kInline && Engine::get().nothing_queued(stream)) {
    Record record(RecordKind::kWrite);
    record.span(to, count);
    record.raw(source, count);
    item.bytes = record.take();
  } else {
    item.kind = Item::Kind::kCopy;
    item.destination = destination;
    item.source = source;
    item.count = count;
  }
  const bool wait = item.kind == Item::Kind::kCopy && on_return;
  const uint64_t since = now_ns();
  const uint64_t number = Engine::get().submit(stream, std::move(item));
  if (!wait || Engine::get().capturing(stream) != nullptr) return code::kSuccess;
  const aclError error = Engine::get().synchronize(stream, kForever);
  Trace::get().blocked(number, now_ns() - since);
  return error;
}

aclError fill_on_stream(Stream* stream, void* destination, uint64_t capacity, int32_t value, uint64_t count) {
  if (count == 0) return code::kSuccess;
  Place to{};
  if (destination == nullptr || count > capacity || !locate(destination, &to)) {
    return fail(code::kInvalidParam, "memset needs device memory and a size within it");
  }
  Item item;
  item.trace = here(TraceType::kFill);
  item.trace.bytes = count;
  if (dry_skips(count)) {
    item.kind = Item::Kind::kSkipped;
    return Engine::get().submit(stream, std::move(item)), code::kSuccess;
  }
  Record record(RecordKind::kFill);
  record.span(to, count);
  record.word(static_cast<uint64_t>(value));
  item.bytes = record.take();
  Engine::get().submit(stream, std::move(item));
  return code::kSuccess;
}

}  // namespace

}  // namespace jumar

using namespace jumar;

JUMAR_API aclError aclrtMemcpyAsync(void* destination, size_t capacity, const void* source, size_t count, int32_t,
                                    aclrtStream stream) {
  if (const aclError error = usable()) return error;
  return copy_on_stream(Engine::get().resolve(stream), destination, capacity, source, count);
}

JUMAR_API aclError aclrtMemcpyAsyncWithCondition(void* destination, size_t capacity, const void* source, size_t count,
                                                 int32_t kind, aclrtStream stream) {
  return aclrtMemcpyAsync(destination, capacity, source, count, kind, stream);
}

JUMAR_API aclError aclrtMemcpy(void* destination, size_t capacity, const void* source, size_t count, int32_t kind) {
  if (kind == kHostToHost) return std::memcpy(destination, source, count), code::kSuccess;
  if (const aclError error = usable()) return error;
  Engine& engine = Engine::get();
  aclError error = engine.synchronize_all(-1, kForever);
  if (error != code::kSuccess) return error;
  Stream* stream = engine.resolve(nullptr);
  error = copy_on_stream(stream, destination, capacity, source, count);
  return error != code::kSuccess ? error : engine.synchronize(stream, kForever);
}

JUMAR_API aclError aclrtMemsetAsync(void* destination, size_t capacity, int32_t value, size_t count,
                                    aclrtStream stream) {
  if (const aclError error = usable()) return error;
  return fill_on_stream(Engine::get().resolve(stream), destination, capacity, value, count);
}

JUMAR_API aclError aclrtMemset(void* destination, size_t capacity, int32_t value, size_t count) {
  if (const aclError error = usable()) return error;
  Engine& engine = Engine::get();
  Stream* stream = engine.resolve(nullptr);
  const aclError error = fill_on_stream(stream, destination, capacity, value, count);
  return error != code::kSuccess ? error : engine.synchronize(stream, kForever);
}

JUMAR_API aclError aclrtMemcpyBatchAsync(void** destinations, size_t* capacities, void** sources, size_t* counts,
                                         size_t batches, void*, size_t*, size_t, size_t* failed, aclrtStream stream) {
  for (size_t i = 0; i < batches; ++i) {
    const aclError error = aclrtMemcpyAsync(destinations[i], capacities[i], sources[i], counts[i], kDefault, stream);
    if (error == code::kSuccess) continue;
    if (failed != nullptr) *failed = i;
    return error;
  }
  return code::kSuccess;
}

JUMAR_API aclError aclrtMemcpyBatch(void** destinations, size_t* capacities, void** sources, size_t* counts,
                                    size_t batches, void* attributes, size_t* indexes, size_t attribute_count,
                                    size_t* failed) {
  const aclError error = aclrtMemcpyBatchAsync(destinations, capacities, sources, counts, batches, attributes, indexes,
                                               attribute_count, failed, nullptr);
  return error != code::kSuccess ? error : Engine::get().synchronize(Engine::get().resolve(nullptr), kForever);
}
