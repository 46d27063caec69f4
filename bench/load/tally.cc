#include "bench/load/tally.h"

#include <algorithm>
#include <cctype>

namespace bench::load {
namespace {

constexpr size_t kMaxIntervals = 120;
constexpr size_t kMaxKinds = 32;  // replies may hold an id each; the table must not grow with the load
constexpr size_t kKindBytes = 80;

bool is_code(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

std::string reply_kind(std::string_view text) {
  std::string kind;
  bool in_front = true;  // reply code and enhanced status code (RFC 3463 §2) stay
  while (!text.empty() && kind.size() < kKindBytes) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    in_front = in_front && is_code(word);
    const bool varies = !in_front && std::any_of(word.begin(), word.end(), [](unsigned char c) {
      return std::isdigit(c) != 0 || c == '@';
    });
    if (!kind.empty()) kind.push_back(' ');
    kind.append(varies ? "#" : word);
  }
  if (kind.size() > kKindBytes) kind.resize(kKindBytes);
  for (char& c : kind)  // replies are shown on terminals
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = '?';
  return kind;
}

void Timeline::widen() {
  for (size_t i = 0; i < intervals_.size(); ++i) {
    Interval& into = intervals_[i / 2];
    if (i % 2 == 0) {
      if (i > 0) into = std::move(intervals_[i]);
      continue;
    }
    into.accepted += intervals_[i].accepted;
    into.refused += intervals_[i].refused;
    into.bytes += intervals_[i].bytes;
    into.response.merge(intervals_[i].response);
  }
  intervals_.resize((intervals_.size() + 1) / 2);
  width_us_ *= 2;
}

Timeline::Interval& Timeline::at(int64_t now_us) {
  const int64_t passed = std::max<int64_t>(0, now_us - start_us_);
  while (passed / width_us_ >= static_cast<int64_t>(kMaxIntervals)) widen();
  const size_t index = static_cast<size_t>(passed / width_us_);
  if (index >= intervals_.size()) intervals_.resize(index + 1);
  return intervals_[index];
}

void Timeline::merge(const Timeline& other) {
  Timeline copy = other;
  while (copy.width_us_ < width_us_) copy.widen();
  while (width_us_ < copy.width_us_) widen();
  if (intervals_.size() < copy.intervals_.size()) intervals_.resize(copy.intervals_.size());
  for (size_t i = 0; i < copy.intervals_.size(); ++i) {
    intervals_[i].accepted += copy.intervals_[i].accepted;
    intervals_[i].refused += copy.intervals_[i].refused;
    intervals_[i].bytes += copy.intervals_[i].bytes;
    intervals_[i].response.merge(copy.intervals_[i].response);
  }
}

void Tally::count_outcome(std::string_view text, int code) {
  std::string kind = reply_kind(text.empty() ? std::to_string(code) : text);
  if (outcomes.size() >= kMaxKinds && outcomes.count(kind) == 0) kind = std::to_string(code) + " (others)";
  ++outcomes[kind];
}

void Tally::count(const Message& message, int code, std::string_view text, int64_t now_us) {
  Timeline::Interval& interval = timeline.at(now_us);
  count_outcome(text, code);
  if (code != 250) {
    ++refused;
    ++interval.refused;
    return;
  }
  ++accepted;
  bytes += message.bytes;
  response.add(now_us - message.due_us);
  service.add(now_us - message.sent_us);
  content.add(now_us - message.content_us);
  ++interval.accepted;
  interval.bytes += message.bytes;
  interval.response.add(now_us - message.due_us);
}

void Tally::merge(const Tally& other) {
  accepted += other.accepted;
  refused += other.refused;
  bytes += other.bytes;
  connections += other.connections;
  lost_connections += other.lost_connections;
  resent += other.resent;
  if (!other.trouble.empty()) trouble = other.trouble;
  for (const auto& [kind, count] : other.outcomes) outcomes[kind] += count;
  response.merge(other.response);
  service.merge(other.service);
  content.merge(other.content);
  timeline.merge(other.timeline);
}

}  // namespace bench::load
