#include "relay/host/restart_needed.h"

#include <algorithm>
#include <utility>

namespace relay {

namespace {

// Each with its name in the file: `use` gets the name and the way to it in a configuration.
template <typename Use>
void for_each_waiting(const Use& use) {
  use(
      "hostname", [](auto& config) -> auto& { return config.hostname; });
  use(
      "run_as", [](auto& config) -> auto& { return config.run_as; });
  use(
      "[spool]", [](auto& config) -> auto& { return config.spool; });
  use(
      "[dns]", [](auto& config) -> auto& { return config.dns; });
  use(
      "[log]", [](auto& config) -> auto& { return config.log; });
  use(
      "[admin]", [](auto& config) -> auto& { return config.admin; });
  use(
      "[intake] descriptors_kept", [](auto& config) -> auto& { return config.intake.descriptors_kept; });
  use(
      "[outage_guard] known_addresses",
      [](auto& config) -> auto& { return config.outage_guard.known_addresses; });
  use(
      "[dkim] workers", [](auto& config) -> auto& { return config.dkim.workers; });
  use(
      "[replies] table", [](auto& config) -> auto& { return config.replies.table; });
  use(
      "[quarantine] enabled", [](auto& config) -> auto& { return config.quarantine.enabled; });
  use(
      "[quarantine] path", [](auto& config) -> auto& { return config.quarantine.path; });
  use(
      "[returns] path", [](auto& config) -> auto& { return config.returns.path; });
  use(
      "[returns] watch", [](auto& config) -> auto& { return config.returns.watch; });
  use(
      "[returns] unmatched", [](auto& config) -> auto& { return config.returns.unmatched; });
  use(
      "[[return_mailbox]]", [](auto& config) -> auto& { return config.returns.mailboxes; });
}

// Names by which mailboxes are polled: their pollers have them from the start, their secrets come anew.
bool polls_otherwise(const conf::Config& old, const conf::Config& fresh) {
  return std::ranges::any_of(old.returns.mailboxes, [&](const conf::ReturnMailbox& mailbox) {
    const conf::Login* const before = old.login(mailbox.login);
    const conf::Login* const now = fresh.login(mailbox.login);
    return before != nullptr && now != nullptr &&
           (before->user != now->user || before->mechanism != now->mechanism);
  });
}

// Of [spool] this one needs no restart.
conf::Config with_body_memory_of(const conf::Config& other, conf::Config config) {
  config.spool.body_memory_bytes = other.spool.body_memory_bytes;
  return config;
}

}  // namespace

std::string restart_needed(const conf::Config& old, const conf::Config& fresh) {
  const conf::Config before = with_body_memory_of(fresh, old);
  std::string changed;
  const auto note = [&changed](bool differs, const char* name) {
    if (differs) changed.append(changed.empty() ? "" : ", ").append(name);
  };
  for_each_waiting([&](const char* name, const auto& of) { note(of(fresh) != of(before), name); });
  // The desk is opened at the start, or not.
  note(fresh.returns.wanted() != old.returns.wanted(), "[returns]");
  note(polls_otherwise(old, fresh), "[[login]] of a [[return_mailbox]]");
  note(!old.returns.mailboxes.empty() && fresh.tls_ca_file != old.tls_ca_file,
       "[tls] ca_file for [[return_mailbox]]");
  return changed;
}

conf::Config until_restart(const conf::Config& old, conf::Config fresh) {
  const conf::Config before = with_body_memory_of(fresh, old);
  if (fresh.returns.wanted() != old.returns.wanted()) fresh.returns = old.returns;
  for_each_waiting([&](const char* /*name*/, const auto& of) { of(fresh) = of(before); });
  return fresh;
}

}  // namespace relay
