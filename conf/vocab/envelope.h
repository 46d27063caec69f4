// The envelope of a message (RFC 5321 §2.3.1) with its DSN options (RFC 3461).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conf/vocab/address.h"
#include "conf/vocab/time.h"

namespace conf {

// Names a message for good: unique over restarts, rising with acceptance. Printed as 13 base-32 characters.
using MessageId = uint64_t;
std::string to_text(MessageId id);
Result<MessageId> parse_message_id(std::string_view text);

// RFC 3461 §4.1: NOTIFY. kDefault: the parameter was absent (treated as FAILURE for reports, §5.2.1 for
// passing on).
enum NotifyBits : uint8_t {
  kNotifyDefault = 0,
  kNotifyNever = 1,
  kNotifySuccess = 2,
  kNotifyFailure = 4,
  kNotifyDelay = 8
};

enum class Ret : uint8_t { kUnset, kFull, kHeaders };  // RFC 3461 §4.3
enum class BodyType : uint8_t { k7Bit, k8BitMime };    // RFC 6152

struct Recipient {
  Mailbox mailbox;
  uint8_t notify = kNotifyDefault;
  std::string orcpt;  // decoded from xtext as "addr-type;address"; empty when absent
};

struct Envelope {
  Mailbox reverse_path;  // null for reports
  Ret ret = Ret::kUnset;
  std::string envid;  // decoded from xtext
  BodyType body = BodyType::k7Bit;
  bool smtputf8 = false;
  std::vector<Recipient> recipients;
  // Where it came from, for the log and for Received.
  std::string listener;
  std::string client_address;
  std::string client_name;  // what it said in EHLO
  std::string authenticated_as;
  bool mandated = false;  // it carries the header field that lets mail past the quarantine
};

}  // namespace conf
