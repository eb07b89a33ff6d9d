// What profilers see of the virtual clock, and the folder of a profile that the vendor's analysis finds.
#include <dirent.h>
#include <unistd.h>

#include <fstream>

#include "adapter.h"
#include "check.h"
#include "profile.h"

extern "C" {
uint64_t jumar_profile_begin();
uint64_t jumar_profile_end(uint64_t place, jumar::ProfileSpan* spans, uint64_t room);
aclError aclprofInit(const char* path, size_t length);
aclError aclprofStart(const void* config);
aclError aclprofStop(const void* config);
aclError aclprofFinalize();
}

using jumar::ProfileSpan;
using jumar::TraceType;

namespace {

ServerOptions traced() {
  ServerOptions options;
  options.trace_events = 1u << 20;
  return options;
}

std::vector<ProfileSpan> ended(uint64_t place) {
  std::vector<ProfileSpan> spans(jumar_profile_end(place, nullptr, 0));
  CHECK_EQUAL(jumar_profile_end(place, spans.data(), spans.size()), spans.size());
  return spans;
}

std::string profile_folder(const std::string& path) {
  std::string found;
  DIR* directory = opendir(path.c_str());
  CHECK(directory != nullptr);
  while (const dirent* entry = readdir(directory)) {
    if (std::string(entry->d_name).rfind("PROF_", 0) == 0) found = path + "/" + entry->d_name;
  }
  closedir(directory);
  return found;
}

}  // namespace

TEST(profile, has_what_ran_meanwhile_in_virtual_time) {
  use_chip(traced());
  const Floats a({1, 2});
  CHECK_OK(add(a, a, a, nullptr));
  const uint64_t place = jumar_profile_begin();
  for (int i = 0; i < 3; ++i) CHECK_OK(add(a, a, a, nullptr));
  CHECK_OK(aclrtSynchronizeDevice());
  const auto spans = ended(place);
  CHECK_OK(add(a, a, a, nullptr));
  CHECK_EQUAL(spans.size(), size_t{3});
  for (size_t i = 0; i < spans.size(); ++i) {
    CHECK(spans[i].type == static_cast<uint8_t>(TraceType::kOperator));
    CHECK(spans[i].end_ns > spans[i].start_ns && spans[i].start_ns >= spans[i].issued_ns);
    CHECK(spans[i].host_ns != 0 && spans[i].submitted_ns != 0);
    CHECK(i == 0 || (spans[i].start_ns >= spans[i - 1].end_ns && spans[i].event > spans[i - 1].event));
  }
}

TEST(profile, may_be_looked_at_by_two) {
  use_chip(traced());
  const Floats a({1, 2});
  const uint64_t outer = jumar_profile_begin();
  CHECK_OK(add(a, a, a, nullptr));
  const uint64_t inner = jumar_profile_begin();
  CHECK_OK(add(a, a, a, nullptr));
  CHECK_EQUAL(ended(inner).size(), size_t{1});
  CHECK_OK(add(a, a, a, nullptr));
  CHECK_EQUAL(ended(outer).size(), size_t{3});
  CHECK_EQUAL(ended(jumar_profile_begin()).size(), size_t{0});
}

TEST(profile, is_empty_without_a_trace) {
  use_chip({});
  const Floats a({1, 2});
  const uint64_t place = jumar_profile_begin();
  CHECK_OK(add(a, a, a, nullptr));
  CHECK_EQUAL(place, ~uint64_t{0});
  CHECK_EQUAL(jumar_profile_end(place, nullptr, 0), uint64_t{0});
}

TEST(profile, of_the_vendor_leaves_a_folder) {
  use_chip(traced());
  const Floats a({1, 2});
  const std::string path = test_directory();
  CHECK_OK(aclprofInit(path.c_str(), path.size()));
  CHECK_OK(aclprofStart(nullptr));
  CHECK_OK(add(a, a, a, nullptr));
  CHECK_OK(aclrtSynchronizeDevice());
  CHECK_OK(aclprofStop(nullptr));
  CHECK_OK(add(a, a, a, nullptr));
  CHECK_OK(aclprofFinalize());
  const std::string folder = profile_folder(path);
  CHECK(!folder.empty() && access((folder + "/device_0").c_str(), F_OK) == 0);
  std::ifstream spans(folder + "/spans.bin", std::ios::binary | std::ios::ate);
  CHECK_EQUAL(static_cast<size_t>(spans.tellg()), sizeof(ProfileSpan));
  std::string info;
  std::getline(std::ifstream(folder + "/host/start_info") >> std::ws, info);
  CHECK_HAS(info, "clockMonotonicRaw");
}
