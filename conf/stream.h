// Which of our sources a message leaves from, by what is known of it when it comes in: [[stream]].
#pragma once

#include <string>
#include <vector>

#include "conf/vocab/source_set.h"

namespace conf {

struct Stream {                        // [[stream]]: the first whose every key that is given matches
  std::string name;                    // name: it stands in the log, and with the message in the spool
  std::vector<std::string> senders;    // senders: see sender_matches(); empty: all
  std::vector<std::string> users;      // users: that logged in; empty: all, and who did not log in
  std::vector<std::string> listeners;  // listeners: names; empty: all
  std::string header_name;             // header = "X-Stream: news"; empty: all
  std::string header_value;            // a mask, any case
  SourceSet sources;                   // sources = "1-5, 7, 9-": identifiers of sources
  std::string sources_text;            // as written
  int line = 0;
  int sources_line = 0, sources_column = 1;
};

}  // namespace conf
