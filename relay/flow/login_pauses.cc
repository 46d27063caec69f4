#include "relay/flow/login_pauses.h"

#include <algorithm>

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kFirst = 1min;  // doubled each time
constexpr conf::Duration kLongest = 1h;
constexpr conf::Duration kTrial = 1min;

}  // namespace

conf::Instant LoginPauses::until(const std::string& login) const {
  const auto found = known_.find(login);
  return found == known_.end() ? conf::Instant{} : found->second.until;
}

void LoginPauses::tried(const std::string& login, conf::Instant now) {
  Entry& entry = known_[login];
  if (entry.good) return;
  entry.until = now + kTrial;
  entry.on_trial = true;
}

void LoginPauses::undecided(const std::string& login) {
  const auto found = known_.find(login);
  if (found != known_.end() && found->second.pause.count() == 0) found->second.until = {};
}

bool LoginPauses::failed(const std::string& login, conf::Instant now, const std::string& how) {
  Entry& entry = known_[login];
  entry.how = how;
  entry.good = false;
  const bool first = entry.pause.count() == 0;
  // Several that were on their way are one failure: only what was tried since then is another one.
  if (!first && !entry.on_trial) return false;
  entry.on_trial = false;
  entry.pause = first ? kFirst : std::min(entry.pause * 2, kLongest);
  entry.until = now + entry.pause;
  return first;
}

std::string LoginPauses::why(const std::string& login) const {
  const auto found = known_.find(login);
  const bool failed = found != known_.end() && found->second.pause.count() > 0;
  return "login \"" + login + "\" " + (failed ? found->second.how : "is being tried by a connection");
}

LoginPauses::Success LoginPauses::worked(const std::string& login) {
  Entry& entry = known_[login];
  const Success success{!entry.good, entry.pause.count() > 0};
  entry = {};
  entry.good = true;
  return success;
}

}  // namespace relay
