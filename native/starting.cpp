// The executor process of this program: started with a ring both have mapped, watched, told to end.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "core.h"
#include "futex.h"

extern char** environ;

namespace jumar {

namespace {

// The executor must not become a client of the server itself, nor load torch_npu.
std::vector<std::string> executor_environment() {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.rfind("JUMAR_SERVER=", 0) != 0 && text.rfind("TORCH_DEVICE_BACKEND_AUTOLOAD=", 0) != 0) {
      result.push_back(text);
    }
  }
  result.push_back("TORCH_DEVICE_BACKEND_AUTOLOAD=0");
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// The engine's thread takes no signal: those of the program are for the program's own threads.
void start_thread(std::function<void()> body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread(std::move(body)).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

aclError Engine::start() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (ring_ != nullptr) return code::kSuccess;
  Server* server = Server::get();
  if (server == nullptr) return fail(code::kNoDevice, "no virtual chips: JUMAR_SERVER is not set; use `jumar run`");
  int fd = memfd_create("jumar-ring", MFD_CLOEXEC);
  if (fd >= 0 && fd <= 2) {  // a program without standard streams: these numbers are given new meaning below
    const int low = fd;
    fd = fcntl(low, F_DUPFD_CLOEXEC, 3);
    close(low);
  }
  void* mapped = MAP_FAILED;
  if (fd >= 0 && ftruncate(fd, sizeof(Ring)) == 0) {
    mapped = mmap(nullptr, sizeof(Ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  if (mapped == MAP_FAILED) {
    if (fd >= 0) close(fd);
    return fail(code::kMemoryAllocation, "cannot make the operator ring");
  }
  auto* ring = static_cast<Ring*>(mapped);
  ring->magic = ring_magic();
  ring->program = getpid();
  ring->target = kNobody;
  std::fill(std::begin(ring->window_fd), std::end(ring->window_fd), -1);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, 2, 1);
  posix_spawn_file_actions_adddup2(&actions, fd, fd);  // clears close-on-exec
  std::vector<std::string> words = {server->settings().python, "-P", "-m", "jumar.machine.executor",
                                    std::to_string(fd)};
  const Settings& settings = server->settings();
  if (settings.trace[0] != 0) {
    words.insert(words.end(), {settings.trace, settings.chip, std::to_string(getpid()), std::to_string(settings.chips),
                               settings.cooling, std::to_string(settings.inlet_c)});
  }
  std::vector<std::string> environment = executor_environment();
  const int error = posix_spawnp(&executor_, words[0].c_str(), &actions, nullptr, pointers(words).data(),
                                 pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  close(fd);  // the mapping stays
  if (error != 0) {
    munmap(mapped, sizeof(Ring));
    return fail(code::kNoDevice, "cannot start the executor with " + words[0] + ": " + std::strerror(error));
  }
  ring_ = ring;
  server->end_faults_of_the_dead();
  Trace::get().open();
  start_thread([this] { serve(); });
  return code::kSuccess;
}

// Asks the system at most once a millisecond, so that programs may poll.
bool Engine::executor_died() {
  if (died_) return true;
  const int64_t now = now_ms();
  if (looked_ms_.exchange(now) == now) return false;
  std::lock_guard<std::mutex> guard(death_mutex_);
  if (died_) return true;
  int status = 0;
  const int found = waitpid(executor_, &status, WNOHANG);
  if (found == 0) return false;
  std::string how = "unknown: the program itself has taken its exit status";
  if (found > 0) {
    how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                              : "exit status " + std::to_string(WEXITSTATUS(status));
  }
  set_device_error("jumar: the executor process of this program's chips ended (" + how +
                   "). Its last lines are on stderr; out of host memory is the usual reason.");
  died_ = true;
  return true;
}

bool Engine::await_ready() {
  Ring* ring = ring_;
  if (ring == nullptr || forked()) return false;
  while (ring->ready.load() == 0) {
    if (executor_died()) return false;
    futex_wait(ring->ready, 0, kHeartbeatMs);
  }
  return true;
}

void Engine::stop() {
  Ring* ring = ring_;
  if (ring == nullptr || forked()) return;
  Trace::get().close();
  ring->stop = 1;
  futex_wake(ring->wake);
}

}  // namespace jumar
