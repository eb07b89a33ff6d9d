// Faults: armed from outside, struck at the operator that was said, met at the next wait, and ended.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "adapter.h"
#include "check.h"
#include "collectives.h"

namespace {

void inject(const std::string& lines) {
  if (jumar_server_inject(test_directory().c_str(), lines.c_str()) != 0) {
    testing::broken(__FILE__, __LINE__, jumar_last_error());
  }
}

void clear(int chip) { CHECK_EQUAL(jumar_server_clear(test_directory().c_str(), chip), 0); }

std::string refusal(const std::string& lines) {
  CHECK_EQUAL(jumar_server_inject(test_directory().c_str(), lines.c_str()), -1);
  return jumar_last_error();
}

std::string report() {
  const char* text = jumar_server_report(test_directory().c_str());
  if (text == nullptr) testing::broken(__FILE__, __LINE__, jumar_last_error());
  return text;
}

std::string events() {
  std::ostringstream text;
  text << std::ifstream(test_directory() + "/events.jsonl").rdbuf();
  return text.str();
}

struct Sum {  // c = a + b on the chip
  Floats a{std::vector<float>{1, 2, 3}}, b{std::vector<float>{10, 20, 30}}, c{std::vector<float>{0, 0, 0}};
  void run() const { CHECK_OK(add(a, b, c, nullptr)); }
  float first() const { return c.read()[0]; }
};

constexpr const char* kWell =
    "\"condition\":{\"temperature_c\":null,\"hbm_temperature_c\":null,\"inlet_c\":null,\"power_w\":null,"
    "\"clock_share\":1.000,\"slow\":1.000,\"health\":\"OK\",\"lost\":false,\"link_up\":true,\"operators\":0,"
    "\"virtual_s\":0.000000,\"energy_j\":0.000000,\"ecc\":{\"single\":0,\"double\":0,\"isolated_single\":0,"
    "\"isolated_double\":0},\"faults\":[]}";

}  // namespace

TEST(fault, a_chip_is_well_at_first) {
  use_chip({});
  CHECK_HAS(report(), kWell);
  Sum sum;
  sum.run();
  CHECK_EQUAL(sum.first(), 11.0f);
  CHECK_HAS(report(), "\"operators\":1,");
  CHECK(!std::filesystem::exists(test_directory() + "/events.jsonl"));
}

TEST(fault, what_cannot_be_injected_is_named) {
  use_chip({});
  CHECK_HAS(refusal("chip=0\nwheels=4\n"), "wheels=4");
  CHECK_HAS(refusal("chip=0\neffect=tired\n"), "effect=tired");
  CHECK_HAS(refusal("chip=0\n"), "need an effect");
  CHECK_HAS(refusal("chip=2\neffect=fail\n"), "chip 2 does not exist");
  CHECK_HAS(refusal("chip=0\neffect=fail\nhealth=Poorly\n"), "health=Poorly");
  CHECK_HAS(refusal("chip=0\neffect=fail\nat_virtual_ns=5\n"), "needs a server that keeps a trace");
  CHECK_HAS(refusal("chip=0\neffect=slow\namount=0.5\n"), "1 or more");
  CHECK_HAS(refusal("chip=0\neffect=slow\namount=-1\n"), "out of range");
  CHECK_HAS(report(), kWell);
  CHECK_EQUAL(jumar_server_clear(test_directory().c_str(), 2), -1);
}

TEST(fault, an_operator_fails_at_the_next_wait) {
  use_chip({});
  Sum sum;
  inject(
      "chip=0\neffect=fail\nkind=aicore_exception\nerror=507015\nfault_code=80C98000\nhealth=Alarm\n"
      "after_operators=2\ntext=it broke\n");
  sum.run();
  sum.run();
  CHECK_OK(aclrtSynchronizeStream(nullptr));
  CHECK_HAS(report(), "\"health\":\"OK\"");
  CHECK_OK(aclrtMemset(sum.c.data(), sum.c.bytes(), 0, sum.c.bytes()));
  sum.run();  // not done
  sum.run();
  CHECK_FAILS(507015, aclrtSynchronizeStream(nullptr));
  CHECK_EQUAL(aclrtPeekAtLastError(0), 507015);
  CHECK_HAS(recent_message(), "it broke");
  CHECK_FAILS(507015, aclrtSynchronizeDevice());  // and it stays so
  int32_t status = -1;
  CHECK_FAILS(507015, aclrtStreamQuery(nullptr, &status));
  CHECK_HAS(report(), "\"health\":\"Alarm\"");
  CHECK_HAS(report(), "\"faults\":[{\"code\":\"80C98000\",\"kind\":\"aicore_exception\",\"virtual_s\":0.000000}]");
  CHECK_HAS(report(), "\"operators\":3,");
  CHECK_HAS(events(), "\"event\":\"fault\",\"code\":\"80C98000\",\"kind\":\"aicore_exception\"");
  CHECK_OK(aclrtDeviceTaskAbort(0, 0));
  CHECK_EQUAL(sum.first(), 0.0f);
  sum.run();
  CHECK_EQUAL(sum.first(), 11.0f);
  CHECK_HAS(report(), "\"health\":\"OK\"");
  CHECK_HAS(events(), "\"event\":\"recovered\"");
}

TEST(fault, other_chips_go_on) {
  use_chip({});
  inject("chip=0\neffect=fail\n");
  Sum here;
  here.run();
  CHECK_OK(aclrtSetDevice(1));
  aclrtStream other = nullptr;
  CHECK_OK(aclrtCreateStream(&other));
  CHECK_OK(aclrtSynchronizeStream(other));
  aclrtEvent event = nullptr;
  CHECK_OK(aclrtCreateEvent(&event));
  CHECK_OK(aclrtRecordEvent(event, other));
  CHECK_OK(aclrtSynchronizeEvent(event));
  CHECK_OK(aclrtSetDevice(0));
  CHECK_OK(aclrtRecordEvent(event, nullptr));
  CHECK_FAILS(507015, aclrtSynchronizeEvent(event));
  CHECK_FAILS(507015, aclrtSynchronizeStream(nullptr));
}

TEST(fault, a_reset_takes_a_failure_back) {
  use_chip({});
  Sum sum;
  for (int round = 0; round < 2; ++round) {
    inject("chip=0\neffect=fail\nerror=507018\n");
    sum.run();
    CHECK_FAILS(507018, aclrtSynchronizeStream(nullptr));
    CHECK_HAS(recent_message(), "aicpu exception");
    if (round == 0) CHECK_OK(aclrtResetDeviceForce(0));
    if (round == 1) clear(0);
    sum.run();
    CHECK_EQUAL(sum.first(), 11.0f);
  }
  CHECK_HAS(events(), "\"event\":\"reset\"");
}

TEST(fault, a_lost_chip_stays_lost) {
  use_chip({});
  Sum sum;
  inject("chip=0\neffect=lost\nhealth=Critical\nfault_code=80E01801\n");
  sum.run();
  CHECK_FAILS(code::kLostHeartbeat, aclrtSynchronizeStream(nullptr));
  CHECK_HAS(recent_message(), "lost heartbeat");
  void* memory = nullptr;
  CHECK_FAILS(507899, aclrtMalloc(&memory, 64, 0));
  CHECK_FAILS(code::kLostHeartbeat, aclrtDeviceTaskAbort(0, 0));
  CHECK_FAILS(507033, aclrtSetDevice(0));
  CHECK_HAS(report(), "\"health\":\"Critical\",\"lost\":true");
  clear(0);
  sum.run();
  CHECK_EQUAL(sum.first(), 11.0f);
  CHECK_HAS(report(), "\"health\":\"OK\",\"lost\":false");
}

TEST(role, meet_a_fault) {
  CHECK_OK(aclrtSetDevice(0));
  Sum sum;
  inject("chip=0\neffect=fail\nhealth=Alarm\n");
  sum.run();
  CHECK_FAILS(507015, aclrtSynchronizeStream(nullptr));
  std::cout << "met" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  std::_Exit(0);
}

TEST(fault, a_failure_ends_with_its_process) {
  make_server({});
  Companion other("meet_a_fault");
  CHECK_EQUAL(other.line(), "met");
  CHECK_HAS(report(), "\"health\":\"Alarm\"");
  CHECK_EQUAL(other.finish(), 0);
  CHECK_HAS(report(), "\"health\":\"OK\"");
  CHECK_OK(aclrtSetDevice(0));
  Sum sum;
  sum.run();
  CHECK_EQUAL(sum.first(), 11.0f);
}

TEST(fault, memory_that_cannot_be_read_is_told_and_repaired) {
  use_chip({});
  Sum sum;
  inject("chip=0\neffect=uce\nseed=3\ndouble=1\n");
  sum.run();
  CHECK_FAILS(507053, aclrtSynchronizeStream(nullptr));
  CHECK_HAS(recent_message(), "reason=[device mem error]");
  MemoryError found[20];
  size_t count = 0;
  CHECK_OK(aclrtGetMemUceInfo(0, found, 20, &count));
  CHECK_EQUAL(count, size_t{1});
  const auto* lost = static_cast<const char*>(found[0].address);
  const Floats* hit = nullptr;
  for (const Floats* each : {&sum.a, &sum.b, &sum.c}) {
    const char* begin = static_cast<const char*>(each->data());
    if (lost <= begin && begin < lost + found[0].bytes) hit = each;
  }
  CHECK(hit != nullptr);
  CHECK_OK(aclrtDeviceTaskAbort(0, 0));
  CHECK_HAS(report(), "\"double\":1,");
  CHECK_HAS(report(), "\"kind\":\"uce\"");
  CHECK_OK(aclrtMemUceRepair(0, found, count));
  CHECK_OK(aclrtGetMemUceInfo(0, found, 20, &count));
  CHECK_EQUAL(count, size_t{0});
  CHECK_HAS(report(), "\"faults\":[]");
  const float value = hit->read()[0];
  CHECK(value != value);  // nonsense: every bit is set
}

TEST(fault, results_are_wrong_where_the_seed_says) {
  use_chip({});
  Sum sum;
  std::vector<float> wrong[2];
  for (auto& values : wrong) {
    inject("chip=0\neffect=corrupt\nseed=7\namount=1\nafter_operators=1\n");
    sum.run();
    CHECK_EQUAL(sum.first(), 11.0f);
    sum.run();
    values = sum.c.read();
    CHECK(values != (std::vector<float>{11, 22, 33}));
    sum.run();
    CHECK_EQUAL(sum.first(), 11.0f);
  }
  CHECK(wrong[0] == wrong[1]);
}

TEST(fault, what_ails_a_chip_is_in_its_condition) {
  use_chip({});
  Sum sum;
  inject("chip=0\neffect=slow\namount=1.5\nhealth=Warning\n");
  inject("chip=0\neffect=slow\namount=2\n");
  inject("chip=0\neffect=ecc\nsingle=4\nisolated_single=1\n");
  inject("chip=1\neffect=link_down\nhealth=Alarm\nlasting_operators=2\n");
  CHECK_HAS(report(), "\"slow\":3.000,\"health\":\"Warning\",\"lost\":false,\"link_up\":true,");
  CHECK_HAS(report(), "\"ecc\":{\"single\":4,\"double\":0,\"isolated_single\":1,");
  CHECK_HAS(report(), "\"health\":\"Alarm\",\"lost\":false,\"link_up\":false,");
  clear(0);
  CHECK_HAS(report(), "\"slow\":1.000,\"health\":\"OK\"");
  CHECK_HAS(report(), "\"ecc\":{\"single\":0,\"double\":0,\"isolated_single\":1,");
}

TEST(fault, some_faults_end_and_come_again) {
  use_chip({});
  Sum sum;
  inject("chip=0\neffect=slow\namount=4\nafter_operators=1\nlasting_operators=2\nevery_operators=1\ncount=2\n");
  std::string slow;
  for (int i = 0; i < 9; ++i) {
    sum.run();
    slow += report().find("\"slow\":4.000") != std::string::npos ? '4' : '1';
  }
  CHECK_EQUAL(slow, std::string("144144111"));
}

TEST(fault, host_memory_runs_out) {
  use_chip({});
  inject("chip=0\neffect=host_memory\namount=2\n");
  void* memory = nullptr;
  CHECK_FAILS(code::kMemoryAllocation, aclrtMallocHost(&memory, 64));
  CHECK_FAILS(code::kMemoryAllocation, aclrtMallocHost(&memory, 64));
  CHECK_HAS(recent_message(), "reason=[out of memory]");
  CHECK_OK(aclrtMallocHost(&memory, 64));
  CHECK_OK(aclrtFreeHost(memory));
}

TEST(fault, the_table_can_be_emptied) {
  use_chip({});
  int armed = 0;
  while (jumar_server_inject(test_directory().c_str(), "chip=0\neffect=fail\nafter_operators=1\n") == 0) ++armed;
  CHECK_EQUAL(armed, 256);
  CHECK_HAS(std::string(jumar_last_error()), "full");
  clear(-1);
  Sum sum;
  sum.run();
  sum.run();
  CHECK_EQUAL(sum.first(), 11.0f);
}

TEST(fault, time_strikes_when_the_program_waits) {
  ServerOptions options;
  options.trace_events = 1000;
  use_chip(options);
  inject("chip=0\neffect=fail\nat_virtual_ns=1000000\n");
  Sum sum;
  int waits = 0;
  while (aclrtSynchronizeStream(nullptr) == code::kSuccess) {
    CHECK(++waits < 10000);
    sum.run();
  }
  CHECK(waits > 1);
  CHECK_HAS(report(), "\"faults\":[{\"code\":\"\",\"kind\":\"fail\",\"virtual_s\":0.001");
}

namespace {

void sum_over_ranks(Ranks& ranks, const std::vector<std::unique_ptr<Floats>>& x) {
  ranks.each([&](uint32_t rank) {
    CHECK_OK(
        HcclAllReduce(x[rank]->data(), x[rank]->data(), 1, kFloat32, kSum, ranks.comms[rank], ranks.streams[rank]));
  });
}

}  // namespace

TEST(fault, a_collective_without_a_link_fails) {
  use_chip({});
  Ranks ranks(2);
  const auto x = ranks.vectors([](uint32_t rank) { return std::vector<float>{rank + 1.0f}; });
  sum_over_ranks(ranks, x);
  ranks.synchronize();
  CHECK_EQUAL(x[0]->read()[0], 3.0f);
  inject("chip=1\neffect=link_down\nerror=507904\ntext=retries failed\n");
  sum_over_ranks(ranks, x);
  CHECK_FAILS(507904, aclrtSynchronizeStream(ranks.streams[1]));
  CHECK_HAS(recent_message(), "retries failed");
  CHECK(aclrtSynchronizeStream(ranks.streams[0]) != code::kSuccess);
}

TEST(fault, a_stuck_collective_times_out) {
  setenv("HCCL_EXEC_TIMEOUT", "1", 1);
  use_chip({});
  Ranks ranks(2);
  const auto x = ranks.vectors([](uint32_t rank) { return std::vector<float>{rank + 1.0f}; });
  inject("chip=1\neffect=stuck\n");
  sum_over_ranks(ranks, x);
  CHECK_FAILS(code::kStreamSyncTimeout, aclrtSynchronizeStreamWithTimeout(ranks.streams[1], 200));
  CHECK_FAILS(507048, aclrtSynchronizeStream(ranks.streams[1]));
  CHECK_HAS(recent_message(), "notify wait timeout");
  CHECK(aclrtSynchronizeStream(ranks.streams[0]) != code::kSuccess);
  CHECK_HAS(events(), "\"event\":\"recovered\"");
}

TEST(fault, stopping_a_chip_ends_what_waits_for_it) {
  use_chip({});
  Ranks ranks(2);
  const auto x = ranks.vectors([](uint32_t rank) { return std::vector<float>{rank + 1.0f}; });
  inject("chip=1\neffect=stuck\n");
  sum_over_ranks(ranks, x);
  std::thread other([&] {
    sleep_ms(100);
    CHECK_OK(aclrtDeviceTaskAbort(1, 0));
  });
  CHECK_FAILS(107022, aclrtSynchronizeStream(ranks.streams[1]));
  CHECK_HAS(recent_message(), "device task abort");
  other.join();
  clear(1);
}

TEST(fault, a_message_of_the_past_is_not_told_after_a_stop) {
  use_chip({});
  Sum sum;
  sum.run();
  inject("chip=0\neffect=fail\ncount=3\n");
  for (int i = 0; i < 3; ++i) {
    sum.run();
    CHECK_FAILS(507015, aclrtSynchronizeStream(nullptr));
    CHECK_OK(aclrtDeviceTaskAbort(0, 0));
    CHECK_OK(aclrtSynchronizeStream(nullptr));
  }
  sum.run();
  CHECK_EQUAL(sum.first(), 11.0f);
}

TEST(fault, results_are_wrong_from_a_time_on) {
  ServerOptions options;
  options.trace_events = 1000;
  use_chip(options);
  inject("chip=0\neffect=corrupt\nseed=5\nat_virtual_ns=1000000\ncount=2\nevery_ns=500000\n");
  Sum sum;
  int wrong = 0;
  for (int i = 0; i < 200; ++i) {
    sum.run();
    CHECK_OK(aclrtSynchronizeStream(nullptr));
    wrong += sum.c.read() != (std::vector<float>{11, 22, 33}) ? 1 : 0;
    if (i == 0) CHECK_EQUAL(wrong, 0);
  }
  CHECK_EQUAL(wrong, 2);
}
