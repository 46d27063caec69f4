// How we speak with a server: which extensions, TLS and login. Keys of [defaults], [[destination]] and, some
// of them, of a [[rule]]; and [[login]], which they name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conf/vocab/time.h"

namespace conf {

// What happens to content with octets above 127 for a server that does not offer 8BITMIME.
enum class EightBit : uint8_t {
  kConvert,        // to quoted-printable or base64, and signed again; not what others signed
  kConvertSigned,  // ... what others signed too: their signatures break
  kSend,           // as it is, though RFC 6152 §3 forbids it
  kRefuse,         // 5.6.3
};

enum class TlsVersion : uint8_t { k12, k13 };

// When TLS begins.
enum class TlsStart : uint8_t {
  kByPort,    // at once on port 465 (RFC 8314 §3.3), else by STARTTLS
  kImplicit,  // at once
  kStartTls,  // by STARTTLS on any port
};

struct PeerSettings {
  // Used when they are offered.
  bool size = true;                         // size: RFC 1870
  bool eight_bit_mime = true;               // eight_bit_mime: RFC 6152
  bool smtputf8 = true;                     // smtputf8: RFC 6531
  bool dsn = true;                          // dsn: RFC 3461
  EightBit eight_bit = EightBit::kConvert;  // eight_bit = "convert" | "convert-signed" | "send" | "refuse"
  TlsStart tls_start = TlsStart::kByPort;   // implicit_tls = true | false
  TlsVersion tls_min = TlsVersion::k12;     // tls_min = "1.2" | "1.3"
  std::string login;                        // login: the name of a [[login]]; "": none
};

enum class LoginMechanism : uint8_t {
  kAny,      // PLAIN or LOGIN, as offered
  kPlain,    // RFC 4616
  kLogin,    // draft-murchison-sasl-login: base64 of both, one at a time
  kXoauth2,  // the secret is an access token
};

struct Login {                                      // [[login]]: how we identify ourselves to smart hosts
  std::string name;                                 // name
  std::string user;                                 // user; "": no AUTH, only the certificate
  LoginMechanism mechanism = LoginMechanism::kAny;  // mechanism = "any" | "plain" | "login" | "xoauth2"
  // One of these has the secret: the password, or the token.
  std::string file;                  // file: its first line
  std::string credential;            // credential: of systemd (LoadCredential=), by its name
  std::vector<std::string> command;  // command: a program and its arguments, which prints it
  Duration command_timeout = 30s;    // command_timeout
  Duration keep = 5min;              // keep: what the command printed is used for so long
  bool without_tls = false;          // without_tls: also where no TLS protects it
  std::string certificate, key;      // certificate, key: PEM files, shown to a server that asks
  int line = 0;
  bool operator==(const Login&) const = default;
};

}  // namespace conf
