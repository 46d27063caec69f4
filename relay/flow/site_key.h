// How a site is named in the table and among the counters: its hosts, and the destination whose settings hold
// there. Names of hosts come from the DNS and may hold any character, the bar between the two as well.
#pragma once

#include <string>
#include <string_view>

namespace relay::queue {

// "mx1.example,mx2.example|bulk"; nothing after the bar: the defaults hold. No two pairs have the same key.
inline std::string site_key(std::string_view label, std::string_view destination) {
  std::string key(label);
  key.push_back('|');
  for (const char c : destination) {
    if (c == '|' || c == '%') {
      key += c == '|' ? "%7C" : "%25";
    } else {
      key.push_back(c);
    }
  }
  return key;
}

// The hosts in a key.
inline std::string_view label_of(std::string_view site_key) {
  return site_key.substr(0, site_key.rfind('|'));
}

}  // namespace relay::queue
