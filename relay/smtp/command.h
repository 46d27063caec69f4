// One SMTP command line as a typed value (RFC 5321 §4.1.1 and its extensions). Pure; no state of the session
// is known here, so "is it allowed now" is asked elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "conf/vocab/envelope.h"

namespace relay::smtp {

enum class Verb : uint8_t {
  kHelo,
  kEhlo,
  kMail,
  kRcpt,
  kData,
  kBdat,
  kRset,
  kNoop,
  kQuit,
  kVrfy,
  kExpn,
  kHelp,
  kStartTls,
  kAuth,
  kForeign,  // another protocol's: GET, POST, ... A browser is being abused; the session must end
  kUnknown,
};

struct Command {
  Verb verb = Verb::kUnknown;
  // Not empty: the whole reply line, without CRLF, that refuses this command. Then only `verb` counts.
  std::string error;

  std::string argument;  // HELO, EHLO: the client's name. VRFY: the text. AUTH: the mechanism in upper case
  bool has_initial = false;                     // AUTH: an initial response was given
  std::string initial;                          // AUTH: that response, still base64
  bool has_parameters = false;                  // MAIL, RCPT: ESMTP parameters were given
  conf::Mailbox reverse_path;                   // MAIL
  uint64_t size_octets = 0;                     // MAIL SIZE (RFC 1870); 0: not declared
  conf::BodyType body = conf::BodyType::k7Bit;  // MAIL BODY (RFC 6152)
  bool smtputf8 = false;                        // MAIL SMTPUTF8 (RFC 6531)
  conf::Ret ret = conf::Ret::kUnset;            // MAIL RET (RFC 3461 §4.3)
  std::string envid;                            // MAIL ENVID, decoded (RFC 3461 §4.4)
  conf::Recipient recipient;                    // RCPT, with NOTIFY and ORCPT (RFC 3461 §4.1, §4.2)
  uint64_t chunk_octets = 0;                    // BDAT (RFC 3030)
  bool chunk_last = false;                      // BDAT
};

// What is taken beside the standard; each from a client that needs it.
struct Leniency {
  // EHLO and HELO of phones and printers: "My Phone", "(none)"; `argument` is made harmless.
  bool names = false;
  bool addresses = false;     // without angle brackets, "a..b@x", a sender without a domain, lower-case xtext
  std::string_view hostname;  // completes a sender without a domain; empty: refused
};

// `line` has no line end. O(line).
Command parse_command(std::string_view line, const Leniency& leniency = {});

}  // namespace relay::smtp
