#include <strings.h>

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "conf/limits.h"
#include "relay/smtp/login_words.h"
#include "relay/smtp/server_state.h"

namespace relay::smtp {

namespace {

constexpr uint64_t kRecipientOctets = sizeof(conf::Recipient) + 96;  // with what the allocator adds

bool is_our_host(const conf::Domain& domain, const conf::Config& config) {
  auto ours = conf::Domain::parse(config.hostname);
  return ours.ok() && *ours == domain;
}

// RFC 5321 §4.5.1: "postmaster" alone is ours, and from a stranger, who may not relay, the one of our host
// too.
bool for_our_postmaster(const conf::Mailbox& mailbox, const conf::Config& config, bool stranger) {
  if (mailbox.domain.empty()) return true;
  return stranger && is_our_host(mailbox.domain, config) &&
         strcasecmp(mailbox.local.c_str(), "postmaster") == 0;
}

// Where the mail for our postmaster goes. This host has no mailboxes: what a stranger sends must have a place
// elsewhere, or it could only come back, to whomever he named as its sender.
std::optional<conf::Mailbox> postmaster_mailbox(const conf::Config& config, bool stranger) {
  const bool named = !config.postmaster.empty();
  auto mailbox = conf::Mailbox::parse(named ? config.postmaster : "postmaster@" + config.hostname, false);
  if (!mailbox.ok()) return std::nullopt;
  if (stranger && (!named || is_our_host(mailbox->domain, config))) return std::nullopt;
  return std::move(mailbox).value();
}

// Also of a command that is refused before anybody looks at the secret that came with it.
class WipedAtLast {
 public:
  explicit WipedAtLast(std::string* text) : text_(text) {}
  ~WipedAtLast() { wipe(text_); }
  WipedAtLast(const WipedAtLast&) = delete;
  WipedAtLast& operator=(const WipedAtLast&) = delete;

 private:
  std::string* text_;
};

}  // namespace

void ServerSession::State::command(std::string_view line, conf::Instant now) {
  Command command = parse_command(line, leniency());
  const WipedAtLast initial(&command.initial);
  if (command.verb == Verb::kForeign) {
    trouble(conf::DoorReason::kOtherProtocol);
    return close("421 4.7.0 this is SMTP, closing");
  }
  if (++idle_commands > conf::limits::kIdleCommands)
    return close("421 4.7.0 " + config.hostname + " too many commands and no mail, closing");
  if (command.verb == Verb::kBdat) return bdat(command, now);  // its octets follow even when it is refused
  if (command.verb == Verb::kUnknown || !out_of_sequence(command, now)) {
    if (!command.error.empty()) return reply_error(command.error, now);
    run(&command, now);
  }
  if (command.verb == Verb::kMail) transaction_refused = phase == Phase::kReady;
  if (phase != Phase::kClosed && !waits(phase)) arm(now);
}

// Phones log in, but say EHLO before: where one can log in, their names are taken from everybody.
Leniency ServerSession::State::leniency() const {
  Leniency given;
  const bool by_client = listener.tolerance == conf::Tolerance::kByClient;
  given.addresses = listener.tolerance == conf::Tolerance::kTolerant ||
                    (by_client && (loopback || !authenticated_as.empty()));
  given.names = given.addresses || (by_client && listener.auth);
  given.hostname = config.hostname;
  return given;
}

bool ServerSession::State::out_of_sequence(const Command& command, conf::Instant now) {
  const char* answer = nullptr;
  bool counts = true;  // a pipeline goes on after the refusal that was counted: RFC 2920 §3.1
  switch (command.verb) {
    case Verb::kMail:
      if (phase == Phase::kGreeted) answer = "503 5.5.1 say EHLO or HELO first";
      if (phase == Phase::kMail || phase == Phase::kRecipients)
        answer = "503 5.5.1 a transaction is open already";
      if (phase == Phase::kChunkGap) answer = "503 5.5.1 BDAT LAST or RSET is wanted";
      break;
    case Verb::kRcpt:
      if (phase == Phase::kGreeted || phase == Phase::kReady) answer = "503 5.5.1 MAIL is wanted first";
      counts = !transaction_refused;
      if (phase == Phase::kChunkGap) answer = "503 5.5.1 BDAT LAST or RSET is wanted";
      break;
    case Verb::kData:
      if (phase == Phase::kGreeted || phase == Phase::kReady)
        answer = "503 5.5.1 MAIL and RCPT are wanted first";
      if (phase == Phase::kMail) answer = "554 5.5.1 no valid recipients";
      counts = !transaction_refused && phase != Phase::kMail;
      if (phase == Phase::kChunkGap) answer = "503 5.5.1 DATA cannot follow BDAT";  // RFC 3030 §2
      break;
    case Verb::kStartTls:
      if (tls_active) {
        answer = "503 5.5.1 TLS is active already";
      } else if (!options.tls_available) {
        answer = "502 5.5.1 STARTTLS is not offered";
      }
      break;
    case Verb::kAuth:
      if (!listener.auth || config.users.empty()) {
        answer = "502 5.5.1 AUTH is not offered";
      } else if (!auth_offered()) {
        answer = "538 5.7.11 AUTH wants TLS first";  // RFC 4954 §6
        trouble(conf::DoorReason::kTlsWanted, "AUTH");
      } else if (!authenticated_as.empty()) {
        answer = "503 5.5.1 authenticated already";
      } else if (!esmtp) {  // RFC 4954 §3: an extension
        answer = "503 5.5.1 say EHLO first";
      } else if (phase != Phase::kReady) {
        answer = "503 5.5.1 not during a transaction";
      }
      break;
    default:
      break;
  }
  if (answer == nullptr) return false;
  counts ? reply_error(answer, now) : reply(answer);
  return true;
}

void ServerSession::State::run(Command* command, conf::Instant now) {
  switch (command->verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
      return hello(*command);
    case Verb::kMail:
      return mail(command, now);
    case Verb::kRcpt:
      return rcpt(command, now);
    case Verb::kData:
      return data(now);
    case Verb::kRset:
      if (phase != Phase::kGreeted) reset_transaction();
      return reply("250 2.0.0 reset");
    case Verb::kNoop:
      return reply("250 2.0.0 OK");
    case Verb::kQuit:
      return close("221 2.0.0 " + config.hostname + " goodbye");
    case Verb::kVrfy:  // RFC 5321 §3.5.3: no address is disclosed
      return reply("252 2.5.0 cannot verify; send some mail, it will be tried");
    case Verb::kExpn:
      return reply_error("502 5.5.1 EXPN is not offered", now);
    case Verb::kHelp:
      return reply("214 2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS AUTH QUIT");
    case Verb::kStartTls:
      return start_tls(now);
    case Verb::kAuth:
      return auth(*command, now);
    case Verb::kBdat:
    case Verb::kForeign:
    case Verb::kUnknown:
      return;
  }
}

void ServerSession::State::hello(const Command& command) {
  reset_transaction();
  esmtp = command.verb == Verb::kEhlo;
  client_name = command.argument;
  if (esmtp) {
    ehlo_reply();
  } else {
    reply("250 " + config.hostname);
  }
}

void ServerSession::State::ehlo_reply() {
  std::string text = "250-" + config.hostname + "\r\n250-PIPELINING\r\n" +
                     fmt::format("250-SIZE {}\r\n", listener.max_message_bytes) +
                     "250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n";
  if (options.tls_available && !tls_active) text += "250-STARTTLS\r\n";
  if (auth_offered() && authenticated_as.empty()) text += "250-AUTH PLAIN LOGIN\r\n";
  reply(text + "250 CHUNKING");
}

bool ServerSession::State::may_relay() const { return relay_network || !authenticated_as.empty(); }

void ServerSession::State::mail(Command* command, conf::Instant now) {
  std::string why;
  if (listener.require_tls && !tls_active) {
    trouble(conf::DoorReason::kTlsWanted, "MAIL");
    return reply_error("530 5.7.0 issue STARTTLS first", now);
  }
  if (listener.auth_required && authenticated_as.empty()) {
    trouble(conf::DoorReason::kLoginWanted, command->reverse_path.text());
    return reply_error("530 5.7.0 authentication required", now);
  }
  if (command->has_parameters && !esmtp) return reply_error("555 5.5.4 parameters want EHLO", now);
  if (listener.max_messages_per_connection != 0 && messages >= listener.max_messages_per_connection) {
    return close("421 4.7.0 " + config.hostname + " enough messages on this connection, open another");
  }
  if (command->size_octets > listener.max_message_bytes) {  // RFC 1870 §6.1
    trouble(conf::DoorReason::kMessageRefused, "552 5.3.4");
    return reply_error(fmt::format("552 5.3.4 message too big, the limit is {}", listener.max_message_bytes),
                       now);
  }
  if (options.gate != nullptr && !options.gate->accepting(&why)) {
    trouble(conf::DoorReason::kNotAccepting, why);
    return reply("452 4.3.1 " + (why.empty() ? std::string("no room at the moment") : why));
  }
  if (!user_may_send(command->reverse_path, now)) return;
  drop_envelope();
  envelope.reverse_path = std::move(command->reverse_path);
  if (may_relay()) {  // nobody writes to the sender of a stranger's mail, so there is nothing to say about
                      // how
    envelope.ret = command->ret;
    envelope.envid = std::move(command->envid);
  }
  envelope.body = command->body;
  envelope.smtputf8 = command->smtputf8;
  envelope.listener = listener.name;
  envelope.client_address = options.client_address;
  envelope.client_name = client_name;
  envelope.authenticated_as = authenticated_as;
  go(Phase::kMail);
  reply("250 2.1.0 sender OK");
}

// RFC 6409 §6.1. Who did not log in has no rights of his own, only those of his address.
bool ServerSession::State::user_may_send(const conf::Mailbox& sender, conf::Instant now) {
  const conf::User* user = authenticated_as.empty() ? nullptr : config.user(authenticated_as);
  if (user == nullptr) return true;
  const auto matches = [&sender](const std::string& mask) { return conf::sender_matches(mask, sender); };
  if (!user->senders.empty() && std::ranges::none_of(user->senders, matches)) {
    trouble(conf::DoorReason::kSenderDenied, user->name + " as <" + sender.text() + '>');
    reply_error("550 5.7.1 you may not send as this sender", now);
    return false;
  }
  if (options.gate == nullptr || user->messages_per_hour == 0) return true;
  const std::string refused = options.gate->over_quota(user->name);
  if (refused.empty()) return true;
  trouble(conf::DoorReason::kTooManyMessages, user->name);
  reply(refused);
  return false;
}

void ServerSession::State::rcpt(Command* command, conf::Instant now) {
  conf::Recipient& recipient = command->recipient;
  if (command->has_parameters && !esmtp) return reply_error("555 5.5.4 parameters want EHLO", now);
  if (recipient.mailbox.has_utf8_local() && !envelope.smtputf8) {
    return reply_error("553 5.6.7 an address with UTF-8 needs SMTPUTF8 at MAIL", now);
  }
  if (listener.role == conf::ListenerRole::kBounce) return returned_to(std::move(recipient), now);
  const bool stranger = !may_relay();
  if (for_our_postmaster(recipient.mailbox, config, stranger)) {
    const std::optional<conf::Mailbox> mailbox = postmaster_mailbox(config, stranger);
    if (!mailbox) {
      trouble(conf::DoorReason::kRelayingDenied, recipient.mailbox.text());
      return reply_error("550 5.7.1 no mailbox of another host is named for the postmaster of this one", now);
    }
    recipient.mailbox = *mailbox;
  } else if (stranger) {
    trouble(conf::DoorReason::kRelayingDenied, recipient.mailbox.text());
    return reply_error("554 5.7.1 relaying denied", now);
  }
  if (stranger) {
    // His reverse-path may be anyone's: neither we nor the next host shall write there (RFC 3461 §4.1 NEVER),
    // and the postmaster gets one copy.
    recipient.notify = conf::kNotifyNever;
    recipient.orcpt.clear();
    if (std::ranges::any_of(envelope.recipients, [&](const conf::Recipient& each) {
          return each.mailbox.text() == recipient.mailbox.text();
        })) {
      return reply("250 2.1.5 recipient OK");
    }
  }
  if (options.gate != nullptr) {  // an old list is no error of the client
    const std::string refused = options.gate->refuses(envelope, recipient);
    if (!refused.empty()) return reply(refused);
  }
  take_recipient(std::move(recipient));
}

// Mail that comes back: only for the addresses that it comes back to, and nothing is ever sent on.
void ServerSession::State::returned_to(conf::Recipient recipient, conf::Instant now) {
  if (!config.returns.takes(recipient.mailbox)) {
    trouble(conf::DoorReason::kRelayingDenied, recipient.mailbox.text());
    return reply_error("550 5.7.1 only mail that comes back is taken here", now);
  }
  take_recipient(std::move(recipient));
}

void ServerSession::State::take_recipient(conf::Recipient recipient) {
  // RFC 5321 §4.5.3.1.10: not an error of the client.
  if (envelope.recipients.size() >= listener.max_recipients) {
    trouble(conf::DoorReason::kTooManyRecipients);
    return reply("452 4.5.3 too many recipients");
  }
  const uint64_t octets = envelope_octets + kRecipientOctets + recipient.mailbox.local.size() +
                          recipient.mailbox.domain.text().size() + recipient.orcpt.size();
  if (options.gate != nullptr && !options.gate->may_hold(octets)) {
    trouble(conf::DoorReason::kShortOfMemory);
    return reply("452 4.3.1 the relay is short of memory, try again later");
  }
  idle_commands = 0;
  wasted_octets = 0;
  envelope_octets = octets;
  envelope.recipients.push_back(std::move(recipient));
  go(Phase::kRecipients);
  reply("250 2.1.5 recipient OK");
}

void ServerSession::State::data(conf::Instant now) {
  begin_body(DataReader::Framing::kDots, now);
  go(Phase::kData);
  reply("354 end with <CRLF>.<CRLF>");
}

void ServerSession::State::drop_envelope() {
  envelope = conf::Envelope();
  envelope_octets = 0;
}

void ServerSession::State::reset_transaction() {
  abort_body();
  drop_envelope();
  transaction_refused = false;
  go(Phase::kReady);
}

}  // namespace relay::smtp
