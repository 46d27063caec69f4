#include "relay/admin/queue_filter.h"

#include <algorithm>

#include "conf/config_parser.h"
#include "conf/vocab/address.h"
#include "conf/vocab/ascii.h"

namespace relay::admin {
namespace {

bool contains_any_case(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) { return conf::ascii_lower(a) == conf::ascii_lower(b); };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

bool is_of_domain(const QueueFilter& filter, const std::string& domain) {
  return filter.domain.empty() || conf::domain_matches(filter.domain, domain);
}

bool waits_so(const QueueFilter& filter, conf::MessageId id, const spool::RecipientRecord& recipient,
              const Lookups& lookups) {
  return filter.reason.empty() || has_reason(filter, recipient.last_reply) ||
         has_reason(filter, recipient.enhanced_status) ||
         (lookups.waits_so && lookups.waits_so(id, recipient.recipient.mailbox.domain.text()));
}

bool message_matches(const QueueFilter& filter, const spool::MessageRecord& record, conf::WallTime now) {
  const conf::Duration age = now - record.accepted_at;
  return !(filter.older_than && age < *filter.older_than) &&
         !(filter.younger_than && age >= *filter.younger_than) &&
         !(filter.up_to && record.id > *filter.up_to) &&
         (filter.stream.empty() ||
          (!record.stream.empty() && conf::domain_matches(filter.stream, record.stream))) &&
         (filter.sender.empty() || conf::sender_matches(filter.sender, record.envelope.reverse_path));
}

template <typename Meant>
Match match_recipients(const spool::MessageRecord& record, const Meant& meant) {
  bool some = false;
  bool all = true;
  for (const spool::RecipientRecord& recipient : record.recipients) {
    if (recipient.state != spool::RecipientState::kPending) continue;
    const bool is_meant = meant(recipient);
    some = some || is_meant;
    all = all && is_meant;
  }
  if (!some) return Match::kNone;
  return all ? Match::kAll : Match::kSome;
}

}  // namespace

bool site_matches(const std::string& mask, std::string_view site) {
  if (conf::domain_matches(mask, site)) return true;
  while (!site.empty()) {
    const size_t end = std::min(site.find_first_of(",; +"), site.size());
    const std::string_view host = site.substr(0, end);
    const size_t colon = host.find(':') == host.rfind(':') ? host.find(':') : std::string_view::npos;
    if (end != 0 && (conf::domain_matches(mask, host) || conf::domain_matches(mask, host.substr(0, colon))))
      return true;
    site.remove_prefix(std::min(end + 1, site.size()));
  }
  return false;
}

conf::Status QueueFilter::set(std::string_view key, std::string_view value) {
  const auto bad = [&](const std::string& what) {
    return conf::Status(conf::Error{conf::ErrorCode::kInvalid, std::string(key) + ": " + what});
  };
  if (value.empty()) return bad("the value is empty; leave the filter out instead");
  if (key == "older_than" || key == "younger_than") {
    const conf::Result<conf::Duration> duration = conf::parse_duration(value);
    if (!duration.ok()) return bad(duration.error().detail);
    (key == "older_than" ? older_than : younger_than) = duration.value();
    return conf::success();
  }
  if (key == "up_to") {
    const conf::Result<conf::MessageId> id = conf::parse_message_id(value);
    if (!id.ok()) return bad(id.error().detail);
    up_to = id.value();
    return conf::success();
  }
  std::string* text = key == "sender"   ? &sender
                      : key == "domain" ? &domain
                      : key == "site"   ? &site
                      : key == "stream" ? &stream
                      : key == "reason" ? &reason
                                        : nullptr;
  if (text == nullptr) {
    return bad(
        "no such filter; there are sender, stream, domain, site, reason, older_than, younger_than, up_to");
  }
  *text = value;
  return conf::success();
}

bool has_reason(const QueueFilter& filter, std::string_view text) {
  return contains_any_case(text, filter.reason);
}

Match match(const QueueFilter& filter, const spool::MessageRecord& record, conf::WallTime now,
            const Lookups& lookups) {
  if (!message_matches(filter, record, now)) return Match::kNone;
  if (!filter.selects_recipients()) return Match::kAll;
  return match_recipients(record, [&](const spool::RecipientRecord& recipient) {
    const std::string& domain = recipient.recipient.mailbox.domain.text();
    if (!is_of_domain(filter, domain) || !waits_so(filter, record.id, recipient, lookups)) return false;
    if (filter.site.empty()) return true;
    // Not routed since the start, or the reload: the host that answered last says where it belongs. A domain
    // that was never routed is its own site (see SiteSummary).
    const std::string site = lookups.site(domain);
    if (!site.empty()) return site_matches(filter.site, site);
    return site_matches(filter.site, recipient.mx_host) || conf::domain_matches(filter.site, domain);
  });
}

bool may_match(const QueueFilter& filter, const spool::MessageRecord& record, conf::WallTime now) {
  QueueFilter plain = filter;
  plain.site.clear();
  plain.reason.clear();
  return match(plain, record, now, {}) != Match::kNone;
}

}  // namespace relay::admin
