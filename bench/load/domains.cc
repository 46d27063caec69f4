#include "bench/load/domains.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "bench/load/sizes.h"

namespace bench::load {

conf::Result<Domains> Domains::parse(std::string_view list, double zipf) {
  constexpr uint32_t kMost = 10'000'000;
  Domains domains;
  uint32_t count = 0;
  const auto parsed = std::from_chars(list.data(), list.data() + list.size(), count);
  if (parsed.ec == std::errc() && parsed.ptr == list.data() + list.size()) {
    if (count > kMost) return conf::Error{conf::ErrorCode::kInvalid, "--domains: more than 10,000,000"};
    domains.names_.reserve(count);
    for (uint32_t i = 1; i <= count; ++i) domains.names_.push_back("d" + std::to_string(i) + ".test");
  } else {
    for (const std::string_view name : split(list, ',')) {
      if (name.find_first_of(" \t\r\n<>@") != std::string_view::npos)
        return conf::Error{conf::ErrorCode::kInvalid, "--domains: '" + std::string(name) + "' is no domain"};
      if (!name.empty()) domains.names_.emplace_back(name);
    }
  }
  if (domains.names_.empty())
    return conf::Error{conf::ErrorCode::kInvalid, "--domains: no domain in '" + std::string(list) + "'"};
  if (zipf > 0) {
    double sum = 0;
    domains.weight_before_.reserve(domains.names_.size());
    for (size_t i = 0; i < domains.names_.size(); ++i) {
      sum += std::pow(static_cast<double>(i + 1), -zipf);
      domains.weight_before_.push_back(sum);
    }
  }
  return domains;
}

const std::string& Domains::pick(uint64_t number, conf::Random* random) const {
  if (weight_before_.empty()) return names_[number % names_.size()];
  const double at = random->unit() * weight_before_.back();
  const auto found = std::upper_bound(weight_before_.begin(), weight_before_.end() - 1, at);
  return names_[static_cast<size_t>(found - weight_before_.begin())];
}

}  // namespace bench::load
