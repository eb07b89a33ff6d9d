// Faults are armed, struck, ended and told here: the part that all processes of a server share. What a program's work
// meets of them is in fault.cpp.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <sstream>

#include "fault.h"

namespace jumar {

namespace {

struct EffectRow {
  const char* name;
  Effect effect;
  aclError error;      // unless another is given
  const char* reason;  // what the run-time gives as the reason, by which the adapter knows some of them
  bool of_work;        // strikes what a process does, not the chip alone
};
constexpr EffectRow kEffects[] = {
    {"lost", Effect::kLost, code::kLostHeartbeat, "lost heartbeat", false},
    {"fail", Effect::kFail, 507015, "aicore exception", true},
    {"uce", Effect::kUce, 507053, "device mem error", true},
    {"slow", Effect::kSlow, 0, "", false},
    {"corrupt", Effect::kCorrupt, 0, "", true},
    {"link_down", Effect::kLinkDown, 507056, "link error", false},
    {"stuck", Effect::kStuck, 507048, "notify wait timeout", false},
    {"host_memory", Effect::kHostMemory, code::kMemoryAllocation, "host memory allocation failed", false},
    {"ecc", Effect::kEcc, 0, "", false},
    {"heat", Effect::kHeat, 0, "", false},
};
struct ReasonRow {
  aclError error;
  const char* reason;
};
// The adapter looks for some of these words (NPUException.h of Ascend/pytorch).
constexpr ReasonRow kReasons[] = {
    {507014, "aicore timeout"},   {507015, "aicore exception"},        {507017, "aicpu timeout"},
    {507018, "aicpu exception"},  {507034, "vector core timeout"},     {507035, "vector core exception"},
    {507053, "device mem error"}, {507054, "hbm Multi-bit ECC error"}, {507055, "suspect device mem error"},
    {507056, "link error"},       {507057, "suspect remote error"},    {507904, "hccl op retry failed"},
    {507010, "lost heartbeat"},   {507048, "notify wait timeout"},     {507899, "driver internal error"},
};

const EffectRow& row_of(Effect effect) { return kEffects[static_cast<uint32_t>(effect) - 1]; }

std::string milli(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3f", value / 1000);
  return text;
}

std::string measured(const std::atomic<int32_t>& value) {
  const int32_t now = value.load();
  return now == kUnmeasured ? "null" : milli(now);
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') result += '\\';
    if (letter == '\n')
      result += "\\n";
    else if (static_cast<unsigned char>(letter) >= 0x20)
      result += letter;
  }
  return result + "\"";
}

std::string seconds(uint64_t ns) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(ns) / 1e9);
  return text;
}

std::string wall_time() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  char day[32], text[48];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof text, "%s.%03ldZ", day, now.tv_nsec / 1000000);
  return text;
}

uint32_t health_of(const Condition& condition) {
  return std::min<uint32_t>(std::max(condition.health.load(), condition.heat_health.load()), 3);
}

void tell(const ServerState& state, const std::string& directory, const Fault& fault, const char* event) {
  tell_event(directory, state, {fault.chip, event, fault.code, fault.kind, fault.level, fault.text});
}

// What the active faults of a chip come to together.
void sum_up(ServerState& state, uint32_t chip) {
  double slow = 1, heat = 0;
  uint32_t links = 0, stuck = 0, worst = 0, refusals = 0;
  int32_t lost = 0;
  for (const Fault& fault : state.faults) {
    if (fault.chip != chip || fault.active == 0) continue;
    worst = std::max(worst, static_cast<uint32_t>(fault.health));
    if (fault.effect == Effect::kSlow) slow *= fault.amount;
    if (fault.effect == Effect::kHeat) heat += fault.amount;
    if (fault.effect == Effect::kLost) lost = fault.error;
    links += fault.effect == Effect::kLinkDown ? 1 : 0;
    stuck += fault.effect == Effect::kStuck ? 1 : 0;
    refusals += fault.effect == Effect::kHostMemory ? 1 : 0;
  }
  Condition& condition = state.condition[chip];
  condition.slow = static_cast<uint32_t>(std::lround(slow * 1000));
  condition.heat = static_cast<int32_t>(std::lround(heat * 1000));
  condition.link_down = links;
  condition.stuck = stuck;
  condition.host_refusals = refusals;
  condition.lost = lost;
  condition.health = worst;
}

// --- reading what is to be injected

struct Wish {
  Fault fault{};
  uint64_t after_operators = kNever;
  int64_t counter = 0;  // effect ecc: which one goes up by the amount
};
constexpr const char* kCounters[] = {"single", "double", "isolated_single", "isolated_double"};

bool whole_number(const std::string& text, uint64_t* value) {
  char* end = nullptr;
  *value = std::strtoull(text.c_str(), &end, 10);
  return !text.empty() && text[0] != '-' && *end == 0;
}

template <size_t Size>
bool put_text(char (&field)[Size], const std::string& value) {
  if (value.size() >= Size) return false;
  std::memcpy(field, value.c_str(), value.size() + 1);
  return true;
}

bool put_number(Wish* wish, const std::string& key, const std::string& value) {
  Fault& fault = wish->fault;
  uint64_t number = 0;
  if (key == "amount") {
    char* end = nullptr;
    fault.amount = std::strtod(value.c_str(), &end);
    return !value.empty() && *end == 0 && std::isfinite(fault.amount) && fault.amount >= 0;
  }
  if (!whole_number(value, &number)) return false;
  const std::map<std::string, uint64_t*> wide = {
      {"seed", &fault.seed},
      {"after_operators", &wish->after_operators},
      {"at_virtual_ns", &fault.at_virtual_ns},
      {"every_operators", &fault.every_operators},
      {"every_ns", &fault.every_ns},
      {"lasting_operators", &fault.lasting_operators},
      {"lasting_ns", &fault.lasting_ns},
  };
  if (auto found = wide.find(key); found != wide.end()) return *found->second = number, true;
  if (number > INT32_MAX) return false;
  const auto counter = std::find(std::begin(kCounters), std::end(kCounters), key);
  if (counter != std::end(kCounters)) return fault.ecc[counter - std::begin(kCounters)] = number, true;
  if (key == "chip") return fault.chip = static_cast<uint32_t>(number), true;
  if (key == "error") return fault.error = static_cast<int32_t>(number), true;
  if (key == "count") return fault.left = number != 0 ? static_cast<uint32_t>(number) : UINT32_MAX, true;
  return false;
}

bool put(Wish* wish, const std::string& key, const std::string& value) {
  Fault& fault = wish->fault;
  if (key == "kind") return put_text(fault.kind, value);
  if (key == "text") return put_text(fault.text, value);
  if (key == "level") return put_text(fault.level, value);
  if (key == "fault_code") return put_text(fault.code, value);
  if (key == "effect") {
    const auto found =
        std::find_if(std::begin(kEffects), std::end(kEffects), [&](const auto& row) { return value == row.name; });
    return found != std::end(kEffects) && (fault.effect = found->effect, true);
  }
  if (key == "counter") {
    const auto found = std::find(std::begin(kCounters), std::end(kCounters), value);
    wish->counter = found - std::begin(kCounters);
    return found != std::end(kCounters);
  }
  if (key == "health") {
    const auto found = std::find(std::begin(kHealthNames), std::end(kHealthNames), value);
    fault.health = static_cast<Health>(found - std::begin(kHealthNames));
    return found != std::end(kHealthNames);
  }
  return put_number(wish, key, value);
}

bool read_wish(const char* text, const ServerState& state, Wish* wish) {
  Fault& fault = wish->fault;
  fault.left = 1;
  fault.at_operator = fault.at_virtual_ns = fault.until_operator = fault.until_virtual_ns = kNever;
  fault.amount = -1;
  fault.slot = -1;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    const size_t equals = line.find('=');
    if (equals == std::string::npos || !put(wish, line.substr(0, equals), line.substr(equals + 1))) {
      return set_last_error("fault: unknown, too long or out of range: \"" + line + "\""), false;
    }
  }
  if (fault.effect == Effect::kNone) return set_last_error("fault: need an effect"), false;
  if (fault.chip >= state.settings.chips) {
    set_last_error("fault: chip " + std::to_string(fault.chip) + " does not exist: the server has " +
                   std::to_string(state.settings.chips));
    return false;
  }
  if (fault.at_virtual_ns != kNever && state.settings.trace[0] == 0) {
    return set_last_error("fault: at_virtual_ns needs a server that keeps a trace; say after_operators"), false;
  }
  if (fault.at_virtual_ns != kNever && wish->after_operators != kNever) {
    return set_last_error("fault: after_operators or at_virtual_ns, not both"), false;
  }
  if (fault.lasting_ns != 0 && state.settings.trace[0] == 0) {
    return set_last_error("fault: lasting_ns needs a server that keeps a trace; say lasting_operators"), false;
  }
  if (fault.effect == Effect::kSlow && fault.amount < 1) {
    return set_last_error("fault: slow needs an amount of 1 or more, how much longer work takes"), false;
  }
  if (fault.amount < 0) fault.amount = 1;
  const EffectRow& row = row_of(fault.effect);
  if (fault.error == 0) fault.error = row.error;
  if (fault.kind[0] == 0) put_text(fault.kind, row.name);
  const bool counted = std::any_of(fault.ecc, fault.ecc + 4, [](uint64_t each) { return each != 0; });
  if (fault.effect == Effect::kEcc && !counted) fault.ecc[wish->counter] = static_cast<uint64_t>(fault.amount);
  const bool unreadable = fault.effect == Effect::kUce || fault.error == 507053 || fault.error == 507054;
  if (unreadable && !counted) fault.ecc[1] = 1;
  return true;
}

}  // namespace

void make_well(Condition& condition) {
  condition.temperature = condition.hbm_temperature = condition.inlet = condition.power = kUnmeasured;
  condition.clock_share = condition.slow = 1000;
  condition.next_operator = condition.next_virtual_ns = kNever;
}

const char* server_directory() {
  const char* directory = std::getenv("JUMAR_SERVER");
  return directory != nullptr ? directory : "";
}

std::string default_text(const Fault& fault) {
  if (fault.text[0] != 0) return fault.text;
  const auto found = std::find_if(std::begin(kReasons), std::end(kReasons),
                                  [&](const auto& each) { return each.error == fault.error; });
  const std::string reason = found != std::end(kReasons) ? found->reason : row_of(fault.effect).reason;
  const std::string when =
      fault.error == 507054 ? ", time us= " + std::to_string(fault.struck_virtual_ns / 1000) + "." : "";
  return "jumar: chip " + std::to_string(fault.chip) + ", " + fault.kind + ": error code " +
         std::to_string(fault.error) + ", reason=[" + reason + "]" + when;
}

void tell_event(const std::string& directory, const ServerState& state, const HealthEvent& event) {
  const Condition& condition = state.condition[event.chip];
  const std::string line =
      "{\"time\":" + quoted(wall_time()) + ",\"virtual_s\":" + seconds(condition.virtual_ns) +
      ",\"chip\":" + std::to_string(event.chip) + ",\"event\":" + quoted(event.event) +
      ",\"code\":" + quoted(event.code) + ",\"kind\":" + quoted(event.kind) + ",\"level\":" + quoted(event.level) +
      ",\"health\":" + quoted(kHealthNames[health_of(condition)]) + ",\"text\":" + quoted(event.text) + "}\n";
  const int fd = open((directory + "/events.jsonl").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (write(fd, line.data(), line.size()) < 0) std::fprintf(stderr, "jumar: events.jsonl cannot be written\n");
  close(fd);
}

void plan_chip(ServerState& state, uint32_t chip) {
  uint64_t next_operator = kNever, next_ns = kNever;
  for (const Fault& fault : state.faults) {
    if (fault.chip != chip) continue;
    if (fault.left != 0) {
      next_operator = std::min(next_operator, fault.at_operator);
      next_ns = std::min(next_ns, fault.at_virtual_ns);
    }
    if (fault.active != 0) {
      next_operator = std::min(next_operator, fault.until_operator);
      next_ns = std::min(next_ns, fault.until_virtual_ns);
    }
  }
  state.condition[chip].next_operator = next_operator;
  state.condition[chip].next_virtual_ns = next_ns;
}

void strike(ServerState& state, const std::string& directory, Fault& fault, uint64_t operators, uint64_t virtual_ns) {
  Condition& condition = state.condition[fault.chip];
  if (fault.left != UINT32_MAX) --fault.left;
  ++fault.struck;
  fault.struck_virtual_ns = virtual_ns;
  if (virtual_ns > condition.virtual_ns) condition.virtual_ns = virtual_ns;
  fault.until_operator = fault.lasting_operators != 0 ? operators + fault.lasting_operators : kNever;
  fault.until_virtual_ns = fault.lasting_ns != 0 ? virtual_ns + fault.lasting_ns : kNever;
  const uint64_t every = std::max<uint64_t>(fault.every_operators, 1);
  const bool by_time = fault.at_virtual_ns != kNever;
  if (by_time) fault.at_virtual_ns += fault.lasting_ns + std::max<uint64_t>(fault.every_ns, 1);
  if (!by_time) fault.at_operator = operators + fault.lasting_operators + every;
  condition.single_bit += fault.ecc[0];
  condition.double_bit += fault.ecc[1];
  condition.isolated_single += fault.ecc[2];
  condition.isolated_double += fault.ecc[3];
  fault.active = 1;
  if (fault.text[0] == 0) put_text(fault.text, fault.error != 0 ? default_text(fault) : "");
  sum_up(state, fault.chip);
  tell(state, directory, fault, "fault");
}

void end_fault(ServerState& state, const std::string& directory, Fault& fault) {
  fault.active = 0;
  fault.until_operator = fault.until_virtual_ns = kNever;
  sum_up(state, fault.chip);
  tell(state, directory, fault, "recovered");
}

// What a process met ends with it: the next one finds the chip well, unless it is the chip itself that is ill.
void end_faults_of_the_dead(ServerState& state, const std::string& directory, int fd) {
  const ServerLock lock(&state);
  for (Fault& fault : state.faults) {
    if (fault.active == 0 || fault.pid == 0 || process_lives(state, fd, fault.slot, fault.pid)) continue;
    end_fault(state, directory, fault);
    plan_chip(state, fault.chip);
  }
}

std::string condition_json(ServerState& state, uint32_t chip) {
  const ServerLock lock(&state);
  const Condition& it = state.condition[chip];
  std::string faults;
  for (const Fault& fault : state.faults) {
    if (fault.active == 0 || fault.chip != chip) continue;
    faults += std::string(faults.empty() ? "" : ",") + "{\"code\":" + quoted(fault.code) +
              ",\"kind\":" + quoted(fault.kind) + ",\"virtual_s\":" + seconds(fault.struck_virtual_ns) + "}";
  }
  return "{\"temperature_c\":" + measured(it.temperature) + ",\"hbm_temperature_c\":" + measured(it.hbm_temperature) +
         ",\"inlet_c\":" + measured(it.inlet) + ",\"power_w\":" + measured(it.power) +
         ",\"clock_share\":" + milli(it.clock_share) + ",\"slow\":" + milli(it.slow) +
         ",\"health\":" + quoted(kHealthNames[health_of(it)]) + ",\"lost\":" + (it.lost != 0 ? "true" : "false") +
         ",\"link_up\":" + (it.link_down != 0 ? "false" : "true") + ",\"operators\":" + std::to_string(it.operators) +
         ",\"virtual_s\":" + seconds(it.virtual_ns) + ",\"energy_j\":" + seconds(it.energy_uj * 1000) +
         ",\"ecc\":{\"single\":" + std::to_string(it.single_bit) + ",\"double\":" + std::to_string(it.double_bit) +
         ",\"isolated_single\":" + std::to_string(it.isolated_single) +
         ",\"isolated_double\":" + std::to_string(it.isolated_double) + "},\"faults\":[" + faults + "]}";
}

namespace {

Fault* free_row(ServerState& state) {
  for (Fault& fault : state.faults) {
    if (fault.active == 0 && fault.left == 0) return &fault;
  }
  return nullptr;
}

// Without a time a fault of the chip strikes now, one of its work the next operator.
int arm(ServerState& state, const char* directory, Wish wish) {
  const ServerLock lock(&state);
  Fault* row = free_row(state);
  if (row == nullptr) return set_last_error("fault: the server's table is full; clear it or make another"), -1;
  Fault& fault = wish.fault;
  const Condition& condition = state.condition[fault.chip];
  const bool timed = wish.after_operators != kNever || fault.at_virtual_ns != kNever;
  const bool now = !timed && !row_of(fault.effect).of_work;
  if (fault.at_virtual_ns == kNever) {
    fault.at_operator = condition.operators + (wish.after_operators != kNever ? wish.after_operators : 0);
  }
  *row = fault;
  if (now) strike(state, directory, *row, condition.operators, condition.virtual_ns);
  plan_chip(state, fault.chip);
  return 0;
}

void clear_chip(ServerState& state, const char* directory, uint32_t chip, bool armed_too) {
  bool any = false;
  for (Fault& fault : state.faults) {
    if (fault.chip != chip) continue;
    if (armed_too) fault.left = 0;
    if (fault.active == 0) continue;
    end_fault(state, directory, fault);
    any = true;
  }
  Condition& condition = state.condition[chip];
  condition.single_bit = condition.double_bit = 0;  // counted since the chip started; isolated pages stay isolated
  condition.heat_health = 0;
  ++condition.resets;
  plan_chip(state, chip);
  if (any) tell_event(directory, state, {chip, "reset", "", "", "", ""});
}

}  // namespace

}  // namespace jumar

using namespace jumar;

JUMAR_API int jumar_server_inject(const char* directory, const char* lines) {
  int fd = -1;
  ServerState* state = map_server(directory, &fd);
  if (state == nullptr) return -1;
  Wish wish;
  const int result = read_wish(lines, *state, &wish) ? arm(*state, directory, wish) : -1;
  unmap_server(state);
  return result;
}

// A chip below 0: every chip, and faults that are armed are taken back as well.
JUMAR_API int jumar_server_clear(const char* directory, int chip) {
  int fd = -1;
  ServerState* state = map_server(directory, &fd);
  if (state == nullptr) return -1;
  const auto chips = static_cast<int>(state->settings.chips);
  int result = 0;
  if (chip >= chips) {
    set_last_error("clear: chip " + std::to_string(chip) + " does not exist: the server has " + std::to_string(chips));
    result = -1;
  } else {
    const ServerLock lock(state);
    for (int each = 0; each < chips; ++each) {
      if (chip < 0 || chip == each) clear_chip(*state, directory, static_cast<uint32_t>(each), chip < 0);
    }
  }
  unmap_server(state);
  return result;
}
