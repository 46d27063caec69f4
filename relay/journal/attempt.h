// What is known about one attempt besides its outcomes: for the log and the reports.
#pragma once

#include <memory>
#include <string>

#include "conf/config.h"
#include "conf/vocab/event.h"

namespace relay {

struct AttemptFacts {
  conf::SettingsPtr settings;  // what holds for the delivery
  std::string site;
  std::string mx_host;
  std::string mx_address;  // "192.0.2.1:25"
  std::string source;
  std::string mx_rule;  // of the path; "": none matches
  std::string tls;
  conf::StageDelays delays;
  std::shared_ptr<const conf::AddressNotice> notice;  // the recipient may not be written to
};

}  // namespace relay
