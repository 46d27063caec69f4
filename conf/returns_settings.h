// Mail that comes back: [returns] and [[return_path]]. docs/returns.md explains them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/return_mailbox.h"
#include "conf/vocab/address.h"
#include "conf/vocab/time.h"

namespace conf {

// What the reverse-path of a message tells apart, and so how much mail can share one transaction: kMessage
// and kDomain cost no transaction more than kOff, for the domains of a message are sent to one by one anyway;
// kRecipient costs one for each recipient.
enum class VerpGrade : uint8_t { kOff, kMessage, kDomain, kRecipient };
const char* to_text(VerpGrade grade);  // "off", "message", "domain", "recipient"

// What a report may do that brings no token back but is about a message that was sent lately: by the
// Message-ID that it returns, or by its recipient.
enum class UnsignedReports : uint8_t {
  kOff,    // nothing: it is unmatched
  kShow,   // it goes to the log with its message, and never counts against anybody
  kCount,  // as kShow, and of mail that went out without a token it counts
};

struct ReturnPathSettings {                // [[return_path]]: the first one with the sender's domain holds
  std::vector<std::string> senders;        // senders: masks of domains of the reverse-path; empty: all
  std::string domain;                      // domain: what mail comes back to
  std::string prefix = "bounces";          // prefix: of the local part, "bounces+TOKEN"
  VerpGrade verp = VerpGrade::kRecipient;  // verp = "recipient" | "domain" | "message" | "off"
};

struct ReturnsSettings {              // [returns]
  std::string keys;                   // keys: file of the keys that sign; needed by [[return_path]]
  Duration life = 168h;               // life: how long after sending a report counts
  std::string header;                 // header: field that carries the token too; empty: none
  bool message_id = false;            // message_id: a Message-ID that the relay adds is a token, too
  std::vector<std::string> feedback;  // feedback: addresses that complaints are sent to
  std::string path = "/var/lib/penstock/returns";  // path: Maildir where mail lies until it is read
  std::vector<std::string> watch;                  // watch: further Maildirs that are read
  std::string
      unmatched;        // unmatched: Maildir of mail that could not be matched; empty: .Unmatched in its own
  Duration poll = 10s;  // poll: how often those are looked at
  Duration keep{0};     // keep: how long mail that was read stays; 0: not at all
  uint32_t queue = 10'000;                                     // queue: mails that wait to be read, then 452
  UnsignedReports unsigned_reports = UnsignedReports::kCount;  // unsigned_reports = "off" | "show" | "count"
  uint32_t remembered = 5'000'000;  // remembered: recipients sent to, for reports without a token
  bool remember_signed = false;     // remember_signed: match also reports that lost the token of their mail
  bool count_late = false;          // count_late: bounces that came back count for sites and thresholds, too
  std::vector<ReturnPathSettings> paths;
  std::vector<ReturnMailbox> mailboxes;

  bool wanted() const { return !paths.empty() || !feedback.empty() || !watch.empty() || !mailboxes.empty(); }
  // The one for mail of this sender; null: it keeps its own reverse-path.
  const ReturnPathSettings* path_for(const Mailbox& reverse_path) const;
  // Whether a listener for returned mail takes the recipient: "PREFIX+...", "PREFIX" or the postmaster at a
  // return domain, or one of `feedback`. Whether the token is good is not asked here: mail with a bad one is
  // kept and shown.
  bool takes(const Mailbox& recipient) const;
};

}  // namespace conf
