// SPDX-License-Identifier: GPL-2.0-or-later
//
// The sscanf() of the program mxfeed-scan, for libclamav.
//
// To evaluate a logical signature, libclamav reads each of its operands with
// sscanf("%u") or sscanf("%u,%u"), for each object that it scans.  The C library sets up
// a stream for each call: with 40 000 logical signatures, a third of the time of a scan.
// A program may define a function of the C library itself: its libraries then find that
// one first.  It has to do the same, or scans go wrong, so it answers only what
// read_unsigneds() knows, which tests and a fuzz target compare with the C library, and
// hands over everything else.
//
// It belongs to this program alone.  It is in none of its libraries, so that no test and
// no other program gets it.  No header that declares sscanf() may be included here: the C
// library renames it there.

#include <cstdarg>

#include "milters/virus/scan/unsigned_reader.h"

// The names that libclamav may import: which one depends on the C library that it was
// compiled with.  They differ in rare conversions only.
extern "C" {
int mxfeed_sscanf(const char* text, const char* format, ...) noexcept __asm__("sscanf");
int mxfeed_sscanf_c99(const char* text, const char* format, ...) noexcept
    __asm__("__isoc99_sscanf");
int mxfeed_sscanf_c23(const char* text, const char* format, ...) noexcept
    __asm__("__isoc23_sscanf");
int libc_vsscanf(const char* text, const char* format, std::va_list) noexcept
    __asm__("vsscanf");
int libc_vsscanf_c99(const char* text, const char* format, std::va_list) noexcept
    __asm__("__isoc99_vsscanf");
// Since glibc 2.38.
[[gnu::weak]] int libc_vsscanf_c23(const char* text, const char* format,
                                   std::va_list) noexcept __asm__("__isoc23_vsscanf");
}

namespace {

using Vsscanf = int(const char*, const char*, std::va_list) noexcept;

int read(const char* text, const char* format, std::va_list values, Vsscanf* otherwise) {
  const auto numbers = mxfeed::virus::read_unsigneds(text, format);
  if (!numbers) return otherwise(text, format, values);
  for (int i = 0; i < numbers->count; ++i) {
    *va_arg(values, unsigned*) = numbers->values[i];
  }
  return numbers->count;
}

}  // namespace

int mxfeed_sscanf(const char* text, const char* format, ...) noexcept {
  std::va_list values;
  va_start(values, format);
  const int count = read(text, format, values, libc_vsscanf);
  va_end(values);
  return count;
}

int mxfeed_sscanf_c99(const char* text, const char* format, ...) noexcept {
  std::va_list values;
  va_start(values, format);
  const int count = read(text, format, values, libc_vsscanf_c99);
  va_end(values);
  return count;
}

int mxfeed_sscanf_c23(const char* text, const char* format, ...) noexcept {
  std::va_list values;
  va_start(values, format);
  const int count =
      read(text, format, values,
           libc_vsscanf_c23 != nullptr ? libc_vsscanf_c23 : libc_vsscanf_c99);
  va_end(values);
  return count;
}
