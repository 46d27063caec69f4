// The name of a set of counters as text: "T|RULE|SITE|SOURCE|ADDRESS", with "S" for a standing and "*" for
// what is counted together. A receiver counts an address of its own whatever leads there: the counters of an
// address (scope = "path") are those of all sites that have it, and the counters of a host are those of the
// site that is this host alone (host_names()). A part may hold any characters: '%', '|', '*' and control
// characters stand as %XX, so that no two names have the same text.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mx/rules/path_limits.h"

namespace mx {

struct CounterNames {
  std::string rule;    // "" : no rule
  std::string site;    // of the path; ignored when the limits say one_site
  std::string source;  // name
};

// What counters are asked for: all that was counted there, under whatever rule and scope, belongs to them.
struct Whereabouts {
  std::string site;
  std::vector<std::string> sources;    // more than one when they are counted together
  std::vector<std::string> addresses;  // that lead there, as far as they are known
};
// The ends of the names, "|SITE|SOURCE|ADDRESS", under which that may be found.
std::vector<std::string> places_of(const Whereabouts& where);

// Of one of the hosts of a site, "mx.example" or "mx.example:2525".
CounterNames host_names(const CounterNames& names, const std::string& host);

std::string traffic_key(const CounterNames& names, std::string_view address, const PathLimits& limits);
std::string standing_key(const CounterNames& names, const PathLimits& limits);

// The parts of a key, for people: "*" is what is counted together. False: it is none.
struct CounterKey {
  char kind = 'T';
  CounterNames names;
  std::string address;
};
bool parse_key(std::string_view key, CounterKey* out);

}  // namespace mx
