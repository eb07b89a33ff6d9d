// Capture and replay of graphs (aclmdlRI…): a model is the list of items its streams were given, in order.
#include <algorithm>

#include "core.h"

namespace jumar {

// Replay runs the whole list on one stream, in the order of capture, so waits between captured streams are dropped.
void Engine::capture_item(Stream* stream, Item& item) {
  Model* model = stream->capture;
  if (item.kind == Item::Kind::kEventRecord) {
    item.event->captured = model;
    item.event->reached = item.ticket;
    item.event->sequence = 0;
    item.event->host_ns = now_ns();
  } else if (item.kind != Item::Kind::kEventWait) {
    model->items.push_back(std::move(item));
  } else if (item.event->captured == nullptr) {
    model->items.push_back(std::move(item));  // waits for work outside the graph
  }
}

aclError Engine::capture_begin(Stream* stream, Model* into) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (stream->capture != nullptr) return fail(code::kStreamCaptured, "the stream is being captured already");
  static uint32_t next_id = 0;
  Model* model = into != nullptr ? into : new Model;
  if (into == nullptr) model->id = next_id++;
  model->origin = stream;
  model->streams = {stream};
  stream->capture = model;
  return code::kSuccess;
}

aclError Engine::capture_end(Stream* stream, Model** result) {
  std::lock_guard<std::mutex> guard(mutex_);
  Model* model = stream->capture;
  if (model == nullptr) return fail(code::kStreamNotCaptured, "the stream is not being captured");
  for (auto& each : streams_) {
    if (each->capture == model) each->capture = nullptr;
  }
  model->streams.clear();
  *result = model;
  return code::kSuccess;
}

Model* Engine::capturing(Stream* stream) {
  std::lock_guard<std::mutex> guard(mutex_);
  return stream->capture;
}

}  // namespace jumar

using namespace jumar;

JUMAR_API aclError aclmdlRICaptureBegin(aclrtStream stream, int32_t) {
  Engine& engine = Engine::get();
  return engine.capture_begin(engine.resolve(stream), nullptr);
}

JUMAR_API aclError aclmdlRICaptureToModelRIBegin(aclrtStream stream, void* model, int32_t) {
  Engine& engine = Engine::get();
  return engine.capture_begin(engine.resolve(stream), static_cast<Model*>(model));
}

JUMAR_API aclError aclmdlRICaptureEnd(aclrtStream stream, void** model) {
  Engine& engine = Engine::get();
  Model* made = nullptr;
  const aclError error = engine.capture_end(engine.resolve(stream), &made);
  *model = made;
  return error;
}

JUMAR_API aclError aclmdlRICaptureGetInfo(aclrtStream stream, int32_t* status, void** model) {
  Engine& engine = Engine::get();
  Model* capturing = engine.capturing(engine.resolve(stream));
  if (status != nullptr) *status = capturing != nullptr ? 1 : 0;  // active : none
  if (model != nullptr) *model = capturing;
  return code::kSuccess;
}

JUMAR_API aclError aclmdlRICaptureThreadExchangeMode(int32_t*) { return code::kSuccess; }

JUMAR_API aclError aclmdlRIExecuteAsync(void* model, aclrtStream stream) {
  Engine& engine = Engine::get();
  Stream* target = engine.resolve(stream);
  for (const Item& item : static_cast<Model*>(model)->items) engine.submit(target, item);
  return code::kSuccess;
}

JUMAR_API aclError aclmdlRIDestroy(void* model) {
  delete static_cast<Model*>(model);
  return code::kSuccess;
}

JUMAR_API aclError aclmdlRIGetId(void* model, uint32_t* id) {
  *id = static_cast<Model*>(model)->id;
  return code::kSuccess;
}
