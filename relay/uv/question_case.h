// "0x20": the letters of a question in random case, which an honest name server sends back as they came. One
// more secret beside the id and the port (draft-vixie-dnsext-dns0x20, RFC 5452 §9). Pure but for chance.
#pragma once

#include <string>
#include <string_view>

namespace relay::uv {

std::string with_random_case(const std::string& name);

// kNone: no question that could be compared, e.g. one whose name is a compression pointer (RFC 1035 §4.1.4),
// which c-ares follows and no honest server writes there.
enum class Echo { kSame, kOtherCase, kNone };
// How the question of the answer `raw` (RFC 1035 §4) compares to the name that was asked.
Echo echo_of(std::string_view raw, std::string_view asked);

}  // namespace relay::uv
