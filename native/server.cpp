// The server file: creating it, joining it, memory accounting across processes, and the report for people.
#include "server.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <sstream>
#include <vector>

#include "acl.h"
#include "fault.h"
#include "operator_names.h"

namespace jumar {

namespace {
thread_local std::string last_error;
thread_local std::string last_report;

std::string describe(const std::string& what) { return what + ": " + std::strerror(errno); }

// The byte of the file that process slot n keeps locked while it lives. Record locks die with their process, are not
// inherited by fork, and are seen through every process-id namespace.
off_t lock_byte(int slot) { return static_cast<off_t>(sizeof(ServerState)) + slot; }

struct flock lock_of(int slot, short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = lock_byte(slot);
  lock.l_len = 1;
  return lock;
}

// A descriptor of the server file, opened once and never closed: closing any of them would drop this process's locks.
int open_state(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, int> opened;
  std::lock_guard<std::mutex> guard(mutex);
  auto [entry, fresh] = opened.emplace(path, -1);
  if (fresh || entry->second < 0) entry->second = open(path.c_str(), O_RDWR | O_CLOEXEC);
  return entry->second;
}

bool alive(const ServerState::Process& process, int slot, int fd) {
  if (process.pid == getpid()) return true;
  struct flock lock = lock_of(slot, F_WRLCK);
  return fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

ServerState* map_state(const std::string& path, int* fd) {
  *fd = open_state(path);
  if (*fd < 0) {
    set_last_error(describe("cannot open the server file " + path));
    return nullptr;
  }
  void* mapped = mmap(nullptr, sizeof(ServerState), PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
  struct stat info{};
  if (mapped == MAP_FAILED || fstat(*fd, &info) != 0 || info.st_size < static_cast<off_t>(sizeof(ServerState)) ||
      static_cast<ServerState*>(mapped)->magic != server_magic()) {
    set_last_error(path + " is not a server file of this version of jumar; make a new server");
    return nullptr;
  }
  return static_cast<ServerState*>(mapped);
}

std::string path_of(const char* directory) { return std::string(directory) + "/state"; }

bool apply(Settings* settings, const std::string& key, const std::string& value) {
  const uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
  auto text = [&](char* field, size_t size) {
    if (value.size() >= size) return false;
    std::memcpy(field, value.c_str(), value.size() + 1);
    return true;
  };
  if (key == "soc_name") return text(settings->soc_name, sizeof settings->soc_name);
  if (key == "python") return text(settings->python, sizeof settings->python);
  if (key == "chip") return text(settings->chip, sizeof settings->chip);
  if (key == "trace") return text(settings->trace, sizeof settings->trace);
  if (key == "cooling") return text(settings->cooling, sizeof settings->cooling);
  if (key == "inlet_c") return settings->inlet_c = std::strtod(value.c_str(), nullptr), true;
  if (key == "host_factor") return settings->host_factor = std::strtod(value.c_str(), nullptr), true;
  const std::map<std::string, uint64_t*> wide = {
      {"memory_bytes", &settings->memory_bytes},
      {"l2_bytes", &settings->l2_bytes},
      {"dry_limit_elements", &settings->dry_limit_elements},
      {"seed", &settings->seed},
      {"trace_events", &settings->trace_events},
      {"host_call_ns", &settings->host_call_ns},
  };
  const std::map<std::string, uint32_t*> narrow = {
      {"cube_cores", &settings->cube_cores},
      {"vector_cores", &settings->vector_cores},
      {"chips", &settings->chips},
      {"dry", &settings->dry},
      {"host_measured", &settings->host_measured},
      {"imagined", &settings->imagined},
  };
  if (auto found = wide.find(key); found != wide.end()) return *found->second = number, true;
  if (auto found = narrow.find(key); found != narrow.end()) return *found->second = static_cast<uint32_t>(number), true;
  return false;
}

bool parse(const char* text, Settings* settings) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    const size_t equals = line.find('=');
    if (equals == std::string::npos || !apply(settings, line.substr(0, equals), line.substr(equals + 1))) {
      set_last_error("server settings: unknown or too long: \"" + line + "\"");
      return false;
    }
  }
  if (settings->chips < 1 || settings->chips > kMaxChips || settings->memory_bytes == 0 || !settings->soc_name[0]) {
    set_last_error("server settings: need soc_name, memory_bytes and chips from 1 to 64");
    return false;
  }
  return true;
}

}  // namespace

void set_last_error(const std::string& text) { last_error = text; }

ServerLock::ServerLock(ServerState* state) : state_(state) {
  if (pthread_mutex_lock(&state_->mutex) == EOWNERDEAD) pthread_mutex_consistent(&state_->mutex);
}
ServerLock::~ServerLock() { pthread_mutex_unlock(&state_->mutex); }

ServerState* map_server(const char* directory, int* fd) { return map_state(path_of(directory), fd); }
void unmap_server(ServerState* state) { munmap(state, sizeof(ServerState)); }

bool process_lives(const ServerState& state, int fd, int slot, int pid) {
  if (slot < 0 || static_cast<uint32_t>(slot) >= kMaxProcesses) return false;
  const ServerState::Process& process = state.processes[slot];
  return process.pid == pid && alive(process, slot, fd);
}

Server* Server::get() {
  static Server* server = []() -> Server* {
    const char* directory = std::getenv("JUMAR_SERVER");
    if (directory == nullptr || !*directory) return nullptr;
    int fd = -1;
    ServerState* state = map_state(path_of(directory), &fd);
    if (state == nullptr) {
      std::fprintf(stderr, "jumar: %s (JUMAR_SERVER=%s); no chips are visible\n", last_error.c_str(), directory);
      return nullptr;
    }
    return new Server(state, fd);
  }();
  return server;
}

void Server::enter() {
  if (slot_ >= 0 && state_->processes[slot_].pid == getpid()) return;
  bury();
  for (uint32_t slot = 0; slot < kMaxProcesses; ++slot) {
    ServerState::Process& process = state_->processes[slot];
    if (process.pid != 0) continue;
    struct flock lock = lock_of(static_cast<int>(slot), F_WRLCK);
    if (fcntl(fd_, F_SETLK, &lock) != 0) continue;
    std::memset(process.used, 0, sizeof process.used);
    process.pid = getpid();
    slot_ = static_cast<int>(slot);
    return;
  }
  slot_ = -1;
}

void Server::bury() {
  for (uint32_t slot = 0; slot < kMaxProcesses; ++slot) {
    ServerState::Process& process = state_->processes[slot];
    if (process.pid == 0 || static_cast<int>(slot) == slot_) continue;
    if (!alive(process, static_cast<int>(slot), fd_)) process.pid = 0;
  }
}

uint64_t Server::used(uint32_t chip) {
  ServerLock lock(state_);
  bury();
  uint64_t total = 0;
  for (const auto& process : state_->processes) total += process.pid != 0 ? process.used[chip] : 0;
  return total;
}

bool Server::claim(uint32_t chip, uint64_t bytes) {
  ServerLock lock(state_);
  enter();
  bury();
  uint64_t total = bytes;
  for (const auto& process : state_->processes) total += process.pid != 0 ? process.used[chip] : 0;
  if (slot_ < 0 || total > state_->settings.memory_bytes || total < bytes) return false;
  state_->processes[slot_].used[chip] += bytes;
  if (total > state_->peak[chip]) state_->peak[chip] = total;
  return true;
}

void Server::release(uint32_t chip, uint64_t bytes) {
  ServerLock lock(state_);
  if (slot_ < 0 || state_->processes[slot_].pid != getpid()) return;  // the slot was lost, and with it what was held
  uint64_t& used = state_->processes[slot_].used[chip];
  used -= std::min(used, bytes);
}

int Server::slot() {
  ServerLock lock(state_);
  enter();
  return slot_;
}

bool Server::lives(int slot, int pid) { return process_lives(*state_, fd_, slot, pid); }

void Server::end_faults_of_the_dead() { jumar::end_faults_of_the_dead(*state_, server_directory(), fd_); }

void Server::count(NamedCount* table, const char* name) {
  for (uint32_t i = 0; i < kMaxNames; ++i) {
    char* first = &table[i].name[0];  // read without the lock: set last, once the rest of the name is there
    if (__atomic_load_n(first, __ATOMIC_ACQUIRE) == 0) {
      ServerLock lock(state_);
      if (*first == 0) {
        std::snprintf(first + 1, kNameBytes - 1, "%s", name + 1);
        __atomic_store_n(first, *name, __ATOMIC_RELEASE);
      }
    }
    if (std::strncmp(table[i].name, name, kNameBytes - 1) == 0) {
      table[i].count.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
}

}  // namespace jumar

using namespace jumar;

JUMAR_API const char* jumar_last_error() { return last_error.c_str(); }

JUMAR_API int jumar_server_create(const char* directory, const char* settings_text) {
  Settings settings{};
  settings.dry_limit_elements = 65536;
  settings.host_factor = 1;
  settings.inlet_c = std::nan("");
  if (!parse(settings_text, &settings)) return -1;
  const std::string path = path_of(directory);
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return set_last_error(describe("cannot create the server file " + path)), -1;
  if (ftruncate(fd, sizeof(ServerState) + kMaxProcesses) != 0) {
    set_last_error(describe("cannot size the server file " + path));
    close(fd);
    unlink(path.c_str());
    return -1;
  }
  void* mapped = mmap(nullptr, sizeof(ServerState), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped == MAP_FAILED) return set_last_error(describe("cannot map the server file " + path)), -1;
  auto* state = static_cast<ServerState*>(mapped);
  state->settings = settings;
  for (Condition& condition : state->condition) make_well(condition);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&state->mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  state->magic = server_magic();
  munmap(mapped, sizeof(ServerState));
  return 0;
}

namespace {

std::string join(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + item;
  return text;
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string operator_entry(const std::string& name, uint64_t run, uint64_t skipped) {
  return quoted(name) + ":{\"run\":" + std::to_string(run) + ",\"skipped\":" + std::to_string(skipped) + "}";
}

std::string counts(const NamedCount* table) {
  std::vector<std::string> entries;
  for (uint32_t i = 0; i < kMaxNames && table[i].name[0]; ++i) {
    entries.push_back(quoted(table[i].name) + ":" + std::to_string(table[i].count.load()));
  }
  return join(entries);
}

std::string report(ServerState* state, const char* directory, int fd) {
  const Settings& settings = state->settings;
  std::vector<uint64_t> used(settings.chips);
  std::vector<std::string> processes, chips, operators;
  end_faults_of_the_dead(*state, directory, fd);
  for (uint32_t slot = 0; slot < kMaxProcesses; ++slot) {
    const auto& process = state->processes[slot];
    if (process.pid == 0 || !alive(process, static_cast<int>(slot), fd)) continue;
    std::vector<std::string> held;
    for (uint32_t chip = 0; chip < settings.chips; ++chip) {
      used[chip] += process.used[chip];
      held.push_back(std::to_string(process.used[chip]));
    }
    processes.push_back("{\"pid\":" + std::to_string(process.pid) + ",\"used_bytes\":[" + join(held) + "]}");
  }
  for (uint32_t chip = 0; chip < settings.chips; ++chip) {
    chips.push_back(
        "{\"id\":" + std::to_string(chip) + ",\"memory_bytes\":" + std::to_string(settings.memory_bytes) +
        ",\"used_bytes\":" + std::to_string(used[chip]) + ",\"peak_bytes\":" + std::to_string(state->peak[chip]) +
        ",\"utilisation\":" + std::to_string(used[chip] != 0 ? state->utilisation[chip].load() / 1000.0 : 0.0) +
        ",\"condition\":" + condition_json(*state, chip) + "}");
  }
  for (uint32_t op = 0; op < kOperatorCount; ++op) {
    const uint64_t run = state->run[op].load(), skipped = state->skipped[op].load();
    if (run + skipped != 0) operators.push_back(operator_entry(kOperatorNames[op], run, skipped));
  }
  for (uint32_t i = 0; i < kMaxNames && state->legacy[i].name[0]; ++i) {
    const std::string name = state->legacy[i].name;
    const bool collective = name.rfind("Hccl", 0) == 0;
    operators.push_back(operator_entry((collective ? "" : "aclop:") + name, state->legacy[i].count.load(), 0));
  }
  return "{\"soc_name\":" + quoted(settings.soc_name) + ",\"dry\":" + (settings.dry ? "true" : "false") +
         ",\"chips\":[" + join(chips) + "],\"processes\":[" + join(processes) + "],\"operators\":{" + join(operators) +
         "},\"unsupported\":{" + counts(state->unsupported) + "},\"fallbacks\":{" + counts(state->fallbacks) +
         "},\"copies\":{\"count\":" + std::to_string(state->copies.load()) +
         ",\"bytes\":" + std::to_string(state->copied_bytes.load()) + "}}";
}

}  // namespace

JUMAR_API const char* jumar_server_report(const char* directory) {
  int fd = -1;
  ServerState* state = map_state(path_of(directory), &fd);
  if (state == nullptr) return nullptr;
  last_report = report(state, directory, fd);
  munmap(state, sizeof(ServerState));
  return last_report.c_str();
}
