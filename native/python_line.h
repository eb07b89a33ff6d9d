// The line of the program that the calling thread is in.
#pragma once
#include <cstdint>

namespace jumar {

constexpr uint32_t kNoLine = ~0u;          // this thread runs no Python now
constexpr uint32_t kUnseenLine = ~0u - 1;  // it runs at a place not seen before, and asking was not allowed

// The number of its name in the trace; 0 if all code on the stack is a library's. Takes the interpreter's lock only for
// a place not seen before, and not at all without `may_ask`.
uint32_t python_line_number(bool may_ask);

}  // namespace jumar
