#include "relay/intake/door_book.h"

#include <algorithm>

#include "relay/intake/client_key.h"

namespace relay {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
constexpr conf::Duration kMinute = 1min;
constexpr uint32_t kOneByOne = 10;   // of one client, listener and reason in a minute
constexpr uint32_t kPerSecond = 50;  // of all
constexpr size_t kClients = 4096;    // told apart at a time; the others are told together
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

}  // namespace

bool DoorBook::may_tell(conf::Instant now) {
  if (now - second_ >= conf::Duration(1s)) {
    second_ = now;
    told_now_ = 0;
  }
  if (told_now_ >= kPerSecond) return false;
  ++told_now_;
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
  const std::string kind = event.listener + '\n' + conf::to_text(event.reason) + '\n';
  std::string key = kind + client_key(event.client);
  auto found = waiting_.find(key);
  if (found == waiting_.end() && waiting_.size() >= kClients) {
    key = kind;  // of many
    found = waiting_.find(key);
    event.client.clear();
    event.user.clear();
    event.detail.clear();
  }
  if (found == waiting_.end()) {
    Waiting fresh;
    fresh.event = event;
    fresh.event.count = 0;
    fresh.until = now + kMinute;
    ends_.emplace(fresh.until, key);
    found = waiting_.emplace(std::move(key), std::move(fresh)).first;
  }
  Waiting& waiting = found->second;
  const bool told_apart = !event.client.empty();
  const uint64_t count = waiting.event.count + 1;
  waiting.event = std::move(event);
  waiting.event.count = count;
  if (told_apart && waiting.told < kOneByOne && may_tell(now)) {
    ++waiting.told;
    tell_(waiting.event);
    waiting.event.count = 0;
  }
}

void DoorBook::step(conf::Instant now) {
  for (size_t i = 0; i < kStepEvents && !ends_.empty() && ends_.begin()->first <= now; ++i) {
    const auto found = waiting_.find(ends_.begin()->second);
    ends_.erase(ends_.begin());
    if (found == waiting_.end()) continue;
    if (found->second.event.count > 0) tell_(found->second.event);
    waiting_.erase(found);
  }
}

conf::Instant DoorBook::next_wake() const { return ends_.empty() ? conf::kNever : ends_.begin()->first; }

void DoorBook::tell_all() {
  for (const auto& [key, waiting] : waiting_) {
    if (waiting.event.count > 0) tell_(waiting.event);
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
