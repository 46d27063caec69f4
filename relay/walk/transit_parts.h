// What a Transit is made of and works with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bounce/qualifier.h"
#include "conf/config.h"
#include "conf/vocab/random.h"
#include "conf/vocab/time.h"
#include "dkim/sign_queue.h"
#include "mx/dns/resolver.h"
#include "mx/rules/rule_book.h"
#include "relay/journal/journal.h"
#include "relay/net/secrets.h"
#include "relay/net/transport.h"
#include "relay/spool/spool.h"
#include "relay/walk/envelope.h"
#include "relay/walk/mail_converter.h"
#include "relay/walk/veto.h"
#include "relay/walk/witness.h"

namespace relay {

struct TransitParts {
  conf::ConfigPtr config;
  mx::RuleBookPtr book;  // null: no rules
  spool::Spool* spool = nullptr;
  journal::Journal* journal = nullptr;
  mx::Resolver* resolver = nullptr;
  Network* network = nullptr;
  Secrets* secrets = nullptr;  // null: nobody logs in
  const conf::Clock* clock = nullptr;
  conf::Random* random = nullptr;
  std::shared_ptr<const bounce::Qualifier> qualifier = bounce::Qualifier::shipped();
  Veto* veto = nullptr;                       // null: nobody says no
  Witness* witness = nullptr;                 // null: every answer is believed
  const ReturnPaths* return_paths = nullptr;  // null: mail goes out with the reverse-path it came with
  dkim::SignQueue* signer = nullptr;          // null: nothing is signed
  MailConverter* converter = nullptr;         // null: mail goes out as it came
  std::vector<std::string> own_addresses;     // see mx::RouterOptions
  std::string boot;                           // see spool::RelayClock
};

}  // namespace relay
