#include "relay/intake/door_book.h"

#include <algorithm>

#include "relay/intake/client_key.h"

namespace relay {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
constexpr conf::Duration kMinute = 1min;
constexpr uint32_t kOneByOne = 10;   // of one client, listener and reason in a minute
constexpr uint32_t kPerSecond = 50;  // of all
constexpr conf::Duration kOneMore = conf::Duration(24h) / DoorBook::kPerDay;  // the budget grows by one
constexpr size_t kClients = 4096;  // told apart at a time; the others are told together
constexpr size_t kStepEvents = 64;
constexpr size_t kTextOctets = 100;

// One word for a line of the log: no blanks, no control characters, nothing that ends a field.
std::string word(std::string_view text) {
  std::string out(text.substr(0, kTextOctets));
  std::ranges::replace(out, ' ', '_');
  std::ranges::replace_if(
      out, [](char c) { return c <= ' ' || c > '~' || c == '"' || c == '\\'; }, '?');
  return out;
}

// The key of what is told of many clients.
std::string kind_of(const conf::DoorEvent& event) {
  return event.listener + '\n' + conf::to_text(event.reason) + '\n';
}

}  // namespace

void DoorBook::CommonUser::add(const std::string& user, uint64_t count) {
  if (user != name && count > votes) {
    *this = {user, count, count - votes};
  } else if (user != name) {
    votes -= count;
  } else {
    seen += count;
    votes += count;
  }
}

void DoorBook::Waiting::add(conf::DoorEvent more) {
  const uint64_t by_name = more.of_user == 0 ? more.count : more.of_user;
  user.add(more.user, by_name);
  if (by_name < more.count) user.add("", more.count - by_name);
  more.count += event.count;
  event = std::move(more);
}

conf::DoorEvent DoorBook::Waiting::take() {
  conf::DoorEvent sum = event;
  const bool most = user.seen > sum.count / 2;
  sum.user = most ? user.name : "";
  sum.of_user = most && !sum.user.empty() && user.seen < sum.count ? user.seen : 0;
  event.count = 0;
  user = {};
  return sum;
}

bool DoorBook::may_tell(conf::Instant now) {
  if (budget_ == kPerDay) budget_from_ = now;
  const auto grown = static_cast<uint64_t>((now - budget_from_) / kOneMore);
  budget_from_ += static_cast<int64_t>(grown) * kOneMore;
  budget_ = static_cast<uint32_t>(std::min<uint64_t>(budget_ + grown, kPerDay));
  if (now - second_ >= conf::Duration(1s)) {
    second_ = now;
    told_now_ = 0;
  }
  if (told_now_ >= kPerSecond || budget_ == 0) return false;
  ++told_now_;
  --budget_;
  return true;
}

conf::DoorEvent with_cause(conf::DoorEvent event, const std::string& why_not_accepting) {
  if (event.reason == conf::DoorReason::kNotAccepting) event.detail = why_not_accepting;
  return event;
}

void DoorBook::note(conf::DoorEvent event, conf::Instant now) {
  event.user = word(event.user);
  event.detail = word(event.detail);
  {
    const std::lock_guard<std::mutex> lock(counts_mutex_);
    ++counts_[{event.listener, event.reason}];
  }
  event.count = 1;
  const std::string key = kind_of(event) + client_key(event.client);
  if (waiting_.size() >= kClients && !waiting_.contains(key)) return tell_with_many(std::move(event), now);
  Waiting& waiting = open(key, event, now)->second;
  waiting.add(std::move(event));
  if (!waiting.event.client.empty() && waiting.told < kOneByOne && may_tell(now)) {
    ++waiting.told;
    tell_(waiting.take());
  }
}

// Found, or begun with nothing counted.
DoorBook::Waitings::iterator DoorBook::open(const std::string& key, const conf::DoorEvent& event,
                                            conf::Instant now) {
  const auto [found, fresh] = waiting_.try_emplace(key);
  if (!fresh) return found;
  found->second.event = event;
  found->second.event.count = 0;
  found->second.until = now + kMinute;
  ends_.emplace(found->second.until, key);
  return found;
}

void DoorBook::tell_with_many(conf::DoorEvent event, conf::Instant now) {
  event.client.clear();
  event.detail.clear();
  Waiting& waiting = open(kind_of(event), event, now)->second;
  waiting.add(std::move(event));
}

void DoorBook::step(conf::Instant now) {
  for (size_t i = 0; i < kStepEvents && !ends_.empty() && ends_.begin()->first <= now; ++i) {
    const auto found = waiting_.find(ends_.begin()->second);
    ends_.erase(ends_.begin());
    if (found == waiting_.end()) continue;
    const conf::DoorEvent event = found->second.take();
    waiting_.erase(found);
    if (event.count == 0) continue;
    if (event.client.empty() || may_tell(now)) {
      tell_(event);
    } else {
      tell_with_many(event, now);
    }
  }
}

conf::Instant DoorBook::next_wake() const { return ends_.empty() ? conf::kNever : ends_.begin()->first; }

void DoorBook::tell_all() {
  for (auto& [key, waiting] : waiting_) {
    if (waiting.event.count > 0) tell_(waiting.take());
  }
  waiting_.clear();
  ends_.clear();
}

std::vector<conf::DoorCount> DoorBook::counts() const {
  const std::lock_guard<std::mutex> lock(counts_mutex_);
  std::vector<conf::DoorCount> out;
  for (const auto& [key, count] : counts_) out.push_back({key.first, key.second, count});
  return out;
}

}  // namespace relay
