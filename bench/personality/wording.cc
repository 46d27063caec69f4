#include "bench/personality/wording.h"

#include <array>

namespace bench {
namespace {

using Texts = std::array<const char*, kLimits + 1>;  // in the order of Limit; {source} is filled in

constexpr Texts kPlain = {"421 4.7.0 Too many connections from {source}",
                          "421 4.7.0 Too many connections in a short time from {source}",
                          "421 4.7.0 Too many messages in this connection",
                          "450 4.7.1 Rate limit exceeded for {source}",
                          "452 4.5.3 Too many recipients",
                          "450 4.2.0 Greylisted, please try again later"};
constexpr Texts kGoogle = {
    "421 4.7.0 Too many concurrent SMTP connections from this IP address, please try again later.",
    "421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP "
    "address.",
    "421 4.7.0 Try again later, closing connection.",
    "421 4.7.28 [{source}] Our system has detected an unusual rate of unsolicited mail originating from your "
    "IP address. To protect our users from spam, mail sent from your IP address has been temporarily rate "
    "limited.",
    "452 4.5.3 Your message has too many recipients.",
    "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional "
    "messages from being delivered."};
constexpr Texts kMicrosoft = {
    "421 RP-003 (SNT004) Unfortunately, some messages from {source} weren't sent. Too many concurrent "
    "connections.",
    "421 RP-002 (SNT004) Unfortunately, some messages from {source} weren't sent. The connection rate limit "
    "is exceeded.",
    "421 4.4.1 Too many messages for this session",
    "451 4.7.650 The mail server [{source}] has been temporarily rate limited due to IP reputation. For "
    "e-mail "
    "delivery information, see https://postmaster.live.com (S775)",
    "452 4.5.3 Too many recipients (AS780090)",
    "451 4.7.500 Server busy. Please try again later from [{source}]. (AS77712)"};
constexpr Texts kYahoo = {
    "421 4.7.0 [TSS04] Messages from {source} temporarily deferred due to unexpected volume or user "
    "complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes",
    "421 4.7.0 [TSS04] Connections from {source} temporarily deferred due to unexpected volume; see "
    "https://postmaster.yahooinc.com/error-codes",
    "421 Max message per connection reached, closing transmission channel",
    "421 4.7.0 [TSS04] Messages from {source} temporarily deferred due to unexpected volume or user "
    "complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes",
    "452 4.5.3 Too many recipients",
    "451 4.7.1 Resources temporarily unavailable. Please try again later"};
constexpr Texts kOrange = {
    "421 mwinf5c04 ME Trop de connexions, veuillez verifier votre configuration. "
    "Too many connections, slow down. OFR004_104 [104]",
    "421 mwinf5c04 ME Trop de connexions, veuillez verifier votre configuration. "
    "Too many connections, slow down. OFR005_105 [105]",
    "421 mwinf5c04 ME Trop de messages dans cette connexion. Too many messages. OFR_109",
    "451 mwinf5c04 ME Service refuse, veuillez essayer plus tard. Service refused, "
    "please try later. OFR_999 [999]",
    "452 4.5.3 mwinf5c04 ME Trop de destinataires. Too many recipients. OFR_416",
    "450 mwinf5c04 ME Greylisting actif, veuillez essayer plus tard. OFR_110"};
// smtpd of Postfix with anvil, and postgrey.
constexpr Texts kPostfix = {
    "421 4.7.0 {host} Error: too many connections from {source}",
    "421 4.7.0 {host} Error: too many connections from {source}",
    "421 4.7.0 {host} Error: too many messages in this session",
    "450 4.7.1 Error: too much mail from {source}",
    "452 4.5.3 Error: too many recipients",
    "450 4.2.0 Recipient address rejected: Greylisted, see https://postgrey.schweikert.ch/"};
constexpr Texts kExim = {
    "421 Too many concurrent SMTP connections from this IP address; please try again later.",
    "421 {host}: Too many concurrent SMTP connections; please try again later.",
    "421 too many messages in this connection",
    "450 Sending rate limit exceeded for {source}, please try again later",
    "452 too many recipients",
    "451 Temporarily deferred: greylisted, please try again later"};

struct Named {
  const char* name;
  const Texts* texts;
};
constexpr std::array<Named, 7> kAll = {{{"plain", &kPlain},
                                        {"google", &kGoogle},
                                        {"microsoft", &kMicrosoft},
                                        {"yahoo", &kYahoo},
                                        {"orange", &kOrange},
                                        {"postfix", &kPostfix},
                                        {"exim", &kExim}}};

}  // namespace

const std::vector<const char*>& wording_names() {
  static const std::vector<const char*> names = [] {
    std::vector<const char*> all;
    for (const Named& named : kAll) all.push_back(named.name);
    return all;
  }();
  return names;
}

std::string limit_reply(const std::string& wording, Limit limit, std::string_view source,
                        std::string_view host) {
  const Texts* texts = &kPlain;
  for (const Named& named : kAll)
    if (wording == named.name) texts = named.texts;
  std::string reply = (*texts)[static_cast<size_t>(limit)];
  fill_in(&reply, "{source}", source);
  fill_in(&reply, "{host}", host);
  return reply;
}

void fill_in(std::string* text, std::string_view name, std::string_view value) {
  const size_t at = text->find(name);
  if (at != std::string::npos) text->replace(at, name.size(), value);
}

}  // namespace bench
