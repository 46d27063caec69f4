// A WallTime as calendar and clock show it at UTC (the Gregorian calendar, also of days before it). What lies
// outside the years 0000 to 9999 is cut to that range: the formats of mail and logs have four digits. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "conf/vocab/time.h"

namespace conf {

struct CivilTime {
  std::chrono::year_month_day date;
  std::chrono::weekday weekday;
  std::chrono::hh_mm_ss<Duration> time_of_day;
};
CivilTime civil(WallTime time);

// `value` as decimal digits of that width, zeros in front, to where `place` points. No end is written.
void put_digits(char* place, int width, uint32_t value);

// "Tue, 24 Nov 2026 10:41:41 +0000" (date-time of RFC 5322 §3.3).
std::string mail_date(WallTime time);

}  // namespace conf
