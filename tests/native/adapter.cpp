#include "adapter.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "check.h"

std::string test_directory() {
  const char* directory = std::getenv(kDirectoryVariable);
  CHECK(directory != nullptr);
  return directory;
}

void make_server(const ServerOptions& options) {
  const std::string settings =
      "soc_name=Ascend910B2\npython=" + (options.python.empty() ? FAKE_EXECUTOR : options.python) +
      "\nmemory_bytes=" + std::to_string(options.memory_bytes) + "\nchips=" + std::to_string(options.chips) +
      "\ndry=" + (options.dry ? "1" : "0") +
      "\ncube_cores=24\nvector_cores=48\nl2_bytes=201326592\ndry_limit_elements=1024\n";
  const std::string trace =
      "chip=Ascend910B2\ntrace=" + test_directory() + "\ntrace_events=" + std::to_string(options.trace_events) + "\n";
  const std::string all = settings + (options.trace_events != 0 ? trace : "");
  if (jumar_server_create(test_directory().c_str(), all.c_str()) != 0) {
    testing::broken(__FILE__, __LINE__, jumar_last_error());
  }
  setenv("JUMAR_SERVER", test_directory().c_str(), 1);
}

void use_chip(const ServerOptions& options) {
  make_server(options);
  CHECK_OK(aclInit(nullptr));
  CHECK_OK(aclrtSetDevice(0));
}

std::string recent_message() {
  const char* text = aclGetRecentErrMsg();
  return text != nullptr ? text : "";
}

void sleep_ms(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

bool soon(const std::function<bool()>& holds) {
  for (int i = 0; i < 5000; ++i) {
    if (holds()) return true;
    sleep_ms(2);
  }
  return false;
}

int executor_pid() {
  const std::string path = test_directory() + "/executor-of-" + std::to_string(getpid());
  int pid = 0;
  CHECK(soon([&] { return static_cast<bool>(std::ifstream(path) >> pid); }));
  return pid;
}

uint64_t committed_bytes(int chip) {
  const std::string wanted = "jumar-chip-" + std::to_string(chip) + " ";
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (target.find(wanted) == std::string::npos) continue;
    struct stat info{};
    CHECK(stat(entry.path().c_str(), &info) == 0);
    return static_cast<uint64_t>(info.st_blocks) * 512;
  }
  testing::broken(__FILE__, __LINE__, "the chip's memory is not open");
}

void expect(aclError got, aclError wanted, const char* text, const char* file, int line) {
  if (got == wanted) return;
  testing::broken(file, line,
                  std::string(text) + " returned " + std::to_string(got) + ", not " + std::to_string(wanted) + ": " +
                      recent_message());
}

Floats::Floats(const std::vector<float>& values) : count_(values.size()) {
  CHECK_OK(aclrtMalloc(&data_, bytes(), 0));
  CHECK_OK(aclrtMemcpy(data_, bytes(), values.data(), bytes(), kHostToDevice));
}

Floats::Floats(size_t count) : count_(count) { CHECK_OK(aclrtMalloc(&data_, bytes(), 0)); }

Floats::~Floats() { CHECK_OK(aclrtFree(data_)); }

aclTensor* Floats::tensor() const {
  const auto size = static_cast<int64_t>(count_);
  const int64_t stride = 1;
  return aclCreateTensor(&size, 1, aclDataType::kFloat, &stride, 0, 2, &size, 1, data_);
}

std::vector<float> Floats::read() const {
  std::vector<float> values(count_);
  CHECK_OK(aclrtMemcpy(values.data(), bytes(), data_, bytes(), kDeviceToHost));
  return values;
}

aclError add(const Floats& a, const Floats& b, const Floats& out, aclrtStream stream) {
  aclTensor* tensors[] = {a.tensor(), b.tensor(), out.tensor()};
  double one = 1;
  aclScalar* alpha = aclCreateScalar(&one, aclDataType::kDouble);
  const aclError error = RUN(aclnnAdd, stream, tensors[0], tensors[1], alpha, tensors[2]);
  for (const aclTensor* tensor : tensors) aclDestroyTensor(tensor);
  aclDestroyScalar(alpha);
  return error;
}

aclError nap(const Floats& milliseconds, const Floats& out, aclrtStream stream) {
  aclTensor* tensors[] = {milliseconds.tensor(), out.tensor()};
  const aclError error = RUN(aclnnAbs, stream, tensors[0], tensors[1]);
  for (const aclTensor* tensor : tensors) aclDestroyTensor(tensor);
  return error;
}

Companion::Companion(const char* role, const char* argument) {
  int in[2], out[2];
  CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    setenv("JUMAR_TEST_ARGUMENT", argument, 1);
    execl("/proc/self/exe", "native_tests", "--run", role, nullptr);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  to_ = in[1];
  from_ = out[0];
}

Companion::~Companion() {
  if (pid_ > 0) kill();
}

std::string Companion::line() {
  std::string text;
  for (char byte = 0; read(from_, &byte, 1) == 1 && byte != '\n';) text += byte;
  return text;
}

void Companion::kill() {
  ::kill(pid_, SIGKILL);
  finish();
}

int Companion::finish() {
  close(to_);
  int status = 0;
  waitpid(pid_, &status, 0);
  close(from_);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
