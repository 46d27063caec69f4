#include "relay/host/restart_needed.h"

namespace relay {

std::string restart_needed(const conf::Config& old, const conf::Config& fresh) {
  conf::SpoolSettings spool = old.spool;
  spool.body_memory_bytes = fresh.spool.body_memory_bytes;  // this one needs no restart
  std::string changed;
  const auto note = [&changed](bool differs, const char* name) {
    if (differs) changed.append(changed.empty() ? "" : ", ").append(name);
  };
  note(fresh.hostname != old.hostname, "hostname");
  note(fresh.run_as != old.run_as, "run_as");
  note(fresh.spool != spool, "[spool]");
  note(fresh.dns != old.dns, "[dns]");
  note(fresh.log != old.log, "[log]");
  note(fresh.admin != old.admin, "[admin]");
  note(fresh.dkim.workers != old.dkim.workers, "[dkim] workers");
  note(fresh.replies.table != old.replies.table, "[replies] table");
  note(fresh.quarantine.enabled != old.quarantine.enabled, "[quarantine] enabled");
  note(fresh.quarantine.path != old.quarantine.path, "[quarantine] path");
  note(fresh.returns.path != old.returns.path, "[returns] path");
  note(fresh.returns.watch != old.returns.watch, "[returns] watch");
  note(fresh.returns.mailboxes != old.returns.mailboxes, "[[return_mailbox]]");
  // The desk is opened at the start, or not.
  note(fresh.returns.wanted() != old.returns.wanted(), "[returns]");
  return changed;
}

}  // namespace relay
