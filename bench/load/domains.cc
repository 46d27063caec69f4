#include "bench/load/domains.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "bench/load/sizes.h"
#include "conf/config_parser.h"

namespace bench::load {
namespace {

bool is_domain(std::string_view name) {
  return !name.empty() && name.find_first_of(" \t\r\n<>@,") == std::string_view::npos;
}

// One word off the front of `rest`; empty at its end.
std::string_view next_word(std::string_view* rest) {
  rest->remove_prefix(std::min(rest->find_first_not_of(" \t\r"), rest->size()));
  const std::string_view word = rest->substr(0, rest->find_first_of(" \t\r"));
  rest->remove_prefix(word.size());
  return word;
}

}  // namespace

void Domains::add(std::string_view name, double weight) {
  const double before = weight_before_.empty() ? 0 : weight_before_.back();
  names_.emplace_back(name);
  weight_before_.push_back(before + weight);
}

conf::Result<Domains> Domains::parse_file(const std::string& path, std::string_view text) {
  Domains domains;
  std::string mistakes;
  int number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const auto mistake = [&](std::string_view word, const std::string& message) {
      const int column = static_cast<int>(word.data() - line.data()) + 1;
      mistakes.append(mistakes.empty() ? "" : "\n")
          .append(conf::Problem{path, number, column, message, false}.text());
    };
    std::string_view rest = line.substr(0, line.find('#'));
    const std::string_view name = next_word(&rest);
    if (name.empty()) continue;
    if (!is_domain(name)) mistake(name, "'" + std::string(name) + "' is no domain");
    const std::string_view weight = next_word(&rest);
    const double value = weight.empty() ? 1 : positive_number(weight);
    if (value == 0) mistake(weight, "the weight behind the domain is a number above 0");
    const std::string_view more = next_word(&rest);
    if (!more.empty()) mistake(more, "a line has a domain and its weight, nothing behind them");
    domains.add(name, value);
  }
  if (mistakes.empty() && domains.names_.empty()) mistakes = path + ": no domain in it";
  if (!mistakes.empty()) return conf::Error{conf::ErrorCode::kInvalid, mistakes};
  return domains;
}

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
      if (!name.empty() && !is_domain(name))
        return conf::Error{conf::ErrorCode::kInvalid, "--domains: '" + std::string(name) + "' is no domain"};
      if (!name.empty()) domains.names_.emplace_back(name);
    }
  }
  if (domains.names_.empty())
    return conf::Error{conf::ErrorCode::kInvalid, "--domains: no domain in '" + std::string(list) + "'"};
  if (zipf > 0) {
    std::vector<std::string> names = std::move(domains.names_);
    domains.names_.clear();
    for (size_t i = 0; i < names.size(); ++i)
      domains.add(names[i], std::pow(static_cast<double>(i + 1), -zipf));
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
