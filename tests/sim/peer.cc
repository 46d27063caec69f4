#include "tests/sim/peer.h"

#include <algorithm>
#include <cstdlib>

#include "bounce/report/mime_codec.h"
#include "relay/smtp/mime_entity.h"
#include "tests/sim/peer_session.h"
#include "tests/sim/signer.h"

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

// The number that the client of the simulation wrote into the message: "X-Sim: 17 <hash>".
bool read_number(const std::string& body, uint64_t* number, uint64_t* hash) {
  const size_t field = body.find("X-Sim: ");
  if (field == std::string::npos) return false;
  char* end = nullptr;
  *number = std::strtoull(body.c_str() + field + 7, &end, 10);
  *hash = std::strtoull(end, &end, 10);
  return true;
}

// The text as it was handed in: the relay may have said it in seven bits.
std::string text_of(const std::string& message) {
  const relay::smtp::MimeEntity entity = relay::smtp::read_entity(message);
  const std::string_view encoding = relay::smtp::value_of(entity, "Content-Transfer-Encoding");
  return encoding.empty() ? std::string(entity.body)
                          : bounce::report::decode_transfer(encoding, entity.body, entity.body.size());
}

// What follows `name`: "id 1m3250w1c0000;", "Message-ID: <1m3251a1k0000@relay.test>".
std::string identifier_after(const std::string& name, const std::string& body) {
  const size_t found = body.find(name);
  if (found == std::string::npos) return {};
  const size_t begin = found + name.size();
  return body.substr(begin, body.find_first_of("@;\r\n", begin) - begin);
}

// The recipients that a report is about. In seven bits a letter of UTF-8 is "\\x{FC}" (RFC 6533 section 3).
std::vector<std::string> reported_in(const std::string& report) {
  constexpr std::string_view kField = "Final-Recipient: ", kEscaped = "\\x{FC}";
  std::vector<std::string> recipients;
  for (size_t at = report.find(kField); at != std::string::npos; at = report.find(kField, at + 1)) {
    const size_t begin = report.find("; ", at) + 2;
    std::string recipient = report.substr(begin, report.find_first_of("\r\n", begin) - begin);
    if (const size_t letter = recipient.find(kEscaped); letter != std::string::npos)
      recipient.replace(letter, kEscaped.size(), "\xc3\xbc");
    recipients.push_back(std::move(recipient));
  }
  return recipients;
}

}  // namespace

void Peer::accept(std::unique_ptr<relay::Transport> stream, const std::string& address,
                  const std::string& source) {
  ++connections_;
  most_connections = std::max(most_connections, connections_);
  if (rules.limit_connections != 0 && connections_ > rules.limit_connections) {
    ledger_->violate(name_ + ": " + std::to_string(connections_) + " connections at once, allowed " +
                     std::to_string(rules.limit_connections));
  }
  auto session = std::make_shared<Session>(this, std::move(stream));
  sessions_[session.get()] = session;
  session->source = source;
  if (watch != nullptr) session->number = watch->began(address, source);
  session->start();
}

bool Peer::takes_one_more() {
  if (rules.hidden_per_minute == 0) return true;
  while (!minute_.empty() && minute_.front() <= world_->now() - 1min) minute_.pop_front();
  if (minute_.size() >= rules.hidden_per_minute) return ++turned_down, false;
  minute_.push_back(world_->now());
  return true;
}

void Peer::ended(Session* session) {
  --connections_;
  // Freed later: the session may be on the stack.
  world_->after(1us, [keep = sessions_.at(session)] {});
  sessions_.erase(session);
}

void Peer::forget_streams() {
  while (!sessions_.empty()) {
    const std::shared_ptr<Session> session = sessions_.begin()->second;
    session->leave();
  }
}

void Peer::took(const std::string& body, const std::vector<std::string>& recipients,
                const std::string& source, std::shared_ptr<const bool> heard) {
  const bool is_signed = body.rfind(kSimSignature, 0) == 0;
  if (is_signed != rules.wants_signature)
    ledger_->violate(is_signed ? "signed unasked" : "a message went unsigned");
  if (is_signed && body.find(kSimSignature, 1) != std::string::npos) ledger_->violate("signed twice");
  ++taken;
  uint64_t number = 0, hash = 0;
  if (body.find("multipart/report") != std::string::npos) {
    // A report: about which message (its header comes back), and which recipients.
    if (!read_number(body, &number, &hash)) {
      ledger_->violate("a report without the header of its message");
      return;
    }
    const std::string original = identifier_after("SMTP id ", body);
    const std::string report = identifier_after("Message-ID: <", body);
    ledger_->identifiers[number].insert(original);
    for (const std::string& recipient : reported_in(body)) {
      ++ledger_->reported[{number, recipient}];
      ledger_->report_dots[{original, recipient}].push_back({world_->now(), heard, report, source});
    }
    return;
  }
  if (!read_number(body, &number, &hash)) {
    ledger_->violate("a message of nobody's");
    return;
  }
  if (std::hash<std::string>()(text_of(body)) != hash)
    ledger_->violate("message " + std::to_string(number) + " arrived damaged");
  const std::string identifier = identifier_after("SMTP id ", body);
  ledger_->identifiers[number].insert(identifier);
  for (const std::string& recipient : recipients) {
    ++ledger_->delivered[{number, recipient}];
    ledger_->delivery_dots[{identifier, recipient}].push_back({world_->now(), heard, "", source});
  }
}

}  // namespace sim
