// Recording and launching of aclnn operators.
#include "aclnn.h"

#include <algorithm>
#include <cstring>

#include "dtype.h"
#include "operator_names.h"

namespace jumar {

namespace {

uint64_t elements(const aclTensor& tensor) {
  uint64_t count = 1;
  for (uint32_t i = 0; i < tensor.rank; ++i) count *= static_cast<uint64_t>(tensor.sizes[i]);
  return count;
}

bool dense(const aclTensor& tensor) {
  int64_t expected = 1;
  for (uint32_t i = tensor.rank; i-- > 0;) {
    if (tensor.sizes[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= tensor.sizes[i];
  }
  return true;
}

}  // namespace

Call::Call(uint16_t op) : op_(op), record_(RecordKind::kOperator, op) {
  error_ = usable();
  if (error_ == code::kSuccess && !Engine::get().await_ready()) {
    error_ = fail(code::kLostHeartbeat, "the executor process ended");
  }
  lost_ = error_ != code::kSuccess;
}

void Call::tensor(const aclTensor* tensor) {
  if (lost_) return;
  if (tensor == nullptr) return record_.head(Tag::kNone, 0);
  tensors_.emplace_back(argument_, tensor);
  note_format(*tensor);
  Engine& engine = Engine::get();
  const bool refused =
      tensor->dtype >= 0 && tensor->dtype < 32 && (engine.ring().refuses[op_] >> tensor->dtype & 1) != 0;
  if (refused && error_ == code::kSuccess) {
    error_ = code::kInvalidTensor;
    reason_ = std::string("the chip does not take ") + dtype_name(tensor->dtype) + " here";
  }
  if (!append_tensor(record_, *tensor, &reason_, &chip_)) error_ = code::kInvalidTensor;
  const Settings& settings = Server::get()->settings();
  if (settings.dry != 0 && elements(*tensor) > settings.dry_limit_elements) skip_ = true;
}

// Layouts other than those in which strides say everything are part of what a call is.
void Call::note_format(const aclTensor& tensor) {
  constexpr int32_t kLastPlain = 2;  // NCHW, NHWC, ND
  if (tensor.format > kLastPlain && formats_.empty()) formats_.assign(tensors_.size() - 1, kLastPlain);
  if (tensor.format > kLastPlain || !formats_.empty()) formats_.push_back(tensor.format);
}

void Call::scalar(const aclScalar* scalar) {
  if (scalar == nullptr) return record_.head(Tag::kNone, 0);
  record_.head(scalar->tag, kOfScalar);
  if (scalar->tag == Tag::kInt || scalar->tag == Tag::kBool)
    return record_.word(static_cast<uint64_t>(scalar->integer));
  record_.raw(&scalar->number, scalar->tag == Tag::kComplex ? 16 : 8);
}

void Call::put(const aclTensor* each) {
  tensor(each);
  ++argument_;
}

void Call::put(const aclTensorList* list) {
  if (list == nullptr) {
    record_.head(Tag::kNone, 0);
  } else {
    record_.head(Tag::kTensorList, static_cast<uint32_t>(list->items.size()));
    for (const aclTensor* each : list->items) tensor(each);
  }
  ++argument_;
}

void Call::put(const aclScalar* each) {
  scalar(each);
  last_plain_ = static_cast<int32_t>(argument_++);
}

void Call::put(const aclScalarList* list) {
  record_.head(list == nullptr ? Tag::kNone : Tag::kScalarList,
               list == nullptr ? 0 : static_cast<uint32_t>(list->items.size()));
  if (list != nullptr) {
    for (const aclScalar* each : list->items) scalar(each);
  }
  last_plain_ = static_cast<int32_t>(argument_++);
}

template <typename Array>
void Call::array(Tag tag, const Array* array) {
  if (array == nullptr) {
    record_.head(Tag::kNone, 0);
  } else {
    record_.head(tag, static_cast<uint32_t>(array->items.size()));
    record_.raw(array->items.data(), array->items.size() * sizeof(array->items[0]));
  }
  last_plain_ = static_cast<int32_t>(argument_++);
}

void Call::put(const aclIntArray* each) { array(Tag::kIntList, each); }
void Call::put(const aclBoolArray* each) { array(Tag::kBoolList, each); }
void Call::put(const aclFloatArray* each) { array(Tag::kFloatList, each); }

void Call::put(const char* text) {
  const size_t length = text != nullptr ? std::strlen(text) : 0;
  record_.head(text == nullptr ? Tag::kNone : Tag::kString, static_cast<uint32_t>(length));
  record_.raw(text, length);
  last_plain_ = static_cast<int32_t>(argument_++);
}

void Call::put(aclDataType dtype) {
  record_.head(Tag::kDataType, 1);
  record_.word(static_cast<uint64_t>(dtype));
  last_plain_ = static_cast<int32_t>(argument_++);
}

void Call::put(bool value) {
  record_.head(Tag::kBool, 1);
  record_.word(value ? 1 : 0);
  last_plain_ = static_cast<int32_t>(argument_++);
}

void Call::put(double value) {
  record_.head(Tag::kDouble, 1);
  record_.raw(&value, sizeof value);
  last_plain_ = static_cast<int32_t>(argument_++);
}

void Call::put(int64_t value) {
  record_.head(Tag::kInt, 1);
  record_.word(static_cast<uint64_t>(value));
  last_plain_ = static_cast<int32_t>(argument_++);
}

std::string Call::describe() const {
  std::string text = std::string(kOperatorNames[op_]) + "(";
  for (size_t i = 0; i < tensors_.size() && i < 16; ++i) text += (i ? ", " : "") + jumar::describe(*tensors_[i].second);
  if (tensors_.size() > 16) text += ", …";
  const std::string line = python_line();
  return text + ")" + (line.empty() ? "" : " called from " + line);
}

// With TASK_QUEUE_ENABLE=2 the adapter asks on its queue thread, and goes on to launch what it was given.
aclError Call::refused(aclError error, const std::string& text, aclOpExecutor** executor) const {
  error = refuse(error, text);
  if (error == code::kSuccess) {
    *executor = new aclOpExecutor;
    (*executor)->refused = true;
  }
  return error;
}

// The call as an event, attributed to where the program is now; it is launched later, perhaps by another thread.
TraceEvent Call::traced() const {
  TraceEvent event = here(TraceType::kOperator);
  if (event.type != TraceType::kNothing) event.kind = intern(record_.data(), record_.bytes(), formats_);
  return event;
}

aclError Call::finish(uint64_t* workspace, aclOpExecutor** executor) {
  *workspace = 0;
  *executor = nullptr;
  if (lost_) return error_;
  Server* server = Server::get();
  Engine& engine = Engine::get();
  if (engine.ring().known[op_] == 0 && !skip_) {
    server->count(server->state().unsupported, kOperatorNames[op_]);
    // Not the run-time's "feature not supported": the adapter makes a mere warning of that one and launches regardless.
    const char* remedy = " has no arithmetic yet: add it to the family it belongs to in src/jumar/ops/";
    return refused(code::kApiNotSupported, describe() + remedy, executor);
  }
  if (error_ != code::kSuccess) return refused(error_, describe() + ": " + reason_, executor);
  if (record_.bytes() > kMostRecord) {
    return refused(code::kInvalidParam, describe() + ": too many arguments for one call", executor);
  }
  auto made = std::make_unique<aclOpExecutor>();
  made->op = op_;
  made->skip = skip_;
  made->sized = engine.ring().sized[op_] != 0;
  made->trace = traced();
  if (made->sized) made->tensors = tensors_;
  if (!skip_) {
    made->record = record_.take();
  } else {
    // Outputs come last in the vendor's signatures. The small ones of a skipped operator read as zero from now on, so
    // that control values are at least the same in every run.
    for (const auto& [argument, tensor] : tensors_) {
      const bool output = last_plain_ >= 0 && last_plain_ < static_cast<int32_t>(argument_) - 1
                              ? static_cast<int32_t>(argument) > last_plain_
                              : argument == argument_ - 1;
      Place place{};
      if (!output || tensor->data == nullptr || !dense(*tensor)) continue;
      const uint64_t count = elements(*tensor);
      const int64_t item = item_bytes(tensor->dtype);
      if (count == 0 || count > server->settings().dry_limit_elements) continue;
      if (!locate(static_cast<const uint8_t*>(tensor->data) + tensor->offset * item, &place)) continue;
      Record fill(RecordKind::kFill);
      fill.span(place, count * static_cast<uint64_t>(item));
      fill.word(0);
      made->zero_fills.push_back(fill.take());
    }
  }
  *executor = made.release();
  return code::kSuccess;
}

aclError launch(aclOpExecutor* executor, aclrtStream stream) {
  if (executor == nullptr) return fail(code::kInvalidHandle, "operator launched without its executor");
  std::unique_ptr<aclOpExecutor> mine(executor);
  if (const aclError error = usable()) return error;
  if (mine->refused) return code::kSuccess;
  Engine& engine = Engine::get();
  Stream* target = engine.resolve(stream);
  ServerState& state = Server::get()->state();
  (mine->skip ? state.skipped : state.run)[mine->op].fetch_add(1, std::memory_order_relaxed);
  adopt(mine->trace);
  if (mine->skip) {
    Item skipped;
    skipped.kind = Item::Kind::kSkipped;
    skipped.trace = mine->trace;
    skipped.operation = true;
    engine.submit(target, std::move(skipped));
    for (auto& fill : mine->zero_fills) {
      Item item;
      item.bytes = std::move(fill);
      engine.submit(target, std::move(item));
    }
    return code::kSuccess;
  }
  Item item;
  item.trace = mine->trace;
  item.bytes = std::move(mine->record);
  item.operation = true;
  if (!mine->sized) {
    engine.submit(target, std::move(item));
    return code::kSuccess;
  }
  static thread_local Reply reply;
  const aclError error = engine.run_now(target, std::move(item), &reply);
  if (error != code::kSuccess) return error;
  for (uint32_t i = 0; i < reply.count; ++i) {
    const auto found = std::find_if(mine->tensors.begin(), mine->tensors.end(),
                                    [&](const auto& entry) { return entry.first == reply.sizes[i].argument; });
    if (found == mine->tensors.end()) continue;
    auto* tensor = const_cast<aclTensor*>(found->second);
    tensor->rank = reply.sizes[i].rank;
    std::copy_n(reply.sizes[i].sizes, reply.sizes[i].rank, tensor->sizes);
  }
  return code::kSuccess;
}

}  // namespace jumar
