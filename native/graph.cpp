// Capture and replay of graphs (aclmdlRI…): a model is the list of items its streams were given, in order.
#include "core.h"

namespace jumar {

// Replay runs the whole list on one stream, in the order of capture, so waits between captured streams are dropped.
void Engine::capture_item(Stream* stream, Item& item) {
  Model* model = stream->capture;
  if (item.kind == Item::Kind::kEventRecord) {
    item.event->captured = model->capture;
    item.mark->reached = true;
    item.mark->host_ns = now_ns();
  } else if (item.kind != Item::Kind::kEventWait || under_way(item.event->captured) == nullptr) {
    model->items.push_back(std::move(item));  // a wait that is kept is one for work outside the graph
  }
}

// The model being captured under this number; null if that capture is over.
Model* Engine::under_way(uint64_t capture) {
  if (capture == 0) return nullptr;
  for (const auto& [model, owned] : models_) {
    if (model->capture == capture) return model;
  }
  return nullptr;
}

aclError Engine::capture_begin(Stream* stream, Model* into) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (stream->capture != nullptr) return fail(code::kStreamCaptured, "the stream is being captured already");
  if (into != nullptr && models_.count(into) == 0)
    return fail(code::kInvalidHandle, "this graph does not exist (any more)");
  if (into != nullptr && into->capture != 0) return fail(code::kStreamCaptured, "the graph is being captured already");
  if (into == nullptr) {
    auto made = std::make_unique<Model>();
    into = made.get();
    into->id = next_model_++;
    models_[into] = std::move(made);
  }
  into->capture = ++captures_;
  into->origin = stream;
  into->streams = {stream};
  stream->capture = into;
  return code::kSuccess;
}

void Engine::finish_capture(Model* model) {
  for (auto& each : streams_) {
    if (each->capture == model) each->capture = nullptr;
  }
  model->streams.clear();
  model->origin = nullptr;
  model->capture = 0;
}

aclError Engine::capture_end(Stream* stream, Model** result) {
  std::lock_guard<std::mutex> guard(mutex_);
  Model* model = stream->capture;
  if (model == nullptr) return fail(code::kStreamNotCaptured, "the stream is not being captured");
  finish_capture(model);
  *result = model;
  return code::kSuccess;
}

Model* Engine::capturing(Stream* stream) {
  if (forked()) return nullptr;
  std::lock_guard<std::mutex> guard(mutex_);
  return stream->capture;
}

// One item after the other, so that a long graph may wait for room and other threads come in between.
aclError Engine::replay(Model* model, Stream* stream) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto found = models_.find(model);
  if (found == models_.end()) return fail(code::kInvalidHandle, "this graph does not exist (any more)");
  if (model->capture != 0) return fail(code::kStreamCaptured, "a graph cannot run while it is being captured");
  const std::shared_ptr<Model> kept = found->second;  // destroying it meanwhile is allowed
  for (size_t i = 0; i < kept->items.size(); ++i) submit(stream, Item(kept->items[i]), lock, true);
  return code::kSuccess;
}

aclError Engine::destroy_model(Model* model) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (models_.count(model) == 0) return fail(code::kInvalidHandle, "this graph does not exist (any more)");
  finish_capture(model);
  models_.erase(model);
  return code::kSuccess;
}

}  // namespace jumar

using namespace jumar;

JUMAR_API aclError aclmdlRICaptureBegin(aclrtStream stream, int32_t) {
  if (const aclError error = usable()) return error;
  Engine& engine = Engine::get();
  return engine.capture_begin(engine.resolve(stream), nullptr);
}

JUMAR_API aclError aclmdlRICaptureToModelRIBegin(aclrtStream stream, void* model, int32_t) {
  if (const aclError error = usable()) return error;
  Engine& engine = Engine::get();
  return engine.capture_begin(engine.resolve(stream), static_cast<Model*>(model));
}

JUMAR_API aclError aclmdlRICaptureEnd(aclrtStream stream, void** model) {
  *model = nullptr;
  if (const aclError error = usable()) return error;
  Engine& engine = Engine::get();
  Model* made = nullptr;
  const aclError error = engine.capture_end(engine.resolve(stream), &made);
  *model = made;
  return error;
}

JUMAR_API aclError aclmdlRICaptureGetInfo(aclrtStream stream, int32_t* status, void** model) {
  Engine& engine = Engine::get();
  Stream* asked = engine.resolve(stream);
  Model* capturing = asked != nullptr ? engine.capturing(asked) : nullptr;
  if (status != nullptr) *status = capturing != nullptr ? 1 : 0;  // active : none
  if (model != nullptr) *model = capturing;
  return code::kSuccess;
}

JUMAR_API aclError aclmdlRICaptureThreadExchangeMode(int32_t*) { return code::kSuccess; }

JUMAR_API aclError aclmdlRIExecuteAsync(void* model, aclrtStream stream) {
  if (const aclError error = usable()) return error;
  Engine& engine = Engine::get();
  return engine.replay(static_cast<Model*>(model), engine.resolve(stream));
}

JUMAR_API aclError aclmdlRIDestroy(void* model) {
  return forked() ? code::kSuccess : Engine::get().destroy_model(static_cast<Model*>(model));
}

JUMAR_API aclError aclmdlRIGetId(void* model, uint32_t* id) {
  *id = static_cast<Model*>(model)->id;
  return code::kSuccess;
}
