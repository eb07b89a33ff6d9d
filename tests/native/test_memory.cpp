// Device memory, address ranges, and host memory.
#include <sys/mman.h>

#include <cstring>
#include <thread>

#include "adapter.h"
#include "check.h"

namespace {

constexpr size_t kMiB = size_t{1} << 20;

struct Attributes {
  uint32_t id;
  int32_t type;  // 0 host, 1 device, 2 neither
  uint32_t rest[8];
};

int32_t type_of(const void* address) {
  Attributes attributes{};
  CHECK_OK(aclrtPointerGetAttributes(address, &attributes));
  return attributes.type;
}

struct PhysicalProperties {
  int32_t handle_type, allocation_type, memory_attribute;
  uint32_t location_id;
  int32_t location_type;
  uint64_t reserved;
};

size_t free_bytes() {
  size_t free = 0, total = 0;
  CHECK_OK(aclrtGetMemInfo(0, &free, &total));
  return free;
}

void* allocated(size_t bytes) {
  void* memory = nullptr;
  CHECK_OK(aclrtMalloc(&memory, bytes, 0));
  return memory;
}

}  // namespace

TEST(memory, a_chip_has_so_much_and_no_more) {
  use_chip({});
  void* first = allocated(600 * kMiB);
  void* second = nullptr;
  CHECK_FAILS(code::kMemoryAllocation, aclrtMalloc(&second, 500 * kMiB, 0));
  CHECK(second == nullptr);
  CHECK_HAS(recent_message(), "chip 0 has 1073741824 bytes, 629145600 in use; 524288000 more do not fit");
  CHECK_FAILS(code::kMemoryAllocation, aclrtMalloc(&second, SIZE_MAX, 0));
  CHECK_FAILS(code::kMemoryAllocation, aclrtMalloc(&second, SIZE_MAX - 4 * kMiB, 0));
  CHECK_FAILS(code::kInvalidParam, aclrtMalloc(&second, 0, 0));
  CHECK_OK(aclrtFree(first));
  CHECK_EQUAL(free_bytes(), 1024 * kMiB);
  CHECK_OK(aclrtMalloc(&second, 1024 * kMiB, 0));
  CHECK_EQUAL(free_bytes(), size_t{0});
  CHECK_OK(aclrtFree(second));
}

TEST(memory, chips_do_not_share_memory) {
  use_chip({});
  void* first = allocated(1024 * kMiB);
  CHECK_OK(aclrtSetDevice(1));
  void* second = allocated(1024 * kMiB);
  CHECK_OK(aclrtFree(first));
  CHECK_OK(aclrtFree(second));
}

TEST(memory, is_reserved_and_given_back) {
  use_chip({});
  char* memory = static_cast<char*>(allocated(512 * kMiB));
  CHECK_EQUAL(committed_bytes(0), uint64_t{0});
  std::memset(memory, 1, 64 * kMiB);
  CHECK_OK(aclrtMemset(memory + 64 * kMiB, 64 * kMiB, 1, 64 * kMiB));  // touched by the executor
  CHECK(committed_bytes(0) >= 128 * kMiB);
  CHECK_OK(aclrtFree(memory));
  CHECK_EQUAL(committed_bytes(0), uint64_t{0});
}

TEST(memory, freed_addresses_are_used_again) {
  use_chip({});
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) blocks.push_back(allocated(3 * kMiB));
  for (size_t i = 0; i < blocks.size(); i += 2) CHECK_OK(aclrtFree(blocks[i]));
  for (size_t i = 1; i < blocks.size(); i += 2) CHECK_OK(aclrtFree(blocks[i]));
  void* whole = allocated(400 * kMiB);
  CHECK(whole == blocks[0]);
  CHECK_OK(aclrtFree(whole));
}

TEST(memory, freeing_what_was_not_allocated_is_refused) {
  use_chip({});
  char* memory = static_cast<char*>(allocated(4 * kMiB));
  char here = 0;
  CHECK_FAILS(code::kInvalidParam, aclrtFree(&here));
  CHECK_FAILS(code::kInvalidParam, aclrtFree(memory + 2 * kMiB));
  CHECK_OK(aclrtFree(memory));
  CHECK_FAILS(code::kInvalidParam, aclrtFree(memory));
  CHECK_EQUAL(free_bytes(), 1024 * kMiB);
}

TEST(memory, addresses_and_memory_are_separate) {
  use_chip({});
  void* range = nullptr;
  CHECK_OK(aclrtReserveMemAddress(&range, uint64_t{16} << 30, 0, nullptr, 0));  // more than the chip has
  CHECK_EQUAL(free_bytes(), 1024 * kMiB);
  const PhysicalProperties properties{0, 0, 0, 0, 1, 0};
  void* handle = nullptr;
  CHECK_OK(aclrtMallocPhysical(&handle, 20 * kMiB, &properties, 0));
  CHECK_EQUAL(free_bytes(), 1004 * kMiB);
  char* at = static_cast<char*>(range) + 40 * kMiB;
  CHECK_OK(aclrtMapMem(at, 20 * kMiB, 0, handle, 0));
  CHECK_OK(aclrtMemset(at, 20 * kMiB, 7, 20 * kMiB));
  CHECK_EQUAL(at[20 * kMiB - 1], 7);
  CHECK(committed_bytes(0) >= 20 * kMiB);
  CHECK_OK(aclrtUnmapMem(at));
  CHECK_EQUAL(committed_bytes(0), uint64_t{0});
  CHECK_OK(aclrtFreePhysical(handle));
  CHECK_EQUAL(free_bytes(), 1024 * kMiB);
  CHECK_FAILS(code::kInvalidParam, aclrtUnmapMem(at));
  CHECK_FAILS(code::kInvalidParam, aclrtFree(range));  // it was never memory: the accounts stay right
  CHECK_OK(aclrtReleaseMemAddress(range));
  CHECK_FAILS(code::kInvalidParam, aclrtReleaseMemAddress(range));
  void* block = allocated(kMiB);
  CHECK_FAILS(code::kInvalidParam, aclrtReleaseMemAddress(block));
  CHECK_OK(aclrtFree(block));
  CHECK_EQUAL(free_bytes(), 1024 * kMiB);
}

TEST(memory, physical_memory_has_limits_too) {
  use_chip({});
  void* handle = nullptr;
  const PhysicalProperties there{0, 0, 0, 0, 1, 0}, nowhere{0, 0, 0, 9, 1, 0}, host{0, 0, 0, 0, 0, 0};
  CHECK_FAILS(code::kMemoryAllocation, aclrtMallocPhysical(&handle, 1025 * kMiB, &there, 0));
  CHECK_FAILS(code::kInvalidDevice, aclrtMallocPhysical(&handle, kMiB, &nowhere, 0));
  CHECK_OK(aclrtMallocPhysical(&handle, 1025 * kMiB, &host, 0));
  CHECK_EQUAL(free_bytes(), 1024 * kMiB);
  CHECK_OK(aclrtFreePhysical(handle));
}

TEST(memory, addresses_tell_where_they_are) {
  use_chip({});
  std::vector<char> pageable(64);
  char* memory = static_cast<char*>(allocated(kMiB));
  void* pinned = nullptr;
  CHECK_OK(aclrtMallocHost(&pinned, 100));
  CHECK_EQUAL(type_of(memory), 1);
  CHECK_EQUAL(type_of(memory + 1000), 1);
  CHECK_EQUAL(type_of(pinned), 0);
  CHECK_EQUAL(type_of(static_cast<char*>(pinned) + 99), 0);
  CHECK_EQUAL(type_of(static_cast<char*>(pinned) + 100), 2);
  CHECK_EQUAL(type_of(pageable.data()), 2);
  CHECK_OK(aclrtHostRegisterV2(pageable.data(), 64, 0));
  CHECK_EQUAL(type_of(pageable.data() + 63), 0);
  CHECK_OK(aclrtHostUnregister(pageable.data()));
  CHECK_EQUAL(type_of(pageable.data()), 2);
  CHECK_OK(aclrtFreeHost(pinned));
  CHECK_FAILS(code::kInvalidParam, aclrtFreeHost(pinned));
  CHECK_OK(aclrtFree(memory));
}

TEST(memory, freeing_host_memory_waits_for_copies_from_it) {
  use_chip({});
  const Floats delay({100}), done(1), target(1 << 18);
  aclrtStream stream = nullptr;
  CHECK_OK(aclrtCreateStream(&stream));
  void* pinned = nullptr;
  CHECK_OK(aclrtMallocHost(&pinned, target.bytes()));
  for (size_t i = 0; i < target.bytes() / sizeof(float); ++i) static_cast<float*>(pinned)[i] = 5;
  CHECK_OK(nap(delay, done, stream));
  CHECK_OK(aclrtMemcpyAsync(target.data(), target.bytes(), pinned, target.bytes(), kHostToDevice, stream));
  CHECK_OK(aclrtFreeHost(pinned));
  CHECK_EQUAL(target.read().back(), 5.0f);
  CHECK_OK(aclrtDestroyStream(stream));
}

TEST(memory, threads_allocate_at_once) {
  use_chip({});
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([t] {
      CHECK_OK(aclrtSetDevice(t % 2));
      for (int i = 0; i < 50; ++i) {
        char* memory = static_cast<char*>(allocated(static_cast<size_t>(1 + i % 5) * kMiB));
        memory[i] = static_cast<char>(t);
        CHECK_EQUAL(type_of(memory), 1);
        CHECK_EQUAL(memory[i], static_cast<char>(t));
        CHECK_OK(aclrtFree(memory));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK_EQUAL(free_bytes(), 1024 * kMiB);
}

TEST(memory, keys_name_memory_for_other_processes) {
  use_chip({});
  void* memory = allocated(2 * kMiB);
  char key[65] = {}, small[4] = {};
  CHECK_OK(aclrtIpcMemGetExportKey(static_cast<uint8_t*>(memory) + 512, kMiB, key, sizeof key, 0));
  void* same = nullptr;
  CHECK_OK(aclrtIpcMemImportByKey(&same, key, 0));
  CHECK(same == static_cast<uint8_t*>(memory) + 512);  // a process finds its own
  CHECK_OK(aclrtIpcMemClose(key));
  CHECK_FAILS(code::kInvalidParam, aclrtIpcMemGetExportKey(key, 1, key, sizeof key, 0));
  CHECK_FAILS(code::kInvalidParam, aclrtIpcMemGetExportKey(memory, kMiB, small, sizeof small, 0));
  CHECK_HAS(recent_message(), "a key of memory takes");
  CHECK_FAILS(code::kInvalidParam, aclrtIpcMemImportByKey(&same, "nonsense", 0));
  CHECK_FAILS(code::kInvalidParam, aclrtIpcMemImportByKey(&same, "999999999 3 0 0 1000", 0));
  CHECK_HAS(recent_message(), "memory of process 999999999 cannot be reached");
  CHECK(same == nullptr);
  CHECK_OK(aclrtFree(memory));
}
