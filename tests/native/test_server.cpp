// The server file, and several processes on one server.
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "adapter.h"
#include "check.h"

namespace {

constexpr size_t kMiB = size_t{1} << 20;

std::string report() {
  const char* text = jumar_server_report(test_directory().c_str());
  if (text == nullptr) testing::broken(__FILE__, __LINE__, jumar_last_error());
  return text;
}

size_t free_bytes() {
  size_t free = 0, total = 0;
  CHECK_OK(aclrtGetMemInfo(0, &free, &total));
  CHECK_EQUAL(total, size_t{1} << 30);
  return free;
}

std::string refusal(const std::string& settings) {
  CHECK_EQUAL(jumar_server_create(test_directory().c_str(), settings.c_str()), -1);
  return jumar_last_error();
}

}  // namespace

TEST(server, chips_are_as_the_settings_say) {
  make_server({});
  uint32_t count = 0;
  CHECK_OK(aclrtGetDeviceCount(&count));
  CHECK_EQUAL(count, 2u);
  CHECK_EQUAL(std::string(aclrtGetSocName()), "Ascend910B2");
  int64_t value = 0;
  CHECK_OK(aclGetDeviceCapability(0, 0, &value));
  CHECK_EQUAL(value, 24);
  CHECK_FAILS(code::kInvalidParam, aclGetDeviceCapability(0, 77, &value));
  CHECK_HAS(report(), "\"memory_bytes\":1073741824,\"used_bytes\":0");
}

TEST(server, bad_settings_are_named) {
  CHECK_HAS(refusal("soc_name=A\nchips=1\nmemory_bytes=5\nwheels=4\n"), "wheels=4");
  CHECK_HAS(refusal("soc_name=A\nchips=65\nmemory_bytes=5\n"), "1 to 64");
  CHECK_HAS(refusal("soc_name=" + std::string(64, 'x') + "\n"), "too long");
  CHECK_HAS(refusal("chips=1\nmemory_bytes=5\n"), "soc_name");
  CHECK(!std::filesystem::exists(test_directory() + "/state"));
}

TEST(server, a_server_is_made_once) {
  make_server({});
  CHECK_HAS(refusal("soc_name=A\nchips=1\nmemory_bytes=5\n"), "File exists");
}

TEST(server, without_a_server_there_are_no_chips) {
  uint32_t count = 7;
  CHECK_OK(aclrtGetDeviceCount(&count));
  CHECK_EQUAL(count, 0u);
  CHECK(aclrtGetSocName() == nullptr);
  CHECK_FAILS(code::kInvalidDevice, aclrtSetDevice(0));
  void* memory = nullptr;
  CHECK_FAILS(code::kNoDevice, aclrtMalloc(&memory, 64, 0));
  CHECK_FAILS(code::kNoDevice, aclrtSynchronizeStream(nullptr));
  CHECK_OK(aclrtSynchronizeDevice());
}

TEST(server, a_file_that_is_no_server_is_refused) {
  std::ofstream(test_directory() + "/state") << "something else";
  setenv("JUMAR_SERVER", test_directory().c_str(), 1);
  uint32_t count = 7;
  CHECK_OK(aclrtGetDeviceCount(&count));
  CHECK_EQUAL(count, 0u);
  CHECK(jumar_server_report(test_directory().c_str()) == nullptr);
  CHECK_HAS(std::string(jumar_last_error()), "not a server file");
}

TEST(server, chips_can_be_hidden) {
  setenv("ASCEND_RT_VISIBLE_DEVICES", "1", 1);
  use_chip({});
  CHECK_FAILS(code::kInvalidDevice, aclrtSetDevice(1));
  CHECK_HAS(recent_message(), "chip 1 does not exist: this process sees 1");
  Floats values({1, 2, 3});
  struct {
    uint32_t id;
    int32_t type;
    uint32_t rest[8];
  } attributes{};
  CHECK_OK(aclrtPointerGetAttributes(values.data(), &attributes));
  CHECK_EQUAL(attributes.id, 0u);  // as this process numbers its chips
  CHECK_HAS(report(), "{\"id\":1,\"memory_bytes\":1073741824,\"used_bytes\":2097152,");
}

TEST(server, every_thread_has_its_chip) {
  use_chip({});
  int32_t id = -1;
  CHECK_OK(aclrtSetDevice(1));
  CHECK_OK(aclrtGetDevice(&id));
  CHECK_EQUAL(id, 1);
  aclrtContext context = nullptr;
  CHECK_OK(aclrtGetCurrentContext(&context));
  CHECK_OK(aclrtSetDevice(0));
  CHECK_OK(aclrtSetCurrentContext(context));
  CHECK_OK(aclrtGetDevice(&id));
  CHECK_EQUAL(id, 1);
  CHECK_FAILS(code::kContextNull, aclrtSetCurrentContext(nullptr));
  uint32_t flags = 0;
  int32_t active = -1;
  CHECK_OK(aclrtGetPrimaryCtxState(1, &flags, &active));
  CHECK_EQUAL(active, 1);
}

TEST(server, an_unset_chip_is_not_active) {
  make_server({});
  CHECK_OK(aclrtSetDevice(1));
  uint32_t flags = 0;
  int32_t active = -1;
  CHECK_OK(aclrtGetPrimaryCtxState(0, &flags, &active));
  CHECK_EQUAL(active, 0);
}

TEST(server, calls_before_the_first_chip_are_refused) {
  make_server({});
  void* memory = nullptr;
  aclrtStream stream = nullptr;
  CHECK_FAILS(code::kContextNull, aclrtMalloc(&memory, 64, 0));
  CHECK_FAILS(code::kContextNull, aclrtCreateStream(&stream));
  CHECK_FAILS(code::kContextNull, aclrtMemsetAsync(&memory, 8, 0, 8, nullptr));
  CHECK_HAS(recent_message(), "no chip");
}

// Holds as many bytes as it is told, says so, and ends when its input does.
TEST(role, hold_memory) {
  CHECK_OK(aclrtSetDevice(0));
  void* memory = nullptr;
  CHECK_OK(aclrtMalloc(&memory, std::stoull(std::getenv("JUMAR_TEST_ARGUMENT")), 0));
  std::cout << "holds" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  CHECK_OK(aclrtFree(memory));
}

TEST(server, processes_share_the_memory_of_a_chip) {
  use_chip({});
  CHECK_EQUAL(free_bytes(), 1024 * kMiB);
  Companion other("hold_memory", "629145600");
  CHECK_EQUAL(other.line(), "holds");
  CHECK_EQUAL(free_bytes(), 424 * kMiB);
  void* memory = nullptr;
  CHECK_FAILS(code::kMemoryAllocation, aclrtMalloc(&memory, 500 * kMiB, 0));
  CHECK_HAS(recent_message(), "629145600 in use");
  CHECK_OK(aclrtMalloc(&memory, 400 * kMiB, 0));
  CHECK_HAS(report(), "\"used_bytes\":1048576000,\"peak_bytes\":1048576000");
  CHECK_EQUAL(other.finish(), 0);
  CHECK_EQUAL(free_bytes(), 624 * kMiB);
  CHECK_OK(aclrtFree(memory));
  CHECK_EQUAL(free_bytes(), 1024 * kMiB);
}

TEST(server, a_killed_process_gives_its_memory_back) {
  use_chip({});
  Companion other("hold_memory", "1073741824");
  CHECK_EQUAL(other.line(), "holds");
  void* memory = nullptr;
  CHECK_FAILS(code::kMemoryAllocation, aclrtMalloc(&memory, kMiB, 0));
  other.kill();
  CHECK_OK(aclrtMalloc(&memory, 1024 * kMiB, 0));
  CHECK_OK(aclrtFree(memory));
  CHECK_EQUAL(free_bytes(), 1024 * kMiB);
}

TEST(server, many_processes_come_and_go) {
  use_chip({});
  for (int round = 0; round < 3; ++round) {
    std::deque<Companion> others;
    for (int i = 0; i < 4; ++i) others.emplace_back("hold_memory", "104857600");
    for (auto& other : others) CHECK_EQUAL(other.line(), "holds");
    CHECK_EQUAL(free_bytes(), 624 * kMiB);
    others[0].kill();
    others[1].kill();
    for (int i = 2; i < 4; ++i) CHECK_EQUAL(others[i].finish(), 0);
    CHECK_EQUAL(free_bytes(), 1024 * kMiB);
  }
}
