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

void DoorBook::CommonText::vote(const std::string& its, uint64_t count) {
  if (its != text && count > votes) {
    text = its;
    seen = count;
    votes = count - votes;
  } else if (its != text) {
    votes -= count;
  } else {
    seen += count;
    votes += count;
  }
}

void DoorBook::CommonText::add(const std::string& its, uint64_t of, uint64_t count) {
  vote(its, of == 0 ? count : of);
  if (of != 0 && of < count) vote("", count - of);
}

void DoorBook::CommonText::take(uint64_t count, std::string* its, uint64_t* of) {
  const bool most = seen > count / 2 && !text.empty();
  *its = most ? text : "";
  *of = most && seen < count ? seen : 0;
  *this = {};
}

void DoorBook::Waiting::add(conf::DoorEvent more) {
  user.add(more.user, more.of_user, more.count);
  detail.add(more.detail, more.of_detail, more.count);
  more.count += event.count;
  event = std::move(more);
}

conf::DoorEvent DoorBook::Waiting::take() {
  conf::DoorEvent sum = event;
  user.take(sum.count, &sum.user, &sum.of_user);
  detail.take(sum.count, &sum.detail, &sum.of_detail);
  event.count = 0;
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
