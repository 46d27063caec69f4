// The machine behind ServerSession. Its functions are spread over server_session.cc (input, clock, answers),
// server_commands.cc, server_auth.cc and server_body.cc.
#pragma once

#include <array>
#include <deque>
#include <string>

#include "relay/smtp/command.h"
#include "relay/smtp/data_reader.h"
#include "relay/smtp/header_scan.h"
#include "relay/smtp/input.h"
#include "relay/smtp/sasl.h"
#include "relay/smtp/server_phase.h"
#include "relay/smtp/server_session.h"

namespace relay::smtp {

struct ServerSession::State {
  explicit State(ServerOptions given);

  // server_session.cc
  void go(Phase to);  // the only writer of `phase`; CHECKs the table of server_phase.cc
  void greet(conf::Instant now);
  bool work(conf::Instant now);  // one step over the input; false: nothing to do
  void too_long_line(bool auth_line, conf::Instant now);
  void arm(conf::Instant now);  // a new deadline for the phase
  void reply(std::string_view line) {
    out.append(line);
    out.append("\r\n");
  }
  void reply_error(std::string_view line, conf::Instant now);  // counts; the last error is answered by 421
  void close(std::string_view line);                           // empty: without a word
  void trouble(conf::DoorReason reason, std::string_view detail = {});
  void emit(ServerEvent::Kind kind, std::string_view bytes = {});
  void answered(conf::Instant now);

  // server_commands.cc
  void command(std::string_view line, conf::Instant now);
  Leniency leniency() const;
  bool out_of_sequence(const Command& command, conf::Instant now);  // true: answered
  void run(Command* command, conf::Instant now);
  void hello(const Command& command);
  void ehlo_reply();
  void mail(Command* command, conf::Instant now);
  bool user_may_send(const conf::Mailbox& sender, conf::Instant now);  // false: answered
  void rcpt(Command* command, conf::Instant now);
  void returned_to(conf::Recipient recipient, conf::Instant now);
  void take_recipient(conf::Recipient recipient);
  void data(conf::Instant now);
  void drop_envelope();
  void reset_transaction();  // kAbortMessage when a body is open; then kReady
  bool may_relay() const;

  // server_auth.cc
  bool auth_offered() const;
  void start_tls(conf::Instant now);
  void auth(Command& command, conf::Instant now);  // wipes what it holds of the secret
  void auth_line(std::string_view line, conf::Instant now);
  void auth_step(Sasl::Step step, const std::string& text, conf::Instant now);
  void auth_answer(AuthOutcome outcome, conf::Instant now);
  void auth_refuse(conf::Instant now);  // the penalty is over

  // server_body.cc
  void bdat(const Command& command, conf::Instant now);
  void begin_body(DataReader::Framing framing, conf::Instant now);
  void read_data(conf::Instant now);
  void read_chunk(conf::Instant now);
  void swallow(conf::Instant now);
  void give_body(std::string_view bytes);
  void pass_body(std::string_view bytes);
  void close_front();
  void chunk_done(conf::Instant now);
  void body_done(conf::Instant now);
  void abort_body();
  std::string fault_reply() const;
  bool waste(uint64_t octets);  // of a body that is refused; true: that was too much, the session is over
  void skip_chunk(const Command& command, std::string_view answer, conf::Instant now);

  const ServerOptions options;
  const conf::Listener& listener;
  const conf::Config& config;
  bool tls_active = false;
  TlsInfo tls;
  bool loopback = false;       // the client is on this machine
  bool relay_network = false;  // the client's address is in relay_from

  Phase phase = Phase::kBeforeGreeting;
  Input input;
  OutQueue out;
  std::deque<ServerEvent> events;
  std::deque<Trouble> troubles;  // bounded: the owner takes them each turn
  conf::Instant deadline = conf::kNever;
  bool shutting_down = false;
  uint32_t cost = 0;  // of the step that work() just made
  // Of a step over a body, which is cheaper than any command: what does not make a whole unit yet is kept.
  void charge_body(uint32_t lines);
  uint32_t body_cost = 0;  // in parts of a unit

  bool esmtp = false;
  std::string client_name;
  std::string authenticated_as;
  Sasl sasl;
  uint32_t auth_failures = 0;
  AuthOutcome auth_outcome = AuthOutcome::kWrong;  // to be told when the penalty is over
  uint32_t errors = 0;                             // since the last message that was stored
  uint32_t messages = 0;
  uint32_t idle_commands = 0;        // since the last recipient or message that was taken
  uint64_t wasted_octets = 0;        // of what is refused, since then or since its body began
  bool transaction_refused = false;  // MAIL or a BDAT was: what a pipeline still holds is not a further error

  conf::Envelope envelope;
  uint64_t envelope_octets = 0;  // what its recipients take
  DataReader reader;
  HeaderScan header;
  bool lf_only = false;     // DATA came with a bare LF at its end
  bool front_over = false;  // it is known whether the body begins with the "From " of a mailbox file
  std::string front;        // what came of it until then
  std::string without_nul;  // a slice of the body in which NUL octets were replaced
  bool body_open = false;   // kBeginMessage was given; kMessage or kAbortMessage will be
  bool eight_bit = false;   // the body holds octets above 127, whatever BODY said
  conf::Instant message_deadline = conf::kNever;
  uint64_t chunk_left = 0;
  uint64_t chunk_octets = 0;
  bool chunk_last = false;
  Phase after_swallow = Phase::kReady;
  std::string swallow_reply;
};

}  // namespace relay::smtp
