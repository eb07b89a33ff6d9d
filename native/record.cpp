// Building the bytes of one executor record.
#include <cstring>

#include "core.h"

namespace jumar {

Record::Record(RecordKind kind, uint16_t op) {
  bytes_.reserve(512);
  const RecordHeader header{0, kind, op};
  raw(&header, sizeof header);
}

void Record::word(uint64_t value) { raw(&value, sizeof value); }

void Record::head(Tag tag, uint32_t count) {
  const ArgumentHead head{tag, count};
  raw(&head, sizeof head);
}

void Record::raw(const void* data, uint64_t bytes) {
  if (bytes == 0) return;
  const size_t at = bytes_.size();
  bytes_.resize(at + ((bytes + 7) & ~uint64_t{7}));
  std::memcpy(bytes_.data() + at, data, bytes);
}

void Record::span(const Place& place, uint64_t bytes) {
  const Span span{place.offset, bytes, place.window};
  raw(&span, sizeof span);
}

std::vector<uint8_t> Record::take() {
  const auto bytes = static_cast<uint32_t>(bytes_.size());
  std::memcpy(bytes_.data(), &bytes, sizeof bytes);
  return std::move(bytes_);
}

}  // namespace jumar
