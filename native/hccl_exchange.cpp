// What a stream does for a collective or a message: rounds of records, each between two meetings of all ranks.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "hccl.h"

namespace jumar {

namespace {

// The vendor's numbers of data types in this library, with those of its tensors.
struct Type {
  uint32_t acl;
  uint32_t bytes;
  const char* name;
};
constexpr Type kTypes[] = {
    {2, 1, "int8"},           {6, 2, "int16"},       {3, 4, "int32"}, {1, 2, "float16"}, {0, 4, "float32"},
    {9, 8, "int64"},          {10, 8, "uint64"},     {4, 1, "uint8"}, {7, 2, "uint16"},  {8, 4, "uint32"},
    {11, 8, "float64"},       {27, 2, "bfloat16"},   {0, 0, ""},      {0, 0, ""},        {0, 0, ""},
    {36, 1, "float8_e4m3fn"}, {35, 1, "float8_e5m2"}};
constexpr const char* kReductions[] = {"sum", "prod", "max", "min"};

// A side of a copy: an offset into the chip's memory of that rank.
struct Side {
  uint32_t rank;
  uint64_t offset;
};

constexpr int64_t kDestroyedMs = 10000;  // how long calls may outlive their communicator
constexpr int64_t kLookMs = 100;         // how often a waiting rank looks whether the others still live

bool too_large(uint64_t elements) {
  const Settings& settings = Server::get()->settings();
  return settings.dry != 0 && elements > settings.dry_limit_elements;
}

std::string describe(const Request& request) {
  const Type* type = request.dtype < std::size(kTypes) ? &kTypes[request.dtype] : nullptr;
  std::string text = std::string(call_name(request.call)) + "(" + std::to_string(request.count) + " × " +
                     (type != nullptr ? type->name : "?");
  if (request.op < std::size(kReductions)) text += std::string(", ") + kReductions[request.op];
  if (request.root != kNoRoot) text += ", root " + std::to_string(request.root);
  return text + ")";
}

bool same(const Request& a, const Request& b) {
  return a.call == b.call && a.dtype == b.dtype && a.op == b.op && a.root == b.root && a.count == b.count;
}

// What both kinds of steps share: their turn on the communicator, patience, and the end.
class Exchange : public Steps {
 public:
  explicit Exchange(CommunicatorRef communicator) : communicator_(std::move(communicator)) {}
  ~Exchange() override {
    if (queued_ && !done_) communicator_->break_off("a call of it was dropped with its stream");
  }

 protected:
  void queue() {
    queued_ = true;
    ticket_ = communicator_->issued++;
  }
  // Whether it may go on: the communicator is in order, and all earlier calls on it are done.
  bool my_turn() { return communicator_->turn == ticket_; }
  Now finish() {
    done_ = true;
    if (my_turn()) ++communicator_->turn;
    return Now::kDone;
  }
  Now give_up(const std::string& why, aclError error = code::kVectorCoreException) {
    if (!communicator_->broken()) communicator_->break_off(why, error);
    return finish();
  }
  Now already_broken(const std::string& call) {
    Engine::get().fail_later(communicator_->describe() + ": " + call + " after the communicator broke");
    return finish();
  }
  // Nothing yet from rank `other`: waits on, or gives up with the reason.
  Now wait_for(uint32_t other, const std::string& call) {
    const int64_t now = now_ms();
    if (since_ == 0) since_ = now;
    if (now - looked_ < kLookMs) return Now::kWait;
    looked_ = now;
    const std::string why = communicator_->why_absent(other);
    if (!why.empty()) return give_up(why + " while " + call + " waited for it");
    const int64_t destroyed = communicator_->destroyed_ms;
    if (destroyed != 0 && now - destroyed > kDestroyedMs) {
      return give_up(call + " still waits for rank " + std::to_string(other) + ", but the communicator was destroyed");
    }
    if (now - since_ < exec_limit_ms()) return Now::kWait;
    return give_up(call + " has waited " + std::to_string((now - since_) / 1000) + " s for rank " +
                       std::to_string(other) + " (HCCL_EXEC_TIMEOUT)",
                   code::kTaskTimeout);
  }
  void moved() { since_ = 0; }
  uint64_t in_trace(uint64_t before) const { return uint64_t{communicator_->number} << 32 | before; }
  void copy(const Side& to, const Side& from, uint64_t bytes);

  CommunicatorRef communicator_;
  uint64_t ticket_ = 0;

 private:
  bool queued_ = false, done_ = false;
  int64_t since_ = 0, looked_ = 0;
};

void Exchange::copy(const Side& to, const Side& from, uint64_t bytes) {
  if (bytes == 0 || (to.rank == from.rank && to.offset == from.offset)) return;
  Record record(RecordKind::kCopy);
  record.span({static_cast<uint32_t>(communicator_->window(to.rank)), to.offset, 0}, bytes);
  record.span({static_cast<uint32_t>(communicator_->window(from.rank)), from.offset, 0}, bytes);
  records.push_back(record.take());
}

class CollectiveSteps : public Exchange {
 public:
  CollectiveSteps(CommunicatorRef communicator, Collective collective)
      : Exchange(std::move(communicator)), it_(std::move(collective)) {}
  std::shared_ptr<Steps> begin() override {
    auto queued = std::make_shared<CollectiveSteps>(communicator_, it_);
    queued->queue();
    queued->events = {it_.trace};
    queued->events[0].subject = in_trace(communicator_->collectives++);
    return queued;
  }
  Now next() override;

  // --- the rounds; each reads what its rank alone has to
  void all_reduce_pieces() {
    const uint64_t me = communicator_->rank;
    reduce(it_.receive + begin_of(me) * item(), begin_of(me), end_of(me) - begin_of(me));
  }
  void all_reduce_rest() {
    for (uint32_t other = 0; other < communicator_->ranks; ++other) {
      const uint64_t begin = begin_of(other) * item(), bytes = end_of(other) * item() - begin;
      copy({me(), it_.receive + begin}, {other, communicator_->state(other).receive + begin}, bytes);
    }
  }
  void broadcast() { copy_from(it_.request.root, 0, 0, it_.request.count); }
  void all_gather() {
    for (uint32_t other = 0; other < communicator_->ranks; ++other) {
      copy_from(other, other * it_.request.count, 0, it_.request.count);
    }
  }
  void all_gather_v() {
    for (uint32_t other = 0; other < communicator_->ranks; ++other) {
      copy_from(other, it_.receive_offsets[other], 0, it_.receive_counts[other]);
    }
  }
  void reduce_scatter() { reduce(it_.receive, me() * it_.request.count, it_.request.count); }
  void reduce_scatter_v() { reduce(it_.receive, it_.send_offsets[me()], it_.send_counts[me()]); }
  void reduce_to_root() {
    if (it_.request.root == me()) reduce(it_.receive, 0, it_.request.count);
  }
  void scatter() { copy_from(it_.request.root, 0, me() * it_.request.count, it_.request.count); }
  void all_to_all() {
    for (uint32_t other = 0; other < communicator_->ranks; ++other) {
      const RankState& theirs = communicator_->state(other);
      const uint64_t count = std::min(theirs.send_counts[me()], it_.receive_counts[other]);  // imagined ones may differ
      copy_from(other, it_.receive_offsets[other], theirs.send_offsets[me()], count);
    }
  }
  void all_reduce_alone() { reduce(it_.receive, 0, it_.request.count); }

 private:
  uint32_t me() const { return communicator_->rank; }
  uint64_t item() const { return kTypes[it_.request.dtype].bytes; }
  uint64_t begin_of(uint64_t piece) const {
    const uint64_t each = (it_.request.count + communicator_->ranks - 1) / communicator_->ranks;
    return std::min(piece * each, it_.request.count);
  }
  uint64_t end_of(uint64_t piece) const { return begin_of(piece + 1); }
  // From what rank `other` sends, `count` elements; positions in elements.
  void copy_from(uint32_t other, uint64_t to, uint64_t from, uint64_t count) {
    copy({me(), it_.receive + to * item()}, {other, communicator_->state(other).send + from * item()}, count * item());
  }
  uint64_t elements() const {  // of the whole, where it is not the same on every rank
    const auto& counts = it_.receive_counts.empty() ? it_.send_counts : it_.receive_counts;
    return std::accumulate(counts.begin(), counts.end(), it_.request.count);
  }
  void reduce(uint64_t destination, uint64_t first, uint64_t count);
  void post();
  Now next_alone();
  std::string mismatch();

  Collective it_;
  size_t round_ = 0;
  uint64_t awaited_ = 0;  // the meeting that it has come to
  bool begun_ = false, met_ = false;
};

using Round = void (CollectiveSteps::*)();
struct CallRow {
  const char* name;
  Round rounds[2];
  TraceExchange exchange;
};
using X = TraceExchange;
using C = CollectiveSteps;
constexpr CallRow kCalls[] = {
    {"HcclAllReduce", {&C::all_reduce_pieces, &C::all_reduce_rest}, X::kAllReduce},
    {"HcclBroadcast", {&C::broadcast, nullptr}, X::kBroadcast},
    {"HcclAllGather", {&C::all_gather, nullptr}, X::kAllGather},
    {"HcclReduceScatter", {&C::reduce_scatter, nullptr}, X::kReduceScatter},
    {"HcclReduce", {&C::reduce_to_root, nullptr}, X::kReduce},
    {"HcclScatter", {&C::scatter, nullptr}, X::kScatter},
    {"HcclAlltoAll", {&C::all_to_all, nullptr}, X::kAllToAll},
    {"HcclAlltoAllV", {&C::all_to_all, nullptr}, X::kAllToAll},
    {"HcclAllGatherV", {&C::all_gather_v, nullptr}, X::kAllGather},
    {"HcclReduceScatterV", {&C::reduce_scatter_v, nullptr}, X::kReduceScatter},
};
static_assert(std::size(kCalls) == static_cast<size_t>(CallKind::kCount));

// `count` elements from position `first` of what every rank sends, in the order of ranks, into this rank's memory.
void CollectiveSteps::reduce(uint64_t destination, uint64_t first, uint64_t count) {
  if (count == 0) return;
  Record record(RecordKind::kLegacy);
  const auto text = [&](const char* value) {
    record.head(Tag::kString, static_cast<uint32_t>(std::strlen(value)));
    record.raw(value, std::strlen(value));
  };
  const auto tensor = [&](uint32_t rank, uint64_t offset) {
    record.head(Tag::kTensor, 1);
    const TensorHead head{kTypes[it_.request.dtype].acl, static_cast<uint32_t>(communicator_->window(rank)), offset};
    record.raw(&head, sizeof head);
    record.word(count);
    record.word(1);
  };
  text("HcclReduction");
  record.head(Tag::kTensorList, communicator_->ranks);
  for (uint32_t rank = 0; rank < communicator_->ranks; ++rank) {
    tensor(rank, communicator_->state(rank).send + first * item());
  }
  record.head(Tag::kTensorList, 1);
  tensor(me(), destination);
  text("reduction");
  text(kReductions[it_.request.op]);
  records.push_back(record.take());
}

void CollectiveSteps::post() {
  RankState& mine = communicator_->mine();
  mine.request = it_.request;
  mine.send = it_.send;
  mine.receive = it_.receive;
  std::copy(it_.send_counts.begin(), it_.send_counts.end(), mine.send_counts);
  std::copy(it_.send_offsets.begin(), it_.send_offsets.end(), mine.send_offsets);
}

// What the first rank that asks for something else asks for; empty if all agree.
std::string CollectiveSteps::mismatch() {
  for (uint32_t other = 0; other < communicator_->ranks; ++other) {
    const RankState& theirs = communicator_->state(other);
    const std::string who = "rank " + std::to_string(other);
    if (!same(theirs.request, it_.request)) {
      return describe(it_.request) + " meets " + describe(theirs.request) + " of " + who;
    }
    if (it_.receive_counts.empty() || it_.send_counts.empty()) continue;
    if (theirs.send_counts[me()] != it_.receive_counts[other]) {
      return describe(it_.request) + " expects " + std::to_string(it_.receive_counts[other]) + " elements of " + who +
             ", which sends " + std::to_string(theirs.send_counts[me()]);
    }
  }
  return "";
}

// With imagined ranks there is nobody to meet, and one round.
Steps::Now CollectiveSteps::next_alone() {
  if (round_ == 1) return finish();
  post();
  communicator_->mirror();
  const bool nowhere = it_.request.root != kNoRoot && it_.request.root != me();  // what the root has is not known
  const bool reduces = static_cast<CallKind>(it_.request.call) == CallKind::kAllReduce;
  if (!too_large(elements()) && !nowhere) {
    const Round round = reduces ? &CollectiveSteps::all_reduce_alone : kCalls[it_.request.call].rounds[0];
    (this->*round)();
  }
  round_ = 1;
  return Now::kRecords;
}

Steps::Now CollectiveSteps::next() {
  if (communicator_->broken()) return already_broken(describe(it_.request));
  if (!my_turn()) return Now::kWait;
  if (communicator_->imagined()) return next_alone();
  if (!begun_) post();
  if (!met_) {  // the round before is done here
    begun_ = met_ = true;
    awaited_ = ++communicator_->met;
    communicator_->mine().progress = awaited_;
  }
  for (uint32_t other = 0; other < communicator_->ranks; ++other) {
    if (communicator_->state(other).progress.load() < awaited_) return wait_for(other, describe(it_.request));
  }
  moved();
  if (round_ == 0) {
    const std::string why = mismatch();
    if (!why.empty()) return give_up(why);
  }
  const CallRow& row = kCalls[it_.request.call];
  const bool last = round_ == std::size(row.rounds) || row.rounds[round_] == nullptr;
  if (last) return finish();
  const Round round = row.rounds[round_];
  if (!too_large(elements())) (this->*round)();
  ++round_;
  met_ = false;
  return Now::kRecords;
}

// Messages make progress independently of each other, except those of one direction between the same two ranks.
class MessageSteps : public Exchange {
 public:
  MessageSteps(CommunicatorRef communicator, std::vector<Message> messages)
      : Exchange(std::move(communicator)), messages_(std::move(messages)), stages_(messages_.size()) {}
  std::shared_ptr<Steps> begin() override {
    auto queued = std::make_shared<MessageSteps>(communicator_, messages_);
    queued->queue();
    for (const Message& message : messages_) queued->events.push_back(traced(message));
    return queued;
  }
  Now next() override;

 private:
  enum class Stage { kNew, kUnderWay, kDone };
  TraceEvent traced(const Message& message);
  bool advance_send(size_t index);
  bool advance_receive(size_t index, std::string* why);
  bool behind(size_t index) const;
  std::string describe(const Message& message) const {
    return std::string(message.send ? "HcclSend(" : "HcclRecv(") + std::to_string(message.count) + " × " +
           kTypes[message.dtype].name + (message.send ? ") to rank " : ") from rank ") + std::to_string(message.peer);
  }

  std::vector<Message> messages_;
  std::vector<Stage> stages_;
};

// Messages are counted by direction and peer: so both sides give a message the same number.
TraceEvent MessageSteps::traced(const Message& message) {
  TraceEvent event;
  event.exchange = message.send ? TraceExchange::kSend : TraceExchange::kReceive;
  event.kind = message.kind;
  event.bytes = message.count * kTypes[message.dtype].bytes;
  event.ranks = static_cast<uint16_t>(communicator_->ranks);
  event.peer = static_cast<int16_t>(message.peer);
  uint32_t* counts = message.send ? communicator_->sent : communicator_->received;
  event.subject = in_trace(counts[message.peer]++);
  return event;
}

// Whether an earlier message of the same direction is not done yet.
bool MessageSteps::behind(size_t index) const {
  for (size_t i = 0; i < index; ++i) {
    const bool alike = messages_[i].send == messages_[index].send && messages_[i].peer == messages_[index].peer;
    if (alike && stages_[i] != Stage::kDone) return true;
  }
  return false;
}

bool MessageSteps::advance_send(size_t index) {
  const Message& message = messages_[index];
  Channel& channel = communicator_->channel(communicator_->rank, message.peer);
  const bool taken = channel.taken.load() == channel.sent.load();
  if (!taken) return false;
  if (stages_[index] == Stage::kNew) {
    channel.offset = message.offset;
    channel.count = message.count;
    channel.dtype = message.dtype;
    channel.sent = channel.sent.load() + 1;
    stages_[index] = Stage::kUnderWay;
  } else {
    stages_[index] = Stage::kDone;
  }
  return true;
}

bool MessageSteps::advance_receive(size_t index, std::string* why) {
  const Message& message = messages_[index];
  Channel& channel = communicator_->channel(message.peer, communicator_->rank);
  if (stages_[index] == Stage::kUnderWay) {  // the copy is done: every record was before this was asked
    channel.taken = channel.taken.load() + 1;
    stages_[index] = Stage::kDone;
    return true;
  }
  if (channel.sent.load() == channel.taken.load()) return false;
  const Message theirs{true, communicator_->rank, channel.offset, channel.count, channel.dtype};
  if (theirs.count * kTypes[theirs.dtype].bytes != message.count * kTypes[message.dtype].bytes) {
    *why = describe(message) + " meets " + describe(theirs) + " of rank " + std::to_string(message.peer);
    return false;
  }
  const uint64_t bytes = message.count * kTypes[message.dtype].bytes;
  if (!too_large(message.count)) copy({communicator_->rank, message.offset}, {message.peer, theirs.offset}, bytes);
  stages_[index] = Stage::kUnderWay;
  return true;
}

Steps::Now MessageSteps::next() {
  if (communicator_->broken()) return already_broken(describe(messages_.front()));
  if (!my_turn()) return Now::kWait;
  if (communicator_->imagined()) return finish();  // sent to nobody; what is received is what was there
  bool any = false;
  size_t waiting = messages_.size();
  std::string why;
  for (size_t i = 0; i < messages_.size(); ++i) {
    if (stages_[i] == Stage::kDone) continue;
    if (!behind(i)) any |= messages_[i].send ? advance_send(i) : advance_receive(i, &why);
    if (!why.empty()) return give_up(why);
    if (stages_[i] != Stage::kDone) waiting = std::min(waiting, i);
  }
  if (waiting == messages_.size()) return finish();
  if (any) return moved(), Now::kRecords;
  return wait_for(messages_[waiting].peer, describe(messages_[waiting]));
}

Item item_of(std::shared_ptr<Steps> steps) {
  Item item;
  item.kind = Item::Kind::kSteps;
  item.steps = std::move(steps);
  return item;
}

}  // namespace

const char* call_name(uint32_t call) { return call < std::size(kCalls) ? kCalls[call].name : "an unknown call"; }
TraceExchange call_exchange(uint32_t call) { return kCalls[call].exchange; }
uint32_t hccl_item_bytes(uint32_t dtype) { return dtype < std::size(kTypes) ? kTypes[dtype].bytes : 0; }
bool hccl_known_reduction(uint32_t op) { return op < std::size(kReductions); }

Item collective_item(CommunicatorRef communicator, Collective collective) {
  return item_of(std::make_shared<CollectiveSteps>(std::move(communicator), std::move(collective)));
}

Item messages_item(CommunicatorRef communicator, std::vector<Message> messages) {
  return item_of(std::make_shared<MessageSteps>(std::move(communicator), std::move(messages)));
}

}  // namespace jumar
