// The key record in DNS, RFC 6376 §3.6.1: "selector._domainkey.domain TXT v=DKIM1; k=...; p=...".
#pragma once

#include <string>
#include <string_view>

#include "conf/vocab/result.h"
#include "dkim/private_key.h"

namespace dkim {

std::string record_name(std::string_view selector, std::string_view domain);
std::string record_text(const PrivateKey& key);
// A line of a zone file; the text is split into strings of at most 255 octets (RFC 1035 §3.3.14).
std::string zone_line(std::string_view selector, std::string_view domain, const PrivateKey& key);

// Whether a record that was found lets verifiers accept signatures by `key`. kInvalid says what differs:
// another key, another kind, revoked (empty p=), not a DKIM record, hash or service not allowed.
conf::Status compare_record(std::string_view text, const PrivateKey& key);

// "s1", "2024.mail": labels of letters, digits and hyphens (RFC 6376 §3.1).
bool valid_selector(std::string_view text);

}  // namespace dkim
