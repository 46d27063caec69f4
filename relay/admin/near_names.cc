#include "relay/admin/near_names.h"

#include <set>
#include <vector>

#include "conf/vocab/spelling.h"

namespace relay::admin {

namespace {

constexpr size_t kMostNames = 5000;

bool is_name(const std::string& mask) {
  return !mask.empty() && mask.find_first_of("*?<") == std::string::npos;
}

std::string slip(const char* what, const std::string& given, const std::set<std::string>& there) {
  if (!is_name(given) || there.contains(given)) return "";
  const std::string near = conf::nearest(given, {there.begin(), there.end()});
  return std::string("no mail is queued ") + what + " \"" + given + '"' +
         (near.empty() ? "" : "; did you mean \"" + near + "\"?");
}

}  // namespace

std::string slip_in(const QueueFilter& filter, spool::Spool* spool) {
  if (!is_name(filter.domain) && !is_name(filter.sender) && !is_name(filter.stream)) return "";
  const bool whole = filter.sender.find('@') != std::string::npos;
  std::set<std::string> domains, senders, streams;
  const conf::Status scanned = spool->scan([&](const spool::MessageRecord& record) {
    const conf::Mailbox& sender = record.envelope.reverse_path;
    if (!sender.is_null()) senders.insert(whole ? sender.text() : sender.domain.text());
    if (!record.stream.empty()) streams.insert(record.stream);
    for (const spool::RecipientRecord& recipient : record.recipients) {
      if (recipient.state == spool::RecipientState::kPending)
        domains.insert(recipient.recipient.mailbox.domain.text());
    }
    return domains.size() < kMostNames && senders.size() < kMostNames;
  });
  if (!scanned.ok()) return "";
  const std::string of_domain = slip("for", filter.domain, domains);
  if (!of_domain.empty()) return of_domain;
  const std::string of_stream = slip("of the stream", filter.stream, streams);
  return of_stream.empty() ? slip("from", filter.sender, senders) : of_stream;
}

}  // namespace relay::admin
