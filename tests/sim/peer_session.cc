#include "tests/sim/peer_session.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "relay/smtp/mime_entity.h"

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

std::string address_in(const std::string& line) {
  const size_t open = line.find('<'), close = line.find('>');
  return open == std::string::npos || close == std::string::npos ? ""
                                                                 : line.substr(open + 1, close - open - 1);
}

bool ends_connection(const std::string& text) { return text.rfind("421", 0) == 0; }

}  // namespace

Peer::Session::Session(Peer* peer, std::unique_ptr<relay::Transport> stream)
    : peer_(peer),
      rules_(peer->rules),
      stream_(std::move(stream)),
      speech_(rules_.faults, rules_.enhanced, &peer->world_->random, &peer->played) {}

void Peer::Session::start() {
  stream_->set_user(this);
  const uint32_t most = rules_.hidden_connections;
  const bool crowded = most != 0 && peer_->connections_ > most;
  peer_->turned_down += crowded ? 1 : 0;
  if (crowded || chance(rules_.busy)) {
    reply(rules_.busy_text);
    tell(rules_.busy_text, 0);
    leave();
    return;
  }
  reply("220 " + peer_->name_ + " ESMTP");
}

void Peer::Session::on_tls(conf::Result<relay::TlsInfo> outcome) {
  encrypted_ = outcome.ok();
  if (!encrypted_) return leave(PeerWatch::End::kBroken);
  if (chance(rules_.object_tls)) leave();
}

void Peer::Session::on_bytes(std::string_view bytes) {
  input_ += bytes;
  while (stream_ != nullptr && take()) {
  }
}

void Peer::Session::leave(PeerWatch::End how) {
  if (stream_ == nullptr) return;
  stream_->finish();
  stream_.reset();
  if (peer_->watch != nullptr) peer_->watch->ended(number, how);
  peer_->ended(this);
}

bool Peer::Session::take() {
  if (chunk_ > 0 || last_chunk_) return take_chunk();
  return in_data_ ? take_data() : take_command();
}

bool Peer::Session::take_command() {
  const size_t end = input_.find("\r\n");
  if (end == std::string::npos) return false;
  const std::string line = input_.substr(0, end);
  input_.erase(0, end + 2);
  // Whoever goes on has read the reply; whoever only says goodbye may have lost step.
  if (!speech_.muddled() || line != "QUIT") *heard_ = true;
  if (chance(rules_.drop)) {
    leave();
    return false;
  }
  command(line);
  if (rules_.faults.eats && !in_data_ && !last_chunk_) input_.clear();
  return true;
}

bool Peer::Session::take_data() {
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

bool Peer::Session::take_chunk() {
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

void Peer::Session::command(const std::string& line) {
  const std::string verb = line.substr(0, 4);
  if (verb == "EHLO") {
    ehlo();
  } else if (verb == "STAR") {
    starttls();
  } else if (verb == "MAIL") {
    mail(line);
  } else if (verb == "RCPT") {
    rcpt(line);
  } else if (verb == "DATA") {
    data();
  } else if (verb == "BDAT") {
    chunk_ = std::strtoull(line.c_str() + 5, nullptr, 10);
    last_chunk_ = line.find("LAST") != std::string::npos;
  } else if (verb == "RSET") {
    rset();
  } else if (verb == "QUIT") {
    reply("221 2.0.0 bye");
    leave(PeerWatch::End::kQuit);
  } else {
    reply("500 5.5.2 what?");
  }
}

void Peer::Session::ehlo() {
  std::string text = "250-" + peer_->name_;
  if (rules_.pipelining) text += "\r\n250-PIPELINING";
  if (rules_.chunking) text += "\r\n250-CHUNKING";
  if (rules_.dsn) text += "\r\n250-DSN";
  if (rules_.starttls && !encrypted_) text += "\r\n250-STARTTLS";
  if (rules_.enhanced) text += "\r\n250-ENHANCEDSTATUSCODES";
  if (rules_.eight_bit) text += "\r\n250-8BITMIME";
  if (rules_.smtputf8) text += "\r\n250-SMTPUTF8";
  reply(text + (rules_.size ? "\r\n250 SIZE 10000000" : "\r\n250 HELP"));
}

void Peer::Session::starttls() {
  if (chance(rules_.refuse_tls)) {
    reply("454 4.7.0 TLS is not available at present");
    return;
  }
  speech_.say_plainly("220 2.0.0 go ahead", stream_.get());
  input_.clear();
  stream_->start_tls({});
}

bool Peer::Session::is_in_disorder() {
  if (!fault(rules_.faults.disorder)) return false;
  played(Fault::kDisorder);
  reply(out_of_order(&peer_->world_->random));
  return true;
}

bool Peer::Session::refuses_parameter(const std::string& line) {
  for (const std::string& each : rules_.faults.disowns) {
    const size_t at = line.find(' ' + each, line.find('>'));
    if (at == std::string::npos) continue;
    played(Fault::kParameter);
    const std::string parameter = line.substr(at + 1, line.find(' ', at + 1) - at - 1);
    reply(refused_parameter(parameter, rules_.faults.names_none, &peer_->world_->random));
    return true;
  }
  return false;
}

void Peer::Session::mail(const std::string& line) {
  reverse_path_ = address_in(line);
  smtputf8_ = line.find(" SMTPUTF8") != std::string::npos;
  if (in_mail_) {
    reply("503 5.5.1 sender already specified");
    return;
  }
  if (is_in_disorder() || refuses_parameter(line)) return;
  if (++messages_ > rules_.limit_messages && rules_.limit_messages != 0)
    peer_->ledger_->violate(peer_->name_ + ": more messages on a connection than allowed");
  if (peer_->watch != nullptr) peer_->watch->mail(number, reverse_path_);
  const bool enough = rules_.faults.enough != 0 && messages_ > rules_.faults.enough;
  if (!enough && peer_->takes_one_more() && !fault(rules_.refuse_mail)) {
    in_mail_ = true;
    recipients_.clear();
    reply("250 2.1.0 ok");
    return;
  }
  if (enough) played(Fault::kEnough);
  const std::string& text = enough ? rules_.faults.enough_text : rules_.mail_text;
  reply(text);
  tell(text, PeerWatch::kAll);
  if (ends_connection(text)) leave();
}

void Peer::Session::rcpt(const std::string& line) {
  const std::string address = address_in(line);
  if (!in_mail_) {
    reply("503 5.5.1 MAIL first");
  } else if (is_in_disorder()) {
    return;
  } else if (recipients_.size() >= rules_.max_recipients) {
    played(Fault::kTooMany);
    reply(rules_.faults.too_many_text);
    if (ends_connection(rules_.faults.too_many_text)) leave();
  } else if (chance(rules_.refuse_soft)) {
    reply(rules_.soft_text);
    tell(rules_.soft_text, 1);
  } else if (chance(rules_.refuse_hard)) {
    if (reply(rules_.hard_text)) refused(address);
    tell(rules_.hard_text, 1);
  } else {
    if (!smtputf8_ && relay::smtp::has_eight_bit(address))
      peer_->ledger_->violate(address + ": in UTF-8 without SMTPUTF8");
    recipients_.push_back(address);
    reply("250 2.1.5 ok");
  }
}

void Peer::Session::data() {
  if (is_in_disorder()) return;
  if (recipients_.empty()) {
    reply("554 5.5.1 no valid recipients");
    return;
  }
  in_data_ = true;
  reply("354 go on");
}

void Peer::Session::rset() {
  if (fault(rules_.faults.rset)) {
    played(Fault::kRset);
    const std::string text = refused_rset(&peer_->world_->random);
    reply(text);
    if (ends_connection(text)) leave();
    return;
  }
  recipients_.clear();
  in_mail_ = false;
  reply("250 2.0.0 ok");
}

void Peer::Session::finish_message(const std::string& body) {
  in_mail_ = false;
  if (chance(rules_.refuse_dot)) {
    answer_dot("451 4.3.0 try later");
  } else if (fault(rules_.refuse_content)) {
    for (const std::string& each : recipients_) refused(each);
    answer_dot("554 5.6.0 this content is refused");
  } else {
    if (!rules_.eight_bit && relay::smtp::has_eight_bit(body))
      peer_->ledger_->violate(peer_->name_ + ": content of 8 bits, and it takes seven");
    if (!rules_.eight_bit && body.find("\nContent-Transfer-Encoding:") != std::string::npos)
      played(Fault::kSevenBit);
    heard_ = std::make_shared<bool>(false);
    peer_->encrypted += encrypted_ ? 1 : 0;
    peer_->took(body, recipients_, source, heard_);
    if (chance(rules_.drop)) {  // taken, but the reply is lost: a duplicate may come
      leave();
      return;
    }
    answer_dot("250 2.6.0 taken");
  }
  recipients_.clear();
}

void Peer::Session::answer_dot(const std::string& text) {
  if (rules_.slow.count() == 0) {
    reply(text);
    tell(text, recipients_.size());
    return;
  }
  peer_->world_->after(peer_->world_->between(1ms, rules_.slow),
                       [mine = weak_from_this(), text, count = recipients_.size()] {
                         const std::shared_ptr<Session> self = mine.lock();
                         if (self == nullptr || self->stream_ == nullptr) return;
                         self->reply(text);
                         self->tell(text, count);
                       });
}

void Peer::Session::tell(const std::string& text, size_t recipients) {
  if (peer_->watch != nullptr) peer_->watch->said(number, std::atoi(text.c_str()), recipients);
}

bool Peer::Session::reply(const std::string& text) {
  return stream_ != nullptr && speech_.say(text, stream_.get());
}

void Peer::Session::refused(const std::string& recipient) {
  peer_->ledger_->refused[recipient].push_back(peer_->world_->now());
}

}  // namespace sim
