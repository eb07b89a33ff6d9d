// The collective library's entry points: communicators, collectives, messages and groups of calls.
#include "hccl.h"

#include <cstdio>
#include <cstring>
#include <map>
#include <random>

extern "C" aclError aclrtSetDevice(int32_t id);

namespace jumar {

namespace {

std::mutex config_mutex;
std::map<int32_t, int64_t> config;  // guarded by config_mutex

// Messages between HcclGroupStart and HcclGroupEnd go out together, those of one communicator and stream as one.
struct Group {
  int depth = 0;
  struct Part {
    CommunicatorRef communicator;
    aclrtStream stream;
    std::vector<Message> messages;
  };
  std::vector<Part> parts;
};
thread_local Group group;

const CommunicatorRef& ref(HcclComm communicator) { return *static_cast<CommunicatorRef*>(communicator); }

std::string fresh_id() {
  std::random_device random;
  char text[40];
  std::snprintf(text, sizeof text, "%08x%08x%08x%08x", random(), random(), random(), random());
  return text;
}

// The adapter's settings begin with 32 bytes of its own; then comes the name. Only those that announce more have one.
std::string name_in(const void* settings) {
  constexpr size_t kNameAt = 32;
  size_t bytes = 0;
  if (settings != nullptr) std::memcpy(&bytes, settings, sizeof bytes);
  if (bytes < kNameAt + kCommNameBytes) return "";
  const char* name = static_cast<const char*>(settings) + kNameAt;
  return std::string(name, strnlen(name, kCommNameBytes - 1));
}

HcclResult create(const std::string& id, uint32_t ranks, uint32_t rank, const std::string& name, HcclComm* result) {
  HcclResult error = hccl::kSuccess;
  const CommunicatorRef made = Communicator::join(id, ranks, rank, name, &error);
  if (made == nullptr) return error;
  error = made->gather();
  if (error == hccl::kSuccess) *result = new CommunicatorRef(made);
  return error;
}

// The offset of an address into the memory of the communicator's chip. Null is fine for nothing.
bool place(const Communicator& communicator, const void* address, uint64_t count, uint64_t* offset) {
  Place found{};
  *offset = 0;
  if (count == 0) return true;
  if (!locate_own(address, &found) || found.chip != communicator.chip) return false;
  *offset = found.offset;
  return true;
}

HcclResult bad(const Communicator& communicator, const std::string& text) {
  return refuse(hccl::kBadParameter, communicator.describe() + ": " + text);
}

HcclResult not_here(const Communicator& communicator, const char* call) {
  return bad(communicator, std::string(call) + " needs memory of chip " + std::to_string(communicator.chip) +
                               ", which the communicator was made with");
}

struct Buffers {
  const void* send;
  uint64_t send_count;
  const void* receive;
  uint64_t receive_count;
};

void count_call(const char* name) {
  Server* server = Server::get();
  server->count(server->state().legacy, name);
}

uint64_t total(const std::vector<uint64_t>& counts) {
  uint64_t sum = 0;
  for (const uint64_t count : counts) sum += count;
  return sum;
}

// The whole buffer: what a rank holds after a gather or before a reduction that scatters, what it sends to all others.
uint64_t whole_bytes(const Communicator& communicator, const Collective& collective) {
  const Request& request = collective.request;
  const uint64_t item = hccl_item_bytes(request.dtype);
  switch (static_cast<CallKind>(request.call)) {
    case CallKind::kAllGather:
    case CallKind::kReduceScatter:
    case CallKind::kScatter: return request.count * communicator.ranks * item;
    case CallKind::kAllToAll:
    case CallKind::kAllToAllV:
    case CallKind::kReduceScatterV: return total(collective.send_counts) * item;
    case CallKind::kAllGatherV: return total(collective.receive_counts) * item;
    default: return request.count * item;
  }
}

// Counts that vary from call to call make few kinds: two digits of the size are enough for its time.
uint64_t rounded(uint64_t bytes) {
  uint64_t step = 1;
  while (bytes / step >= 128) step *= 2;
  return bytes / step * step;
}

uint32_t kind_of(TraceExchange exchange, uint64_t bytes, uint32_t ranks) {
  if (!tracing()) return 0;
  Record record(RecordKind::kLegacy);
  const auto text = [&](const char* value) {
    record.head(Tag::kString, static_cast<uint32_t>(std::strlen(value)));
    record.raw(value, std::strlen(value));
  };
  text("Hccl");
  record.head(Tag::kTensorList, 0);
  record.head(Tag::kTensorList, 0);
  const std::pair<const char*, uint64_t> numbers[] = {
      {"exchange", static_cast<uint64_t>(exchange)}, {"bytes", bytes}, {"ranks", ranks}};
  for (const auto& [name, value] : numbers) {
    text(name);
    record.head(Tag::kInt, 1);
    record.word(value);
  }
  return intern(record.data(), record.bytes(), {});
}

void trace_call(const Communicator& communicator, Collective& collective) {
  const Request& request = collective.request;
  TraceEvent& event = collective.trace;
  event.bytes = whole_bytes(communicator, collective);
  event.exchange = event.bytes == 0 ? TraceExchange::kBarrier : call_exchange(request.call);
  event.ranks = static_cast<uint16_t>(communicator.ranks);
  event.peer = static_cast<int16_t>(request.root == kNoRoot ? -1 : static_cast<int>(request.root));
  event.kind = kind_of(event.exchange, rounded(event.bytes), communicator.ranks);
}

HcclResult run(HcclComm handle, aclrtStream stream, Collective collective, const Buffers& buffers) {
  const CommunicatorRef& communicator = ref(handle);
  const Request& request = collective.request;
  const char* call = call_name(request.call);
  if (hccl_item_bytes(request.dtype) == 0) {
    return bad(*communicator, std::string(call) + ": unknown data type " + std::to_string(request.dtype));
  }
  if (request.op != kNoReduction && !hccl_known_reduction(request.op)) {
    return bad(*communicator, std::string(call) + ": unknown reduction " + std::to_string(request.op));
  }
  if (request.root != kNoRoot && request.root >= communicator->ranks) {
    return bad(*communicator, std::string(call) + ": there is no rank " + std::to_string(request.root));
  }
  if (!place(*communicator, buffers.send, buffers.send_count, &collective.send) ||
      !place(*communicator, buffers.receive, buffers.receive_count, &collective.receive)) {
    return not_here(*communicator, call);
  }
  if (usable() != code::kSuccess) return hccl::kInternal;
  count_call(call);
  trace_call(*communicator, collective);
  Engine& engine = Engine::get();
  Item item = collective_item(communicator, std::move(collective));
  item.trace = here(TraceType::kCollective);
  engine.submit(engine.resolve(stream), std::move(item));
  return hccl::kSuccess;
}

Collective make(CallKind call, uint64_t count, uint32_t dtype, uint32_t op = kNoReduction, uint32_t root = kNoRoot) {
  Collective made;
  made.request = {static_cast<uint32_t>(call), dtype, op, root, count};
  return made;
}

std::vector<uint64_t> numbers(const Communicator& communicator, const void* array) {
  const auto* first = static_cast<const uint64_t*>(array);
  return {first, first + communicator.ranks};
}

HcclResult send_off(const CommunicatorRef& communicator, aclrtStream stream, std::vector<Message> messages) {
  if (usable() != code::kSuccess) return hccl::kInternal;
  for (const Message& message : messages) count_call(message.send ? "HcclSend" : "HcclRecv");
  for (Message& message : messages) {
    const TraceExchange exchange = message.send ? TraceExchange::kSend : TraceExchange::kReceive;
    message.kind = kind_of(exchange, rounded(message.count * hccl_item_bytes(message.dtype)), communicator->ranks);
  }
  Engine& engine = Engine::get();
  Item item = messages_item(communicator, std::move(messages));
  item.trace = here(TraceType::kCollective);
  engine.submit(engine.resolve(stream), std::move(item));
  return hccl::kSuccess;
}

HcclResult check(const Communicator& communicator, const void* buffer, Message* message) {
  const char* call = message->send ? "HcclSend" : "HcclRecv";
  if (message->peer >= communicator.ranks) {
    return bad(communicator, std::string(call) + ": there is no rank " + std::to_string(message->peer));
  }
  if (hccl_item_bytes(message->dtype) == 0) {
    return bad(communicator, std::string(call) + ": unknown data type " + std::to_string(message->dtype));
  }
  if (!place(communicator, buffer, message->count, &message->offset)) return not_here(communicator, call);
  return hccl::kSuccess;
}

HcclResult send_or_receive(HcclComm handle, aclrtStream stream, const void* buffer, Message message) {
  const CommunicatorRef& communicator = ref(handle);
  if (const HcclResult error = check(*communicator, buffer, &message)) return error;
  if (group.depth == 0) return send_off(communicator, stream, {message});
  for (auto& part : group.parts) {
    if (part.communicator == communicator && part.stream == stream) {
      return part.messages.push_back(message), hccl::kSuccess;
    }
  }
  group.parts.push_back({communicator, stream, {message}});
  return hccl::kSuccess;
}

}  // namespace

}  // namespace jumar

using namespace jumar;

// --- communicators

// What rank 0 sends the others: text that names a file nobody has made yet.
JUMAR_API HcclResult HcclGetRootInfo(void* info) {
  if (usable() != code::kSuccess) return hccl::kInternal;
  const std::string id = fresh_id();
  std::memcpy(info, id.c_str(), id.size() + 1);
  return hccl::kSuccess;
}

JUMAR_API HcclResult HcclCommInitRootInfo(uint32_t ranks, const void* info, uint32_t rank, HcclComm* communicator) {
  return create(static_cast<const char*>(info), ranks, rank, "", communicator);
}

JUMAR_API HcclResult HcclCommInitRootInfoConfig(uint32_t ranks, const void* info, uint32_t rank, const void* settings,
                                                HcclComm* communicator) {
  return create(static_cast<const char*>(info), ranks, rank, name_in(settings), communicator);
}

// A rank table names hosts and their chips; the adapter goes on without it.
JUMAR_API HcclResult HcclCommInitClusterInfoConfig(const char*, uint32_t, const void*, HcclComm*) {
  return fail(hccl::kNotSupported, "ranks of a virtual server need no rank table");
}

JUMAR_API HcclResult HcclCreateSubCommConfig(HcclComm* parent, uint32_t ranks, const uint32_t*, uint64_t number,
                                             uint32_t rank, const void* settings, HcclComm* communicator) {
  return create(ref(*parent)->id + "-" + std::to_string(number), ranks, rank, name_in(settings), communicator);
}

JUMAR_API HcclResult HcclCommInitAll(uint32_t count, const int32_t* devices, HcclComm* communicators) {
  const std::string id = fresh_id();
  const int before = current_chip();
  std::vector<CommunicatorRef> made;
  HcclResult error = hccl::kSuccess;
  for (uint32_t rank = 0; rank < count && error == hccl::kSuccess; ++rank) {
    error = aclrtSetDevice(devices[rank]) == code::kSuccess ? hccl::kSuccess : hccl::kBadParameter;
    if (error == hccl::kSuccess) made.push_back(Communicator::join(id, count, rank, "", &error));
  }
  aclrtSetDevice(before);
  for (uint32_t rank = 0; rank < count && error == hccl::kSuccess; ++rank) error = made[rank]->gather();
  for (uint32_t rank = 0; rank < count && error == hccl::kSuccess; ++rank) {
    communicators[rank] = new CommunicatorRef(made[rank]);
  }
  return error;
}

JUMAR_API HcclResult HcclCommDestroy(HcclComm communicator) {
  if (forked()) return hccl::kSuccess;
  ref(communicator)->destroyed_ms = now_ms();
  delete static_cast<CommunicatorRef*>(communicator);
  return hccl::kSuccess;
}

JUMAR_API HcclResult HcclGetCommName(HcclComm communicator, char* name) {
  std::snprintf(name, kCommNameBytes, "%s", ref(communicator)->name.c_str());
  return hccl::kSuccess;
}

JUMAR_API HcclResult HcclGetRankSize(HcclComm communicator, uint32_t* ranks) {
  return *ranks = ref(communicator)->ranks, hccl::kSuccess;
}

JUMAR_API HcclResult HcclGetRankId(HcclComm communicator, uint32_t* rank) {
  return *rank = ref(communicator)->rank, hccl::kSuccess;
}

// The adapter's watchdog ends the program for this. It had better be told by a synchronisation, with the reason.
JUMAR_API HcclResult HcclGetCommAsyncError(HcclComm communicator, HcclResult* error) {
  *error = ref(communicator)->broken_for_long() ? hccl::kRemote : hccl::kSuccess;
  return hccl::kSuccess;
}

JUMAR_API HcclResult HcclCommResume(HcclComm) { return hccl::kSuccess; }

// Settings that the adapter may fill in: buffer size, determinism, name.
JUMAR_API uint32_t HcclGetCommConfigCapability() { return 3; }

// Kept for nobody yet: determinism, the one setting the adapter makes today, holds on a virtual chip anyway.
JUMAR_API aclError HcclSetConfig(int32_t key, int64_t value) {
  std::lock_guard<std::mutex> guard(config_mutex);
  config[key] = value;
  return code::kSuccess;
}

// --- collectives. Counts are elements.

JUMAR_API HcclResult HcclAllReduce(void* send, void* receive, uint64_t count, uint32_t dtype, uint32_t op,
                                   HcclComm comm, aclrtStream stream) {
  return run(comm, stream, make(CallKind::kAllReduce, count, dtype, op), {send, count, receive, count});
}

JUMAR_API HcclResult HcclBroadcast(void* buffer, uint64_t count, uint32_t dtype, uint32_t root, HcclComm comm,
                                   aclrtStream stream) {
  return run(comm, stream, make(CallKind::kBroadcast, count, dtype, kNoReduction, root),
             {buffer, count, buffer, count});
}

JUMAR_API HcclResult HcclAllGather(void* send, void* receive, uint64_t count, uint32_t dtype, HcclComm comm,
                                   aclrtStream stream) {
  return run(comm, stream, make(CallKind::kAllGather, count, dtype), {send, count, receive, count});
}

JUMAR_API HcclResult HcclReduceScatter(void* send, void* receive, uint64_t count, uint32_t dtype, uint32_t op,
                                       HcclComm comm, aclrtStream stream) {
  return run(comm, stream, make(CallKind::kReduceScatter, count, dtype, op), {send, count, receive, count});
}

JUMAR_API HcclResult HcclReduce(void* send, void* receive, uint64_t count, uint32_t dtype, uint32_t op, uint32_t root,
                                HcclComm comm, aclrtStream stream) {
  const uint64_t wanted = ref(comm)->rank == root ? count : 0;
  return run(comm, stream, make(CallKind::kReduce, count, dtype, op, root), {send, count, receive, wanted});
}

JUMAR_API HcclResult HcclScatter(void* send, void* receive, uint64_t count, uint32_t dtype, uint32_t root,
                                 HcclComm comm, aclrtStream stream) {
  const uint64_t given = ref(comm)->rank == root ? count : 0;
  return run(comm, stream, make(CallKind::kScatter, count, dtype, kNoReduction, root), {send, given, receive, count});
}

JUMAR_API HcclResult HcclAlltoAll(const void* send, uint64_t send_count, uint32_t dtype, const void* receive,
                                  uint64_t receive_count, uint32_t, HcclComm comm, aclrtStream stream) {
  Collective made = make(CallKind::kAllToAll, send_count, dtype);
  for (uint32_t rank = 0; rank < ref(comm)->ranks; ++rank) {
    made.send_counts.push_back(send_count);
    made.send_offsets.push_back(rank * send_count);
    made.receive_counts.push_back(receive_count);
    made.receive_offsets.push_back(rank * receive_count);
  }
  return run(comm, stream, std::move(made), {send, send_count, receive, receive_count});
}

JUMAR_API HcclResult HcclAlltoAllV(const void* send, const void* send_counts, const void* send_offsets, uint32_t dtype,
                                   const void* receive, const void* receive_counts, const void* receive_offsets,
                                   uint32_t, HcclComm comm, aclrtStream stream) {
  const Communicator& communicator = *ref(comm);
  Collective made = make(CallKind::kAllToAllV, 0, dtype);
  made.send_counts = numbers(communicator, send_counts);
  made.send_offsets = numbers(communicator, send_offsets);
  made.receive_counts = numbers(communicator, receive_counts);
  made.receive_offsets = numbers(communicator, receive_offsets);
  const Buffers buffers{send, total(made.send_counts), receive, total(made.receive_counts)};
  return run(comm, stream, std::move(made), buffers);
}

JUMAR_API HcclResult HcclAllGatherV(const void* send, uint64_t send_count, const void* receive,
                                    const void* receive_counts, const void* receive_offsets, uint32_t dtype,
                                    HcclComm comm, aclrtStream stream) {
  const Communicator& communicator = *ref(comm);
  Collective made = make(CallKind::kAllGatherV, 0, dtype);
  made.send_counts.assign(communicator.ranks, send_count);
  made.send_offsets.assign(communicator.ranks, 0);
  made.receive_counts = numbers(communicator, receive_counts);
  made.receive_offsets = numbers(communicator, receive_offsets);
  const Buffers buffers{send, send_count, receive, total(made.receive_counts)};
  return run(comm, stream, std::move(made), buffers);
}

JUMAR_API HcclResult HcclReduceScatterV(const void* send, const void* send_counts, const void* send_offsets,
                                        const void* receive, uint64_t receive_count, uint32_t dtype, uint32_t op,
                                        HcclComm comm, aclrtStream stream) {
  const Communicator& communicator = *ref(comm);
  Collective made = make(CallKind::kReduceScatterV, 0, dtype, op);
  made.send_counts = numbers(communicator, send_counts);
  made.send_offsets = numbers(communicator, send_offsets);
  const Buffers buffers{send, total(made.send_counts), receive, receive_count};
  return run(comm, stream, std::move(made), buffers);
}

JUMAR_API HcclResult HcclBarrier(HcclComm comm, aclrtStream stream) {
  constexpr uint32_t kInt8 = 0;
  return run(comm, stream, make(CallKind::kAllGather, 0, kInt8), {nullptr, 0, nullptr, 0});
}

// --- messages

JUMAR_API HcclResult HcclSend(void* buffer, uint64_t count, uint32_t dtype, uint32_t peer, HcclComm comm,
                              aclrtStream stream) {
  return send_or_receive(comm, stream, buffer, {true, peer, 0, count, dtype});
}

JUMAR_API HcclResult HcclRecv(void* buffer, uint64_t count, uint32_t dtype, uint32_t peer, HcclComm comm,
                              aclrtStream stream) {
  return send_or_receive(comm, stream, buffer, {false, peer, 0, count, dtype});
}

// One of the adapter's items; `kind` 0 sends, 1 receives.
struct HcclSendRecvItem {
  int32_t kind;
  void* buffer;
  uint64_t count;
  int32_t dtype;
  uint32_t peer;
};

JUMAR_API HcclResult HcclBatchSendRecv(const HcclSendRecvItem* items, uint32_t count, HcclComm comm,
                                       aclrtStream stream) {
  std::vector<Message> messages;
  for (uint32_t i = 0; i < count; ++i) {
    const HcclSendRecvItem& item = items[i];
    Message message{item.kind == 0, item.peer, 0, item.count, static_cast<uint32_t>(item.dtype)};
    if (const HcclResult error = check(*ref(comm), item.buffer, &message)) return error;
    messages.push_back(message);
  }
  return messages.empty() ? hccl::kSuccess : send_off(ref(comm), stream, std::move(messages));
}

JUMAR_API HcclResult HcclGroupStart() { return ++group.depth, hccl::kSuccess; }

JUMAR_API HcclResult HcclGroupEnd() {
  if (group.depth == 0) return fail(hccl::kBadParameter, "HcclGroupEnd without HcclGroupStart");
  if (--group.depth != 0) return hccl::kSuccess;
  const std::vector<Group::Part> parts = std::move(group.parts);
  group.parts.clear();
  HcclResult worst = hccl::kSuccess;
  for (const auto& part : parts) {
    const HcclResult error = send_off(part.communicator, part.stream, part.messages);
    if (error != hccl::kSuccess) worst = error;
  }
  return worst;
}

// The adapter calls these at exit whether or not the shared-memory library was ever initialised.
JUMAR_API int aclshmem_finalize() { return 0; }
JUMAR_API int shmem_finalize() { return 0; }
