#include "tests/sim/peer.h"

#include <algorithm>
#include <cstdlib>

#include "tests/sim/signer.h"

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

// The number that the client of the simulation wrote into the message: "X-Sim: 17 <hash>".
bool read_number(const std::string& body, uint64_t* number, bool* intact) {
  const size_t field = body.find("X-Sim: ");
  if (field == std::string::npos) return false;
  char* end = nullptr;
  *number = std::strtoull(body.c_str() + field + 7, &end, 10);
  const uint64_t hash = std::strtoull(end, &end, 10);
  const size_t text = body.find("\r\n\r\n", field);
  *intact = text != std::string::npos && std::hash<std::string>()(body.substr(text + 4)) == hash;
  return true;
}

// What follows `name`: "id 1m3250w1c0000;", "Message-ID: <1m3251a1k0000@relay.test>".
std::string identifier_after(const std::string& name, const std::string& body) {
  const size_t found = body.find(name);
  if (found == std::string::npos) return {};
  const size_t begin = found + name.size();
  return body.substr(begin, body.find_first_of("@;\r\n", begin) - begin);
}

std::string address_in(const std::string& line) {
  const size_t open = line.find('<'), close = line.find('>');
  return open == std::string::npos || close == std::string::npos ? ""
                                                                 : line.substr(open + 1, close - open - 1);
}

}  // namespace

class Peer::Session final : public relay::TransportUser, public std::enable_shared_from_this<Peer::Session> {
 public:
  Session(Peer* peer, std::unique_ptr<relay::Transport> stream) : peer_(peer), stream_(std::move(stream)) {}
  void start() {
    stream_->set_user(this);
    const uint32_t most = peer_->rules.hidden_connections;
    const bool crowded = most != 0 && peer_->connections_ > most;
    peer_->turned_down += crowded ? 1 : 0;
    if (crowded || peer_->world_->random.chance(peer_->rules.busy)) {
      reply(peer_->rules.busy_text);
      tell(peer_->rules.busy_text, 0);
      leave();
      return;
    }
    reply("220 " + peer_->name_ + " ESMTP");
  }
  void on_connected() override {}
  void on_tls(conf::Result<relay::TlsInfo> outcome) override {
    encrypted_ = outcome.ok();
    if (!encrypted_) return leave(PeerWatch::End::kBroken);
    if (peer_->world_->random.chance(peer_->rules.object_tls)) leave();
  }
  void on_drained() override {}
  void on_deadline() override {}
  void on_closed(const conf::Error&) override { leave(PeerWatch::End::kBroken); }
  void on_bytes(std::string_view bytes) override {
    input_ += bytes;
    while (stream_ != nullptr && take()) {
    }
  }
  void leave(PeerWatch::End how = PeerWatch::End::kOurs) {
    if (stream_ == nullptr) return;
    stream_->finish();
    stream_.reset();
    if (peer_->watch != nullptr) peer_->watch->ended(number, how);
    peer_->ended(this);
  }
  uint64_t number = 0;  // of the watch
  std::string source;   // address that the relay came from

 private:
  bool take() {
    if (chunk_ > 0 || last_chunk_) return take_chunk();
    if (in_data_) return take_data();
    const size_t end = input_.find("\r\n");
    if (end == std::string::npos) return false;
    const std::string line = input_.substr(0, end);
    input_.erase(0, end + 2);
    *heard_ = true;
    if (peer_->world_->random.chance(peer_->rules.drop)) {
      leave();
      return false;
    }
    command(line);
    return true;
  }
  bool take_data() {
    const size_t end = input_.find("\r\n.\r\n");
    const bool empty = input_.rfind(".\r\n", 0) == 0;
    if (end == std::string::npos && !empty) return false;
    std::string body;
    const size_t size = empty ? 0 : end + 2;
    for (size_t at = 0; at < size;) {
      const size_t eol = input_.find("\r\n", at);
      body.append(input_, at + (input_[at] == '.' ? 1 : 0), eol + 2 - at - (input_[at] == '.' ? 1 : 0));
      at = eol + 2;
    }
    input_.erase(0, empty ? 3 : end + 5);
    in_data_ = false;
    finish_message(body);
    return true;
  }
  bool take_chunk() {
    const size_t take = std::min(chunk_, input_.size());
    body_.append(input_, 0, take);
    input_.erase(0, take);
    chunk_ -= take;
    if (chunk_ > 0) return false;
    if (recipients_.empty()) {
      reply("503 5.5.1 no recipients");
      last_chunk_ = false;
      body_.clear();
    } else if (last_chunk_) {
      last_chunk_ = false;
      finish_message(std::exchange(body_, {}));
    } else {
      reply("250 2.0.0 chunk");
    }
    return true;
  }
  void command(const std::string& line) {
    const std::string verb = line.substr(0, 4);
    if (verb == "EHLO") {
      std::string text = "250-" + peer_->name_;
      if (peer_->rules.pipelining) text += "\r\n250-PIPELINING";
      if (peer_->rules.chunking) text += "\r\n250-CHUNKING";
      if (peer_->rules.dsn) text += "\r\n250-DSN";
      if (peer_->rules.starttls && !encrypted_) text += "\r\n250-STARTTLS";
      reply(text + "\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME");
    } else if (verb == "STAR" && peer_->world_->random.chance(peer_->rules.refuse_tls)) {
      reply("454 4.7.0 TLS is not available at present");
    } else if (verb == "STAR") {
      reply("220 2.0.0 go ahead");
      input_.clear();
      stream_->start_tls({});
    } else if (verb == "MAIL") {
      recipients_.clear();
      reverse_path_ = address_in(line);
      if (++messages_ > peer_->rules.limit_messages && peer_->rules.limit_messages != 0) {
        peer_->ledger_->violate(peer_->name_ + ": more messages on a connection than allowed");
      }
      begin_message();
    } else if (verb == "RCPT") {
      recipient(address_in(line));
    } else if (verb == "DATA") {
      if (recipients_.empty()) {
        reply("554 5.5.1 no valid recipients");
      } else {
        in_data_ = true;
        reply("354 go on");
      }
    } else if (verb == "BDAT") {
      chunk_ = std::strtoull(line.c_str() + 5, nullptr, 10);
      last_chunk_ = line.find("LAST") != std::string::npos;
    } else if (verb == "RSET") {
      recipients_.clear();
      reply("250 2.0.0 ok");
    } else if (verb == "QUIT") {
      reply("221 2.0.0 bye");
      leave(PeerWatch::End::kQuit);
    } else {
      reply("500 5.5.2 what?");
    }
  }
  void begin_message() {
    if (peer_->watch != nullptr) peer_->watch->mail(number, reverse_path_);
    const PeerRules& rules = peer_->rules;
    if (peer_->takes_one_more() &&
        (rules.refuse_mail == 0 || !peer_->world_->random.chance(rules.refuse_mail))) {
      in_mail_ = true;
      reply("250 2.1.0 ok");
      return;
    }
    in_mail_ = false;
    reply(rules.mail_text);
    tell(rules.mail_text, PeerWatch::kAll);
    if (rules.mail_text.rfind("421", 0) == 0) leave();
  }
  void recipient(const std::string& address) {
    conf::Random& random = peer_->world_->random;
    if (!in_mail_) {
      reply("503 5.5.1 MAIL first");
    } else if (recipients_.size() >= peer_->rules.max_recipients) {
      reply("452 4.5.3 too many recipients");
    } else if (random.chance(peer_->rules.refuse_soft)) {
      soft_.push_back(address);
      reply(peer_->rules.soft_text);
      tell(peer_->rules.soft_text, 1);
    } else if (random.chance(peer_->rules.refuse_hard)) {
      reply(peer_->rules.hard_text);
      tell(peer_->rules.hard_text, 1);
    } else {
      recipients_.push_back(address);
      reply("250 2.1.5 ok");
    }
  }
  void finish_message(const std::string& body) {
    if (peer_->world_->random.chance(peer_->rules.refuse_dot)) {
      answer_dot("451 4.3.0 try later");
    } else {
      heard_ = std::make_shared<bool>(false);
      peer_->encrypted += encrypted_ ? 1 : 0;
      peer_->took(body, recipients_, source, heard_);
      if (peer_->world_->random.chance(
              peer_->rules.drop)) {  // taken, but the reply is lost: a duplicate may come
        leave();
        return;
      }
      answer_dot("250 2.6.0 taken");
    }
    recipients_.clear();
  }
  void answer_dot(const std::string& text) {
    if (peer_->rules.slow.count() == 0) {
      reply(text);
      tell(text, recipients_.size());
      return;
    }
    peer_->world_->after(peer_->world_->between(1ms, peer_->rules.slow),
                         [mine = weak_from_this(), text, count = recipients_.size()] {
                           const std::shared_ptr<Session> self = mine.lock();
                           if (self == nullptr || self->stream_ == nullptr) return;
                           self->reply(text);
                           self->tell(text, count);
                         });
  }
  void tell(const std::string& text, size_t recipients) {
    if (peer_->watch != nullptr) peer_->watch->said(number, std::atoi(text.c_str()), recipients);
  }
  void reply(const std::string& text) {
    if (stream_ == nullptr) return;
    relay::OutQueue out;
    out.append(text + "\r\n");
    stream_->write(&out);
  }

  Peer* peer_;
  std::unique_ptr<relay::Transport> stream_;
  std::string input_, reverse_path_, body_;
  std::vector<std::string> recipients_, soft_;
  size_t chunk_ = 0;
  bool last_chunk_ = false, in_data_ = false, in_mail_ = false, encrypted_ = false;
  uint32_t messages_ = 0;
  std::shared_ptr<bool> heard_ = std::make_shared<bool>(false);  // our reply to the latest final dot
};

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
  uint64_t number = 0;
  bool intact = false;
  if (body.find("multipart/report") != std::string::npos) {
    // A report: about which message (its header comes back), and which recipients.
    if (!read_number(body, &number, &intact)) {
      ledger_->violate("a report without the header of its message");
      return;
    }
    const std::string original = identifier_after("with ESMTP id ", body);
    const std::string report = identifier_after("Message-ID: <", body);
    ledger_->identifiers[number].insert(original);
    for (size_t at = body.find("Final-Recipient: rfc822;"); at != std::string::npos;
         at = body.find("Final-Recipient: rfc822;", at + 1)) {
      const size_t begin = body.find_first_not_of(' ', at + 24);
      const Ledger::Key key{number, body.substr(begin, body.find_first_of("\r\n", begin) - begin)};
      ++ledger_->reported[key];
      ledger_->report_dots[{original, key.second}].push_back({world_->now(), heard, report, source});
    }
    return;
  }
  if (!read_number(body, &number, &intact)) {
    ledger_->violate("a message of nobody's");
    return;
  }
  if (!intact) ledger_->violate("message " + std::to_string(number) + " arrived damaged");
  const std::string identifier = identifier_after("with ESMTP id ", body);
  ledger_->identifiers[number].insert(identifier);
  for (const std::string& recipient : recipients) {
    ++ledger_->delivered[{number, recipient}];
    ledger_->delivery_dots[{identifier, recipient}].push_back({world_->now(), heard, "", source});
  }
}

}  // namespace sim
