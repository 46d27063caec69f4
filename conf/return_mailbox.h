// A mailbox on another server that is polled for mail that came back: [[return_mailbox]].
#pragma once

#include <cstdint>
#include <string>

#include "conf/vocab/result.h"
#include "conf/vocab/time.h"

namespace conf {

enum class MailboxProtocol : uint8_t { kPop3, kImap };  // RFC 1939, RFC 3501

// Where a mailbox is: "pop3s://mail.example.com", "imap://mail.example.com:1143/Bounces".
struct MailboxPlace {
  MailboxProtocol protocol = MailboxProtocol::kPop3;
  bool implicit_tls = true;  // RFC 8314; without it TLS begins by STLS or STARTTLS (RFC 2595)
  std::string host;          // a name or an address; IPv6 in brackets
  uint16_t port = 995;
  std::string folder;  // of IMAP; "INBOX" when none is named; UTF-8 is not encoded for the wire
  // The error says what is wrong with it.
  static Result<MailboxPlace> parse(const std::string& url);
  std::string text() const;  // in full, with the port
  bool operator==(const MailboxPlace&) const = default;
};

struct ReturnMailbox {                // [[return_mailbox]]
  MailboxPlace place;                 // url
  std::string login;                  // login: the name of a [[login]]
  Duration poll = 5min;               // poll: from the end of a session to the next one
  uint32_t batch = 200;               // batch: mails of a session
  bool remove = true;                 // after = "delete" | "keep"
  bool tls = true;                    // tls = "required" | "off"
  bool tls_verify = true;             // tls_verify
  Duration timeout = 1min;            // timeout: without progress
  uint64_t most_octets = 32'000'000;  // max_size: a larger mail is left where it is
  int line = 1, column = 1;           // of the section
  bool operator==(const ReturnMailbox&) const = default;
};

}  // namespace conf
