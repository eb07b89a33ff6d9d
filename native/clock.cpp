// Time as the program's events see it: with a trace the virtual clock, else the host's clock at the moment the executor
// finished the work.
#include "clock.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>

#include "core.h"
#include "fault.h"
#include "profile.h"

extern "C" int jumar_server_inject(const char* directory, const char* lines);

namespace jumar {

namespace {

constexpr uint64_t kPublishNs = 20u * 1000 * 1000;  // how often, in virtual time, utilisation is told

constexpr uint64_t kMostHeldUp = 8;

// What a call costs the host, as a share of one that launches an operator: HOST_SHARE in src/jumar/runs/tracks.py.
double host_share(TraceType type) {
  switch (type) {
    case TraceType::kOperator:
    case TraceType::kCollective:
    case TraceType::kCopyToDevice:
    case TraceType::kCopyToHost:
    case TraceType::kCopyOnDevice: return 1.0;
    case TraceType::kFill:
    case TraceType::kHostCallback: return 0.5;
    case TraceType::kEventRecord:
    case TraceType::kEventWait:
    case TraceType::kSynchroniseStream:
    case TraceType::kSynchroniseEvent:
    case TraceType::kSynchroniseDevice: return 0.2;
    default: return 0;
  }
}

uint64_t whole(double ns) { return ns > 0 ? static_cast<uint64_t>(ns) : 0; }

}  // namespace

uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t event_time_ns(const Event& event, const Ring& ring) {
  if (tracing()) {
    std::lock_guard<std::mutex> guard(Trace::get().mutex);
    return Clock::get().event_ns(event.number);
  }
  return event.newest != nullptr ? host_time_ns(*event.newest, ring) : now_ns();
}

uint64_t host_time_ns(const Mark& mark, const Ring& ring) {
  if (mark.host_ns != 0) return mark.host_ns;
  const bool kept = ring.completed.load() - mark.sequence < kTimes;
  return kept ? ring.times[mark.sequence % kTimes] : now_ns();
}

Clock& Clock::get() {
  static Clock* clock = new Clock;
  return *clock;
}

uint64_t& Clock::ready(uint32_t stream) {
  if (stream >= ready_.size()) ready_.resize(stream + 1), chip_.resize(stream + 1);
  return ready_[stream];
}

// The host's own time for a call: what was given, or what it took here less what it was kept waiting.
void Clock::advance_host(const TraceEvent& event) {
  const Settings& settings = Server::get()->settings();
  if ((event.flags & kTraceReplayed) != 0) return;
  if (settings.host_measured != 0) {
    if (last_call_ns_ != 0 && event.host_ns > last_call_ns_) {
      host_ns_ += whole(static_cast<double>(event.host_ns - last_call_ns_) * settings.host_factor);
    }
    last_call_ns_ = std::max(last_call_ns_, event.host_ns + event.blocked_ns);
    return;
  }
  const double call_ns =
      settings.host_call_ns != 0 ? static_cast<double>(settings.host_call_ns) : Engine::get().ring().rates.host_call_ns;
  host_ns_ += whole(call_ns * host_share(event.type));
}

// How long it takes from its start on, with what it gives off: faults and heat make it slower.
uint64_t Clock::slowed_ns(const TraceEvent& event, uint64_t start_ns, Burden* burden) {
  double factor = now_[event.chip].slow * 1e-3;
  if (heat_.followed()) {
    const GovernorRow& row = heat_.row(event.chip, start_ns, host_ns_);
    factor *= 1 + burden->bound * (1 / row.clock_share - 1);
    burden->joules.die *= row.energy;
  }
  return factor == 1 ? burden->ns : whole(static_cast<double>(burden->ns) * factor);
}

// Work of another stream that was given before holds work up by at most kMostHeldUp times its own length; as in
// physics/timeline.py.
void Clock::run(const TraceEvent& event, Burden burden, bool cores) {
  uint64_t& until = ready(event.stream);
  uint64_t start = std::max(until, host_ns_);
  const uint64_t duration_ns = slowed_ns(event, start, &burden);
  if (cores) {
    if (event.chip >= cores_.size()) cores_.resize(event.chip + 1);
    uint64_t& shared = cores_[event.chip];
    shared = std::max(shared, host_ns_) + duration_ns;
    if (shared > start + duration_ns) start = std::min(shared - duration_ns, start + (kMostHeldUp - 1) * duration_ns);
  }
  until = start + duration_ns;
  if (heat_.followed()) heat_.ran(event.chip, start, until, burden.joules);
  if (Profile::get().watched()) Profile::get().ran(next_, event, host_ns_, start, until);
  chip_[event.stream] = event.chip;
  if (event.chip >= busy_.size()) busy_.resize(event.chip + 1), shown_.resize(event.chip + 1);
  busy_[event.chip] += duration_ns;
  if ((event.flags & kTraceBlocking) != 0) host_waited_until(until);
}

void Clock::host_waited_until(uint64_t reached_ns) {
  host_ns_ = std::max(host_ns_, reached_ns) + whole(Engine::get().ring().rates.synchronise_ns);
}

// `priced`: the kind's duration plus one, 0: it has none.
Clock::Burden Clock::burden(const TraceEvent& event, uint64_t priced) const {
  const Ring& ring = Engine::get().ring();
  const Rates& rates = ring.rates;
  const HeatLaw& law = ring.heat;
  const auto bytes = static_cast<double>(event.bytes);
  Burden made{};
  switch (event.type) {
    case TraceType::kOperator:
    case TraceType::kCollective: {
      made.ns = priced != 0 ? priced - 1 : whole(rates.launch_ns);
      const KindHeat& heat = ring.kind_heat[priced != 0 ? event.kind : 0];
      made.bound = heat.bound, made.joules = {heat.die_j, heat.stack_j};
      return made;
    }
    case TraceType::kCopyToDevice:
    case TraceType::kCopyToHost:
      made.ns = whole(rates.host_copy_ns + bytes * rates.host_ns_per_byte);
      made.joules = {static_cast<double>(made.ns) * law.link_die_j_ns,
                     static_cast<double>(made.ns) * law.link_stack_j_ns};
      return made;
    default: break;
  }
  const double moved = event.type == TraceType::kCopyOnDevice ? 2 * bytes : bytes;
  made.ns = whole(rates.launch_ns + moved * rates.memory_ns_per_byte);
  made.joules = {static_cast<double>(made.ns) * law.copy_die_j_ns, static_cast<double>(made.ns) * law.copy_stack_j_ns};
  return made;
}

// False: its price is not known yet.
bool Clock::play(const TraceEvent& event, bool all) {
  uint64_t priced = 0;
  if (event.type == TraceType::kOperator || event.type == TraceType::kCollective) {
    priced = Engine::get().ring().durations[event.kind].load(std::memory_order_acquire);
    if (priced == 0 && event.kind != 0 && !all) return false;
  }
  change();
  advance_host(event);
  switch (event.type) {
    case TraceType::kOperator:
    case TraceType::kCopyOnDevice:
    case TraceType::kFill: run(event, burden(event, priced), true); break;
    case TraceType::kCollective:
    case TraceType::kCopyToDevice:
    case TraceType::kCopyToHost: run(event, burden(event, priced)); break;
    case TraceType::kEventRecord:
      if (event.subject >= events_.size()) events_.resize(event.subject + 1);
      events_[event.subject] = ready(event.stream) = std::max(ready(event.stream), host_ns_);
      break;
    case TraceType::kEventWait: ready(event.stream) = std::max(ready(event.stream), event_ns(event.subject)); break;
    case TraceType::kHostCallback: ready(event.stream) = std::max(ready(event.stream), host_ns_); break;
    case TraceType::kSynchroniseStream: host_waited_until(ready(event.stream)); break;
    case TraceType::kSynchroniseEvent: host_waited_until(event_ns(event.subject)); break;
    case TraceType::kSynchroniseDevice: {
      uint64_t last = 0;
      for (size_t stream = 0; stream < ready_.size(); ++stream) {
        if (chip_[stream] == event.chip) last = std::max(last, ready_[stream]);
      }
      host_waited_until(last);
      if (event.chip < cores_.size()) cores_[event.chip] = std::min(cores_[event.chip], host_ns_);
      break;
    }
    default: break;
  }
  return true;
}

void Clock::look(uint64_t event, uint32_t chip) {
  const Condition& condition = Server::get()->state().condition[chip];
  const Change found{event, chip, std::max(1u, condition.slow.load(std::memory_order_relaxed)),
                     condition.heat.load(std::memory_order_relaxed), condition.resets.load(std::memory_order_relaxed)};
  Change& seen = seen_[chip];
  if (found.slow == seen.slow && found.heat == seen.heat && found.resets == seen.resets) return;
  seen = found;
  changes_.push_back(found);
}

// What faults and resets have made of chips by the next event.
void Clock::change() {
  for (; !changes_.empty() && changes_.front().event <= next_; changes_.pop_front()) {
    const Change& made = changes_.front();
    Change& now = now_[made.chip];
    if (heat_.followed() && made.resets != now.resets) heat_.restart(made.chip);
    if (heat_.followed()) heat_.warm(made.chip, made.heat * 1e-3);
    now = made;
  }
}

void Clock::follow(const Trace& trace, bool all) {
  if (Engine::get().ring().ready.load(std::memory_order_acquire) == 0 && !all) return;  // its tables are not there yet
  for (; next_ < trace.count() && play(trace.event(next_), all); ++next_) {
    if (heat_.followed()) heat_.reach(host_ns_);
  }
  if (host_ns_ < published_ns_ + kPublishNs) return;
  publish();
  tell();
}

void Clock::tell() {
  ServerState& state = Server::get()->state();
  for (size_t chip = 0; chip < busy_.size(); ++chip) state.condition[chip].virtual_ns = host_ns_;
  if (heat_.followed()) heat_.publish(host_ns_);
}

// The share of the time since the last look in which each chip ran something, for who asks from outside.
void Clock::publish() {
  uint64_t end = host_ns_;
  for (const uint64_t until : ready_) end = std::max(end, until);
  const uint64_t elapsed = end - published_ns_;
  ServerState& state = Server::get()->state();
  for (size_t chip = 0; chip < busy_.size() && elapsed != 0; ++chip) {
    const uint64_t share = std::min<uint64_t>((busy_[chip] - shown_[chip]) * 1000 / elapsed, 1000);
    state.utilisation[chip].store(static_cast<uint32_t>(share), std::memory_order_relaxed);
    shown_[chip] = busy_[chip];
  }
  published_ns_ = end;
}

void catch_up() {
  if (!tracing()) return;
  Trace& trace = Trace::get();
  uint64_t goal = 0;
  while (true) {
    {
      std::lock_guard<std::mutex> guard(trace.mutex);
      if (goal == 0) goal = trace.count();
      Clock& clock = Clock::get();
      clock.follow(trace, Engine::get().died());
      if (clock.position() >= goal) return clock.tell();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    Engine::get().look();
  }
}

std::vector<std::string> Clock::newly_shut_down() {
  std::vector<std::string> faults;
  for (uint32_t chip = 0; chip < kMaxChips; ++chip) {
    const uint64_t bit = uint64_t{1} << chip;
    const bool before = (shut_down_ & bit) != 0, now = heat_.shut_down(chip);
    shut_down_ = now ? shut_down_ | bit : shut_down_ & ~bit;
    if (!now || before) continue;
    const Heat::Cause& cause = heat_.cause(chip);
    faults.push_back("chip=" + std::to_string(chip) + "\nkind=" + cause.kind + "\neffect=lost\nhealth=Critical" +
                     "\nfault_code=" + cause.code + "\nlevel=" + cause.level +
                     "\ntext=the chip was too hot and has shut itself down: error code is 507010, reason=[lost "
                     "heartbeat]\n");
  }
  return faults;
}

void strike_by_heat() {
  if (!tracing() || Engine::get().ring().heat.chips < 1) return;
  catch_up();
  std::vector<std::string> faults;
  {
    std::lock_guard<std::mutex> guard(Trace::get().mutex);
    faults = Clock::get().newly_shut_down();
  }
  for (const std::string& fault : faults) jumar_server_inject(server_directory(), fault.c_str());
}

}  // namespace jumar
