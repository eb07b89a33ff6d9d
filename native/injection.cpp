// What is asked for from outside: faults are read and armed, and chips are cleared of them. How they strike is in
// condition.cpp, what a program's work meets of them in fault.cpp.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

#include "fault.h"

namespace jumar {

namespace {

struct EffectRow {
  const char* name;
  Effect effect;
  aclError error;  // unless another is given
  bool of_work;    // strikes what a process does, not the chip alone
};
constexpr EffectRow kEffects[] = {
    {"lost", Effect::kLost, code::kLostHeartbeat, false},
    {"fail", Effect::kFail, 507015, true},
    {"uce", Effect::kUce, 507053, true},
    {"slow", Effect::kSlow, 0, false},
    {"corrupt", Effect::kCorrupt, 0, true},
    {"link_down", Effect::kLinkDown, 507056, false},
    {"stuck", Effect::kStuck, code::kTaskTimeout, false},
    {"host_memory", Effect::kHostMemory, code::kMemoryAllocation, false},
    {"ecc", Effect::kEcc, 0, false},
    {"heat", Effect::kHeat, 0, false},
};

const EffectRow& row_of(Effect effect) { return kEffects[static_cast<uint32_t>(effect) - 1]; }

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
