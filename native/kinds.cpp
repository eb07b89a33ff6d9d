// Kinds of calls: what is the same in all calls that take the same time. Addresses, chips, seeds and the values of
// floating numbers are no part of it; of a kind's first call they are kept.
#include <cmath>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "core.h"

namespace jumar {

namespace {

constexpr int64_t kSmallInteger = 16;       // numbers up to here may decide what an operator does: an exponent, a count
constexpr uint64_t kShortHostTensor = 256;  // values on the host up to here, shapes and axes, are part of a kind

struct Key {
  std::vector<uint8_t> bytes;
  uint32_t number;
};

uint64_t hash_of(const std::vector<uint8_t>& bytes) {
  uint64_t hash = 0x9e3779b97f4a7c15u ^ bytes.size();
  for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return hash;
}

uint64_t round_up(uint64_t bytes) { return (bytes + 7) & ~uint64_t{7}; }

// Blanks, in the copy of a record, what is no part of its kind.
class Mask {
 public:
  Mask(uint8_t* at, const uint8_t* end) : at_(at), end_(end) {}

  void arguments(uint32_t varying) {
    for (uint32_t i = 0; at_ < end_; ++i) argument(i < 32 && (varying >> i & 1) != 0);
  }
  // Name, inputs, outputs, then attributes by name.
  void legacy() {
    for (int i = 0; i < 3 && at_ < end_; ++i) argument(false);
    while (at_ < end_) {
      const uint8_t* name = at_;
      argument(false);
      argument(is_seed(name));
    }
  }

 private:
  static bool is_seed(const uint8_t* name) {
    ArgumentHead head;
    std::memcpy(&head, name, sizeof head);
    const std::string_view text(reinterpret_cast<const char*>(name) + sizeof head, head.count);
    return text == "seed" || text == "seed2" || text == "offset";
  }

  void blank(uint64_t bytes) { std::memset(at_, 0, bytes), at_ += bytes; }

  void number() {
    double value = 0;
    std::memcpy(&value, at_, sizeof value);
    const uint64_t sort = value == 0 ? 0 : value == 1 ? 1 : 2;
    std::memcpy(at_, &sort, sizeof sort);
    at_ += sizeof sort;
  }

  void integer(bool masked, bool scalar) {
    int64_t value = 0;
    std::memcpy(&value, at_, sizeof value);
    const bool large = value > kSmallInteger || value < -kSmallInteger;
    if (masked || (scalar && large)) std::memset(at_, 0xff, sizeof value);
    at_ += sizeof value;
  }

  void host_tensor(uint32_t rank) {
    at_ += sizeof(int64_t) * (1 + rank);
    uint64_t bytes = 0;
    std::memcpy(&bytes, at_, sizeof bytes);
    at_ += sizeof bytes;
    bytes > kShortHostTensor ? blank(round_up(bytes)) : void(at_ += round_up(bytes));
  }

  void argument(bool masked) {
    ArgumentHead head;
    std::memcpy(&head, at_, sizeof head);
    at_ += sizeof head;
    switch (head.tag) {
      case Tag::kNone: break;
      case Tag::kTensor:
        std::memset(at_ + offsetof(TensorHead, chip), 0, sizeof(TensorHead) - offsetof(TensorHead, chip));
        at_ += sizeof(TensorHead) + 2 * sizeof(int64_t) * head.count;
        break;
      case Tag::kTensorList:
      case Tag::kScalarList:
        for (uint32_t i = 0; i < head.count; ++i) argument(masked);
        break;
      case Tag::kInt: integer(masked, head.count == kOfScalar); break;
      case Tag::kDouble: number(); break;
      case Tag::kComplex: number(), number(); break;
      case Tag::kBool:
      case Tag::kDataType: at_ += sizeof(int64_t); break;
      case Tag::kString:
      case Tag::kBoolList: at_ += round_up(head.count); break;
      case Tag::kIntList: at_ += sizeof(int64_t) * head.count; break;
      case Tag::kFloatList: blank(round_up(sizeof(float) * head.count)); break;
      case Tag::kHostTensor: host_tensor(head.count); break;
    }
  }

  uint8_t* at_;
  const uint8_t* end_;
};

void mask(std::vector<uint8_t>& record, size_t bytes) {
  RecordHeader header;
  std::memcpy(&header, record.data(), sizeof header);
  header.bytes = 0;
  std::memcpy(record.data(), &header, sizeof header);
  Mask masked(record.data() + sizeof header, record.data() + bytes);
  if (header.kind == RecordKind::kOperator) {
    masked.arguments(Engine::get().ring().varying[header.op]);
  } else {
    masked.legacy();
  }
}

// The record with a head that says which kind it is, for the executor.
std::vector<uint8_t> announcement(uint32_t number, const uint8_t* record, size_t bytes,
                                  const std::vector<int32_t>& formats) {
  Record made(RecordKind::kKind);
  const KindHead head{number, static_cast<uint32_t>(formats.size()), static_cast<uint32_t>(bytes), 0};
  made.raw(&head, sizeof head);
  made.raw(record, bytes);
  made.raw(formats.data(), formats.size() * sizeof(int32_t));
  return made.take();
}

}  // namespace

uint32_t intern(const uint8_t* record, size_t bytes, const std::vector<int32_t>& formats) {
  static thread_local std::vector<uint8_t> key;
  key.assign(record, record + bytes);
  mask(key, bytes);
  if (!formats.empty()) {
    const auto* first = reinterpret_cast<const uint8_t*>(formats.data());
    key.insert(key.end(), first, first + formats.size() * sizeof(int32_t));
    key.resize(round_up(key.size()));
  }
  static std::mutex mutex;
  static auto* const kinds = new std::unordered_multimap<uint64_t, Key>;  // guarded by mutex, as the count
  const uint64_t hash = hash_of(key);
  uint32_t number = 0;
  {
    std::lock_guard<std::mutex> guard(mutex);
    const auto [first, last] = kinds->equal_range(hash);
    for (auto found = first; found != last; ++found) {
      if (found->second.bytes == key) return found->second.number;
    }
    if (kinds->size() + 1 >= kMaxKinds || bytes > kMostRecord / 2) return 0;
    number = static_cast<uint32_t>(kinds->size()) + 1;
    kinds->emplace(hash, Key{key, number});
  }
  Engine::get().hand_on(announcement(number, record, bytes, formats));
  return number;
}

}  // namespace jumar
