// What a program meets of faults: the operator that a fault strikes and what is given to that chip later is not done,
// and every wait for it ends with the vendor's error, until the chip is repaired, stopped and restarted, or reset.
#include "fault.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "clock.h"
#include "hccl.h"
#include "operator_names.h"

namespace jumar {

namespace {

// What this process has met on a chip. Guarded by `met_mutex`, except for `error`.
struct Met {
  std::atomic<aclError> error{0};
  std::string text;
  uint64_t resets = 0;
};
Met* const met = new Met[kMaxChips];  // never destroyed: threads of the program may outlive static destruction
std::mutex& met_mutex = *new std::mutex;

ServerState& state() { return Server::get()->state(); }

void fail_from_now(uint32_t chip, aclError error, const std::string& text) {
  std::lock_guard<std::mutex> guard(met_mutex);
  met[chip].text = text;
  met[chip].resets = state().condition[chip].resets;
  met[chip].error = error;
}

// A tensor that an operator was given, as it stands in the record.
struct Argument {
  TensorHead head;
  std::vector<int64_t> sizes, strides;
};

void skip_argument(const uint8_t*& at, const uint8_t* end, std::vector<Argument>* tensors) {
  ArgumentHead head;
  std::memcpy(&head, at, sizeof head);
  at += sizeof head;
  const auto words = [&](uint64_t bytes) { at += (bytes + 7) & ~uint64_t{7}; };
  switch (head.tag) {
    case Tag::kNone: break;
    case Tag::kTensor: {
      Argument argument{};
      std::memcpy(&argument.head, at, sizeof argument.head);
      at += sizeof argument.head;
      for (auto* list : {&argument.sizes, &argument.strides}) {
        list->resize(head.count);
        std::memcpy(list->data(), at, head.count * sizeof(int64_t));
        at += head.count * sizeof(int64_t);
      }
      tensors->push_back(std::move(argument));
      break;
    }
    case Tag::kTensorList:
    case Tag::kScalarList:
      for (uint32_t i = 0; i < head.count && at < end; ++i) skip_argument(at, end, tensors);
      break;
    case Tag::kInt:
    case Tag::kDouble:
    case Tag::kBool:
    case Tag::kDataType: words(8); break;
    case Tag::kComplex: words(16); break;
    case Tag::kString:
    case Tag::kBoolList: words(head.count); break;
    case Tag::kIntList: words(head.count * sizeof(int64_t)); break;
    case Tag::kFloatList: words(head.count * sizeof(float)); break;
    case Tag::kHostTensor: {
      words(8 + head.count * sizeof(int64_t));
      int64_t bytes = 0;
      std::memcpy(&bytes, at, sizeof bytes);
      words(8 + static_cast<uint64_t>(bytes));
      break;
    }
  }
}

std::vector<Argument> tensors_of(const Item& item) {
  std::vector<Argument> tensors;
  if (item.kind != Item::Kind::kRecord) return tensors;
  RecordHeader header;
  std::memcpy(&header, item.bytes.data(), sizeof header);
  if (header.kind != RecordKind::kOperator) return tensors;
  const uint8_t* at = item.bytes.data() + sizeof header;
  const uint8_t* end = item.bytes.data() + header.bytes;
  while (at < end) skip_argument(at, end, &tensors);
  return tensors;
}

uint64_t next_random(uint64_t* seed) {  // splitmix64
  uint64_t value = *seed += 0x9e3779b97f4a7c15u;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return value ^ value >> 31;
}

uint64_t floating_bytes(uint32_t dtype) {
  switch (static_cast<aclDataType>(dtype)) {
    case aclDataType::kFloat: return 4;
    case aclDataType::kFloat16:
    case aclDataType::kBfloat16: return 2;
    case aclDataType::kDouble: return 8;
    default: return 0;
  }
}

uint64_t elements(const Argument& tensor) {
  uint64_t count = 1;
  for (const int64_t size : tensor.sizes) count *= static_cast<uint64_t>(size);
  return count;
}

// What an operator writes: as the vendor's signatures have it the last tensor, or the first where it is changed in
// place.
const Argument& written(const Item& item, const std::vector<Argument>& tensors) {
  RecordHeader header;
  std::memcpy(&header, item.bytes.data(), sizeof header);
  const std::string name = kOperatorNames[header.op];
  const bool in_place = name.rfind("aclnnInplace", 0) == 0 || name.rfind("aclnnApply", 0) == 0;
  return in_place ? tensors.front() : tensors.back();
}

// Bits of what the operator writes, if that has fractions. Empty: not such an operator.
std::vector<Item> flips(const Item& item, const Fault& fault) {
  std::vector<Item> result;
  const std::vector<Argument> tensors = tensors_of(item);
  if (tensors.empty()) return result;
  const Argument& output = written(item, tensors);
  const uint64_t bytes = floating_bytes(output.head.dtype), count = elements(output);
  if (bytes == 0 || count == 0) return result;
  uint64_t seed = fault.seed + fault.struck * 0x632be59bd9b4e019u;
  for (uint64_t i = 0; i < static_cast<uint64_t>(std::max(fault.amount, 1.0)); ++i) {
    uint64_t index = next_random(&seed) % count, offset = output.head.offset;
    for (size_t axis = output.sizes.size(); axis-- > 0;) {
      const auto size = static_cast<uint64_t>(output.sizes[axis]);
      offset += index % size * static_cast<uint64_t>(output.strides[axis]) * bytes;
      index /= size;
    }
    Record record(RecordKind::kFlip);
    record.span({output.head.chip, offset, output.head.chip}, bytes);
    record.word(next_random(&seed) % (bytes * 8));
    Item flip;
    flip.bytes = record.take();
    result.push_back(std::move(flip));
  }
  return result;
}

// The memory that can no longer be read: a line of a tensor that the operator works on, else of some allocation.
bool place_of_error(const Item* item, const Fault& fault, Place* place) {
  uint64_t seed = fault.seed + fault.struck;
  const std::vector<Argument> tensors = item != nullptr ? tensors_of(*item) : std::vector<Argument>{};
  const uint64_t random = next_random(&seed);
  const Argument* tensor = tensors.empty() ? nullptr : &tensors[random % tensors.size()];
  if (tensor == nullptr || tensor->head.chip != fault.chip) return some_allocation(fault.chip, random, place);
  *place = {fault.chip, tensor->head.offset & ~(kMemoryLine - 1), fault.chip};
  return true;
}

// What is lost reads as nonsense from now on.
std::vector<Item> lose_memory(const Item* item, const Fault& fault) {
  Place place{};
  if (!place_of_error(item, fault, &place)) return {};
  add_memory_error(fault.chip, place.offset);
  Record record(RecordKind::kFill);
  record.span(place, kMemoryLine);
  record.word(0xff);
  std::vector<Item> result(1);
  result[0].bytes = record.take();
  return result;
}

// What this process alone has to do about a fault that strikes it now.
void meet(Fault& fault, const Item* item, Struck* struck) {
  const bool unreadable = fault.effect == Effect::kUce || fault.error == 507053 || fault.error == 507054;
  if (unreadable) {
    std::vector<Item> lost = lose_memory(item, fault);
    std::move(lost.begin(), lost.end(), std::back_inserter(struck->before));
  }
  if (fault.effect == Effect::kUce || fault.effect == Effect::kFail) {
    fail_from_now(fault.chip, fault.error, fault.text);
  }
  if (fault.effect == Effect::kUce || fault.effect == Effect::kFail || fault.effect == Effect::kCorrupt) {
    fault.pid = getpid();
  }
}

// Strikes and ends what is due. Virtual time is 0 where nothing is due by it.
void look_at_faults(uint32_t chip, uint64_t operators, uint64_t virtual_ns, const Item* item, Struck* struck) {
  ServerState& server = state();
  const int slot = Server::get()->slot();
  const std::string directory = server_directory();
  const ServerLock lock(&server);
  for (Fault& fault : server.faults) {
    if (fault.chip != chip) continue;
    const bool over = operators >= fault.until_operator || virtual_ns >= fault.until_virtual_ns;
    if (fault.active != 0 && over) end_fault(server, directory, fault);
    const bool due = fault.left != 0 && (operators >= fault.at_operator || virtual_ns >= fault.at_virtual_ns);
    const bool in_time = item != nullptr || fault.at_virtual_ns != kNever;  // between operators none is struck
    if (!due || !in_time) continue;
    if (fault.effect == Effect::kCorrupt) {
      std::vector<Item> bits = item != nullptr ? flips(*item, fault) : std::vector<Item>{};
      if (item == nullptr) fault.at_operator = operators;  // its time has come: the next one
      if (bits.empty()) continue;                          // waits for an operator whose result has fractions
      std::move(bits.begin(), bits.end(), std::back_inserter(struck->after));
    }
    strike(server, directory, fault, operators, std::max<uint64_t>(virtual_ns, server.condition[chip].virtual_ns));
    fault.slot = slot;
    meet(fault, item, struck);
  }
  plan_chip(server, chip);
}

// Ends what this process met on that chip, for the table of the server.
void end_own(uint32_t chip, bool memory_too) {
  ServerState& server = state();
  const std::string directory = server_directory();
  const ServerLock lock(&server);
  for (Fault& fault : server.faults) {
    if (fault.chip != chip || fault.active == 0 || fault.pid != getpid()) continue;
    if (fault.effect == Effect::kUce && !memory_too) continue;
    end_fault(server, directory, fault);
  }
  plan_chip(server, chip);
}

std::string text_of_lost(uint32_t chip) {
  ServerState& server = state();
  const ServerLock lock(&server);
  for (const Fault& fault : server.faults) {
    if (fault.chip == chip && fault.active != 0 && fault.effect == Effect::kLost) return default_text(fault);
  }
  return "jumar: chip " + std::to_string(chip) + " is lost";
}

// A reset from outside makes this process's work on the chip possible again.
aclError error_met(uint32_t chip) {
  const aclError error = met[chip].error;
  if (error == code::kSuccess || met[chip].resets == state().condition[chip].resets) return error;
  forget_memory_errors(chip);
  Engine::get().forget_failures();
  return met[chip].error = code::kSuccess;
}

}  // namespace

Struck count_operator(Stream* stream, const Item& item) {
  Struck struck;
  Condition& condition = state().condition[stream->chip];
  const uint64_t before = condition.operators.fetch_add(1, std::memory_order_relaxed);
  if (before >= condition.next_operator.load(std::memory_order_acquire)) {
    look_at_faults(stream->chip, before, 0, &item, &struck);
  }
  return struck;
}

void strike_by_time() {
  if (!tracing()) return;
  strike_by_heat();
  const uint32_t chips = Server::get()->settings().chips;
  for (uint32_t chip = 0; chip < chips; ++chip) {
    if (state().condition[chip].next_virtual_ns == kNever) continue;
    catch_up();
    uint64_t now = 0;
    {
      std::lock_guard<std::mutex> guard(Trace::get().mutex);
      now = Clock::get().host_ns();
    }
    if (now < state().condition[chip].next_virtual_ns) continue;
    Struck struck;
    look_at_faults(chip, state().condition[chip].operators, now, nullptr, &struck);
    for (Item& item : struck.before) Engine::get().hand_on(item.bytes);
  }
}

bool lost(uint32_t chip) { return state().condition[chip].lost != 0; }
bool broken(uint32_t chip) { return error_met(chip) != code::kSuccess || lost(chip); }

aclError broken_error(int32_t chip) {
  const auto chips = static_cast<int32_t>(Server::get()->settings().chips);
  for (int32_t each = std::max(chip, 0); each < (chip < 0 ? chips : chip + 1); ++each) {
    const auto number = static_cast<uint32_t>(each);
    const aclError lost = state().condition[number].lost;
    if (lost != 0 && (chip >= 0 || window_is_open(number))) {
      set_device_error(text_of_lost(number));
      return device_failed(lost);
    }
    if (error_met(number) == code::kSuccess) continue;
    std::lock_guard<std::mutex> guard(met_mutex);
    set_device_error(met[number].text);
    return device_failed(met[number].error);
  }
  return code::kSuccess;
}

bool holds_exchange(uint32_t chip, int64_t since_ms) {
  const Condition& condition = state().condition[chip];
  const bool down = condition.link_down != 0;
  if (!down && (condition.stuck == 0 || now_ms() - since_ms < exec_limit_ms())) return down || condition.stuck != 0;
  ServerState& server = state();
  const ServerLock lock(&server);
  for (Fault& fault : server.faults) {
    if (fault.chip != chip || fault.active == 0) continue;
    if (fault.effect != (down ? Effect::kLinkDown : Effect::kStuck)) continue;
    fail_from_now(chip, fault.error, fault.text);
    if (!down) end_fault(server, server_directory(), fault);  // this one collective
    break;
  }
  return true;
}

aclError refuse_lost(uint32_t chip, aclError error) {
  return state().condition[chip].lost != 0 ? fail(error, text_of_lost(chip)) : code::kSuccess;
}

aclError refuse_host_memory() {
  if (chip_count() == 0 || forked()) return code::kSuccess;
  const uint32_t chip = physical_chip(current_chip());
  ServerState& server = state();
  if (server.condition[chip].host_refusals == 0) return code::kSuccess;
  const ServerLock lock(&server);
  for (Fault& fault : server.faults) {
    if (fault.chip != chip || fault.active == 0 || fault.effect != Effect::kHostMemory) continue;
    const aclError error = fail(fault.error, fault.text);
    fault.amount -= 1;  // so many allocations fail
    if (fault.amount < 1) end_fault(server, server_directory(), fault);
    return error;
  }
  return code::kSuccess;
}

void repaired(uint32_t chip, bool memory_too) {
  if (memory_too) forget_memory_errors(chip);
  met[chip].error = code::kSuccess;
  end_own(chip, memory_too);
}

}  // namespace jumar
