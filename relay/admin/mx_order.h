// What is meant by an order or a question about limits - a recipient domain, a rule or a site - and the order
// itself, as it comes in the body of a POST. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "conf/vocab/result.h"
#include "relay/admin/mx_view.h"

namespace relay::admin {

// The domain, in its canonical form, of an address or of a domain alone. kInvalid says what is wrong with it.
conf::Result<std::string> domain_of(std::string_view address_or_domain);

// One of "domain" (an address will do), "rule", "site", "stream", and "source" into `target`. kInvalid names
// the key, or the keys that exist.
conf::Status set_target(std::string_view key, std::string_view value, MxOrder* target);
// kInvalid unless exactly one of domain, rule, site and stream, or all, or only a source is set.
conf::Status check_target(const MxOrder& target);

// {"domain": "example.net"} or {"rule": "gmail"} or {"site": "*.example.net"}, each with "source": "name";
// or {"stream": "news"}; to block also "for": "3h" and "why": "...".
conf::Result<MxOrder> parse_mx_order(MxAction action, std::string_view json);

// "mail to example.net from news", "rule gmail".
std::string target_text(const MxOrder& target);

}  // namespace relay::admin
