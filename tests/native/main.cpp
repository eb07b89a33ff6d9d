// Runs the tests of the chapters named on the command line, each in a process of its own with a directory of its own.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "adapter.h"
#include "check.h"

namespace {

constexpr unsigned kSeconds = 120;  // for one test, under a sanitizer on a busy machine

int run_here(const std::string& name) {
  for (const auto& each : testing::cases()) {
    if (name != each.name) continue;
    alarm(kSeconds);
    each.body();
    return 0;
  }
  std::fprintf(stderr, "no test is called %s\n", name.c_str());
  return 2;
}

bool run_apart(const testing::Case& test) {
  std::string directory = std::filesystem::temp_directory_path() / "jumar-native-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) return false;
  const pid_t child = fork();
  if (child == 0) {
    setenv(kDirectoryVariable, directory.c_str(), 1);
    unsetenv("JUMAR_SERVER");
    unsetenv("ASCEND_RT_VISIBLE_DEVICES");
    execl("/proc/self/exe", "native_tests", "--run", test.name, nullptr);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::filesystem::remove_all(directory);
  const bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  std::printf("%s %s.%s", good ? "ok  " : "FAIL", test.chapter, test.name);
  if (WIFSIGNALED(status))
    std::printf(" (signal %d%s)", WTERMSIG(status), WTERMSIG(status) == SIGALRM ? ": too slow" : "");
  std::printf("\n");
  std::fflush(stdout);
  return good;
}

}  // namespace

int main(int count, char** words) {
  if (count == 3 && std::strcmp(words[1], "--run") == 0) return run_here(words[2]);
  int failures = 0, runs = 0;
  for (const auto& test : testing::cases()) {
    for (int i = 1; i < count; ++i) {
      if (std::strcmp(words[i], test.chapter) != 0 && std::strcmp(words[i], test.name) != 0) continue;
      ++runs;
      failures += run_apart(test) ? 0 : 1;
    }
  }
  std::printf("%d tests, %d failed\n", runs, failures);
  return runs == 0 || failures != 0 ? 1 : 0;
}
