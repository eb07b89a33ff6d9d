// What is known of a chip's health: faults strike and end, events are told, and the condition becomes JSON.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "fault.h"

namespace jumar {

namespace {

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
    {207001, "out of memory"},
};

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
  const std::string reason = found != std::end(kReasons) ? found->reason : "unknown error";
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
  if (by_time) fault.at_operator = kNever;
  if (!by_time) fault.at_operator = operators + fault.lasting_operators + every;
  condition.single_bit += fault.ecc[0];
  condition.double_bit += fault.ecc[1];
  condition.isolated_single += fault.ecc[2];
  condition.isolated_double += fault.ecc[3];
  fault.active = 1;
  if (fault.text[0] == 0 && fault.error != 0) {
    std::snprintf(fault.text, sizeof fault.text, "%s", default_text(fault).c_str());
  }
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

}  // namespace jumar
