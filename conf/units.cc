// Durations, sizes and rates as people write them.
#include <array>
#include <charconv>
#include <cmath>

#include "conf/asked_keys.h"
#include "conf/config_parser.h"

namespace conf {

namespace {

struct TextUnit {
  std::string_view name;
  double factor;
};

constexpr std::array<TextUnit, 12> kDurations = {{{"us", 1},
                                                  {"ms", 1e3},
                                                  {"s", 1e6},
                                                  {"sec", 1e6},
                                                  {"m", 6e7},
                                                  {"min", 6e7},
                                                  {"h", 3.6e9},
                                                  {"hour", 3.6e9},
                                                  {"d", 8.64e10},
                                                  {"day", 8.64e10},
                                                  {"w", 6.048e11},
                                                  {"week", 6.048e11}}};
constexpr std::array<TextUnit, 14> kSizes = {{{"", 1},
                                              {"B", 1},
                                              {"kB", 1e3},
                                              {"KB", 1e3},
                                              {"MB", 1e6},
                                              {"GB", 1e9},
                                              {"TB", 1e12},
                                              {"KiB", 1024},
                                              {"MiB", 1048576},
                                              {"GiB", 1073741824},
                                              {"TiB", 1099511627776.0},
                                              {"k", 1e3},
                                              {"M", 1e6},
                                              {"G", 1e9}}};
constexpr double kMost = 9.0e15;  // exact in a double, and far beyond any sensible value

// The number at the start of `*text`, which keeps the rest without the blanks between.
bool take_number(std::string_view* text, double* value) {
  const auto [end, code] =
      std::from_chars(text->data(), text->data() + text->size(), *value, std::chars_format::fixed);
  if (code != std::errc() || !(*value >= 0)) return false;  // "nan" is a number to the library
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  while (!text->empty() && text->front() == ' ') text->remove_prefix(1);
  return true;
}

template <size_t N>
const TextUnit* find_unit(const std::array<TextUnit, N>& units, std::string_view name) {
  for (const TextUnit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const std::string shown(text);
  double total = 0;
  if (text.empty())
    return invalid("an empty text is not a duration; write for example \"90s\", \"3h\" or \"5d\"");
  while (!text.empty()) {  // "1h30m" is fine
    double value = 0;
    if (!take_number(&text, &value)) {
      return invalid("\"" + shown + "\" is not a duration; write for example \"90s\", \"3h\" or \"5d\"");
    }
    size_t length = 0;
    while (length < text.size() && (text[length] < '0' || text[length] > '9') && text[length] != ' ')
      ++length;
    const TextUnit* unit = find_unit(kDurations, text.substr(0, length));
    if (unit == nullptr) {
      return invalid("\"" + shown + "\" needs a unit: us, ms, s, m (or min), h, d or w, as in \"90s\"");
    }
    total += value * unit->factor;
    text.remove_prefix(length);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  }
  if (total > kMost) return invalid("\"" + shown + "\" is too long a time");
  return Duration(static_cast<int64_t>(std::llround(total)));
}

Result<uint64_t> parse_size(std::string_view text) {
  const std::string shown(text);
  double value = 0;
  if (!take_number(&text, &value))
    return invalid("\"" + shown + "\" is not a size; write for example \"25MB\" or \"64KiB\"");
  const TextUnit* unit = find_unit(kSizes, text);
  if (unit == nullptr) {
    return invalid("\"" + shown +
                   "\" has an unknown unit; known are B, kB, MB, GB, TB and KiB, MiB, GiB, TiB");
  }
  if (value * unit->factor > kMost) return invalid("\"" + shown + "\" is too big");
  return static_cast<uint64_t>(std::llround(value * unit->factor));
}

Result<Rate> parse_rate(std::string_view text) {
  const std::string shown(text);
  const Error bad =
      invalid("\"" + shown + "\" is not a rate; write for example \"100/min\", \"20/s\" or \"5000/h\"");
  uint64_t events = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), events);
  if (code != std::errc()) return bad;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (text.empty() || text.front() != '/') return bad;
  text.remove_prefix(1);
  const TextUnit* unit = find_unit(kDurations, text);
  Rate rate;
  rate.events = events;
  if (unit != nullptr) {
    rate.per = Duration(static_cast<int64_t>(unit->factor));
    return rate;
  }
  const Result<Duration> per = parse_duration(text);
  if (!per.ok() || per.value().count() == 0) return bad;
  rate.per = per.value();
  return rate;
}

namespace {

// In the largest unit that takes it whole.
template <size_t N>
std::string in_whole(uint64_t value, const std::array<TextUnit, N>& units) {
  for (const TextUnit& unit : units) {
    const auto factor = static_cast<uint64_t>(unit.factor);
    if (value % factor == 0) return std::to_string(value / factor) + std::string(unit.name);
  }
  return std::to_string(value);
}

constexpr std::array<TextUnit, 6> kWrittenDurations = {
    {{"d", 8.64e10}, {"h", 3.6e9}, {"min", 6e7}, {"s", 1e6}, {"ms", 1e3}, {"us", 1}}};
constexpr std::array<TextUnit, 7> kWrittenSizes = {
    {{"GB", 1e9}, {"GiB", 1073741824}, {"MB", 1e6}, {"MiB", 1048576}, {"kB", 1e3}, {"KiB", 1024}, {"B", 1}}};

}  // namespace

std::string written(Duration duration) {
  if (duration.count() == 0) return "0s";
  return in_whole(static_cast<uint64_t>(duration.count()), kWrittenDurations);
}

std::string written_size(uint64_t octets) { return octets == 0 ? "0" : in_whole(octets, kWrittenSizes); }

}  // namespace conf
