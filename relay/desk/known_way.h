// Where the mail of a domain goes, as far as that is known: by its present route, or by the host that it went
// to last, before a restart or while DNS fails. Loop thread.
#pragma once

#include <string>

#include "relay/queue/domain_table.h"
#include "relay/walk/transit.h"

namespace relay {

struct KnownWay {
  std::string site;   // "": not known
  std::string rules;  // that may hold there, by rank: "google, own"; "": none, or not known
};
KnownWay known_way(Transit* transit, const queue::DomainEntry& domain);

}  // namespace relay
