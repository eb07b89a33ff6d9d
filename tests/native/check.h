// A very small test framework: TEST registers, CHECK ends the process with the place and the reason.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace testing {

struct Case {
  const char* chapter;
  const char* name;
  void (*body)();
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

struct Registered {
  Registered(const char* chapter, const char* name, void (*body)()) { cases().push_back({chapter, name, body}); }
};

[[noreturn]] inline void broken(const char* file, int line, const std::string& text) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, text.c_str());
  std::_Exit(1);
}

template <typename Left, typename Right>
void equal(const Left& left, const Right& right, const char* text, const char* file, int line) {
  if (left == right) return;
  std::ostringstream message;
  message << text << ": " << left << " is not " << right;
  broken(file, line, message.str());
}

}  // namespace testing

// Each test runs in a process of its own (see main.cpp).
#define TEST(chapter, name)                                                  \
  static void name();                                                        \
  static const testing::Registered registered_##name{#chapter, #name, name}; \
  static void name()

#define CHECK(condition) \
  if (!(condition)) testing::broken(__FILE__, __LINE__, "false: " #condition)
#define CHECK_EQUAL(left, right) testing::equal(left, right, #left, __FILE__, __LINE__)
#define CHECK_HAS(text, part)                 \
  if ((text).find(part) == std::string::npos) \
  testing::broken(__FILE__, __LINE__, "\"" + (text) + "\" lacks \"" + (part) + "\"")
