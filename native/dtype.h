// Sizes and names of the vendor's data types.
#pragma once
#include <cstdint>
#include <cstring>

namespace jumar {

struct DataTypeRow {
  int32_t number;
  const char* name;
  int64_t bytes;
};

constexpr DataTypeRow kDataTypes[] = {
    {0, "float32", 4},         {1, "float16", 2},      {2, "int8", 1},
    {3, "int32", 4},           {4, "uint8", 1},        {6, "int16", 2},
    {7, "uint16", 2},          {8, "uint32", 4},       {9, "int64", 8},
    {10, "uint64", 8},         {11, "float64", 8},     {12, "bool", 1},
    {16, "complex64", 8},      {17, "complex128", 16}, {27, "bfloat16", 2},
    {33, "complex32", 4},      {35, "float8_e5m2", 1}, {36, "float8_e4m3fn", 1},
    {37, "float8_e8m0fnu", 1},
};

inline const DataTypeRow* find_dtype(int32_t number) {
  for (const auto& row : kDataTypes) {
    if (row.number == number) return &row;
  }
  return nullptr;
}

inline int64_t item_bytes(int32_t number) {
  const DataTypeRow* row = find_dtype(number);
  return row != nullptr ? row->bytes : 0;
}

inline const char* dtype_name(int32_t number) {
  const DataTypeRow* row = find_dtype(number);
  return row != nullptr ? row->name : "unknown";
}

// float16 or bfloat16 bits as a number.
inline double widen(uint16_t bits, bool brain) {
  if (brain) {
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value = 0;
    std::memcpy(&value, &wide, sizeof value);
    return value;
  }
  const int exponent = (bits >> 10) & 31;
  const double fraction = bits & 1023;
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 31) return fraction != 0 ? __builtin_nan("") : sign * __builtin_inf();
  return sign * (exponent == 0 ? __builtin_ldexp(fraction, -24) : __builtin_ldexp(1024 + fraction, exponent - 25));
}

}  // namespace jumar
