#include "relay/admin/queue_search.h"

#include <set>
#include <string>
#include <unordered_map>

namespace relay::admin {

conf::Result<std::vector<std::vector<DeliveryView>>> QueueSearch::deliveries_of(
    const std::vector<conf::MessageId>& ids) {
  using Views = std::vector<DeliveryView>;
  std::vector<Views> all;
  const conf::Status asked = ask_in_turns<Views, conf::MessageId>(
      ids, [](Backend* backend, const conf::MessageId& id) { return backend->deliveries_of(id); }, &all);
  if (!asked.ok()) return asked.error();
  return all;
}

conf::Result<Lookups> QueueSearch::lookups_for(const QueueFilter& filter, conf::WallTime now) {
  Lookups lookups;
  if (!filter.site.empty())
    if (const conf::Status found = find_sites(filter, now, &lookups); !found.ok()) return found.error();
  if (!filter.reason.empty())
    if (const conf::Status found = find_reasons(filter, now, &lookups); !found.ok()) return found.error();
  return lookups;
}

// The loop knows which site a domain rolled up to; it is asked once per domain, before the scan that needs
// it.
conf::Status QueueSearch::find_sites(const QueueFilter& filter, conf::WallTime now, Lookups* lookups) {
  std::set<std::string> domains;
  const conf::Status scanned = spool_->scan([&](const spool::MessageRecord& record) {
    if (!may_match(filter, record, now)) return true;
    for (const spool::RecipientRecord& recipient : record.recipients) {
      if (recipient.state == spool::RecipientState::kPending)
        domains.insert(recipient.recipient.mailbox.domain.text());
    }
    return true;
  });
  if (!scanned.ok()) return scanned.error();
  const std::vector<std::string> all(domains.begin(), domains.end());
  std::vector<std::string> sites;
  const conf::Status asked = ask_in_turns<std::string, std::string>(
      all, [](Backend* backend, const std::string& domain) { return backend->site_of(domain); }, &sites);
  if (!asked.ok()) return asked.error();
  auto table = std::make_shared<std::unordered_map<std::string, std::string>>();
  for (size_t i = 0; i < all.size(); ++i) (*table)[all[i]] = std::move(sites[i]);
  lookups->site = [table](const std::string& domain) {
    const auto found = table->find(domain);
    return found == table->end() ? std::string() : found->second;
  };
  return conf::success();
}

// The same for why the mail waits: of each message that is meant but for that, as `queue show` prints it.
// What is meant by its last reply already needs no question.
conf::Status QueueSearch::find_reasons(const QueueFilter& filter, conf::WallTime now, Lookups* lookups) {
  std::vector<conf::MessageId> ids;
  const conf::Status scanned = spool_->scan([&](const spool::MessageRecord& record) {
    if (may_match(filter, record, now) && match(filter, record, now, *lookups) != Match::kAll)
      ids.push_back(record.id);
    return true;
  });
  if (!scanned.ok()) return scanned.error();
  using Domains = std::vector<std::string>;  // of a message: those that wait for this reason
  std::vector<Domains> found;
  const conf::Status asked = ask_in_turns<Domains, conf::MessageId>(
      ids,
      [filter](Backend* backend, const conf::MessageId& id) {
        Domains so;
        for (DeliveryView& view : backend->deliveries_of(id))
          if (has_reason(filter, view.reason)) so.push_back(std::move(view.domain));
        return so;
      },
      &found);
  if (!asked.ok()) return asked.error();
  auto table = std::make_shared<std::unordered_map<conf::MessageId, Domains>>();
  for (size_t i = 0; i < ids.size(); ++i)
    if (!found[i].empty()) (*table)[ids[i]] = std::move(found[i]);
  lookups->waits_so = [table](conf::MessageId id, const std::string& domain) {
    const auto domains = table->find(id);
    return domains != table->end() && std::ranges::find(domains->second, domain) != domains->second.end();
  };
  return conf::success();
}

conf::Result<QueueSearch::Selection> QueueSearch::select(const QueueFilter& filter, bool whole_messages) {
  const conf::WallTime now = backend_->clock().wall();
  conf::Result<Lookups> lookups = lookups_for(filter, now);
  if (!lookups.ok()) return lookups.error();
  Selection selection;
  const conf::Status scanned = spool_->scan([&](const spool::MessageRecord& record) {
    const Match found = match(filter, record, now, lookups.value());
    if (found == Match::kSome && whole_messages) {
      ++selection.partly;
    } else if (found != Match::kNone) {
      selection.ids.push_back(record.id);
    }
    return true;
  });
  if (!scanned.ok()) return scanned.error();
  return selection;
}

}  // namespace relay::admin
