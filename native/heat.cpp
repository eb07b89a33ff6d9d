// Time goes by in steps for each chip, as far as work has been given to it. Chips of other processes do what ours do,
// or nothing, so that a process needs to ask nobody and the same program meets the same temperatures.
#include "heat.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "core.h"
#include "fault.h"

namespace jumar {

namespace {

constexpr uint32_t kDie = 0, kStack = 1, kCoolant = 3;  // nodes of a chip
constexpr double kLinked = 1e-12;                       // what is less in a matrix is none

// Why a governor does what it does, with the vendor's codes of it.
constexpr Heat::Cause kHot{"80E20207", "overheat", "SubHealthFault"};
constexpr Heat::Cause kStacksHot{"80E00209", "hbm_overheat", "NotHandleFault"};
constexpr Heat::Cause kStacksFatal{"80E0020B", "hbm_overheat_fatal", "SeparateNPU"};
constexpr Heat::Cause kPower{"", "power_cap", ""};
constexpr Heat::Cause kCool{"", "", ""};

int32_t milli(double value) { return static_cast<int32_t>(std::lround(value * 1000)); }

}  // namespace

bool Heat::followed() {
  if (!asked_) open();
  return law_ != nullptr;
}

void Heat::open() {
  asked_ = true;
  const Ring& ring = Engine::get().ring();
  if (ring.heat.chips < 1) return;
  law_ = &ring.heat, kept_ = ring.kept, fed_ = ring.fed;
  step_ns_ = static_cast<uint64_t>(law_->step_ns);
  const auto count = static_cast<uint32_t>(law_->chips);
  const size_t width = size_t{count} * kNodes;
  chips_.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    std::copy_n(law_->rest_c + i * kNodes, kNodes, chips_[i].celsius);
    spend(i);
    for (uint32_t j = 0; j < count; ++j) {
      const auto linked = [&](uint32_t row, uint32_t column) {
        return std::abs(kept_[(i * kNodes + row) * width + j * kNodes + column]) > kLinked;
      };
      bool any = false;
      for (uint32_t n = 0; n < kNodes * kNodes; ++n) any = any || linked(n / kNodes, n % kNodes);
      if (any) chips_[i].near.push_back(j);
    }
  }
}

// A chip that others led so far begins where this process's host is: its work may begin there.
void Heat::own(uint32_t number, uint64_t host_ns) {
  Chip& chip = chips_[number];
  if (chip.ours) return;
  chip.ours = true;
  chip.step = std::min(chip.step, host_ns / step_ns_);
  if (leader_ == kMaxChips) leader_ = number;
}

const GovernorRow& Heat::row(uint32_t chip, uint64_t start_ns, uint64_t host_ns) {
  own(chip, host_ns);
  while (chips_[chip].step < start_ns / step_ns_) {
    together_.clear();
    gather(chip);
    step();
  }
  return law_->row[chips_[chip].row];
}

void Heat::ran(uint32_t number, uint64_t start_ns, uint64_t end_ns, Joules joules) {
  Chip& chip = chips_[number];
  if (chip.off) return;
  const uint64_t begun = chip.step * step_ns_;
  uint64_t from = std::max(start_ns, begun);
  const uint64_t end = std::max(end_ns, from + 1);
  const auto length = static_cast<double>(end - from);
  while (from < end) {
    const uint64_t place = (from - begun) / step_ns_, until = std::min(end, begun + (place + 1) * step_ns_);
    if (place >= chip.ahead.size()) chip.ahead.resize(place + 1);
    const double share = static_cast<double>(until - from) / length;
    chip.ahead[place].die += joules.die * share;
    chip.ahead[place].stack += joules.stack * share;
    from = until;
  }
}

void Heat::reach(uint64_t host_ns) {
  if (host_ns < due_ns_ || leader_ == kMaxChips) return;
  const uint64_t until = host_ns / step_ns_;
  due_ns_ = (until + 1) * step_ns_;
  while (true) {
    uint32_t last = leader_;
    for (uint32_t i = 0; i < chips_.size(); ++i) {
      if (chips_[i].ours && chips_[i].step < chips_[last].step) last = i;
    }
    if (chips_[last].step >= until) return;
    const uint64_t step_now = chips_[last].step;
    together_.clear();
    for (uint32_t i = 0; i < chips_.size(); ++i) {
      if (chips_[i].ours && chips_[i].step == step_now) gather(i);
    }
    step();
  }
}

void Heat::gather(uint32_t number) {
  together_.push_back(number);
  if (number != leader_) return;
  for (uint32_t i = 0; i < chips_.size(); ++i) {
    if (!chips_[i].ours) together_.push_back(i);
  }
}

// The chips in `together_`, the leader before those that it leads.
void Heat::step() {
  for (const uint32_t i : together_) spend(i);
  for (const uint32_t i : together_) warm_up(i);
  for (const uint32_t i : together_) {
    Chip& chip = chips_[i];
    std::copy_n(chip.next, kNodes, chip.celsius);
    chip.joules += (chip.power.die + chip.power.stack) * law_->step_ns * 1e-9;
    ++chip.step;
    if (!chip.ours) chip.step = chips_[leader_].step;
    if (chip.ours && chip.step % static_cast<uint64_t>(law_->period_steps) == 0) govern(i);
  }
}

// Watts of what runs in the next step. What is beyond the most that a chip draws is left over for later ones: it comes
// from work of several streams that was given in another order than it runs in.
Joules Heat::work(Chip& chip, double idle_w) {
  if (chip.ahead.empty()) return {};
  const Joules given = chip.ahead.front();
  chip.ahead.pop_front();
  const double seconds = law_->step_ns * 1e-9, all_j = given.die + given.stack;
  const double most_j = std::max(0.0, law_->most_w - idle_w) * seconds;
  const double now = all_j > most_j ? most_j / all_j : 1;
  if (now < 1) {
    if (chip.ahead.empty()) chip.ahead.resize(1);
    chip.ahead.front().die += given.die * (1 - now);
    chip.ahead.front().stack += given.stack * (1 - now);
  }
  return {given.die * now / seconds, given.stack * now / seconds};
}

void Heat::spend(uint32_t number) {
  Chip& chip = chips_[number];
  const double growth = std::max(0.0, 1 + law_->leakage_per_k * (chip.celsius[kDie] - law_->leakage_at_c));
  const double die_w = law_->idle_die_w * growth, stack_w = law_->idle_stack_w * growth;
  if (chip.ours) {
    chip.worked = work(chip, die_w + stack_w);
  } else {
    chip.worked = leader_ != kMaxChips && number < law_->alike ? chips_[leader_].worked : Joules{};
  }
  chip.power = chip.off ? Joules{} : Joules{die_w + chip.worked.die, stack_w + chip.worked.stack};
}

// The chip's rows of kept · temperatures + fed · inputs. Through a fault all but its coolant feel a warmer coolant.
void Heat::warm_up(uint32_t number) {
  Chip& chip = chips_[number];
  const size_t count = chips_.size(), width = count * kNodes, inputs = 2 * count + 1;
  for (uint32_t node = 0; node < kNodes; ++node) {
    const double* kept = kept_ + (number * kNodes + node) * width;
    const double* fed = fed_ + (number * kNodes + node) * inputs;
    double sum = fed[2 * count] * law_->inlet_c;
    for (const uint32_t j : chip.near) {
      const Chip& other = chips_[j];
      for (uint32_t n = 0; n < kNodes; ++n) sum += kept[j * kNodes + n] * other.celsius[n];
      sum += fed[j] * other.power.die + fed[count + j] * other.power.stack;
    }
    if (node != kCoolant) sum += kept[number * kNodes + kCoolant] * chip.warmer_c;
    chip.next[node] = sum;
  }
}

// As `step` in src/jumar/physics/governor.py.
void Heat::govern(uint32_t number) {
  Chip& chip = chips_[number];
  const double watts = (chip.joules - chip.decided_j) / (law_->period_steps * law_->step_ns * 1e-9);
  chip.decided_j = chip.joules;
  if (chip.off) return;
  const double die_c = chip.celsius[kDie], stack_c = chip.celsius[kStack];
  const GovernorRow& row = law_->row[chip.row];
  const bool hot = die_c >= row.slower_c, stacks_hot = stack_c >= row.slower_stack_c;
  const uint32_t before = chip.row, last = static_cast<uint32_t>(law_->rows) - 1;
  if (hot || stacks_hot || watts > law_->slower_w) {
    chip.row = std::min(chip.row + 1, last);
  } else if (die_c < row.faster_c && stack_c < row.faster_stack_c && watts < law_->faster_w && chip.row > 0) {
    --chip.row;
  }
  chip.off = die_c >= law_->shutdown_c || stack_c >= law_->shutdown_stack_c;
  if (before == 0 && chip.row != 0) tell(number, "throttle", hot ? kHot : stacks_hot ? kStacksHot : kPower);
  if (before != 0 && chip.row == 0) tell(number, "full clock", kCool);
  if (!chip.off) return;
  chip.ahead.clear();
  chip.cause = die_c >= law_->shutdown_c ? kHot : kStacksFatal;
  tell(number, "shutdown", chip.cause);
}

void Heat::warm(uint32_t number, double degrees) {
  if (number < chips_.size()) chips_[number].warmer_c = degrees;
}

// A restart takes minutes: the chip is found as at rest.
void Heat::restart(uint32_t number) {
  if (number >= chips_.size()) return;
  Chip& chip = chips_[number];
  chip.off = false, chip.row = 0;
  chip.ahead.clear();
  std::copy_n(law_->rest_c + number * kNodes, kNodes, chip.celsius);
}

// Of chips that idle the first rank tells; without ranks whoever runs, unless another program holds memory there.
std::vector<bool> Heat::told_here() const {
  ServerState& state = Server::get()->state();
  const char* rank = std::getenv("LOCAL_RANK");
  const bool first = rank == nullptr || std::strcmp(rank, "0") == 0;
  const size_t count = std::min<size_t>(chips_.size(), state.settings.chips);
  std::vector<bool> told(count);
  for (size_t i = 0; i < count; ++i) told[i] = first && static_cast<double>(i) >= law_->alike;
  for (const auto& process : state.processes) {
    if (process.pid == 0 || process.pid == getpid()) continue;
    for (size_t i = 0; i < count; ++i) told[i] = told[i] && process.used[i] == 0;
  }
  for (size_t i = 0; i < count; ++i) told[i] = told[i] || chips_[i].ours;
  return told;
}

void Heat::publish(uint64_t host_ns) const {
  const std::vector<bool> told = told_here();
  for (uint32_t i = 0; i < told.size(); ++i) {
    if (!told[i]) continue;
    publish_one(i);
    Server::get()->state().condition[i].virtual_ns = host_ns;
  }
}

void Heat::publish_one(uint32_t number) const {
  const Chip& chip = chips_[number];
  Condition& condition = Server::get()->state().condition[number];
  condition.temperature = milli(chip.celsius[kDie]);
  condition.hbm_temperature = milli(chip.celsius[kStack]);
  condition.inlet = milli(law_->inlet_c + chip.warmer_c);
  condition.power = milli(chip.power.die + chip.power.stack);
  condition.clock_share = static_cast<uint32_t>(milli(chip.off ? 0 : law_->row[chip.row].clock_share));
  condition.energy_uj = static_cast<uint64_t>(chip.joules * 1e6);
  const Health health = chip.off ? Health::kCritical : chip.row != 0 ? Health::kWarning : Health::kOk;
  condition.heat_health = static_cast<uint32_t>(health);
}

void Heat::tell(uint32_t number, const char* event, const Cause& cause) const {
  ServerState& state = Server::get()->state();
  const Chip& chip = chips_[number];
  if (number >= state.settings.chips) return;
  publish_one(number);
  state.condition[number].virtual_ns = chip.step * step_ns_;
  char text[120];
  std::snprintf(text, sizeof text, "die at %.1f C, memory at %.1f C, %.0f W, clock at %.0f %%", chip.celsius[kDie],
                chip.celsius[kStack], chip.power.die + chip.power.stack, 100 * law_->row[chip.row].clock_share);
  tell_event(server_directory(), state, {number, event, cause.code, cause.kind, cause.level, text});
}

}  // namespace jumar
