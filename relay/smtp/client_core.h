// ClientCore: the inside of ClientSession: the state, the order of commands and replies, and the deadline.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/smtp/client_session.h"
#include "relay/smtp/client_state.h"
#include "relay/smtp/flight.h"

namespace relay::smtp {

class ClientCore {
 public:
  ClientCore(ClientOptions options, conf::Instant now);

  void receive(std::string_view bytes, conf::Instant now);
  bool next_event(ClientEvent* event);
  void begin(Transaction transaction, conf::Instant now);
  void quit(conf::Instant now);
  void tls_established(const TlsInfo& tls, conf::Instant now);
  void tls_failed(std::string_view why);
  void log_in(std::string secret, conf::Instant now);
  void secret_missing(std::string_view why);
  void on_deadline(conf::Instant now);
  void on_written(conf::Instant now);
  void on_peer_closed(std::string_view why);

  OutQueue output;
  PeerFeatures peer;
  std::optional<TlsInfo> tls;
  uint32_t transactions = 0;
  Lessons lessons;
  ClientState state() const { return state_; }
  conf::Instant deadline() const { return deadline_; }

 private:
  void go_to(ClientState next, conf::Instant now);
  void arm(conf::Instant now);
  conf::Duration time_allowed() const;
  void take_reply(bounce::Reply reply, conf::Instant now);
  void take_greeting(bounce::Reply reply, conf::Instant now);
  void take_ehlo(bounce::Reply reply, conf::Instant now);
  void take_helo(bounce::Reply reply, conf::Instant now);
  void take_starttls(bounce::Reply reply, conf::Instant now);
  void take_mail(const bounce::Reply& reply, conf::Instant now);
  void take_rcpt(const bounce::Reply& reply, conf::Instant now);
  void take_data(const bounce::Reply& reply, conf::Instant now);
  void take_end(bounce::Reply reply, conf::Instant now);
  void after_ehlo(conf::Instant now);
  void after_recipients(conf::Instant now);
  void write_flight();
  void send_ehlo(conf::Instant now);
  // client_login.cc
  void opened(conf::Instant now);
  void want_secret(conf::Instant now);
  void say_secret(std::string line);
  void take_auth(bounce::Reply reply, conf::Instant now);
  void close_unlogged(std::string_view why);
  void ready(conf::Instant now);
  void transaction_done(conf::Instant now);
  void hand_over();
  void end_flight(const bounce::Reply& reply, Flight::Cut cut);
  // client_trouble.cc: what is wrong with the session, not with the message.
  bool used() const { return transactions > 1; }  // the running transaction is not the first
  void take_421(bounce::Reply reply);
  bool is_session_trouble(const bounce::Reply& reply) const;
  bool follows_its_double(const bounce::Reply& reply) const;
  void out_of_step(const std::string& why, bool definite);
  void took_early(const std::string& words);
  void learn_one_by_one();
  void ask_for_the_order(conf::Instant now);
  void after_refused_mail(conf::Instant now, bool for_parameters);
  void doubt_end(const bounce::Reply& reply);
  bool learn_from_end(const bounce::Reply& reply);
  void settle_doubted_end(bounce::Reply reply);
  bool mail_in_doubt() const;
  void take_goodbye(bounce::Reply reply);
  void no_goodbye();
  void leave(const std::string& why, Flight::Cut cut);
  bool leave_if_troubled(const bounce::Reply& reply);
  ExtensionSet extensions_sent() const;
  bool names_parameters(const bounce::Reply& reply) const;
  bool learn_refused_parameters(const bounce::Reply& reply);
  bool timed_out_in_step() const;
  enum class End : uint8_t { kByPeer, kRefused, kTimedOut, kByUs };
  bool blame_tls(End how);
  bool refuses_tls(const bounce::Reply& reply);
  bool leave_tls(const bounce::Reply& reply);
  bool leave_clear(const bounce::Reply& reply);
  bool leave_if_slipped_from_mail(const bounce::Reply& reply);
  // The ways to the end: the peer refused the session, or it cannot be talked to any more.
  void close_refused(bounce::Reply reply);
  void close_broken(std::string_view error, End how);
  void close_done(bounce::Reply reply);
  void greeted_again();
  void push_closed(ClientEvent event);

  const ClientOptions options_;
  ClientState state_ = ClientState::kGreeting;
  conf::Instant deadline_ = conf::kNever;
  bounce::ReplyParser parser_;
  std::vector<ClientEvent> events_;
  std::optional<Flight> flight_;
  std::unique_ptr<LoginWords> words_;  // while we log in
  AuthSet refused_auth_;               // mechanisms that it offered and does not take
  bounce::Reply starttls_refusal_;     // until the owner was told
  bool reset_due_ = false;             // the last transaction left state behind
  bool pipelined_ = false;             // the flight under way was written as one
  bool chunked_ = false;               // by BDAT
  bool told_apart_ = false;            // what answers MAIL and RCPT cannot answer content: it has X.1.Y
  bounce::Reply early_end_;            // to the content, or a reply too many before that; code 0: none
  bool heard_ = false;                 // a reply came since the flight began
  bool tls_left_ = false;              // the peer offers STARTTLS, and the session goes on without it
  bool in_step_ = false;               // RSET was answered before MAIL
  bool content_unsent_ = false;        // the content waits in the transport
  bounce::Reply last_refusal_;         // the end of data, or MAIL, of the last transaction; code 0: taken
  uint32_t greeted_again_ = 0;         // how often
  bool mail_taken_ = false;            // the peer took a MAIL: its TLS works
};

}  // namespace relay::smtp
