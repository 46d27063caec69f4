// What the generator was asked to do.
#pragma once

#include <cstdint>
#include <string>

namespace bench::load {

enum class TlsMode : uint8_t { kNone, kStarttls, kImplicit };
enum class AuthMechanism : uint8_t { kPlain, kLogin };

struct LoadOptions {
  std::string to;
  uint64_t messages = 0;    // 0: 1000, or without end when there is a duration
  uint32_t duration_s = 0;  // no new message after so long; 0: no limit
  uint32_t connections = 10;
  uint32_t threads = 1;
  std::string size = "10000";    // see sizes.h
  std::string domains = "10";    // a count, or a comma list
  std::string domain_list_path;  // instead: a file of domains and weights
  double zipf = 0;               // exponent; 0: all domains alike
  uint32_t recipients = 1;       // of a message, all in one domain
  uint32_t per_connection = 0;   // messages on a connection before QUIT; 0: no limit
  std::string from = "load@sender.test";
  std::string hello = "load.test";
  std::string template_path;
  std::string prefix;  // of the X-Load-Id; empty: made from the clock and the process
  std::string ids_path;
  bool id_times = false;
  double rate = 0;  // messages a second; 0: as fast as the relay takes them
  bool poisson = false;
  uint32_t patience_s = 30;  // without an answer to any message for so long: give up
  uint32_t connect_s = 5;    // no connection at all since the start for so long: give up
  uint64_t seed = 1;
  TlsMode tls = TlsMode::kNone;
  std::string tls_name;     // SNI, and the name to verify
  std::string tls_ca_path;  // empty: the certificate is not verified
  std::string user;
  std::string password;
  AuthMechanism auth = AuthMechanism::kPlain;
  bool pipelining = true;
  bool chunking = false;
  bool progress = false;
  bool json = false;
  std::string json_path;
  std::string html_path;

  // How many messages there will be at most.
  uint64_t planned() const {
    if (messages > 0) return messages;
    return duration_s > 0 ? UINT64_MAX : 1000;
  }
};

}  // namespace bench::load
