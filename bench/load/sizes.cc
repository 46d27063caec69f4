#include "bench/load/sizes.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

namespace bench::load {
namespace {

constexpr uint64_t kLargestBytes = 256ULL * 1024 * 1024;  // more than any relay takes
constexpr uint64_t kLognormalLargest = 25ULL * 1024 * 1024;

conf::Error bad(std::string_view text, const char* why) {
  return {conf::ErrorCode::kInvalid, "'" + std::string(text) + "': " + why};
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

double positive_number(std::string_view text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  return good && std::isfinite(value) && value > 0 ? value : 0;
}

conf::Result<uint64_t> parse_size(std::string_view text) {
  uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit = text.substr(static_cast<size_t>(parsed.ptr - text.data()));
  uint64_t factor = 1;
  if (unit == "k" || unit == "K") factor = 1024;
  if (unit == "m" || unit == "M") factor = 1024 * 1024;
  if (parsed.ec != std::errc() || (!unit.empty() && factor == 1))
    return bad(text, "not a size; write bytes, or 10k, or 1m");
  if (value > kLargestBytes / factor) return bad(text, "larger than 256m");
  return value * factor;
}

conf::Result<Sizes::Part> Sizes::parse_part(std::string_view text) {
  const size_t dash = text.find('-');
  const conf::Result<uint64_t> low = parse_size(text.substr(0, dash));
  if (!low) return low.error();
  Part part{low.value(), low.value(), 1};
  if (dash == std::string_view::npos) return part;
  const conf::Result<uint64_t> high = parse_size(text.substr(dash + 1));
  if (!high) return high.error();
  part.high = high.value();
  if (part.high < part.low) return bad(text, "the range ends below its begin");
  return part;
}

conf::Result<Sizes> Sizes::parse_lognormal(std::string_view text) {
  const std::vector<std::string_view> words = split(text, ':');
  if (words.size() < 3 || words.size() > 4)
    return bad(text, "write lognormal:MEDIAN:SIGMA or lognormal:MEDIAN:SIGMA:LARGEST");
  const conf::Result<uint64_t> median = parse_size(words[1]);
  if (!median) return median.error();
  Sizes sizes;
  sizes.sigma_ = positive_number(words[2]);
  if (median.value() == 0 || sizes.sigma_ == 0) return bad(text, "median and sigma are above 0");
  sizes.mu_ = std::log(static_cast<double>(median.value()));
  sizes.largest_ = kLognormalLargest;
  if (words.size() == 4) {
    const conf::Result<uint64_t> largest = parse_size(words[3]);
    if (!largest) return largest.error();
    sizes.largest_ = largest.value();
  }
  if (sizes.largest_ < median.value()) return bad(text, "the largest is below the median");
  return sizes;
}

conf::Result<Sizes> Sizes::parse(std::string_view text) {
  if (text.substr(0, 9) == "lognormal") return parse_lognormal(text);
  Sizes sizes;
  double weight = 0;
  for (const std::string_view word : split(text, ',')) {
    const size_t colon = word.find(':');
    conf::Result<Part> part = parse_part(word.substr(0, colon));
    if (!part) return part.error();
    const double own = colon == std::string_view::npos ? 1 : positive_number(word.substr(colon + 1));
    if (own == 0) return bad(word, "the weight behind the colon is a number above 0");
    weight += own;
    part->weight_before = weight;
    sizes.largest_ = std::max(sizes.largest_, part->high);
    sizes.parts_.push_back(part.value());
  }
  return sizes;
}

uint64_t Sizes::draw(conf::Random* random) const {
  if (sigma_ > 0) {
    // Box and Muller (1958); 1 - unit() is never 0.
    const double radius = std::sqrt(-2 * std::log(1 - random->unit()));
    const double normal = radius * std::cos(2 * std::numbers::pi * random->unit());
    const double bytes = std::exp(mu_ + sigma_ * normal);
    return bytes < static_cast<double>(largest_) ? static_cast<uint64_t>(bytes) : largest_;
  }
  const Part* part = &parts_.front();
  if (parts_.size() > 1) {
    const double at = random->unit() * parts_.back().weight_before;
    part = &*std::find_if(parts_.begin(), parts_.end() - 1,
                          [at](const Part& one) { return at < one.weight_before; });
  }
  return part->low + (part->high > part->low ? random->below(part->high - part->low + 1) : 0);
}

uint64_t Sizes::largest() const { return largest_; }

}  // namespace bench::load
