// The vendor's profiler and what other profilers ask for. A profile is a folder that the vendor's own analysis finds;
// the command `msprof`, which that calls, is src/jumar/cli/msprof.py.
#include "profile.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

#include "clock.h"
#include "core.h"

namespace jumar {

namespace {

uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}
uint64_t unix_ns() { return clock_ns(CLOCK_REALTIME); }
uint64_t raw_ns() { return clock_ns(CLOCK_MONOTONIC_RAW); }  // the adapter's own ranges are in it

// One moment by both clocks: of some tries the one that was interrupted least.
std::pair<uint64_t, uint64_t> same_moment() {
  std::pair<uint64_t, uint64_t> best{};
  uint64_t shortest = ~uint64_t{0};
  for (int i = 0; i < 10; ++i) {
    const uint64_t before = raw_ns(), unix = unix_ns(), after = raw_ns();
    if (after - before >= shortest) continue;
    shortest = after - before;
    best = {unix, before + shortest / 2};
  }
  return best;
}

}  // namespace

Profile& Profile::get() {
  static Profile* profile = new Profile;
  return *profile;
}

void Profile::submitted(uint64_t event) {
  if (event < first_) return;
  submitted_.resize(event - first_ + 1);
  submitted_.back() = raw_ns();
}

void Profile::ran(uint64_t number, const TraceEvent& event, uint64_t issued_ns, uint64_t start_ns, uint64_t end_ns) {
  if (number < first_) return;
  ProfileSpan span{};
  span.event = number;
  span.start_ns = start_ns, span.end_ns = end_ns, span.issued_ns = issued_ns;
  span.host_ns = event.host_ns;
  span.submitted_ns = number - first_ < submitted_.size() ? submitted_[number - first_] : 0;
  span.bytes = event.bytes;
  span.kind = event.kind, span.stream = event.stream, span.line = event.line, span.module = event.module;
  span.type = static_cast<uint8_t>(event.type), span.chip = event.chip;
  span.phase = static_cast<uint8_t>(event.phase), span.exchange = static_cast<uint8_t>(event.exchange);
  spans_.push_back(span);
}

uint64_t Profile::begin(uint64_t next) {
  if (watchers_++ == 0) {
    first_ = next;
    submitted_.clear();
    spans_.clear();
  }
  return spans_.size();
}

std::vector<ProfileSpan> Profile::end(uint64_t place) {
  if (watchers_ == 0 || place > spans_.size()) return {};
  --watchers_;
  return {spans_.begin() + static_cast<ptrdiff_t>(place), spans_.end()};
}

namespace {

namespace fs = std::filesystem;

constexpr uint64_t kNotBegun = ~uint64_t{0};

// One profile of the vendor's profiler; the adapter never runs two at once.
struct Session {
  std::string path;
  uint64_t place = kNotBegun;
  std::vector<ProfileSpan> spans;
};
std::mutex session_mutex;
Session& session = *new Session;  // guarded by session_mutex

uint64_t begin_profile() {
  if (!tracing()) return kNotBegun;
  catch_up();
  std::lock_guard<std::mutex> guard(Trace::get().mutex);
  return Profile::get().begin(Trace::get().count());
}

std::vector<ProfileSpan> end_profile(uint64_t place) {
  if (place == kNotBegun || !tracing()) return {};
  catch_up();
  std::lock_guard<std::mutex> guard(Trace::get().mutex);
  return Profile::get().end(place);
}

std::string folder_name() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  char text[64];
  std::strftime(text, sizeof text, "PROF_000001_%Y%m%d%H%M%S", &parts);
  return text + std::to_string(unix_ns() / 1000000 % 1000) + "_JUMAR" + std::to_string(getpid());
}

// The folder as the vendor's analysis expects it, with what `msprof` needs to fill it.
bool write_folder(const Session& one) {
  std::error_code error;
  const fs::path folder = fs::path(one.path) / folder_name();
  fs::create_directories(folder / "host", error);
  for (const ProfileSpan& span : one.spans) {
    fs::create_directories(folder / ("device_" + std::to_string(span.chip)), error);
  }
  const auto [unix, raw] = same_moment();
  std::ofstream(folder / "host" / "start_info")
      << "{'collectionTimeBegin': '" << unix / 1000 << "', 'clockMonotonicRaw': '" << raw - unix % 1000 << "'}";
  std::ofstream(folder / "spans.bin", std::ios::binary)
      .write(reinterpret_cast<const char*>(one.spans.data()),
             static_cast<std::streamsize>(one.spans.size() * sizeof(ProfileSpan)));
  const fs::path trace = Server::get()->settings().trace;
  for (const char* what : {"kinds", "names"}) {
    const fs::path from = trace / (std::string(what) + "-" + std::to_string(getpid()) + ".jsonl");
    fs::copy_file(from, folder / (std::string(what) + ".jsonl"), fs::copy_options::overwrite_existing, error);
  }
  return !error;
}

}  // namespace

}  // namespace jumar

using namespace jumar;

// Where the trace lies, whose files name kinds and lines by their numbers; empty without one.
JUMAR_API const char* jumar_trace_folder() { return Server::get() != nullptr ? Server::get()->settings().trace : ""; }
// For profilers in Python: a number to end with, or ~0 if no trace is kept.
JUMAR_API uint64_t jumar_profile_begin() { return begin_profile(); }
// Copies up to `room` spans to `spans` and returns how many there are; with no room it only ends the profile and keeps
// them for the next call with the same number.
JUMAR_API uint64_t jumar_profile_end(uint64_t place, ProfileSpan* spans, uint64_t room) {
  static std::mutex mutex;
  static auto& ended = *new std::map<uint64_t, std::vector<ProfileSpan>>;  // guarded by mutex
  std::lock_guard<std::mutex> guard(mutex);
  const auto found = ended.find(place);
  if (found == ended.end()) {
    const uint64_t count = (ended[place] = end_profile(place)).size();
    if (room == 0) return count;
  }
  const std::vector<ProfileSpan>& held = ended[place];
  const uint64_t count = std::min<uint64_t>(room, held.size());
  std::copy_n(held.begin(), count, spans);
  ended.erase(place);
  return count;
}

JUMAR_API aclError aclprofInit(const char* path, size_t length) {
  std::lock_guard<std::mutex> guard(session_mutex);
  session = Session{std::string(path, length), kNotBegun, {}};
  return code::kSuccess;
}
JUMAR_API void* aclprofCreateConfig(uint32_t*, uint32_t, int, void*, uint64_t) { return new char; }
JUMAR_API aclError aclprofDestroyConfig(const void* config) {
  delete static_cast<const char*>(config);
  return code::kSuccess;
}
JUMAR_API aclError aclprofWarmup(const void*) { return code::kSuccess; }  // there is nothing to warm
JUMAR_API aclError aclprofStart(const void*) {
  std::lock_guard<std::mutex> guard(session_mutex);
  session.place = begin_profile();
  return code::kSuccess;
}
JUMAR_API aclError aclprofStop(const void*) {
  std::lock_guard<std::mutex> guard(session_mutex);
  const std::vector<ProfileSpan> spans = end_profile(session.place);
  session.spans.insert(session.spans.end(), spans.begin(), spans.end());
  session.place = kNotBegun;
  return code::kSuccess;
}
JUMAR_API aclError aclprofFinalize() {
  std::lock_guard<std::mutex> guard(session_mutex);
  if (tracing() && !session.path.empty() && !write_folder(session)) {
    std::fprintf(stderr, "jumar: the profile cannot be written below %s\n", session.path.c_str());
  }
  session = Session{};
  return code::kSuccess;
}
// How often hardware is sampled, and what: a virtual chip has no such counters.
JUMAR_API aclError aclprofSetConfig(int, const char*, size_t) { return code::kSuccess; }
JUMAR_API aclError aclprofRegisterDeviceCallback() { return code::kSuccess; }
JUMAR_API aclError aclprofGetSupportedFeaturesV2(size_t* count, void** features) {
  *count = 0, *features = nullptr;
  return code::kSuccess;
}
JUMAR_API aclError aclprofGetSupportedFeatures(size_t* count, void** features) {
  return aclprofGetSupportedFeaturesV2(count, features);
}
// A mark of the program's own on the device's timeline: the framework's data has it too.
JUMAR_API aclError aclprofMarkEx(const char*, size_t, aclrtStream) { return code::kSuccess; }
