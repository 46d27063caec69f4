#include "conf/vocab/calendar.h"

#include <algorithm>
#include <string_view>

namespace conf {

CivilTime civil(WallTime time) {
  using std::chrono::sys_days;
  using std::chrono::year;
  constexpr sys_days kBegin = year(0) / 1 / 1, kEnd = year(10'000) / 1 / 1;
  const std::chrono::sys_time<Duration> cut = std::clamp<std::chrono::sys_time<Duration>>(
      std::chrono::sys_time<Duration>(time.time_since_epoch()), kBegin, kEnd - Duration(1));
  const sys_days day = std::chrono::floor<std::chrono::days>(cut);
  return {day, std::chrono::weekday(day), std::chrono::hh_mm_ss<Duration>(cut - day)};
}

void put_digits(char* place, int width, uint32_t value) {
  for (int i = width - 1; i >= 0; --i, value /= 10) place[i] = static_cast<char>('0' + value % 10);
}

std::string mail_date(WallTime time) {
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat",
                             kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const CivilTime civil_time = civil(time);
  const auto& [date, weekday, clock] = civil_time;
  std::string text = "Day, 00 Mon 0000 00:00:00 +0000";
  char* const place = text.data();
  kDays.copy(place, 3, size_t{3} * weekday.c_encoding());
  put_digits(place + 5, 2, static_cast<unsigned>(date.day()));
  kMonths.copy(place + 8, 3, size_t{3} * (static_cast<unsigned>(date.month()) - 1));
  put_digits(place + 12, 4, static_cast<uint32_t>(static_cast<int>(date.year())));
  put_digits(place + 17, 2, static_cast<uint32_t>(clock.hours().count()));
  put_digits(place + 20, 2, static_cast<uint32_t>(clock.minutes().count()));
  put_digits(place + 23, 2, static_cast<uint32_t>(clock.seconds().count()));
  return text;
}

}  // namespace conf
