// A raw DNS response (RFC 1035 §4) into a DnsAnswer. Hostile input: every read is bounded, compression loops
// end.
#pragma once

#include <string_view>

#include "mx/dns/resolver.h"

namespace mx {

// Follows CNAMEs inside the answer for `name`. Malformed bytes give kFailed with the reason in `detail`, and
// so does an error code, with what it mostly means. `server` gave the answer, for people ("": not known).
DnsAnswer parse_dns_answer(std::string_view raw, std::string_view name, RecordType type,
                           std::string_view server = {});

}  // namespace mx
